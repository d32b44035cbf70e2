"""What rewrites a network for its explanation, against gradients of the network itself.

Where activations are ReLU, the epsilon rule with a stabilizer towards 0 is gradient times input
(Ancona et al. 2018), with gates held constant and tanh taken as the ratio of its output and input.
That sums are conserved says less: a map that is spread evenly conserves them too.
"""

from __future__ import annotations

import pytest
import torch
from explaining import SIX, build, clips, first

from facebias.explanation import attribution, composites
from facebias.models.architectures import heads, senet

pytestmark = pytest.mark.usefixtures("one_thread")

NEXT_TO_NOTHING = 1e-20


def gated_block(block, x):
    """The forward pass of ``senet.Block`` with its gate held constant."""
    shortcut = x if block.downsample is None else block.downsample(x)
    out = block.relu(block.bn1(block.conv1(x)))
    out = block.relu(block.bn2(block.conv2(out)))
    out = block.bn3(block.conv3(out))
    gate = block.conv5(block.relu(block.conv4(out.mean((2, 3), keepdim=True)))).sigmoid()
    return block.relu(gate.detach() * out + shortcut)


def recurrent_head(head, features):
    """The forward pass of ``heads.Recurrent`` with gates and ratios of tanh held constant."""
    for lstm in (head.lstm, *head.upper):
        output = cell = features.new_zeros(len(features), lstm.hidden_size)
        outputs = []
        for step in features.unbind(1):
            given = step @ lstm.weight_ih_l0.T + lstm.bias_ih_l0
            gates = given + output @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
            i, f, z, o = gates.chunk(4, dim=1)
            cell = f.sigmoid().detach() * cell + i.sigmoid().detach() * as_ratio(z)
            output = o.sigmoid().detach() * as_ratio(cell)
            outputs.append(output)
        features = torch.stack(outputs, 1)
    return head.linear(output)


def as_ratio(x):
    return x * (x.tanh() / x).detach()


# Every network; of VGG also grids that are pooled, cell by cell or by repeating what there is.
CASES = [
    *((name, 48, {"batch_norm": True} if name.startswith("vgg") else {}) for name in SIX),
    ("vgg16", 96, {"pool": 2}),
    ("vgg16", 64, {"pool": 3, "batch_norm": True}),
]


@pytest.mark.parametrize("head", [("lstm", 1), ("lstm", 2), ("mean", 1)])
@pytest.mark.parametrize(("name", "side", "options"), CASES)
def test_epsilon_is_gradient_times_input(name, side, options, head, monkeypatch):
    given = {"frames": 3, "side": side, "width": 0.25, "options": options}
    given |= dict(zip(("head", "layers"), head, strict=True))
    network = build(name, **given, trained=True).double()
    pixels = network.prepare(clips(2, 3, side)).double()
    rules = composites.composite("epsilon", network, stabilizer=NEXT_TO_NOTHING)
    found = attribution.propagate(network, pixels, first, rules)
    monkeypatch.setattr(senet.Block, "forward", gated_block)
    monkeypatch.setattr(heads.Recurrent, "forward", recurrent_head)
    pixels.requires_grad_()
    scores = network(pixels)
    # The reference is the same network.
    torch.testing.assert_close(scores, found.scores)
    (gradient,) = torch.autograd.grad(scores[:, 0].sum(), pixels)
    expected = (gradient * pixels).sum(2).detach()
    # Of the largest value: sums of 64-bit numbers over some thousand terms, through 50 layers.
    assert (found.pixels - expected).abs().max() <= 1e-9 * expected.abs().max()

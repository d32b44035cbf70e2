"""Layer-wise relevance propagation: conserved, as zennit has it, and the network left alone."""

from __future__ import annotations

import pytest
import torch
import torchvision
import zennit.attribution
import zennit.composites
from explaining import SIX, build, clips, first, largest, zennits
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.layer import Sum
from zennit.rules import Flat, Norm, ZPlus
from zennit.torchvision import ResNetCanonizer, VGGCanonizer

from facebias import explanation
from facebias.explanation import attribution, composites, hooks, steps
from facebias.models.architectures import inputs
from facebias.study import StudyError, registries

pytestmark = pytest.mark.usefixtures("one_thread")

CONVENTION = inputs.CONVENTIONS["imagenet"]
# zennit's default stabilizer of 1e-6 keeps some 1e-4 of the relevance: here it is next to nothing.
EXACT = 1e-15


def explained(network, given, composite, choose=largest, **settings):
    rules = composites.composite(composite, network, **settings)
    return attribution.propagate(network, given, choose, rules)


@pytest.mark.parametrize("head", ["lstm", "mean"])
@pytest.mark.parametrize("name", SIX)
def test_relevance_is_conserved(name, head):
    """float64, no rule gives biases anything: the pixels add up to the explained output."""
    options = {"batch_norm": True} if name.startswith("vgg") else {}
    network = build(
        name, frames=4, side=48, width=0.25, head=head, trained=True, options=options
    ).double()
    given = network.prepare(clips(3, 4, 48)).double()
    found = explained(network, given, "conserving", stabilizer=EXACT)
    outputs = found.scores.gather(1, found.scores.argmax(1)[:, None])[:, 0]
    assert outputs.abs().min() > 1e-3
    assert found.pixels.dtype == torch.float64
    assert found.pixels.shape == (3, 4, 48, 48)
    error = (found.pixels.flatten(1).sum(1) - outputs).abs() / outputs.abs()
    assert error.max() < 1e-6
    assert torch.allclose(found.conserved, torch.ones(3, dtype=torch.float64), rtol=1e-6)
    # Not by leaving it where it began: every frame and many pixels have some.
    assert (found.pixels.abs().sum((2, 3)) > 0).all()
    assert (found.pixels != 0).double().mean() > 0.5


@pytest.mark.parametrize("name", SIX)
def test_a_network_that_is_explained_gives_its_own_scores_and_stays_as_it_was(name):
    network = build(name, frames=4, side=48, width=0.25, trained=True).double()
    given = network.prepare(clips(2, 4, 48)).double()
    with torch.no_grad():
        scores = network(given)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    names = [key for key, _ in network.named_modules()]
    found = explained(network, given, "epsilon_plus_flat")
    assert torch.allclose(found.scores, scores, atol=1e-10 * float(scores.abs().max()))
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert [key for key, _ in network.named_modules()] == names
    assert all(value.grad is None for value in network.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())
    assert not any("forward" in vars(part) for part in network.modules())
    with torch.no_grad():
        assert torch.equal(network(given), scores)


def published_composite(name, shape, canonizer):
    if name == "epsilon_gamma_box":
        low, high = (
            torch.tensor(bound)[None, :, None, None].expand(shape) for bound in CONVENTION.bounds()
        )
        return zennit.composites.EpsilonGammaBox(low=low, high=high, canonizers=[canonizer()])
    return zennit.composites.COMPOSITES[name](canonizers=[canonizer()])


def compare(network, published, name, canonizer):
    """Hold ours equal to zennit on torchvision's network, of which ours holds all weights."""
    # In 64 bits: through 53 convolutions single precision alone makes more than 1e-5.
    given = network.prepare(clips(2, 1, network.input_size)).double()
    found = explained(network, given, name)
    images = given[:, 0].clone()
    with zennit.attribution.Gradient(
        published, published_composite(name, images.shape, canonizer)
    ) as gradient:
        outputs = published(images)
        chosen = nn.functional.one_hot(outputs.argmax(1), outputs.shape[1])
        _, expected = gradient(images, outputs.detach() * chosen)
    expected = expected.sum(1)
    assert expected.abs().max() > 0
    assert (found.pixels[:, 0] - expected).abs().max() <= 1e-5 * expected.abs().max()


ZENNITS = (
    "epsilon_plus_flat",
    "epsilon_plus",
    "epsilon_gamma_box",
    "epsilon_alpha2_beta1_flat",
)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("name", ZENNITS)
def test_vgg16_equals_zennit_on_torchvision(name, batch_norm):
    make = torchvision.models.vgg16_bn if batch_norm else torchvision.models.vgg16
    with torch.device("meta"):
        published = make(weights=None)
        published.classifier = nn.Sequential(
            *(nn.Linear(512 * 49, 64), nn.ReLU(True), nn.Dropout()),
            *(nn.Linear(64, 64), nn.ReLU(True), nn.Dropout(), nn.Linear(64, 4)),
        )
    options = {"pool": 7, "features": 64, "batch_norm": batch_norm}
    network = build(frames=1, width=1.0, head="mean", options=options, trained=True).double()
    leave_no_epsilon(network)
    state = dict(network.backbone.state_dict())
    last = network.head.linear.state_dict()
    with torch.no_grad():
        # Our mean over the one frame has a stabilizer too: next to large features it is nothing.
        network.backbone.classifier[3].weight.mul_(100)
    state |= {f"classifier.6.{key}": value for key, value in last.items()}
    published.load_state_dict(state, assign=True)
    leave_no_epsilon(published.eval())
    compare(network, published, name, VGGCanonizer)


@pytest.mark.parametrize("name", ZENNITS)
def test_resnet50_equals_zennit_on_torchvision(name):
    with torch.device("meta"):
        published = torchvision.models.resnet50(weights=None, num_classes=4)
    network = build("resnet50", frames=1, side=64, width=1.0, head="mean", trained=True).double()
    leave_no_epsilon(network)
    state = dict(network.backbone.state_dict())
    state |= {f"fc.{key}": value for key, value in network.head.linear.state_dict().items()}
    published.load_state_dict(state, assign=True)
    leave_no_epsilon(published.eval())
    compare(network, published, name, ResNetCanonizer)


def leave_no_epsilon(network):
    """zennit's merged batch norms still divide by the root of 1 + epsilon; ours do not."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = 1e-12


def test_merged_batch_norms_are_exact():
    network = build("resnet50", width=0.25, trained=True).double()
    given = network.prepare(clips()).double()
    with torch.no_grad():
        scores = network(given)
        zennit_s = zennit.core.Composite(canonizers=[SequentialMergeBatchNorm()])
        with zennit_s.context(network):
            off = (network(given) - scores).abs().max()
    found = explained(network, given, "epsilon_plus")
    assert (found.scores - scores).abs().max() < 1e-6 * off


def test_shares_of_an_addition_equal_zennits_sum():
    first_term, second = torch.randn(2, 3, 4).double().unbind(0)
    relevance = torch.randn(3, 4).double()

    class Ours(nn.Module):
        def __init__(self):
            super().__init__()
            self.add = steps.Addition()

        def forward(self, a, b):
            return self.add(a, b)

    class Zennits(nn.Module):
        def __init__(self):
            super().__init__()
            self.add = Sum()

        def forward(self, a, b):
            return self.add(torch.stack([a, b], dim=-1))

    def rule(kind, hook):
        return lambda context, name, part: hook if isinstance(part, kind) else None

    found = []
    for make, composite in (
        (Ours, hooks.DirectComposite(rule(steps.Addition, steps.Share()))),
        (Zennits, zennit.core.Composite(rule(Sum, Norm()))),
    ):
        a, b = (term.detach().clone().requires_grad_() for term in (first_term, second))
        module = make()
        with composite.context(module):
            found.append(torch.autograd.grad(module(a, b), (a, b), relevance))
    assert all(torch.allclose(*pair) for pair in zip(*found, strict=True))


def test_a_gate_gets_no_relevance():
    signal, gate = torch.randn(2, 3), torch.rand(2, 3)
    given = [part.requires_grad_() for part in (signal, gate)]
    module = steps.Gate()
    composite = hooks.DirectComposite(lambda context, name, part: steps.SignalTakesAll())
    with composite.context(module):
        relevance = torch.randn(2, 3)
        of_signal, of_gate = torch.autograd.grad(module(*given), given, relevance)
    assert torch.equal(of_signal, relevance)
    assert not of_gate.any()


@pytest.mark.parametrize("architecture", ["senet50", "resnet3d"])
@pytest.mark.parametrize("name", composites.COMPOSITES)
def test_direct_hooks_give_what_zennits_give(name, architecture):
    """Leaving out the thrown-away pass and passes that are zero changes nothing."""
    network = build(architecture, frames=2, side=32, width=0.25, trained=True).double()
    given = network.prepare(clips(2)).double()
    direct = composites.composite(name, network)
    found = attribution.propagate(network, given, first, direct)
    # What nothing earned is shared by our rule alone: it stays.
    plain = zennit.core.Composite(
        lambda *part: (
            rule if isinstance(rule := direct.module_map(*part), hooks.WholePlus) else zennits(rule)
        ),
        direct.canonizers,
    )
    again = attribution.propagate(network, given, first, plain)
    scale = again.pixels.abs().max()
    assert scale > 0
    assert torch.allclose(found.pixels, again.pixels, atol=1e-9 * scale)


class Operations(TorchDispatchMode):
    """Counts the multiplications and additions of convolutions and matrix products."""

    total = 0

    def __torch_dispatch__(self, function, types, given=(), named=None):
        found = function(*given, **(named or {}))
        if count := flop_registry.get(function.overloadpacket):
            self.total += count(*given, **(named or {}), out_val=found)
        return found


@pytest.mark.parametrize("name", SIX)
def test_an_explanation_takes_less_than_two_passes_forward_and_back(name):
    network = build(name, frames=4, side=48, width=0.25, head="mean", trained=True)
    given = network.prepare(clips(2, 4, 48))

    def operations(work):
        with Operations() as counted:
            work()
        return counted.total

    def pass_and_back():
        pixels = given.clone().requires_grad_()
        torch.autograd.grad(network(pixels).sum(), pixels)

    composite = explanation.default_composite(name)
    taken = operations(lambda: explained(network, given, composite))
    assert 0 < taken < 2 * operations(pass_and_back)


def test_relevance_that_nothing_earned_is_shared_evenly():
    layer = nn.Conv2d(2, 1, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([-1.0, -2.0])[None, :, None, None])
        layer.bias.fill_(5.0)
    given = torch.ones(1, 2, 1, 1, requires_grad=True)
    for hook, expected in (
        (hooks.WholePlus(1e-6), [1.0, 1.0]),
        (hooks.Plus(1e-6, ["bias"]), [0, 0]),
    ):
        with hooks.DirectComposite(lambda *_, hook=hook: hook).context(layer):
            (found,) = torch.autograd.grad(layer(given), given, torch.full((1, 1, 1, 1), 2.0))
        assert found.flatten().tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(3, 5, 3, stride=2, padding=1), (2, 3, 7, 8)),
        (nn.Conv3d(2, 4, (3, 1, 1), padding=(1, 0, 0)), (2, 2, 4, 3, 3)),
    ],
)
@pytest.mark.parametrize("lowest", [0, -0.5])
def test_whole_plus_is_the_plus_rule_and_the_flat_one_for_what_is_left(layer, shape, lowest):
    layer = layer.double()
    given = torch.rand(shape, dtype=torch.float64) + lowest
    with torch.no_grad():
        layer.weight[1:3] = -layer.weight[1:3].abs()
        given[0] = given[0].abs()  # here those units earn nothing
        relevance = torch.rand_like(layer(given))
        convolution = functional.conv2d if given.dim() == 4 else functional.conv3d
        earned = sum(
            convolution(sign(given), sign(layer.weight), None, layer.stride, layer.padding)
            for sign in (lambda x: x.clamp(min=0), lambda x: x.clamp(max=0))
        )
    unearned = torch.where(earned == 0, relevance, 0)
    assert torch.equal(unearned[0, 1:3], relevance[0, 1:3])

    def found(hook, of):
        asked = given.clone().requires_grad_()
        plain = zennit.core.Composite(lambda *_: hook)
        composite = hooks.DirectComposite(lambda *_: hook) if of is relevance else plain
        with composite.context(layer):
            return torch.autograd.grad(layer(asked), asked, of)[0]

    plus, flat = found(ZPlus(1e-15, zero_params=["bias"]), relevance), found(Flat(0), unearned)
    whole = found(hooks.WholePlus(1e-15), relevance)
    assert torch.allclose(whole, plus + flat)
    assert float(whole.sum()) == pytest.approx(float(relevance.sum()))
    assert float(flat.sum()) > 0.1 * float(relevance.sum())


@pytest.mark.parametrize("name", ["vgg16", "senet50", "resnet3d"])
def test_neighbours_change_nothing(name):
    network = build(name, frames=4, width=0.25, trained=True).double()
    given = network.prepare(clips(5, 4)).double()
    composite = explanation.default_composite(name)
    whole = explained(network, given, composite)
    alone = explained(network, given[2:3], composite)
    scale = whole.pixels[2].abs().max()
    assert torch.allclose(whole.pixels[2:3], alone.pixels, atol=1e-9 * scale)


def test_memory_limits_how_many_clips_go_at_once():
    assert attribution.clips_at_once(torch.Size([3, 3, 48, 48]), 16) == 16
    assert attribution.clips_at_once(torch.Size([20, 3, 112, 112]), 16) == 4
    assert attribution.clips_at_once(torch.Size([40, 3, 224, 224]), 16) == 1


def test_a_composite_that_does_not_exist_is_named():
    with pytest.raises(StudyError, match=r"found 'magic'; expected one of epsilon_plus_flat"):
        composites.composite("magic", build())


def test_names_for_planning_are_what_can_be_done():
    assert tuple(composites.COMPOSITES) == registries.COMPOSITES
    assert set(explanation.DEFAULT_COMPOSITES) <= set(SIX)
    # One that nobody measured has a composite too.
    for name in (*SIX, "another"):
        assert explanation.default_composite(name) in composites.COMPOSITES

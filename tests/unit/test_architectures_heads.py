"""The heads that turn features of frames into scores."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from facebias.models.architectures import heads
from facebias.study import Head

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_recurrent_head_is_torchs_lstm_under_its_names(layers):
    torch.manual_seed(1)
    head = heads.build(5, 3, head=Head(kind="lstm", hidden=7, layers=layers, dropout=0.0))
    torch.manual_seed(1)
    lstm = nn.LSTM(5, 7, layers, batch_first=True)
    state = {key: v for key, v in head.state_dict().items() if key.startswith("lstm.")}
    assert {f"lstm.{key}" for key in lstm.state_dict()} == set(state)
    weights = {key.removeprefix("lstm."): value for key, value in state.items()}
    for key, drawn in lstm.state_dict().items():
        # The same random numbers, but for the forget gates.
        assert torch.equal(drawn, weights[key]) or key.startswith("bias_ih")
    lstm.load_state_dict(weights)
    features = torch.randn(4, 6, 5)
    steps, _ = lstm(features)
    assert torch.allclose(head(features), head.linear(steps[:, -1]), atol=1e-6)


def test_weights_of_a_recurrent_head_come_back():
    made = [
        heads.build(5, 3, head=Head(kind="lstm", hidden=7, layers=2, dropout=0.0)) for _ in "ab"
    ]
    features = torch.randn(4, 6, 5)
    assert not torch.equal(made[0](features), made[1](features))
    nn.ModuleDict({"head": made[1]}).load_state_dict(nn.ModuleDict({"head": made[0]}).state_dict())
    assert torch.equal(made[0](features), made[1](features))
    with pytest.raises(RuntimeError, match="Missing key"):
        made[1].load_state_dict({})


def test_dropout_between_layers_is_torchs_own():
    """That of cuDNN has random numbers that no checkpoint holds."""
    head = heads.build(5, 3, head=Head(kind="lstm", hidden=64, layers=2, dropout=0.5)).train()
    assert all(part.dropout == 0 for part in head.modules() if isinstance(part, nn.RNNBase))
    seen = []
    head.upper[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    head(torch.randn(8, 6, 5))
    head.eval()(torch.randn(8, 6, 5))
    zero = [float((steps == 0).double().mean()) for steps in seen]
    assert zero[0] == pytest.approx(0.5, abs=0.05)
    assert zero[1] == 0


def test_mean_head_equals_its_parts():
    mean = heads.build(5, 3, head=Head(kind="mean", hidden=7, layers=1, dropout=0.5))
    mean.eval().double()
    features = torch.randn(4, 6, 5).double()
    assert torch.allclose(mean(features), mean.linear(features.mean(1)))

"""Steps that overflow in fp16 are skipped and counted; a training that runs away says so."""

from __future__ import annotations

import pandas as pd
import pytest
import synthetic
import torch
from fitting import Nowhere, examples, same, small

from facebias.models.architectures import inputs
from facebias.models.architectures import network as networks
from facebias.models.training import divergence, loop, losses, stage
from facebias.models.training.interruption import Interruption
from facebias.models.training.precision import Precision, overflowed
from facebias.study import StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
STEPS = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make(
        tmp_path_factory.mktemp("made"), subjects=9, validation=1, test=2, left_out=0
    )


@pytest.fixture
def spoilt(monkeypatch):
    """Return the steps whose loss overflows, to be filled: numbers from 0 over all epochs."""
    steps, taken, real = set(), [], losses.loss

    def loss(scores, targets, **options):
        found = real(scores, targets, **options)
        if not found.requires_grad:
            return found
        taken.append(1)
        return found * float("inf") if len(taken) - 1 in steps else found

    monkeypatch.setattr(losses, "loss", loss)
    return steps


def fit(made, number_format="fp16", *, name="cnn3d", **changes):
    """Train in a number format, on a CPU that has it for tests alone."""
    architecture = small(**{"epochs": 2, "schedule": "constant"} | changes)
    torch.manual_seed(1)
    network = networks.build(name, architecture, 4, 2)
    _, history = loop.fit(
        network,
        examples(made, architecture, "train"),
        examples(made, architecture, "validation"),
        training=architecture.training,
        kind="classes",
        precision=Precision(number_format, CPU),
        key=[1, 0],
        checkpoint=Nowhere(),
        interruption=Interruption(),
    )
    return network.state_dict(), history


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("step", [0, STEPS + 1])
def test_a_step_that_overflows_is_skipped_and_counted(made, spoilt, step, momentum, clip):
    """The very first too, whose momenta torch leaves undefined."""
    settings = {"momentum": momentum, "gradient_clip": clip}
    spoilt.add(step)
    weights, history = fit(made, **settings)
    assert history["skipped_steps"].tolist() == [int(step // STEPS == epoch) for epoch in (0, 1)]
    assert history.drop(columns=["best"]).notna().all(axis=None)
    assert (history["train_loss"] < 10).all()
    assert all(value.isfinite().all() for value in weights.values())


@pytest.mark.parametrize("name", ["cnn3d", "resnet50"])
def test_batch_norms_forget_what_overflowed_on_the_way_forward(made, monkeypatch, name):
    real, calls = loop._on_device, []

    def bright(*given):
        clips, targets = real(*given)
        calls.append(1)
        return (clips * 1e6 if len(calls) == 2 else clips), targets

    monkeypatch.setattr(loop, "_on_device", bright)
    weights, history = fit(made, name=name)
    assert history["skipped_steps"].tolist() == [1, 0]
    assert history["validation_loss"].notna().all()
    assert all(value.isfinite().all() for value in weights.values())


def test_the_other_steps_are_as_without_it(made, monkeypatch):
    """Weights and momenta are those of a training that never had the batch."""
    taken = {}
    for name in ("skipped", "never"):
        with monkeypatch.context() as patch:
            real, calls = loop._update, []

            def update(state, training, calls=calls, real=real, name=name):
                calls.append(1)
                if len(calls) != 2:
                    return real(state, training)
                if name == "never":
                    return torch.tensor(1.0)
                next(iter(state.network.parameters())).grad[:] = float("nan")
                return real(state, training)

            patch.setattr(loop, "_update", update)
            # Scaled by a power of two: what is left of fp16's numbers is the same.
            taken[name] = fit(made)[0]
    assert same(taken["skipped"], taken["never"])


def test_no_step_at_all_stops_and_names_the_remedy(made, spoilt):
    spoilt.update(range(STEPS, 2 * STEPS))
    wanted = (
        r"in epoch 2 all 3 steps overflowed in fp16 and were skipped; .*training.precision: fp32"
    )
    with pytest.raises(StudyError, match=wanted):
        fit(made)


@pytest.mark.parametrize("number_format", ["fp32", "bf16"])
def test_where_nothing_is_skipped_one_loss_is_enough(made, spoilt, number_format):
    spoilt.add(4)
    with pytest.raises(StudyError, match=r"the loss is \w+ in epoch 2, step 2 of 3, .*; lower tr"):
        fit(made, number_format)


@pytest.mark.parametrize("number_format", ["fp32", "fp16"])
@pytest.mark.parametrize("part", ["weight", "running_mean"])
def test_weights_and_statistics_that_are_not_finite_are_named(number_format, part):
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    divergence.check_weights(network, epoch=3, precision=Precision(number_format, CPU))
    getattr(network[1], part).data[1] = float("nan")
    with pytest.raises(StudyError, match=rf"1\.{part} is not finite after epoch 3; ") as found:
        divergence.check_weights(network, epoch=3, precision=Precision(number_format, CPU))
    assert ("set training.precision: fp32" in str(found.value)) == (number_format == "fp16")


def test_the_last_epoch_is_looked_at_too(made, monkeypatch):
    real = loop._update

    def poisoned(state, training):
        skipped = real(state, training)
        next(iter(state.network.parameters())).data[:] = float("inf")
        return skipped

    monkeypatch.setattr(loop, "_update", poisoned)
    with pytest.raises(StudyError, match="is not finite after epoch 1"):
        fit(made, "fp32", epochs=1, batch_size=100)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("nesterov", [False, True])
def test_the_optimiser_of_fp16_steps_as_the_plain_one(momentum, decay, nesterov):
    settings = synthetic.training(
        momentum=momentum, weight_decay=decay, nesterov=nesterov and momentum > 0
    )
    found = {}
    for name in ("fp32", "fp16"):
        weights = [torch.nn.Parameter(torch.linspace(-1, 1, 7))]
        optimiser = Precision(name, CPU).optimiser(weights, settings)
        for step in range(4):
            weights[0].grad = torch.linspace(1, 2, 7) * (step + 1)
            optimiser.step()
        found[name] = weights[0].detach()
    torch.testing.assert_close(found["fp16"], found["fp32"], rtol=1e-6, atol=1e-7)


def test_without_a_scaler_nothing_is_skipped():
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    assert overflowed(torch.amp.GradScaler("cpu", enabled=False), optimiser) == 0


@pytest.mark.parametrize(("name", "convention"), [("vgg16", "vggface"), ("senet50", "vggface2")])
@torch.no_grad()
def test_pixels_of_0_to_255_are_far_from_the_limit_of_fp16(name, convention):
    """Networks of full width, freshly drawn, on black and white and on noise of both."""
    torch.manual_seed(1)
    architecture = synthetic.architecture(width=1, input_size=64)
    network = networks.build(name, architecture, 6, 3).train()
    noise = (torch.rand(1, 1, 3, 64, 64) > 0.5).float()
    clips = torch.cat([torch.zeros_like(noise), torch.ones_like(noise), noise], dim=1)
    largest = []
    for part in network.backbone.modules():
        if isinstance(part, torch.nn.Conv2d | torch.nn.Linear):
            part.register_forward_hook(
                lambda part, given, found: largest.append(found.abs().max().item())
            )
    with Precision("fp16", CPU).autocast():
        network(inputs.CONVENTIONS[convention].normalise(clips))
    assert 100 < max(largest) < torch.finfo(torch.float16).max / 16


def test_how_many_steps_were_skipped_is_said(capsys):
    row = {"epoch": 1, "best": True, "skipped_steps": 3}
    row |= dict.fromkeys(loop.VALIDATED, 0.5)
    stage._report(pd.DataFrame([row, row | {"epoch": 2, "best": False, "skipped_steps": 1}]))
    assert "4 steps overflowed and were skipped (column skipped_steps)\n" in capsys.readouterr().err
    stage._report(pd.DataFrame([row | {"skipped_steps": 0}]))
    assert "overflowed" not in capsys.readouterr().err

"""A training step never waits for a GPU: tried on tensors that are on one in name only.

Autograd needs a GPU to go backward there; that part of the step is tried on a CPU.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types

import numpy as np
import pytest
import synthetic
import torch
from fitting import small
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from facebias.data import cohort
from facebias.models.architectures import inputs
from facebias.models.architectures import network as networks
from facebias.models.training import loop
from facebias.models.training.loop import Examples, Task
from facebias.models.training.precision import Precision
from facebias.models.training.state import Epoch, State
from facebias.workflow import checks

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
CLIPS, UNITS = 6, 3
NETWORKS = ("cnn3d", "resnet3d", "resnet50", "senet50", "vgg16")
# What looks at a value, and so waits for it.
LOOKS = ("_local_scalar_dense", "item", "nonzero", "equal", "is_nonzero", "masked_select", "unique")
CHANGES = synthetic.study.Augmentation(flip=1, rotate=1, degrees=10, brighten=1, brightness=0.2)


class Copies(TorchDispatchMode):
    """Notes every copy from one device to another; ``pinned`` are the sources that may be slow."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, given=(), options=None):
        options = options or {}
        result = function(*given, **options)
        if function in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default):
            source = given[function is torch.ops.aten.copy_.default]
            if source.device != result.device:
                waits = not options.get("non_blocking", len(given) > 2 and given[2])
                self.found.append((source.device.type, result.device.type, waits))
        return result


class Held:
    """Clips in memory."""

    samples = tuple(map(str, range(CLIPS)))

    def read(self, samples, frames=None):
        return np.zeros((len(samples), 2, 32, 32, 3), np.uint8)


@contextlib.contextmanager
def gpu(monkeypatch):
    """Let tensors be on a GPU without one; what is in pinned memory says so of itself."""
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    # Else autocast and the scaler of gradients do nothing.
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    # Knows no tensors without values; it takes what was found of gradients from the device.
    monkeypatch.setattr(torch, "_fused_sgd_", lambda *given, **options: None)
    inputs._mean_and_std.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield
    inputs._mean_and_std.cache_clear()


def task(kind, number_format, device=GPU, **changes):
    """Return a task; half of the units are not annotated."""
    targets = np.arange(CLIPS) % UNITS
    if kind == "units":
        targets = np.where(np.arange(CLIPS * UNITS) % 2, math.nan, 1).astype(np.float32)
        targets = targets.reshape(CLIPS, UNITS)
    examples = Examples(cohort.Reader(Held(), Held.samples, frames=None), targets)
    settings = synthetic.training(batch_size=CLIPS, augmentation=CHANGES, **changes)
    return Task(examples, settings, kind, Precision(number_format, device))


def on_gpu(name):
    """Build a network whose tensors are there in name only: ``to`` cannot do that."""
    with torch.utils._python_dispatch._disable_current_modes():
        network = networks.build(name, small(), UNITS, 2)
    for part in network.modules():
        for own in (part._parameters, part._buffers):
            for key, value in own.items():
                if value is not None:
                    there = torch.empty_strided(
                        value.shape, value.stride(), dtype=value.dtype, device=GPU
                    )
                    is_weight = isinstance(value, torch.nn.Parameter)
                    own[key] = torch.nn.Parameter(there) if is_weight else there
    return network


def begun(name, task, monkeypatch):
    network = on_gpu(name)
    weights = [each for each in network.parameters() if each.requires_grad]
    state = State(
        network, task.precision.optimiser(weights, task.training), task.precision.scaler()
    )

    def backward(loss):
        for each in weights:
            each.grad = torch.zeros_like(each)

    monkeypatch.setattr(torch.Tensor, "backward", backward)
    order = np.arange(CLIPS)
    state.epoch = Epoch(order=order, random=np.random.default_rng(1), record=[])
    network.train()
    return state


def step(state, task):
    batch = state.epoch.order
    return loop._step(state, task, batch, torch.from_numpy(task.train.clips[batch]))


@pytest.mark.parametrize(
    ("kind", "changes"), [("classes", {}), ("units", {"gradient_clip": 1.0, "micro_batch": 3})]
)
@pytest.mark.parametrize(
    ("name", "number_format"),
    [("cnn3d", "fp32"), ("vgg16", "bf16"), *((name, "fp16") for name in NETWORKS)],
)
def test_a_step_waits_for_nothing(monkeypatch, name, kind, number_format, changes):
    """Nothing comes to the host, and clips and the rest go over in one copy each, unwaited for."""
    with gpu(monkeypatch):
        given = task(kind, number_format, **changes)
        state = begun(name, given, monkeypatch)
        step(state, given)  # makes what is made once
        with Copies() as copies:
            counted = step(state, given)
        assert state.scaler.is_enabled() == (number_format == "fp16")
        assert counted.device == GPU
        assert counted.shape == (5,)
        assert counted.dtype == torch.float64
    assert copies.found == [("cpu", "cuda", False)] * 2


@pytest.mark.parametrize("slow", ["look", "to the host", "from the host", "scalar"])
def test_what_waits_is_found(monkeypatch, slow):
    """The test above can fail: in these ways, a step used to wait."""
    counting = loop._count

    def waiting(scores, targets, loss, kind):
        if slow == "look":
            loss.item()
        elif slow == "to the host":
            loss.cpu()
        elif slow == "from the host":
            scores.new_tensor([1.0, 2.0])
        else:
            torch.tensor(3).to(scores.device)
        return counting(scores, targets, loss, kind)

    monkeypatch.setattr(loop, "_count", waiting)
    with gpu(monkeypatch):
        given = task("classes", "fp32")
        state = begun("cnn3d", given, monkeypatch)
        with Copies() as copies, contextlib.suppress(DataDependentOutputException):
            step(state, given)
            assert slow != "look"
    if slow != "look":
        assert any(waits for _, _, waits in copies.found)


def test_means_are_made_once_per_device_and_fit_a_training_after_a_prediction():
    convention = dataclasses.replace(inputs.CONVENTIONS["vggface2"], std=(2.0, 3.0, 4.0))
    images = torch.rand(2, 3, 4, 4)
    with torch.inference_mode():
        convention.normalise(images)
    made = inputs._mean_and_std.cache_info().misses
    found = convention.normalise(images.requires_grad_())
    found.sum().backward()
    assert inputs._mean_and_std.cache_info().misses == made
    means, deviations = (
        torch.tensor(values)[:, None, None] for values in (convention.mean, convention.std)
    )
    assert torch.equal(found, (images.flip(-3) * 255 - means) / deviations)


class Looks(TorchDispatchMode):
    """Notes what asks for a value of a tensor."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, given=(), options=None):
        name = function.__name__.split(".")[0]
        masked = name in ("index", "index_put_") and any(
            each is not None and each.dtype in (torch.bool, torch.uint8) for each in given[1]
        )
        if name in LOOKS or masked:
            self.found.append(name)
        return function(*given, **(options or {}))


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("number_format", ["fp32", "fp16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_forward_and_backward_no_value_is_looked_at(name, number_format):
    given = task("units", number_format, CPU, gradient_clip=1.0)
    network = networks.build(name, synthetic.architecture(width=0.125), UNITS, 2).train()
    state = State(
        network,
        given.precision.optimiser(list(network.parameters()), given.training),
        given.precision.scaler(),
    )
    state.epoch = Epoch(order=np.arange(CLIPS), random=np.random.default_rng(1), record=[])
    with Looks() as looks:
        step(state, given)
    assert looks.found == []


def test_a_look_is_found():
    with Looks() as looks:
        torch.ones(2)[torch.tensor([True, False])].sum().item()
    assert looks.found == ["index", "_local_scalar_dense"]


def gradients(name, kind, micro_batch, *, average="entries", options=None):
    """Return gradients, loss, scores and state of a batch of six clips, computed in some parts."""
    given = task(
        kind, "fp32", CPU, micro_batch=micro_batch, loss_average=average, label_smoothing=0.1
    )
    torch.manual_seed(3)
    architecture = synthetic.architecture(width=0.125, options=options)
    network = networks.build(name, architecture, UNITS, 2).train().double()
    clips = torch.rand(CLIPS, 2, 3, 32, 32).double()
    targets = torch.from_numpy(given.train.targets)
    targets = targets.double() if kind == "units" else targets
    state = State(network, None, given.precision.scaler())
    scores, loss = loop._backward(state, given, clips, targets)
    return [each.grad for each in network.parameters()], loss, scores, network.state_dict()


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("micro_batch", [1, 2, 4, 5, 6, 100])
@pytest.mark.parametrize(
    ("kind", "average"), [("classes", "entries"), ("units", "entries"), ("units", "units")]
)
def test_gradients_of_parts_add_up_to_those_of_the_batch(monkeypatch, kind, average, micro_batch):
    """In 64 bits, of VGG16 with an LSTM, without dropout; some units are unknown."""
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor)
    given = {"average": average, "options": {"batch_norm": False, "dropout": 0.0}}
    whole, *_ = expected = gradients("vgg16", kind, None, **given)
    found = gradients("vgg16", kind, micro_batch, **given)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-13)
    assert any(each.abs().max() > 1e-3 for each in whole)


@pytest.mark.usefixtures("one_thread")
def test_as_many_as_the_batch_changes_no_bit():
    found, expected = (gradients("resnet50", "units", number) for number in (CLIPS, None))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.usefixtures("one_thread")
def test_batch_norms_see_the_clips_that_are_computed_at_once():
    """As the configuration says: their statistics are those of the parts, one after another."""
    *_, state = gradients("resnet50", "classes", 3)
    torch.manual_seed(3)
    network = networks.build("resnet50", synthetic.architecture(width=0.125), UNITS, 2).double()
    for part in torch.rand(CLIPS, 2, 3, 32, 32).double().split(3):
        network.train()(part)
    for key, expected in network.state_dict().items():
        assert torch.equal(state[key], expected), key


def test_more_at_once_than_in_a_step_is_refused():
    architecture = small(micro_batch=13, batch_size=12)
    made = types.SimpleNamespace(
        architectures={"cnn3d": architecture},
        clips=types.SimpleNamespace(variants={}, of=lambda name: types.SimpleNamespace(frames=2)),
    )
    assert list(checks._architectures(made)) == [
        "architectures.cnn3d.training.micro_batch: found 13, more than batch_size 12; "
        "lower it, or set null for whole batches"
    ]
    made.architectures["cnn3d"] = small(micro_batch=12, batch_size=12)
    assert not list(checks._architectures(made))

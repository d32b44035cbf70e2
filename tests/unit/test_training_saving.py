"""Saving takes a small share of a training's time, and one that is stopped loses little of it.

The clock is made: steps, and bytes that are saved, take the seconds that a test says.
"""

from __future__ import annotations

import dataclasses

import pytest
import synthetic
import torch
from fitting import examples, small

from facebias.models.architectures import network as networks
from facebias.models.training import loop, precision, saving
from facebias.models.training.interruption import Interrupted, Interruption

pytestmark = pytest.mark.usefixtures("one_thread")

EPOCHS = 50


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("made"), subjects=4, validation=1, test=1)


@dataclasses.dataclass
class Disk:
    """Keeps nothing; a save takes ``seconds`` for every set of weights in it."""

    seconds: float
    now: float = 0.0
    saved: list[float] = dataclasses.field(default_factory=list)
    weights: float = 0.0
    spent: float = 0.0
    best: int | None = None
    last: dict | None = None

    def load(self):
        return None

    def save(self, state):
        self.saved.append(self.now)
        self.last = state
        new = state["best_epoch"] != self.best
        self.best = state["best_epoch"]
        size = saving.nbytes(state) - (0 if new else saving.nbytes(state["best"]))
        self.weights = self.weights or size
        self.spent += self.seconds * size / self.weights
        self.now += self.seconds * size / self.weights


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Take the first step, for the momenta, and count the others without taking them."""
    real = loop._step

    def step(state, *given):
        if not state.optimiser.state:
            return real(state, *given)
        return torch.tensor([1.0, 4, 2, 4, 0], dtype=torch.float64)

    monkeypatch.setattr(loop, "_step", step)


class Steps(Interruption):
    """Every step and every batch that validates takes its time; a signal comes after some."""

    def __init__(self, disk, seconds, stop=None):
        super().__init__()
        self.disk, self.seconds, self.stop = disk, seconds, stop

    def before(self, items):
        for item in items:
            if self.stop is not None and self.disk.now >= self.stop:
                raise Interrupted("SIGTERM")
            yield item
            self.disk.now += self.seconds


def train(made, disk, *, epoch, stop=None, epochs=EPOCHS):
    """Train for epochs that take ``epoch`` seconds each."""
    architecture = small(epochs=epochs, batch_size=4)
    roles = {role: examples(made, architecture, role) for role in ("train", "validation")}
    batches = sum(len(part.clips) // 4 for part in roles.values())
    torch.manual_seed(1)
    return loop.fit(
        networks.build("cnn3d", architecture, 4, 2),
        roles["train"],
        roles["validation"],
        training=architecture.training,
        kind="classes",
        precision=precision.choose("fp32", torch.device("cpu")),
        key=[1, 0],
        checkpoint=disk,
        interruption=Steps(disk, epoch / batches, stop),
        clock=lambda: disk.now,
    )


# Seconds of an epoch, and of writing the weights alone: VGG16 of study A on two GPUs, a ResNet50, a
# slow disk.
COSTS = {"H200": (3.5, 1.2), "V100": (17, 1.2), "resnet": (8, 0.2), "slow disk": (17, 10)}


@pytest.mark.parametrize("cost", COSTS)
def test_saving_takes_less_than_a_fiftieth_of_the_time(made, cost):
    epoch, seconds = COSTS[cost]
    disk = Disk(seconds)
    train(made, disk, epoch=epoch)
    # The first save, which tries the disk, is made in any case.
    assert disk.spent <= max(0.02 * disk.now, seconds)
    assert disk.saved[0] == 0
    assert len(disk.saved) < EPOCHS / 2


def test_saving_is_spread_over_the_time(made):
    disk = Disk(1.2)
    train(made, disk, epoch=60)
    gaps = [later - earlier for earlier, later in zip(disk.saved, disk.saved[1:], strict=False)]
    assert max(gaps[:-1]) < 2 * 50 * 3 * 1.2 + 60
    assert len(disk.saved) > 10


def test_small_trainings_are_saved_after_every_epoch(made):
    disk = Disk(0.003)
    train(made, disk, epoch=1.0, epochs=5)
    assert len(disk.saved) == 1 + 4 + 1
    assert "network" not in disk.last


def test_a_signal_saves_at_once(made):
    disk = Disk(1.2)
    with pytest.raises(Interrupted, match="in epoch 4, step"):
        train(made, disk, epoch=3.5, stop=12.0)
    assert len(disk.saved) == 2
    assert disk.saved[1] == pytest.approx(12, abs=3.5)


def test_loading_stands_for_saving_until_something_is_saved():
    class Slow(Disk):
        def load(self):
            self.now += 5
            return {"best": torch.ones(10)}

    disk = Slow(1.0)
    saver = saving.Saver(disk, clock=lambda: disk.now)
    state = saver.load() | {"best_epoch": 1}
    saver.save_if_due(state)
    disk.now = 50 * (5 + 5) - 1
    saver.save_if_due(state)
    assert not disk.saved
    disk.now += 2
    saver.save_if_due(state)
    assert len(disk.saved) == 1


def test_bytes_of_all_tensors_are_counted():
    tensors = [torch.ones(3), {"a": (torch.ones(2, dtype=torch.float64), None, "text")}]
    assert saving.nbytes({"x": tensors, "y": 3}) == 3 * 4 + 2 * 8

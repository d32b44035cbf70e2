"""A training that stopped on the way ends with the same bits as one that did not."""

from __future__ import annotations

import errno
import math
import os
import signal

import numpy as np
import pytest
import synthetic
import torch
from fitting import Nowhere, fit, same, small

from facebias import replacement
from facebias.architectures import network as networks
from facebias.replacement import OutputError
from facebias.training import checkpoint as checkpoints
from facebias.training import loop
from facebias.training.checkpoint import Checkpoint
from facebias.training.interruption import Interrupted, Interruption
from facebias.training.state import Epoch, State

pytestmark = pytest.mark.usefixtures("one_thread")

# Dropout, batch norms and an LSTM: all that has random numbers or a memory of its own.
NETWORKS = {
    "cnn3d": small(epochs=3, gradient_clip=1.0),
    "vgg16": synthetic.architecture(epochs=3, dropout=0.3, options={"features": 256}),
    "resnet50": synthetic.architecture(epochs=2, dropout=0.3, select="loss"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("made"), subjects=8, validation=2)


class After(Interruption):
    """A signal that comes by itself after so many steps or batches of validation clips."""

    def __init__(self, steps: int):
        super().__init__()
        self.left = steps

    def before(self, items):
        for item in items:
            if self.left == 0:
                self.note(signal.SIGTERM)
            self.left -= 1
            yield from super().before([item])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("steps", [1, 2])
def test_stopped_after_every_few_steps_gives_the_same_bits(made, tmp_path, name, steps):
    architecture = NETWORKS[name]
    whole, history = fit(made, architecture, name=name)
    parts, again, stops = None, None, []
    while parts is None:
        kept = Checkpoint(tmp_path, "key")
        try:
            parts, again = fit(
                made, architecture, name=name, checkpoint=kept, interruption=After(steps)
            )
        except Interrupted as stop:
            stops.append(str(stop))
            torch.rand(7)  # what another process does is another stream of random numbers
    # An epoch has two steps and one batch of validation clips.
    assert len(stops) == math.ceil(architecture.training.epochs * 3 / steps) - 1
    assert stops[0] == f"stopped by SIGTERM in epoch 1, step {steps} of 2"
    assert same(whole, parts)
    assert history.equals(again)


def test_killed_between_two_checkpoints_gives_the_same_bits(made, tmp_path, monkeypatch):
    architecture = NETWORKS["vgg16"]
    whole, history = fit(made, architecture, name="vgg16")
    real, calls = loop._validate, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(loop, "_validate", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(made, architecture, name="vgg16", checkpoint=Checkpoint(tmp_path, "key"))
    resumed, again = fit(made, architecture, name="vgg16", checkpoint=Checkpoint(tmp_path, "key"))
    assert len(calls) == 2 + 2  # the first epoch was kept: the second and the third run
    assert same(whole, resumed)
    assert history.equals(again)


def half_an_epoch(scaler: torch.amp.GradScaler) -> State:
    """Give a state with something in every part."""
    torch.manual_seed(5)
    network = networks.build("cnn3d", small(), 4, 2)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    network(torch.rand(2, 2, 3, 32, 32)).sum().backward()
    optimiser.step()
    epoch = Epoch.begin(11, number=3, key=[1, 2])
    epoch.random.random(3)
    epoch.record.append(torch.arange(4, dtype=torch.float64))
    best = {name: value + 1 for name, value in network.state_dict().items()}
    rows = [{"epoch": 1, "validation_loss": math.nan, "best": True}]
    return State(network, optimiser, scaler, history=rows, best=best, epoch=epoch)


def test_every_part_of_the_state_comes_back(tmp_path):
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    first = half_an_epoch(scaler)
    Checkpoint(tmp_path, "key").save(first.plain())
    expected = torch.rand(3), first.epoch.random.random(3)
    network = networks.build("cnn3d", small(), 4, 2)
    second = State(
        network,
        torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9),
        torch.amp.GradScaler("cpu"),
    )
    second.resume(Checkpoint(tmp_path, "key").load())
    assert torch.equal(torch.rand(3), expected[0])
    assert np.array_equal(second.epoch.random.random(3), expected[1])
    assert same(second.network.state_dict(), first.network.state_dict())
    assert same(second.best, first.best)
    moved = [value["momentum_buffer"] for value in second.optimiser.state.values()]
    kept = [value["momentum_buffer"] for value in first.optimiser.state.values()]
    assert len(moved) == len(kept) > 0
    assert all(map(torch.equal, moved, kept))
    assert second.scaler.get_scale() == 8.0
    assert str(second.history) == str(first.history)
    assert np.array_equal(second.epoch.order, first.epoch.order)
    assert torch.equal(torch.stack(second.epoch.record), torch.stack(first.epoch.record))


def test_between_two_epochs_there_is_none_under_way(tmp_path):
    state = half_an_epoch(torch.amp.GradScaler("cpu", enabled=False))
    state.epoch = None
    state.resume(state.plain())
    assert state.epoch is None


def test_checkpoint_of_another_training_is_not_used(tmp_path, capsys):
    Checkpoint(tmp_path, "one").save({"epoch": 3})
    assert Checkpoint(tmp_path, "one").load() == {"epoch": 3}
    assert Checkpoint(tmp_path, "two").load() is None
    assert "belongs to another training" in capsys.readouterr().err
    (tmp_path / "checkpoint.pt").write_bytes(b"torn")
    assert Checkpoint(tmp_path, "one").load() is None
    assert "cannot be read" in capsys.readouterr().err


def test_checkpoint_that_cannot_be_written_leaves_the_last_one(tmp_path, monkeypatch):
    kept = Checkpoint(tmp_path / "kept", "key")
    kept.save({"epoch": 3})

    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoints.Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"kept/checkpoint\.pt: .* \(No space left .*make room"):
        kept.save({"epoch": 4})
    assert kept.load() == {"epoch": 3}
    assert [path.name for path in kept.path.parent.iterdir()] == ["checkpoint.pt"]


def test_what_a_killed_save_left_goes_with_the_file(tmp_path, monkeypatch):
    """The last save is killed when the file has taken its place: no other save follows."""
    kept = Checkpoint(tmp_path / "kept", "key")
    (tmp_path / "note").touch()

    def killed(folder, held):
        os.close(held)  # a lock ends with its process
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(replacement, "_discard", killed)
        with pytest.raises(KeyboardInterrupt):
            kept.save({"epoch": 3})
    assert kept.load() == {"epoch": 3}
    assert len(list(kept.path.parent.iterdir())) == 2
    kept.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_disk_is_tried_before_the_first_step(made):
    class Full(Nowhere):
        def save(self, state):
            raise OutputError(errno.ENOSPC, "No space left on device", "checkpoint.pt")

    class Never(Interruption):
        def before(self, items):
            raise AssertionError("a step was made")

    with pytest.raises(OutputError):
        fit(made, small(), checkpoint=Full(), interruption=Never())


def test_nothing_is_left_but_what_others_wrote(tmp_path):
    mine, other = (Checkpoint(tmp_path / "kept" / name, "key") for name in ("mine", "other"))
    mine.save({})
    other.save({})
    mine.remove()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["other"]
    (tmp_path / "note").touch()
    other.remove()
    other.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["note"]

"""A training that stopped on the way ends with the same bits as one that did not."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import signal

import numpy as np
import pytest
import synthetic
import torch
from fitting import Nowhere, fit, same, small

from facebias.core import replacement
from facebias.core.replacement import OutputError
from facebias.models.architectures import network as networks
from facebias.models.training import checkpoint as checkpoints
from facebias.models.training import loop, saving
from facebias.models.training.checkpoint import Checkpoint
from facebias.models.training.interruption import Interrupted, Interruption
from facebias.models.training.state import Epoch, State

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
    monkeypatch.setattr(saving, "SHARE", math.inf)
    with pytest.raises(KeyboardInterrupt):
        fit(made, architecture, name="vgg16", checkpoint=Checkpoint(tmp_path, "key"))
    resumed, again = fit(made, architecture, name="vgg16", checkpoint=Checkpoint(tmp_path, "key"))
    assert len(calls) == 2 + 2  # the first epoch was kept: the second and the third run
    assert same(whole, resumed)
    assert history.equals(again)


@pytest.fixture(scope="module")
def whole(made):
    return fit(made, NETWORKS["cnn3d"])


class Killed(BaseException):
    """What no code catches, as nothing catches SIGKILL."""


class Kills:
    """Files that are written and deleted, until a process is killed at one of them.

    Before a file is written, when it is complete elsewhere, when it is in its place; before a file
    is deleted, and after.
    """

    def __init__(self, monkeypatch, last=None):
        self.count, self.last = 0, last
        self.real = replacement.replacing, replacement.remove
        monkeypatch.setattr(replacement, "replacing", self.replacing)
        monkeypatch.setattr(replacement, "remove", self.remove)

    def moment(self):
        self.count += 1
        if self.count == self.last:
            raise Killed

    @contextlib.contextmanager
    def replacing(self, path):
        self.moment()
        with self.real[0](path) as temporary:
            yield temporary
            self.moment()
        self.moment()

    def remove(self, path):
        self.moment()
        self.real[1](path)
        self.moment()


# Of every save, the best epoch so far.
BESTS = (None, 1, 1, 3, 4)


def states():
    for number, best in enumerate(BESTS):
        weights = {} if best is None else {"weight": torch.tensor(float(best))}
        yield {"number": number, "best_epoch": best, "best": weights}


@pytest.mark.parametrize("number", range(len(BESTS)))
def test_killed_at_any_moment_of_a_save_the_last_or_this_one_is_whole(
    tmp_path, monkeypatch, number
):
    given = list(states())
    moments = 2 * 3 + 2 if number and BESTS[number] != BESTS[number - 1] else 3
    moments -= 2 * (number == 1)  # nothing is deleted
    for moment in range(1, moments + 1):
        folder = tmp_path / str(moment)
        (folder / "note").mkdir(parents=True)
        kept = Checkpoint(folder / "kept", "key")
        for state in given[:number]:
            kept.save(state)
        with monkeypatch.context() as patch:
            Kills(patch, moment)
            with pytest.raises(Killed):
                kept.save(given[number])
        again = Checkpoint(folder / "kept", "key")
        found = again.load()
        assert (
            found is None
            if number == 0 and moment < 3
            else found in given[max(number - 1, 0) : number + 1]
        )
        for state in given[0 if found is None else found["number"] + 1 :]:
            again.save(state)
            assert Checkpoint(folder / "kept", "key").load() == state
        again.remove()
        assert [path.name for path in folder.iterdir()] == ["note"]
    with monkeypatch.context() as patch:
        kept = Checkpoint(tmp_path / "all", "key")
        for state in given[:number]:
            kept.save(state)
        kills = Kills(patch)
        kept.save(given[number])
    assert kills.count == moments


def written(folder):
    """Return the names and sizes of the files of a checkpoint."""
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_best_weights_are_written_when_they_change_and_only_then(tmp_path, monkeypatch):
    kept, names, write = Checkpoint(tmp_path, "key"), [], Checkpoint._write

    def noting(own, path, values):
        names.append(path.name)
        write(own, path, values)

    monkeypatch.setattr(Checkpoint, "_write", noting)
    state = {"best": {}, "best_epoch": None}
    kept.save(state)
    assert kept.load() == state
    for epoch in (1, 1, 2, 2, 5):
        state = {"best": {"weight": torch.full((2500,), float(epoch))}, "best_epoch": epoch}
        kept.save(state)
        found = Checkpoint(tmp_path, "key").load()
        assert same(found["best"], state["best"])
        assert found["best_epoch"] == epoch
        assert len(written(tmp_path)) == 2
        assert written(tmp_path)["checkpoint.pt"] < 10_000
    one, two, state = "best-0.pt", "best-1.pt", "checkpoint.pt"
    assert names == [state, one, state, state, two, state, state, one, state]
    # One that goes on from there knows what is written.
    again = Checkpoint(tmp_path, "key")
    again.save(again.load())
    assert names[9:] == [state]


@pytest.mark.parametrize("fault", ["gone", "of another epoch", "of another training", "torn"])
def test_state_without_its_best_weights_is_not_used(tmp_path, capsys, fault):
    """As two trainings at a time in one folder could leave it."""
    kept, best = Checkpoint(tmp_path, "key"), tmp_path / "best-0.pt"
    state = {"best": {"weight": torch.ones(2)}, "best_epoch": 1}
    kept.save(state)
    if fault == "gone":
        best.unlink()
    elif fault == "torn":
        best.write_bytes(b"torn")
    else:
        other = Checkpoint(tmp_path / "other", "key" if "epoch" in fault else "another")
        other.save(state | {"best_epoch": 2})
        (tmp_path / "other" / "best-0.pt").replace(best)
    assert Checkpoint(tmp_path, "key").load() is None
    assert "training starts anew" in capsys.readouterr().err


def test_training_that_ended_is_not_done_again(made, tmp_path, monkeypatch, whole):
    monkeypatch.setattr(saving, "SHARE", math.inf)
    fit(made, NETWORKS["cnn3d"], checkpoint=Checkpoint(tmp_path, "key"))
    assert len(written(tmp_path)) == 2
    assert written(tmp_path)["checkpoint.pt"] < written(tmp_path)["best-0.pt"]
    monkeypatch.setattr(loop, "_train", None)
    parts, history = fit(made, NETWORKS["cnn3d"], checkpoint=Checkpoint(tmp_path, "key"))
    assert same(parts, whole[0])
    assert history.equals(whole[1])


def half_an_epoch(scaler: torch.amp.GradScaler) -> State:
    """Return a state with something in every part."""
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
    assert "checkpoint.pt: not used (" in capsys.readouterr().err


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

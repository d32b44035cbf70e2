"""A signal stops a training between two steps; it says where, and another does no harm."""

from __future__ import annotations

import os
import signal

import pytest
import safetensors.torch
import synthetic
from fitting import same, small

from facebias import study
from facebias.models.training import interruption, loop, saving, stage
from facebias.models.training.checkpoint import Checkpoint
from facebias.models.training.interruption import SIGNALS, Interrupted
from facebias.study import StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

IDS = ["--architecture", "cnn3d", "--train-split", "regular", "--fold", "0", "--seed", "1"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("made"), subjects=8, validation=2)


def train(made, out):
    settings = study.settings(architecture=small(epochs=2), labels=synthetic.labels())
    where = ["--out", str(out), "--checkpoints", str(out.parent / "checkpoints")]
    stage.main(["--settings", settings, *IDS, *made.arguments(), *where])
    return safetensors.torch.load_file(out / "weights.safetensors")


def at_call(number, real, action):
    """Return ``real``, doing ``action`` first when it is called for the ``number``-th time."""
    calls = []

    def wrapped(*arguments, **options):
        calls.append(1)
        if len(calls) == number:
            action()
        return real(*arguments, **options)

    return wrapped


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_stops_before_the_next_step(made, tmp_path, monkeypatch, capsys, number):
    whole = train(made, tmp_path / "whole")
    monkeypatch.setattr(loop, "_count", at_call(4, loop._count, lambda: send(number)))
    with pytest.raises(SystemExit) as stopped:
        train(made, tmp_path / "model")
    assert stopped.value.code == 75
    assert (
        f"facebias train: stopped by {number.name} in epoch 2, step 1 of 2; "
        "the same command goes on from there\n"
    ) in capsys.readouterr().err
    assert not (tmp_path / "model").exists()
    assert same(train(made, tmp_path / "model"), whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "whole"]


def test_signal_during_validation_stops_there(made, tmp_path, monkeypatch, capsys):
    """The signal comes when the first step of validation is about to be taken."""
    whole = train(made, tmp_path / "whole")
    monkeypatch.setattr(loop, "_validate", at_call(1, loop._validate, lambda: send(signal.SIGTERM)))
    with pytest.raises(SystemExit):
        train(made, tmp_path / "model")
    assert "in epoch 1, step 2 of 2;" in capsys.readouterr().err
    assert same(train(made, tmp_path / "model"), whole)


def test_second_signal_does_not_disturb_the_saving(made, tmp_path, monkeypatch, capsys):
    whole = train(made, tmp_path / "whole")
    monkeypatch.setattr(loop, "_count", at_call(2, loop._count, lambda: send(signal.SIGUSR1)))

    def more():
        send(signal.SIGTERM)
        send(signal.SIGINT)

    # Saved before the first step, then because of the first signal.
    monkeypatch.setattr(Checkpoint, "save", at_call(2, Checkpoint.save, more))
    with pytest.raises(SystemExit) as stopped:
        train(made, tmp_path / "model")
    assert stopped.value.code == 75
    assert "stopped by SIGUSR1 in epoch 1, step 2 of 2" in capsys.readouterr().err
    assert same(train(made, tmp_path / "model"), whole)


@pytest.mark.parametrize("fault", [StudyError("no room"), OSError(28, "No space left on device")])
def test_outputs_that_cannot_be_written_are_not_trained_again(made, tmp_path, monkeypatch, fault):
    """Though it was not time to save when training ended."""
    whole = train(made, tmp_path / "whole")
    monkeypatch.setattr(saving, "SHARE", 0)

    def full(*given):
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(stage, "_write", full)
        with pytest.raises(type(fault), match=r"room|space"):
            train(made, tmp_path / "model")
    monkeypatch.setattr(loop, "_train", None)
    assert same(train(made, tmp_path / "model"), whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "whole"]
    histories = [(tmp_path / name / "history.csv").read_text() for name in ("model", "whole")]
    assert histories[0] == histories[1]


def test_signals_do_afterwards_what_they_did_before():
    before = [signal.getsignal(number) for number in SIGNALS]
    with interruption.noting():
        assert not set(before) & {signal.getsignal(number) for number in SIGNALS}
    with pytest.raises(ZeroDivisionError), interruption.noting():
        1 / 0  # noqa: B018
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_ignored_signal_stays_ignored():
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruption.noting() as noted:
            send(signal.SIGHUP)
            assert noted.signal is None
    finally:
        signal.signal(signal.SIGHUP, earlier)


def test_items_stop_at_the_first_signal():
    noted = interruption.Interruption()
    items = noted.before(range(5))
    assert [next(items), next(items)] == [0, 1]
    noted.note(signal.SIGINT)
    noted.note(signal.SIGTERM)
    with pytest.raises(Interrupted, match=r"^SIGINT$"):
        next(items)

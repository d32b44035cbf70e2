"""SIGKILL at random lines: the same command again ends in the same bytes and leaves nothing."""

from __future__ import annotations

import shutil
import signal

import numpy as np
import processes
import pytest
from processes import CHECKPOINTS

# One worker makes what is interrupted, once for all tests.
pytestmark = pytest.mark.xdist_group("interruption")

KILLS = 20


def kill_and_repeat(stage, folder, look, *, seed):
    """Kill a command ``KILLS`` times at lines drawn from all that it runs, then let it end.

    After every kill an output is whole or absent, and ``look(folder)`` is asked. A command that got
    to its end in between starts from nothing again.
    """
    folder.mkdir()
    random = np.random.default_rng(seed)
    kills = 0
    while kills < KILLS:
        line = random.integers(1, stage.lines, endpoint=True)
        status = processes.signalled(stage.arguments, folder, line=line, number=signal.SIGKILL)
        assert status in (0, -signal.SIGKILL), processes.said(folder)
        kills += status != 0
        found = processes.digests(folder)
        outputs = {name: digest for name, digest in found.items() if name in stage.digests}
        assert outputs.items() <= stage.digests.items()
        look(folder, ended=outputs == stage.digests)
        if outputs == stage.digests:
            for name in stage.outputs:
                path = folder / name
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert processes.run(stage.arguments, folder) == 0, processes.said(folder)
    assert processes.digests(folder) == stage.digests


def test_training(training, tmp_path):
    kept, resumed = [0], []

    def look(folder, *, ended):
        epochs = processes.epochs_kept(folder / CHECKPOINTS)
        assert ended or epochs >= kept[-1]
        resumed.append(kept[-1] > 0)
        kept.append(0 if ended else epochs)

    kill_and_repeat(training, tmp_path / "killed", look, seed=1)
    assert sum(resumed) > 2


def test_extraction(extraction, tmp_path):
    def look(folder, *, ended):
        faces, index = (folder / name for name in extraction.outputs)
        assert faces.exists() or not index.exists()

    kill_and_repeat(extraction, tmp_path / "killed", look, seed=2)


def test_prediction(prediction, tmp_path):
    kill_and_repeat(prediction, tmp_path / "killed", lambda folder, ended: None, seed=3)

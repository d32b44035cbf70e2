"""Signals in the middle of an epoch: exit status 75, and in the end the same bytes as without."""

from __future__ import annotations

import re
import signal

import numpy as np
import processes
import pytest

from facebias.models.training import loop

# One worker makes what is interrupted, once for all tests.
pytestmark = pytest.mark.xdist_group("interruption")


def test_training_goes_on_after_each_signal(training, tmp_path):
    """Three signals, each after at most 1.5 of the 5 epochs: none comes when all is trained."""
    random = np.random.default_rng(4)
    of = (loop.__name__,)
    (tmp_path / "whole").mkdir()
    lines = processes.lines(training.arguments, tmp_path / "whole", of=of)
    folder = tmp_path / "stopped"
    folder.mkdir()
    places = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        line = int(random.uniform(0.1, 0.3) * lines)
        status = processes.signalled(training.arguments, folder, line=line, number=number, of=of)
        said = processes.said(folder)
        assert status == 75, said
        line = rf"^facebias train: stopped by {number.name} in epoch (\d), step (\d) of 4; the same"
        places.append(re.search(line, said, re.M).groups())
        assert "Traceback" not in said
    assert places == sorted(places)
    assert any(step != "0" for _, step in places)
    assert processes.run(training.arguments, folder) == 0
    assert processes.digests(folder) == training.digests


def storm():
    """Let thousands of signals come, that nothing follows from."""
    signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)


def test_signals_at_any_moment_do_no_harm(training, tmp_path):
    """Without a stack of their own, they destroyed the memory of every such training."""
    process = processes.start(training.arguments, tmp_path, before=storm)
    process.join()
    assert process.exitcode == 0, processes.said(tmp_path)
    assert processes.digests(tmp_path) == training.digests

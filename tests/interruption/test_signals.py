"""Signals in the middle of an epoch: exit status 75, and in the end the same bytes as without."""

from __future__ import annotations

import os
import re
import signal
import time

import numpy as np
import processes
import pytest
from processes import CHECKPOINTS

# One worker makes what is interrupted, once for all tests.
pytestmark = pytest.mark.xdist_group("interruption")


def test_training_goes_on_after_each_signal(training, tmp_path):
    random = np.random.default_rng(4)
    file = tmp_path / CHECKPOINTS / "checkpoint.pt"
    places = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        process = processes.start(training.arguments, tmp_path)
        processes.wait_for_a_change(file, process.is_alive)
        time.sleep(random.uniform(0.3, 1) * training.seconds / 20)  # less than half an epoch
        os.kill(process.pid, number)
        process.join()
        said = processes.said(tmp_path)
        assert process.exitcode == 75, said
        line = rf"^facebias train: stopped by {number.name} in epoch (\d), step (\d) of 4; the same"
        places.append(re.search(line, said, re.M).groups())
        assert "Traceback" not in said
    assert places == sorted(places)
    assert any(step != "0" for _, step in places)
    assert processes.run(training.arguments, tmp_path) == 0
    assert processes.digests(tmp_path) == training.digests


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

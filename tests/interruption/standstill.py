"""Trainings that stand still once they have saved an epoch, until a test sends them on.

What a test does to one comes in time on any machine, however busy that is, and a training need not
be longer than a few epochs.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

HALTING = Path(__file__).with_name("halting")


def environment() -> dict[str, str]:
    """Return environment variables that halt every training started by a process."""
    paths = [str(HALTING), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def standing(among: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    """Find the processes that stand still."""
    for process in among:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_STOPPED:
                yield process


def wait_until_sent(number: signal.Signals, process: psutil.Process) -> None:
    """Wait until a signal has come to a process that stands still, and so cannot take it yet.

    It may be sent on before (SIGCONT): then it has taken the signal, or will.
    """
    status = Path(f"/proc/{process.pid}/status")
    while any(standing([process])):
        pending = int(re.search(r"^ShdPnd:\s*(\w+)", status.read_text(), re.M)[1], 16)
        if pending & 1 << number - 1:
            return
        time.sleep(0.01)

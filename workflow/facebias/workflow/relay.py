"""Signals that reach Snakemake in a job of a cluster, passed on to the stages that it runs.

SLURM signals the first process of a job step: before a time limit (``sbatch --signal``), at a
preemption, ``scancel`` and ``scontrol requeue``. That process is the Snakemake that runs one job on
the node, and it waits for the job's command without a word to it, until both are killed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
from collections.abc import Iterator

import psutil


def pass_on() -> None:
    """Pass SIGTERM on to the stages that run below this process, from now on.

    To be called in the main thread. What this process does on SIGTERM stays as it is.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    # Not a handler: Snakemake sets its own later, which would take the place of one set here.
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_relay, args=(read,), name="relay", daemon=True).start()


def _relay(read: int) -> None:
    while number := os.read(read, 1):
        if number[0] == signal.SIGTERM:
            for stage in _stages():
                with contextlib.suppress(psutil.NoSuchProcess):
                    stage.terminate()


def _stages() -> Iterator[psutil.Process]:
    """Find the processes ``python -m facebias`` below this one, whatever shells are between."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            words = process.cmdline()
            if ("-m", "facebias") in itertools.pairwise(words):
                yield process

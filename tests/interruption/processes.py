"""Stages as processes of their own, to be killed.

A server imports torch once and is forked for every process: what is killed is a whole process, and
its start costs nothing. The moment is a line of the code, not a time: a process comes to the same
one on every machine, however busy that is.
"""

from __future__ import annotations

import functools
import hashlib
import math
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from facebias import __main__ as command
from facebias.models.training import saving
from facebias.stages import STAGES

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["pytest", *(STAGES[name].module for name in ("train", "extract", "predict", "gather"))]
)
LOG = "log"
LEFT = "left behind:"
CHECKPOINTS = "checkpoints/a/b"
# Modules whose lines are counted: those that do the work and write files. Nine of ten lines of all
# make digests of the source, where every kill is like the other.
WORK = (
    *(
        "facebias.models.architectures",
        "facebias.clips",
        "facebias.models.prediction",
        "facebias.tables",
    ),
    *("facebias.models.training", "facebias.core.replacement", "shutil", "tempfile"),
)


def start(
    arguments: list[str], folder: Path, *, before: Callable[[], None] | None = None
) -> BaseProcess:
    """Start ``python -m facebias ARGUMENTS`` in ``folder``; what it says goes to a file there."""
    process = SERVER.Process(target=_run, args=(arguments, folder, before))
    process.start()
    return process


def _run(arguments: list[str], folder: Path, before: Callable[[], None] | None) -> None:
    with open(folder / LOG, "w") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
        os.dup2(log.fileno(), sys.stdout.fileno())
    os.chdir(folder)
    # After every epoch, however short: that is where a kill can harm.
    saving.SHARE = math.inf
    sys.argv = ["__main__.py", *arguments]
    if before is not None:
        before()
    status = command.main(arguments)
    if before is not None:
        # The disk may be gone with the process.
        print(LEFT, *(path for path in Path().rglob("*") if path.is_file() and path.name != LOG))
    raise SystemExit(status)


def run(arguments: list[str], folder: Path) -> int:
    """Let a stage run to its end; return its exit status."""
    process = start(arguments, folder)
    process.join()
    return process.exitcode


def lines(arguments: list[str], folder: Path, *, of: tuple[str, ...] = WORK) -> int:
    """Let a stage run to its end, a good one; return how many lines of the modules ``of`` ran."""
    count = SERVER.RawValue("q")
    process = start(arguments, folder, before=functools.partial(_count, count, of))
    process.join()
    assert process.exitcode == 0, said(folder)
    return count.value


def signalled(
    arguments: list[str], folder: Path, *, line: int, number: int, of: tuple[str, ...] = WORK
) -> int:
    """Let a stage send itself a signal at the ``line``-th line of ``of``; return its exit status.

    It may end before it comes to that line.
    """
    before = functools.partial(_count, SERVER.RawValue("q"), of, line, number)
    process = start(arguments, folder, before=before)
    process.join()
    return process.exitcode


def _count(count: Any, of: tuple[str, ...], line: int = 0, number: int = 0) -> None:
    """Count the lines that run from now on; send this process a signal at one of them."""

    def trace(frame: FrameType, event: str, argument: object) -> Callable | None:
        if not frame.f_globals.get("__name__", "").startswith(of):
            return None
        if event == "line":
            count.value += 1
            if count.value == line:
                os.kill(os.getpid(), number)
        return trace

    sys.settrace(trace)


def said(folder: Path) -> str:
    """Return what the stage that ran last in ``folder`` said."""
    return (folder / LOG).read_text()


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under ``folder``, and every folder, but the log."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
        if path.name != LOG
    }


def epochs_kept(folder: Path) -> int:
    """Return the number of whole epochs in the checkpoint of a training; 0 if there is none."""
    file = folder / "checkpoint.pt"
    return len(torch.load(file, weights_only=True)["state"]["history"]) if file.exists() else 0

"""Stages as processes of their own, to be killed.

A server imports torch once and is forked for every process: what is killed is a whole process, and
its start costs nothing.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from facebias import __main__ as command
from facebias.stages import STAGES

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["pytest", *(STAGES[name].module for name in ("train", "extract", "predict", "gather"))]
)
LOG = "log"
LEFT = "left behind:"
CHECKPOINTS = "checkpoints/a/b"


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


def said(folder: Path) -> str:
    """Give what the stage that ran last in ``folder`` said."""
    return (folder / LOG).read_text()


def digests(folder: Path) -> dict[str, str]:
    """Give the SHA-256 of every file under ``folder``, and every folder, but the log."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
        if path.name != LOG
    }


def epochs_kept(folder: Path) -> int:
    """Give the number of whole epochs in the checkpoint of a training; 0 if there is none."""
    file = folder / "checkpoint.pt"
    return len(torch.load(file, weights_only=True)["state"]["history"]) if file.exists() else 0


def wait_for_a_change(file: Path, is_running: Callable[[], bool]) -> None:
    """Wait until ``file`` is written anew by somebody who is still running."""
    before = _stamp(file)
    while _stamp(file) == before:
        assert is_running(), "it ended before it wrote the file"
        time.sleep(0.002)


def _stamp(file: Path) -> int | None:
    return file.stat().st_mtime_ns if file.exists() else None

"""One job per GPU on a machine with several: a lock per GPU that ends with its job in any case.

Only jobs of this project see it. Where a scheduler shows a job one GPU alone, nothing is locked:
``device`` asks for none.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

# File descriptors of what this process holds; never closed, for that would end the lock.
_HELD: dict[str, int] = {}


def first_free(gpus: Sequence[str]) -> int | None:
    """Hold the first GPU that no other process does; None if there is none.

    Parameters
    ----------
    gpus
        Their identities, the same in every process of the machine.

    Returns
    -------
    Its place among ``gpus``; the same at every call of one process.
    """
    places = sorted(range(len(gpus)), key=lambda place: gpus[place] not in _HELD)
    return next((place for place in places if _lock(gpus[place], fcntl.LOCK_EX)), None)


def share(gpu: str) -> None:
    """Keep ``first_free`` of other processes from a GPU that was asked for by its number."""
    _lock(gpu, fcntl.LOCK_SH)


def _lock(gpu: str, kind: int) -> bool:
    """Tell whether this process holds a GPU; true as well where the disk has no locks."""
    if gpu in _HELD:
        return True
    try:
        file = _open(Path(tempfile.gettempdir(), f"facebias-gpu-{gpu}.lock"))
    except OSError:
        return True
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    except OSError:
        pass
    _HELD[gpu] = file
    return True


def _open(path: Path) -> int:
    """Open a file, which may be another user's; a lock needs no right to write."""
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)

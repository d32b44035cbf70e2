"""One run per study at a time: a lock that ends with its run, however that ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from facebias.core.replacement import REMEDIES, OutputError
from facebias.study import StudyError

FILE = ".lock"


def hold(folder: Path | str) -> None:
    """Keep other runs away from the study in ``folder`` until this process ends.

    Snakemake's own lock outlives a Snakemake that was killed and has to be removed by hand. This
    one is the system's, seen by every machine that shares the disk where the disk passes locks on;
    elsewhere nothing is held.

    Raises
    ------
    StudyError
        If another process holds it.
    OutputError
        If the disk is full, faulty or read-only, or may not be written to.
    """
    file = Path(folder, FILE)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Never closed: that would end the lock.
        held = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        raise OutputError(error.errno, os.strerror(error.errno), str(file)) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise StudyError(
            f"{folder}: another Snakemake is at work on this study; wait until it has ended or "
            "stop it, then run the same command again"
        ) from None
    except OSError:
        pass  # a disk without locks

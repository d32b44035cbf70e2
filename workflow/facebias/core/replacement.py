"""Files and folders that appear whole or not at all, whatever ends the run that writes them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_ELSEWHERE = "or set results in the configuration to another folder"
# What to do where an output cannot be written, by the number of the system's error.
REMEDIES = {
    errno.ENOSPC: "make room on that disk, then run the same command again",
    errno.EDQUOT: "your share of that disk is used up: make room, then run the same command again",
    errno.EFBIG: "lift the limit on the size of files (ulimit -f), then run the same command again",
    errno.EROFS: f"make that disk writable, {_ELSEWHERE}",
    errno.EACCES: f"ask for the right to write there, {_ELSEWHERE}",
    errno.EPERM: f"ask for the right to write there, {_ELSEWHERE}",
    errno.EIO: f"that disk is faulty: have it looked at, {_ELSEWHERE}",
}
# A run locks this file in its temporary folder. The lock ends with the run, however that ends, and
# is seen by every machine that shares the disk.
HELD = "held"
# Another run can take a folder away before it is locked; this often in a row it cannot.
ATTEMPTS = 10


class OutputError(OSError):
    """An output that cannot be written: names it, the reason and what to do."""

    def __str__(self) -> str:
        return f"{self.filename}: cannot be written ({self.strerror}); {REMEDIES[self.errno or 0]}"


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it takes the place of ``path``.

    Works for files and folders alike. On any error the temporary one is removed and ``path`` is
    as it was. What a killed run left is removed by the next run that writes or removes ``path``.
    Two runs may write the same ``path`` at a time: neither harms the other, and the last to finish
    wins.

    Raises
    ------
    OutputError
        If the disk is full, faulty or read-only, or may not be written to.
    """
    path = Path(path)
    try:
        _sweep(path)
        folder, held = _hold(path)
        try:
            work = _work(folder)
            work.mkdir()
            yield work / path.name
            if path.is_dir():
                path.rename(work / f"replaced-{path.name}")
            (work / path.name).replace(path)
        finally:
            _discard(folder, held)
    except OSError as error:
        if error.errno not in REMEDIES or _is_of_another(error, path):
            raise
        raise OutputError(error.errno, os.strerror(error.errno), str(path)) from error


def remove(path: Path) -> None:
    """Remove a file that ``replacing`` wrote, if it is there, and what killed runs left beside it.

    The file goes last: a run that is killed in between leaves it to be removed again.
    """
    _sweep(path)
    path.unlink(missing_ok=True)


def _is_of_another(error: OSError, path: Path) -> bool:
    """Tell whether an error names a file that was read, not one on the way to ``path``."""
    if error.filename is None:
        return False
    named = Path(str(error.filename))
    return not (named.is_relative_to(path.parent) or path.is_relative_to(named))


def _hold(path: Path) -> tuple[Path, int]:
    """Make the temporary folder of this run and lock its file.

    Before that is done, another run may take the folder for an abandoned one, or remove a parent
    that is still empty; then the folder is made anew.
    """
    for _ in range(ATTEMPTS):
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            return _try_to_hold(path)
    return _try_to_hold(path)


def _try_to_hold(path: Path) -> tuple[Path, int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    held = os.open(folder / HELD, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / HELD).stat()
    except (FileNotFoundError, BlockingIOError):
        os.close(held)
        raise
    except OSError:
        pass  # a disk without locks, where no run removes what another left
    return folder, held


def _sweep(path: Path) -> None:
    """Remove the temporary folders of ``path`` whose runs were killed."""
    for folder in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        try:
            held = os.open(folder / HELD, os.O_RDWR)
        except OSError:
            # Killed just before it held the folder, or just after: it is empty.
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)  # in use, or a disk without locks
        else:
            _discard(folder, held)


def _work(folder: Path) -> Path:
    """Return the part of a temporary folder that is written to."""
    return folder / "work"


def _discard(folder: Path, held: int) -> None:
    """Remove a temporary folder; its file goes last, so that a kill in between leaves it marked."""
    shutil.rmtree(_work(folder), ignore_errors=True)
    # A shared disk keeps an open file under another name in the same folder.
    os.close(held)
    shutil.rmtree(folder, ignore_errors=True)

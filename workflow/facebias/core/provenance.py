"""What made a result: the versions, commit and machine behind a file."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facebias.core.replacement import replacing

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parents[1]
# What the jobs run, seen from ROOT. A configuration is recorded as a whole elsewhere.
GUESTS = "replications"
CODE = ("Snakefile", "workflow", "envs", GUESTS)
LOCK = "envs/lock.txt"
LIBRARIES = (
    "torch",
    "torchvision",
    "facenet-pytorch",
    "zennit",
    "captum",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "av",
    "opencv-python-headless",
    "pillow",
    "safetensors",
    "h5py",
    "snakemake",
)


def write(path: Path, **facts: Any) -> None:
    """Write ``facts`` with the code, versions and machine behind them to ``path`` as JSON.

    Nothing that changes from run to run (time, host name) is written: two runs on one machine
    give the same file.
    """
    made = {**facts, **software(), "command": [Path(sys.argv[0]).name, *sys.argv[1:]]}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def software() -> dict[str, Any]:
    """Describe what this process runs: ``code``, ``lock``, ``versions``, ``python``, ``platform``.

    Returns
    -------
    ``code`` holds ``commit`` and ``clean`` (see ``code``), ``lock`` the SHA-256 of
    ``envs/lock.txt`` (None: not there), ``versions`` what is installed of every library that
    numbers depend on (None: not installed).
    """
    lock = ROOT / LOCK
    return {
        "code": code(),
        "lock": digest(lock) if lock.is_file() else None,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "versions": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


@functools.cache
def code() -> Mapping[str, str | bool | None]:
    """Name the git ``commit`` of the code, and say whether the code was ``clean``.

    Clean: no file of ``CODE`` was changed, added or removed since that commit. Both are None
    outside git.
    """
    commit = _git("rev-parse", "--verify", "HEAD")
    changes = _git("status", "--porcelain", "--", *CODE)
    return {"commit": commit, "clean": None if commit is None else changes == ""}


def _git(*arguments: str) -> str | None:
    """Ask git about ``ROOT``, taking no lock: many jobs ask at once."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def digest(path: Path | str) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

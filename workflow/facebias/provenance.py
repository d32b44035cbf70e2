"""What made a result: the code a stage runs, and the versions, commit and machine behind a file."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from facebias.replacement import replacing

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parents[1]
# What the jobs run, seen from ROOT. A configuration is recorded as a whole elsewhere.
CODE = ("Snakefile", "workflow", "envs")
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


@functools.cache
def imported(module: str) -> frozenset[str]:
    """Name the modules of the package that ``module`` imports, directly or not, itself included.

    Read from the import statements, so nothing is executed. Modules that a registry names as text
    are not followed: whoever uses one asks for it by name.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and (path := _file(name)) is not None:
            found.add(name)
            waiting += _imports(path, name)
    return frozenset(found)


def sources(*modules: str) -> list[str]:
    """List the files of the package that the given modules run, sorted."""
    names = frozenset().union(*(imported(module) for module in modules))
    return sorted(str(path) for name in names if (path := _file(name)) is not None)


@functools.cache
def _file(module: str) -> Path | None:
    if module != "facebias" and not module.startswith("facebias."):
        return None
    path = PACKAGE.joinpath(*module.split(".")[1:])
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


@functools.cache
def _imports(path: Path, module: str) -> list[str]:
    parents = [module.rsplit(".", level)[0] for level in range(1, module.count(".") + 1)]
    names = list(parents)
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the statements under ``node`` but not their expressions, where no import can stand."""
    for field in ("body", "orelse", "handlers", "finalbody", "cases"):
        for child in getattr(node, field, ()):
            yield child
            yield from _statements(child)


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

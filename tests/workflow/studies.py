"""Small studies for the workflow tests, and how to run Snakemake on them."""

from __future__ import annotations

import atexit
import copy
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]

# The smallest study that has every stage: two networks, eight people, one epoch.
SMALL = {
    "study": "small",
    "data": {
        "adapter": "drawn",
        "attributes": ["gender", "skin", "age"],
        "required": ["gender"],
        "publishable": True,
        "max_excluded": 0.5,
        "drawn": {"subjects": 8, "repetitions": 1, "seed": 3, "frames": 8, "shards": 2},
    },
    "labels": {"names": ["happiness", "surprise", "sadness"]},
    "clips": {"windows": [{"k": 2, "part": [0.4, 1.0]}], "crop_size": 32, "shards": 2},
    "training": {"epochs": 1, "batch_size": 6, "device": "cpu"},
    "architectures": {
        "vgg16": {"width": 0.125, "input_size": 32, "options": {"pool": 1}},
        "cnn3d": {"width": 0.25, "input_size": 32, "head": {"kind": "mean"}},
    },
    "splits": {
        "holdout": {"n_subjects": 4, "balance": ["gender"]},
        "validation": {"n_subjects": 1},
        "train": {"regular": {}, "female": {"where": {"gender": "female"}}},
        "test": {"all": {}, "male": {"where": {"gender": "male"}}},
    },
    "evaluation": {"attributes": ["gender"], "resamples": 100, "min_subjects": 2},
    "explanation": {"architectures": ["vgg16"]},
    "figures": {"dpi": 60},
}


def changed(config: dict, changes: dict[str, object]) -> dict:
    """Give a copy of ``config`` with keys such as ``data.drawn.seed`` set; ``...`` removes one."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = config
        for name in parents:
            place = place.setdefault(name, {})
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return config


def write(config: dict, folder: Path) -> Path:
    """Write ``config`` to a YAML file in ``folder``."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def clone(folder: Path, source: Path = ROOT) -> Path:
    """Copy what Snakemake reads of the project to ``folder``, as old as it is."""
    for name in ("CITATION.cff", "LICENSE", "Makefile", "Snakefile"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, folder / name)
    for name in ("config", "envs", "profiles", "workflow"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source / name, folder / name, ignore=ignored)
    return folder


def snakemake(
    folder: Path, config: Path, *arguments: str, root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in ``folder`` with two cores; its output is one text."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *_arguments(folder, config, root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )


def plan(
    folder: Path, config: Path, *arguments: str, root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Say what ``snakemake`` would run: the same as with ``--dry-run``, in half of the time."""
    words = [*_arguments(folder, config, root), "--dry-run", "--quiet", "rules", *arguments]
    with tempfile.TemporaryDirectory() as temporary:
        said = Path(temporary, "said")
        planner = _planner()
        print(json.dumps([str(said), *words]), file=planner.stdin, flush=True)
        status = int(planner.stdout.readline())
        return subprocess.CompletedProcess(words, status, said.read_text())


def jobs(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Read how many jobs of each rule Snakemake would run or has run; a target is no job."""
    assert done.returncode == 0, done.stdout
    counted = re.findall(r"^(\w+) +(\d+)$", done.stdout, re.M)
    assert counted or "Nothing to be done" in done.stdout, done.stdout
    return {name: int(number) for name, number in counted if name not in TARGETS}


# Rules without outputs, and the sum that Snakemake adds.
TARGETS = {"all", "total"}
# What `make test` tells the makes below it is nothing that a user's shell would say.
_FROM_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKE_TERMOUT", "MAKE_TERMERR")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in _FROM_MAKE},
    "OMP_NUM_THREADS": "1",
}


def _arguments(folder: Path, config: Path, root: Path) -> list[str]:
    named = {
        "--snakefile": root / "Snakefile",
        "--directory": folder,
        "--configfile": config,
        "--cores": 2,
        "--resources": "gpu=1",
    }
    return [*(str(part) for option in named.items() for part in option), "--nocolor"]


@functools.cache
def _planner() -> subprocess.Popen[str]:
    script = Path(__file__).with_name("planner.py")
    planner = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    atexit.register(planner.communicate)
    return planner

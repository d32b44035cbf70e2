"""Small studies for the workflow tests, and how to run Snakemake on them."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
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


def snakemake(
    folder: Path, config: Path, *arguments: str, root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in ``folder`` with two cores; its output is one text."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(root / "Snakefile"),
            "--directory",
            str(folder),
            "--configfile",
            str(config),
            "--cores",
            "2",
            "--resources",
            "gpu=1",
            "--nocolor",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

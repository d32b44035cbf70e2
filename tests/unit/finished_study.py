"""The folder of a finished small study, made up: what the stage `record` reads, and no more."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import studies
import yaml

from facebias import tables
from facebias.core import provenance
from facebias.presentation.record import checksums, layout, study_record
from facebias.study import configuration

MODEL = "{architecture}/{train_split}/fold-{fold}/seed-{seed}"
MODEL_FILES = [f"models/{MODEL}/weights.safetensors", f"predictions/{MODEL}.parquet"]
# Patterns, and whether the jobs run a network.
BENCHMARKS = {
    "split.tsv": False,
    "figures/rates/{metric}.tsv": False,
    f"train/{MODEL}.tsv": True,
    f"predict/{MODEL}.tsv": True,
    "explain/{architecture}/{train_split}/{test_split}.tsv": True,
    "fairness/{architecture}/{train_split}/{attribute}.tsv": False,
}
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
TIDY = ("metrics", "fairness")
CARDS = ("vgg16.md", "vgg16.csv", "cnn3d.md")
# The end of the first job, seconds since 1970: 2026-01-02T03:04:05 in UTC.
START = 1767323045
GPU = "Tesla V100-SXM2-32GB"


def benchmark(path: Path, *, wall: object = 10.0, cpu: object = 8.0, end: float = START) -> None:
    """Write what Snakemake measured of one job that ended at ``end``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{wall}\t0:00:10\t250.5\t0\t0\t0\t0\t0\t80.0\t{cpu}\n")
    os.utime(path, (end, end))


def make(folder: Path, **changes: object) -> Path:
    """Write a finished study with four models, those of vgg16 trained on a GPU."""
    root = folder / "results/small"
    config = configuration.resolve(studies.changed(studies.SMALL, changes))
    study = configuration.load(config)
    names = study_record.names(study)
    root.mkdir(parents=True)
    (root / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    for facts in _models(study):
        training = study.architectures[facts["architecture"]].training
        settings = json.dumps({"architecture": {"training": vars(training) | {"augmentation": {}}}})
        path = root / f"models/{MODEL}/provenance.json".format(**facts)
        provenance.write(path, **facts, settings=settings)
    for path in (name for pattern in MODEL_FILES for name in layout.expanded(pattern, names)):
        _file(root / path)
    for position, path in enumerate(_jobs(names)):
        benchmark(root / "benchmarks" / path, end=START + 60 * position)
    _tables(root)
    _checksums(root, names)
    return root


def _models(study) -> list[dict[str, object]]:
    return [
        {
            "architecture": architecture,
            "train_split": train,
            "fold": 0,
            "seed": 1,
            "parameters": 1234,
            "device": GPU if architecture == "vgg16" else "cpu",
            "precision": "fp16",
            "float32": {"matmul": "ieee", "convolution": "ieee", "recurrence": "ieee"},
            "pretrained": None,
            "subjects": {"train": ["P001", "P002"], "validation": ["P003"]},
            "samples": {"train": 6, "validation": 3},
        }
        for architecture in study.architectures
        for train in study.splits.train
    ]


def _jobs(names: layout.Names) -> list[str]:
    named = dict(names) | {"metric": ["tpr", "fpr"]}
    return [path for pattern in BENCHMARKS for path in layout.expanded(pattern, named)]


def _file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"content of {path.name}\n")


def _tables(root: Path) -> None:
    subjects = [f"P{number:03d}" for number in (1, 1, 2, 3)]
    manifest = pd.DataFrame(
        {
            "sample": list("abcd"),
            "subject": subjects,
            "path": [f"{name}.mp4" for name in "abcd"],
            "publishable": True,
            "label": "happiness",
        }
    )
    tables.write(manifest, root / "data/manifest.csv", tables.MANIFEST)
    out = pd.DataFrame(
        [("e", "P004", "e.mp4", "extract", "no face")], columns=list(tables.EXCLUDED.columns)
    )
    tables.write(out, root / "data/excluded.csv", tables.EXCLUDED)
    for name in (*(f"tables/{name}.csv" for name in TIDY), "figures/heatmaps.png", "report.html"):
        _file(root / name)
    for name in CARDS:
        _file(root / "provenance/model_cards" / name)


def _checksums(root: Path, names: layout.Names) -> None:
    parts = {
        "data": ["data/manifest.csv", "data/excluded.csv"],
        "results": [f"tables/{name}.csv" for name in TIDY]
        + ["figures/heatmaps.png", "report.html"],
    }
    for name in names["architecture"]:
        own = dict(names) | {"architecture": [name]}
        parts[name] = [path for file in MODEL_FILES for path in layout.expanded(file, own)]
    for part, paths in parts.items():
        found = checksums.sums(root, paths)
        checksums.write(found, root / f"provenance/checksums/{part}.sha256")


def arguments(root: Path) -> list[str]:
    """Return the arguments with which the rule `record` calls its stage."""
    settings = {
        "provenance": f"{root}/models/{MODEL}/provenance.json",
        "model_files": MODEL_FILES,
        "benchmarks": BENCHMARKS,
        "train_splits": ["regular", "female"],
        "files": "0123",
    }
    parts = ("data", "results", "vgg16", "cnn3d")
    named = {
        "--config": [root / "config.yaml"],
        "--manifest": [root / "data/manifest.csv"],
        "--excluded": [root / "data/excluded.csv"],
        "--checksums": [root / f"provenance/checksums/{part}.sha256" for part in parts],
        "--tables": [root / f"tables/{name}.csv" for name in TIDY],
        "--cards": [root / "provenance/model_cards" / name for name in CARDS],
        "--benchmarks": [root / "benchmarks"],
        "--out": [root / "provenance"],
    }
    flat = [str(part) for name, values in named.items() for part in (name, *values)]
    return ["--settings", json.dumps(settings), *flat]

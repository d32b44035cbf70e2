"""Small studies for the workflow tests, and how to run Snakemake on them."""

from __future__ import annotations

import atexit
import contextlib
import copy
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import client
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
    "evaluation": {
        "attributes": ["gender"],
        "resamples": 100,
        "permutations": 999,
        "min_subjects": 2,
        "min_subjects_per_label": 2,
    },
    "explanation": {"architectures": ["vgg16"]},
    "figures": {"dpi": 60},
}


def changed(config: dict, changes: dict[str, object]) -> dict:
    """Return ``config`` with keys such as ``data.drawn.seed`` set; ``...`` removes one."""
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


MANIFEST = ["results/small/data/manifest.csv"]
# What the job that makes it says of the study below, as a failed job is shown.
NO_PICTURES = [
    "    facebias manifest: data: none of 4 samples can be used. Reasons:",
    "      4 x no such file, such as gone/a.png: no such file",
]


def without_pictures(folder: Path) -> dict:
    """Return a study whose pictures are missing, which only a job finds out; write its tables."""
    people = [("a", "female"), ("b", "female"), ("c", "male"), ("d", "male")]
    rows = {
        "subjects.csv": ["subject,gender", *(f"{name},{gender}" for name, gender in people)],
        "samples.csv": [
            "subject,path,label",
            *(f"{name},gone/{name}.png,{('sad', 'glad')[name in 'ac']}" for name, _ in people),
        ],
    }
    for name, lines in rows.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    changes = {
        "data": {
            "adapter": "pictures",
            "root": ".",
            "manifest": "samples.csv",
            "subjects": "subjects.csv",
            "attributes": ["gender"],
        },
        "labels.names": ["glad", "sad"],
        "clips": {"windows": [{"k": 1}], "crop_size": 32},
        "splits.holdout.n_subjects": 2,
        "splits.validation": ...,
    }
    return changed(SMALL, changes)


def write(config: dict, folder: Path) -> Path:
    """Write ``config`` to a YAML file in ``folder``."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def clone(folder: Path, source: Path = ROOT) -> Path:
    """Copy what Snakemake reads of the project to ``folder``, as old as it is.

    Without the published studies, which nothing but their own targets and comparisons may need.
    """
    for name in ("CITATION.cff", "LICENSE", "Makefile", "Snakefile"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, folder / name)
    for name in ("config", "envs", "profiles", "workflow"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source / name, folder / name, ignore=ignored)
    return folder


def snakemake(
    folder: Path,
    config: Path,
    *arguments: str,
    root: Path = ROOT,
    address: Path | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in ``folder`` with two cores; its output is one text.

    It and its jobs are forks of a warm process, of the one at ``address`` if that is given.
    """
    words = [*_arguments(folder, config, root), *arguments]
    return run("snakemake", *words, folder=Path.cwd(), address=address, **environment)


def run(
    module: str, *arguments: str, folder: Path, address: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m MODULE ...`` as a fork of a warm process; its output is one text."""
    with tempfile.TemporaryFile("w+") as said:
        status = client.run(
            address or warm(),
            module,
            arguments,
            folder=folder,
            environment=ENVIRONMENT | environment,
            out=said.fileno(),
            err=said.fileno(),
        )
        said.seek(0)
        return subprocess.CompletedProcess(arguments, status, said.read())


def plan(
    folder: Path, config: Path, *arguments: str, root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Say what ``snakemake`` would run."""
    return snakemake(folder, config, "--dry-run", "--quiet", "rules", *arguments, root=root)


def rules() -> dict[str, str]:
    """Return the text of every rule, by its name; ``figure``: that of the catalogue's figures."""
    files = sorted(ROOT.glob("workflow/rules/*.smk"))
    text = "\n".join(path.read_text() for path in files)
    _, *parts = re.split(r"^ *(?:use rule \w+ as |rule ?)(\w*)(?: with)?:$", text, flags=re.M)
    return {name or "figure": part for name, part in zip(parts[::2], parts[1::2], strict=True)}


@contextlib.contextmanager
def warm_process(**environment: str) -> Iterator[Path]:
    """Start a warm process, and end it; give the address of its socket.

    The commands ``python`` and ``snakemake`` that ask it lie in the folder ``bin`` beside that.
    """
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm.py")), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # pyarrow starts no thread, so that it can be forked.
            env={
                **ENVIRONMENT,
                "JE_ARROW_MALLOC_CONF": "background_thread:false",
                **environment,
            },
        )
        assert process.stdout.readline() == "ready\n"
        yield Path(folder, client.SOCKET)
        process.communicate()


@functools.cache
def warm() -> Path:
    """Return address of the warm process that these tests share; it is started when asked for."""
    lives = contextlib.ExitStack()
    atexit.register(lives.close)
    return lives.enter_context(warm_process())


def jobs(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Read how many jobs of each rule Snakemake would run or has run; a target is no job."""
    assert done.returncode == 0, done.stdout
    counted = re.findall(r"^(\w+) +(\d+)$", done.stdout, re.M)
    assert counted or "Nothing to be done" in done.stdout, done.stdout
    return {name: int(number) for name, number in counted if name not in TARGETS}


# Rules without outputs, and the sum that Snakemake adds.
TARGETS = {"all", "total"}
# What `make test` tells the makes below it is nothing that a user's shell would say; and without
# compiled modules, thousands of jobs would compile the same ones.
_NOT_OF_A_USER = (
    *("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKE_TERMOUT", "MAKE_TERMERR"),
    "PYTHONDONTWRITEBYTECODE",
)
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in _NOT_OF_A_USER},
    "OMP_NUM_THREADS": "1",
}


def _arguments(folder: Path, config: Path, root: Path) -> list[str]:
    named = {
        "--snakefile": root / "Snakefile",
        "--directory": folder,
        "--configfile": config,
        "--cores": 2,
        "--resources": "gpu=1",
        "--scheduler": "greedy",
    }
    return [*(str(part) for option in named.items() for part in option), "--nocolor"]

"""What `pip install .` gives: audits, plans of sizes and figures, without networks."""

from __future__ import annotations

import csv
import importlib.metadata
import itertools
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from test_environments import NAMED, files, needed, normal

from facebias.stages import STAGES

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LIGHT = ("evaluate", "power", "calibrate", "figure", "print_table", "gather", "judge", "published")
# Asked for by the calibration alone, where it is there; and what others bring.
BROUGHT = {"fairlearn": None, "fonttools": "matplotlib", "pydantic-core": "pydantic"}
# What pandas reads Parquet with, Snakemake its reports and clusters.
UNNAMED = {"pyarrow", "pygments", "snakemake-executor-plugin-slurm"}
# Neither networks nor workflows can be imported.
WITHOUT = """
import sys
sys.modules |= dict.fromkeys(("torch", "torchvision", "snakemake", "cv2", "av", "sklearn", "yaml"))
from facebias import __main__
assert __main__.__file__.startswith(sys.argv[1]), __main__.__file__
sys.exit(__main__.main(sys.argv[2:]))
"""


def names(requirements):
    return {normal(Requirement(each).name) for each in requirements}


def test_the_lock_fits_what_is_asked_for():
    lists = (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in itertools.chain(*lists):
        wanted = Requirement(line)
        assert wanted.specifier.contains(importlib.metadata.version(wanted.name)), line


def test_dependencies_are_what_is_imported():
    distributions = importlib.metadata.packages_distributions()

    def of(stages):
        found = {
            normal(distributions[package][0])
            for name in stages
            for file in files(STAGES[name].module, *NAMED.get(name, ()))
            for package in needed(file)
        }
        return found - BROUGHT.keys() | UNNAMED

    light = names(PROJECT["dependencies"])
    assert light == of(LIGHT) - UNNAMED
    extras = map(names, PROJECT["optional-dependencies"].values())
    assert light.union(*extras) == of(STAGES)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder into which the project was installed, without what it needs."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", folder)
    subprocess.run([sys.executable, "-m", "pip", "install", *options, ROOT], check=True)
    return folder


def run(installed, folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, str(installed), *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_an_audit_needs_neither_networks_nor_workflows(installed, tmp_path):
    rows = []
    for person, label in itertools.product(range(20), ("glad", "sad")):
        sure = 0.9 if (person + len(label)) % (3 + person % 2) else 0.2
        scores = {"score_glad": sure, "score_sad": 1 - sure}
        gender = ("f", "m")[person % 2]
        known = {"sample": f"{person}-{label}", "subject": f"p{person}", "label": label}
        rows.append({**known, "gender": gender, **scores})
    with (tmp_path / "mine.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    asked = ("--predictions", "mine.csv", "--attribute", "gender", "--out", "audit")
    done = run(installed, tmp_path, "evaluate", *asked)
    assert done.returncode == 0, done.stderr
    assert "gender" in done.stdout
    assert any((tmp_path / "audit").iterdir())


def test_what_is_missing_is_named(installed, tmp_path):
    done = run(installed, tmp_path, "train", "--help")
    assert done.returncode == 1
    assert "facebias train: torch is not installed; pip install 'facebias[models" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_brings_its_templates_and_its_command(installed):
    for path in (ROOT / "workflow/facebias").rglob("*.jinja"):
        assert (installed / path.relative_to(ROOT / "workflow")).read_bytes() == path.read_bytes()
    assert (installed / "bin/facebias").read_text().startswith("#!")
    (name,) = (path.name for path in installed.glob("facebias-*.dist-info"))
    assert name == f"facebias-{PROJECT['version']}.dist-info"

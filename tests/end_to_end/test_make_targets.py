"""`make plan` says what a run would do and writes nothing; `make figures` needs no network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import studies

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("small_study")]

COLOURS = ["#000000", "#777777", "#BBBBBB"]


def make(
    clone: Path, target: str, config: Path, *, address: Path | None = None, **environment: str
) -> subprocess.CompletedProcess:
    """Run ``make TARGET CONFIG=...`` in a clone as forks of a warm process."""
    commands = (address or studies.warm()).parent / "bin"
    return subprocess.run(
        ["make", "--old-file", "install", target, f"BIN={commands}", f"CONFIG={config}"],
        cwd=clone,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**studies.ENVIRONMENT, "PYTHONPATH": "workflow", "COLUMNS": "80", **environment},
    )


def stages(said: str) -> dict[str, tuple[str, ...]]:
    """Read the table of a plan: jobs, time, GPU hours and the first line of why, by stage."""
    rows = re.findall(
        r"^(\w+) +(\d+) +((?:[<>~] )?\S+(?: \w+)?) +(unknown|-|[<>~ ]*\d\S*)(?:  (.*))?$",
        said,
        re.M,
    )
    return {name: tuple(rest) for name, *rest in rows}


def everything(clone: Path) -> dict[str, tuple[int, int]]:
    """Return time and size of every file of a clone but those of Snakemake and Python."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in clone.rglob("*")
        if path.is_file() and not {".snakemake", "__pycache__"} & set(path.parts)
    }


def test_plan_names_keys_and_files_and_writes_nothing(study, tmp_path):
    clone, _ = study
    changes = {
        "architectures.cnn3d.training": {"learning_rate": 0.02, "device": "auto"},
        "architectures.resnet50": {"width": 0.25, "input_size": 32},
        "figures.dpi": 61,
    }
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    before = everything(clone)
    done = make(clone, "plan", config)
    assert done.returncode == 0, done.stdout
    assert everything(clone) == before
    planned = studies.jobs(studies.plan(clone, config, root=clone))
    said = stages(done.stdout)
    assert {name: int(said[name][0]) for name in planned} == planned
    text = " ".join(done.stdout.split())
    assert "training. learning_rate: 0.005 -> 0.02 (2 of 4 jobs)" in text
    assert 'device: "cpu" -> "auto" (2 of 4 jobs)' in text
    assert said["figure_gaps"][-1] == "figures.dpi: 60 -> 61"
    assert said["gather_metrics"][-1] == "new input from cell_metrics"
    assert said["print_metrics"][-1] == "after gather_metrics"
    # One network asks for a GPU now; what is not measured of another is taken from its rule.
    assert said["train_model"][2] == "< 0.1"
    assert said["cell_metrics"][2] == "-"
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80


def test_plan_names_an_edited_source_file(study, tmp_path):
    clone = shutil.copytree(study[0], tmp_path / "clone")
    with open(clone / "workflow/facebias/models/training/loop.py", "a") as file:
        file.write("assert True\n")
    said = stages(make(clone, "plan", study[1]).stdout)
    assert said["train_model"][-1].startswith("edited: ")
    assert "models/training/loop.py" in make(clone, "plan", study[1], COLUMNS="100").stdout
    assert said["predict"][-1] == "after train_model"


def test_plan_of_a_finished_study(study):
    done = make(study[0], "plan", study[1])
    assert done.returncode == 0
    assert "Nothing to run: all" in done.stdout


def test_plan_of_a_new_study_estimates_times_and_says_so(study, tmp_path):
    config = studies.write(studies.changed(studies.SMALL, {"study": "new"}), tmp_path)
    done = make(study[0], "plan", config)
    assert done.returncode == 0
    assert not (study[0] / "results/new").exists()
    said = stages(done.stdout)
    assert said["train_model"] == ("4", "~ 60 s", "-", "not made yet")
    assert said["together"][1].startswith("~ ")
    assert "~: never measured here" in done.stdout
    assert "unknown" not in done.stdout


def test_plan_of_a_broken_configuration_says_what_a_run_says(study, tmp_path):
    changes = {"training.epochs": "ten"}
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    done = make(study[0], "plan", config)
    assert done.returncode != 0
    said = studies.plan(study[0], config, root=study[0]).stdout
    (message,) = [line for line in said.splitlines() if "training.epochs" in line]
    assert message in done.stdout.splitlines()
    assert "Traceback" not in done.stdout


def test_figures_are_drawn_anew_without_torch_or_anything_upstream(study, tmp_path):
    """Even where models and metrics are out of date: here by a key and by a source file."""
    clone = shutil.copytree(study[0], tmp_path / "clone")
    with open(clone / "workflow/facebias/models/training/loop.py", "a") as file:
        file.write("assert True\n")
    changes = {"figures.colours": COLOURS, "evaluation.resamples": 150, "training.epochs": 2}
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    before = everything(clone)
    poisoned = str(poison(tmp_path))
    with studies.warm_process(PYTHONPATH=poisoned) as address:
        done = make(clone, "figures", config, address=address, PYTHONPATH=poisoned)
    assert done.returncode == 0, done.stdout
    written = {path for path, found in everything(clone).items() if before.get(path) != found}
    out = clone / "results/small"
    drawn = {str(path) for path in out.glob("figures/**/*") if path.is_file()}
    printed = {str(path) for path in out.glob("tables/print/*")}
    assert len(drawn) > 30
    assert len(printed) >= 10
    beside = {path for path in written if {"logs", "benchmarks"} & set(Path(path).parts)}
    assert written - beside == drawn | printed


def test_figures_say_what_is_missing(study, tmp_path):
    config = studies.write(studies.changed(studies.SMALL, {"study": "new"}), tmp_path)
    done = make(study[0], "figures", config)
    assert done.returncode != 0
    assert "Missing input files" in done.stdout
    assert "results/new/" in done.stdout.split("affected files:")[1]


def poison(folder: Path) -> Path:
    """Make a torch that cannot be imported; jobs find it before the real one."""
    package = folder / "poison" / "torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('torch was imported')\n")
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    command = [sys.executable, "-c", "import torch"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "torch was imported" in refused.stderr
    return package.parent

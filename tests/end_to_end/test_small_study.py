"""A small study run as a user runs it: every stage, a second time, and from scratch again."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import studies
import yaml

from facebias import configuration, tables

# One worker runs the study once for all tests of this file.
pytestmark = pytest.mark.xdist_group("small_study")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    config = studies.write(studies.SMALL, folder)
    done = studies.snakemake(folder, config)
    assert done.returncode == 0, done.stdout
    return folder, config


def digests(folder: Path, pattern: str) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob(pattern))
    }


@pytest.mark.slow
def test_every_target_is_there(study):
    folder, _ = study
    out = folder / "results/small"
    metrics = tables.read(out / "tables/metrics.csv", tables.METRICS)
    cells = metrics[["architecture", "train_split", "test_split"]].drop_duplicates()
    assert len(cells) == 2 * 2 * 2
    fairness = tables.read(out / "tables/fairness.csv", tables.FAIRNESS)
    assert set(fairness["definition"]) >= {"published", "per_class_mean", "worst_class", "signed"}
    assert set(fairness["groups"]) == {"female - male"}
    assert len(list(out.glob("predictions/**/*.parquet"))) == 4
    assert len(list(out.glob("heatmaps/**/*.npz"))) == 4
    for png in out.glob("figures/**/*.png"):
        assert png.with_suffix(".pdf").stat().st_size > 1000
        assert len(pd.read_csv(png.with_suffix(".csv"))) > 0
    assert len(list(out.glob("figures/**/*.png"))) > 10
    assert (out / "report.html").stat().st_size > 100_000


@pytest.mark.slow
def test_resolved_config_is_written_and_runs_the_same_study(study):
    folder, _ = study
    written = folder / "results/small/config.yaml"
    resolved = yaml.safe_load(written.read_text())
    assert resolved == configuration.resolve(studies.SMALL)
    done = studies.snakemake(folder, written, "--dry-run")
    assert "Nothing to be done" in done.stdout, done.stdout


@pytest.mark.slow
def test_second_run_runs_no_job(study):
    folder, config = study
    done = studies.snakemake(folder, config)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout, done.stdout


@pytest.mark.slow
def test_second_run_from_scratch_predicts_the_same_bytes(study, tmp_path):
    folder, config = study
    done = studies.snakemake(tmp_path, config, "predictions", "metrics")
    assert done.returncode == 0, done.stdout
    for pattern in ("results/small/predictions/**/*.parquet", "results/small/tables/*.csv"):
        once, again = digests(folder, pattern), digests(tmp_path, pattern)
        assert len(again) >= 4
        assert again == {name: once[name] for name in again}


# What is changed in the configuration, and the jobs that must run again: no other may.
READ = {"start_page": 1, "report": 1, "resolve": 1}
TABLES = {"gather_metrics": 1, "figure_rates": 3, "print_metrics": 4}
GAPS = {"gather_fairness": 1, "figure_gaps": 1, "figure_gaps_signed": 1, "print_fairness": 1}
RERUNS = {
    "nothing": ({}, {}),
    "a colour": (
        {"figures.colours": ["#000000", "#777777", "#BBBBBB"]},
        {
            "resolve": 1,
            "report": 1,
            "figure_confusion": 4,
            "figure_curves": 1,
            "figure_exclusions": 1,
            "figure_gaps": 1,
            "figure_gaps_signed": 1,
            "figure_heatmaps": 4,
            "figure_rates": 3,
            "figure_subjects": 1,
        },
    ),
    "number of resamples": (
        {"evaluation.resamples": 150},
        {
            **READ,
            **TABLES,
            **GAPS,
            "cell_metrics": 8,
            "cell_fairness": 4,
            "gather_confusion": 1,
            "figure_confusion": 4,
        },
    ),
    "learning rate of the network that is not explained": (
        {"architectures.cnn3d.training": {"learning_rate": 0.02}},
        {
            **READ,
            **TABLES,
            **GAPS,
            "train_model": 2,
            "predict": 2,
            "cell_metrics": 4,
            "cell_fairness": 2,
            "gather_confusion": 1,
            "figure_confusion": 4,
            "figure_curves": 1,
        },
    ),
    "rule of the heatmaps": (
        {"explanation.composite": "epsilon_plus"},
        {"resolve": 1, "report": 1, "explain": 4, "figure_heatmaps": 4},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", RERUNS)
def test_a_change_runs_what_it_touches(study, change, tmp_path):
    folder, _ = study
    changes, expected = RERUNS[change]
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    said = studies.snakemake(folder, config, "--dry-run").stdout
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", said, re.M))
    jobs.pop("total", None)
    jobs.pop("all", None)
    assert {name: int(number) for name, number in jobs.items()} == expected, said[-3000:]


@pytest.mark.slow
def test_printed_command_runs_by_hand(study, tmp_path):
    """A command that Snakemake prints works when it is copied to a shell."""
    folder, config = study
    done = studies.snakemake(
        folder, config, "--dry-run", "--printshellcmds", "--forcerun", "split", "--until", "split"
    )
    (printed,) = [line for line in done.stdout.splitlines() if "-m facebias split" in line]
    command = printed[printed.index("python -m facebias") :]
    table = folder / "results/small/data/splits.csv"
    before = table.read_bytes()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(studies.ROOT / "workflow")}
    subprocess.run(command, shell=True, check=True, cwd=folder, env=environment)
    assert table.read_bytes() == before

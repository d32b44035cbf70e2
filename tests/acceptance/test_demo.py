"""What `make demo` must have found; run after it: `pytest tests/acceptance`."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from facebias import tables

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "results" / "demo"


@pytest.fixture(scope="module")
def accuracy() -> pd.Series:
    metrics = tables.read(DEMO / "tables/metrics.csv", tables.METRICS)
    chosen = metrics[
        (metrics["train_split"] == "regular")
        & (metrics["test_split"] == "all")
        & (metrics["label"] == "overall")
        & (metrics["metric"] == "accuracy")
    ]
    return chosen.set_index("architecture")["value"]


def test_the_whole_matrix_was_run():
    metrics = tables.read(DEMO / "tables/metrics.csv", tables.METRICS)
    cells = metrics[["architecture", "train_split", "test_split"]].drop_duplicates()
    assert len(cells) == 6 * 3 * 3
    assert len(list(DEMO.glob("models/*/*/*/*/weights.safetensors"))) == 18


def test_five_of_six_networks_learn(accuracy):
    assert len(accuracy) == 6
    assert (accuracy >= 0.60).sum() >= 5, accuracy.to_dict()


def test_planted_gap_is_found_with_its_sign():
    """Women show some emotions weakly, so the networks miss more of theirs: female - male < 0."""
    fairness = tables.read(DEMO / "tables/fairness.csv", tables.FAIRNESS)
    gaps = fairness[
        (fairness["train_split"] == "regular")
        & (fairness["criterion"] == "equal_opportunity")
        & (fairness["definition"] == "signed")
        & (fairness["first"] == "female")
        & (fairness["second"] == "male")
    ]
    assert len(gaps) == 6
    assert (gaps["estimate"] < 0).sum() >= 5, gaps[["architecture", "estimate"]]
    assert (gaps["ci_high"] < 0).sum() >= 3, gaps[["architecture", "estimate", "ci_high"]]


def test_a_second_run_runs_no_job():
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "snakemake",
            "--profile",
            "profiles/local",
            "--configfile",
            "config/demo.yaml",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" in done.stdout


def test_report_opens_on_what_was_planted():
    text = (DEMO / "report" / "start_page.html").read_text()
    assert re.search(r"planted", text, re.I)

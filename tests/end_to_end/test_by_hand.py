"""A job of a study is run by hand as the workflow ran it."""

from __future__ import annotations

import pandas as pd
import pytest
import studies

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("small_study")]
STUDY = ("--study", "results/small")
CELL = ("--architecture", "vgg16", "--train-split", "female")


def typed(study, *words):
    clone, _ = study
    return studies.run("facebias", *words, folder=clone, PYTHONPATH="workflow")


def test_it_gets_the_files_and_settings_of_the_study(study, tmp_path):
    clone, _ = study
    files = {"metrics": tmp_path / "metrics.csv", "confusion": tmp_path / "confusion.csv"}
    out = ("--out", str(files["metrics"]), "--confusion", str(files["confusion"]))
    done = typed(study, "metrics", *STUDY, *CELL, "--test-split", "male", *out)
    assert done.returncode == 0, done.stdout
    assert "facebias metrics --manifest results/small/data/manifest.csv" in done.stdout
    for kind, path in files.items():
        there = clone / f"results/small/{kind}/vgg16/female/male.csv"
        assert path.read_bytes() == there.read_bytes()


def test_a_value_is_laid_over_the_configuration(study, tmp_path):
    files = {"metrics": tmp_path / "metrics.csv", "confusion": tmp_path / "confusion.csv"}
    out = ("--out", str(files["metrics"]), "--confusion", str(files["confusion"]))
    cell = (*STUDY, *CELL, "--test-split", "male", *out)
    done = typed(study, "metrics", *cell, "--set", "evaluation.confidence=0.5")
    assert done.returncode == 0, done.stdout
    clone, _ = study
    there = pd.read_csv(clone / "results/small/metrics/vgg16/female/male.csv")
    found = pd.read_csv(files["metrics"])
    assert found["value"].equals(there["value"])
    wide, narrow = (each["ci_high"] - each["ci_low"] for each in (there, found))
    assert (narrow <= wide)[wide.notna()].all()
    assert (narrow < wide).any()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("metrics", *STUDY, *CELL),
            "facebias metrics: 2 jobs are meant; say which: --test-split all, male",
        ),
        (
            ("metrics", *STUDY, "--architecture", "vgg"),
            "facebias metrics: --architecture is vgg; the study has cnn3d, vgg16",
        ),
        (("metrics", "--study", "results"), "--study results: found no config.yaml there"),
        (("power", *STUDY), "facebias power: no job of a study runs it; leave out --study"),
        (("fetch", *STUDY), "facebias fetch: the study has no such job"),
        (("metrics", *STUDY, "--fold", "1"), "unrecognized arguments: --fold 1"),
        (
            ("metrics", *STUDY, *CELL, "--set", "evaluation.resamples=9", "--out", "mine.csv"),
            "facebias metrics: --set: not to write over the study's results, give --confusion",
        ),
        (
            ("gather", *STUDY, "--set", "evaluation.resamples=few", "--out", "mine.csv"),
            'evaluation.resamples: found "few", expected',
        ),
    ],
)
def test_what_means_no_job_is_said(study, words, said):
    done = typed(study, *words)
    assert done.returncode != 0
    assert said in done.stdout
    assert "Traceback" not in done.stdout

"""Metrics of a cell, and the stages from files to files."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

import scored
from facebias import tables
from facebias.evaluation import cells, counts, proportions, rates, resampling, stage
from facebias.study import Selection, settings

CELL = {"architecture": "vgg16", "train_split": "regular", "test_split": "all"}
NAMES = ("joy", "grief", "rage")
PACKAGE = Path(__file__).parents[2] / "workflow"


def measured(frame):
    table = cells.metrics(scored.scored(frame), CELL, evaluation=scored.EVALUATION)
    return table.set_index(["label", "metric"])


@pytest.fixture
def frame():
    return scored.classes(np.random.default_rng(2))


def test_values_counts_and_intervals_of_a_cell(frame):
    table = measured(frame)
    said = np.array(NAMES)[frame.filter(like="score_").to_numpy().argmax(axis=1)]
    true = frame["label"].to_numpy()
    assert table.loc[("overall", "accuracy"), "value"] == pytest.approx((said == true).mean())
    assert table.loc[("joy", "tpr"), "n_samples"] == (true == "joy").sum()
    assert table.loc[("joy", "fpr"), "n_samples"] == (true != "joy").sum()
    assert table.loc[("joy", "precision"), "n_samples"] == (said == "joy").sum()
    assert table.loc[("joy", "f1"), "n_samples"] == ((said == "joy") | (true == "joy")).sum()
    assert table.loc[("overall", "f1_macro"), "n_subjects"] == 12
    people = frame.loc[true == "rage", "subject"].nunique()
    assert table.loc[("rage", "tpr"), "n_subjects"] == people
    areas = [sk.roc_auc_score(true == name, frame[f"score_{name}"]) for name in NAMES]
    assert table.loc[("overall", "auc_macro"), "value"] == pytest.approx(np.mean(areas))
    assert (table["ci_low"] <= table["value"]).all()
    assert (table["value"] <= table["ci_high"]).all()
    assert len(table) == 3 * 7 + 5


def test_interval_rests_on_the_spread_over_all_people_and_on_those_who_enter(frame):
    few = frame["subject"].isin(["p001", "p002", "p003"])
    frame["label"] = frame["label"].mask((frame["label"] == "rage") & ~few, "joy")
    counted = counts.count(scored.scored(frame))
    drawn = resampling.weights(
        counted.subjects, resamples=scored.EVALUATION.resamples, seed=scored.EVALUATION.seed
    )
    summed = resampling.weighted(drawn, counted.table)
    table = measured(frame)
    for position, name in enumerate(NAMES):
        found = table.loc[(name, "tpr")]
        people = frame.loc[frame["label"] == name, "subject"].nunique()
        assert people <= 3 if name == "rage" else people > 9
        values = rates.rate("tpr", summed)[:, position]
        expected = proportions.interval(
            values[0],
            np.nanvar(values[1:], ddof=1) * people / (people - 1),
            people=people,
            samples=(frame["label"] == name).sum(),
            confidence=scored.EVALUATION.confidence,
        )
        assert found[["ci_low", "ci_high"]].tolist() == pytest.approx(expected)


def test_order_of_rows_is_nothing(frame):
    pd.testing.assert_frame_equal(measured(frame), measured(frame.sample(frac=1, random_state=0)))


def test_label_that_nobody_shows_is_missing_with_count_0(frame):
    frame.loc[frame["label"] == "rage", "label"] = "joy"
    table = measured(frame)
    for metric in ("tpr", "auc"):
        lost = table.loc[("rage", metric)]
        assert lost[["value", "ci_low", "ci_high"]].isna().all()
        assert (lost["n_samples"], lost["n_subjects"]) == (0, 0)
    assert table.loc[("rage", "fpr"), "value"] > 0
    kept = table.loc[[("joy", "tpr"), ("grief", "tpr")], "value"]
    assert table.loc[("overall", "tpr_macro"), "value"] == pytest.approx(kept.mean())


def test_overall_row_that_nothing_enters_counts_0(frame):
    table = measured(frame.assign(label="joy"))
    assert np.isnan(table.loc[("overall", "auc_macro"), "value"])
    assert table.loc[("overall", "auc_macro"), "n_samples"] == 0
    assert table.loc[("overall", "f1_macro"), "n_samples"] == len(frame)


def test_one_subject_has_values_but_no_interval(frame):
    table = measured(frame[frame["subject"] == "p000"])
    assert not np.isnan(table.loc[("overall", "accuracy"), "value"])
    assert table[["ci_low", "ci_high"]].isna().all(axis=None)


def test_label_of_one_subject_alone_has_no_interval(frame):
    rage = (frame["label"] == "rage") & (frame["subject"] != "p000")
    frame.loc[rage, "label"] = "joy"
    frame.loc[0, "label"] = "rage"
    alone = measured(frame).loc[("rage", "tpr")]
    assert alone["n_subjects"] == 1
    assert np.isnan(alone["ci_low"])


def test_confusion_of_classes(frame):
    table = cells.confusion(scored.scored(frame), CELL)
    said = np.array(NAMES)[frame.filter(like="score_").to_numpy().argmax(axis=1)]
    expected = sk.confusion_matrix(frame["label"], said, labels=NAMES)
    np.testing.assert_array_equal(table["n_samples"].to_numpy().reshape(3, 3), expected)
    np.testing.assert_allclose(table.groupby("true")["share"].sum(), 1)


def test_confusion_of_units_is_one_small_table_per_label():
    frame = scored.units(np.random.default_rng(1))
    table = cells.confusion(scored.scored(frame), CELL).set_index(["true", "predicted"])
    known = frame[frame["label_AU4"].notna()]
    expected = sk.confusion_matrix(known["label_AU4"] == 1, known["score_AU4"] >= 0.5)
    assert table.loc[("not AU4", "not AU4"), "n_samples"] == expected[0, 0]
    assert table.loc[("not AU4", "AU4"), "n_samples"] == expected[0, 1]
    assert table.loc[("AU4", "not AU4"), "n_samples"] == expected[1, 0]
    assert table.loc[("AU4", "AU4"), "n_samples"] == expected[1, 1]


def test_confusion_of_a_label_nobody_shows_has_no_share(frame):
    frame.loc[frame["label"] == "rage", "label"] = "joy"
    table = cells.confusion(scored.scored(frame), CELL)
    assert table.loc[table["true"] == "rage", "share"].isna().all()


# -------------------------------------------------------------------------------- files to files


@pytest.fixture
def study(tmp_path, frame):
    """A manifest and the predictions of two folds by two seeds."""
    listed = frame[["sample", "subject", "label", "gender"]]
    tables.write(
        listed.assign(path="x.mp4", publishable=True), tmp_path / "manifest.csv", tables.MANIFEST
    )
    made = frame.drop(columns=["label", "gender"]).assign(
        architecture="vgg16", train_split="regular"
    )
    paths = []
    for fold in (0, 1):
        for seed in (1, 2):
            part = made[(made["subject"] < "p006") == (fold == 0)].assign(fold=fold, seed=seed)
            paths.append(tmp_path / f"{fold}-{seed}.parquet")
            tables.write(part, paths[-1], tables.PREDICTIONS)
    return tmp_path, [str(path) for path in paths]


def arguments(folder, paths, **parts):
    plain = {
        "labels": scored.labels(*NAMES),
        "evaluation": scored.EVALUATION.resampling,
    }
    parts = {**plain, **parts}
    given = settings(**parts)
    return [
        *("--settings", given, "--architecture", "vgg16", "--train-split", "regular"),
        *("--manifest", str(folder / "manifest.csv"), "--predictions", *paths),
    ]


def run_metrics(folder, paths, test, name="metrics"):
    stage.metrics(
        [
            *arguments(folder, paths, test=test),
            *("--test-split", "some", "--out", str(folder / f"{name}.csv")),
            *("--confusion", str(folder / "confusion.csv")),
        ]
    )
    return tables.read(folder / f"{name}.csv", tables.METRICS)


def test_metrics_of_a_test_split(study, frame):
    folder, paths = study
    found = run_metrics(folder, paths, Selection(where={"gender": "female"}))
    expected = cells.metrics(
        scored.scored(frame[frame["gender"] == "female"]),
        {**CELL, "test_split": "some"},
        evaluation=scored.EVALUATION,
    )
    pd.testing.assert_frame_equal(found, expected)
    confusion = tables.read(folder / "confusion.csv", tables.CONFUSION)
    assert confusion["n_samples"].sum() == (frame["gender"] == "female").sum()


def test_metrics_of_named_subjects_and_of_nobody(study):
    folder, paths = study
    found = run_metrics(folder, paths, Selection(where={}, subjects=("p000", "p007")))
    assert found["n_subjects"].max() == 2
    empty = run_metrics(folder, paths, Selection(where={"gender": "other"}))
    assert empty["value"].isna().all()
    assert (empty[["n_subjects", "n_samples"]] == 0).all(axis=None)


def test_outputs_are_the_same_bytes_in_any_order_of_files(study):
    folder, paths = study
    run_metrics(folder, paths, Selection(where={}), "one")
    run_metrics(folder, paths[::-1], Selection(where={}), "two")
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_fairness_of_an_attribute(study):
    folder, paths = study
    out = str(folder / "fairness.csv")
    given = arguments(folder, paths, tests=1)
    stage.fairness([*given, "--attribute", "gender", "--out", out])
    found = tables.read(out, tables.GAPS)
    assert set(found["groups"]) == {"female - male"}
    assert (found.loc[found["label"] == "overall", "n_subjects"] == 12).all()


def test_missing_label_of_the_settings_is_a_readable_error(study):
    folder, paths = study
    labels = dataclasses.replace(scored.labels(*NAMES), names=(*NAMES, "awe"))
    given = settings(labels=labels, evaluation=scored.EVALUATION.resampling, tests=1)
    command = [
        given if word.startswith("{") else word for word in arguments(folder, paths, tests=1)
    ]
    with pytest.raises(RuntimeError, match="column score_awe is missing"):
        stage.fairness([*command, "--attribute", "gender", "--out", str(folder / "f.csv")])


def test_evaluation_starts_without_heavy_imports():
    heavy = ("torch", "scipy.stats", "sklearn", "matplotlib", "fairlearn")
    code = (
        "import sys, facebias.evaluation.stage, facebias.evaluation.audit\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"

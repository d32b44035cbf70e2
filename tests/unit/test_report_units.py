"""The report of a study of units, and of one whose training splits are matched in size."""

from __future__ import annotations

import dataclasses
import itertools
import re
from html import unescape

import diagnosed
import numpy as np
import pandas as pd
import pytest
import start_pages
import study_tables as made

import scored
from facebias import tables
from facebias.evaluation import (
    attributes,
    baselines,
    by_group,
    cells,
    counts,
    groups,
    judgement,
    pairing,
)
from facebias.presentation.figures import rates as rates_figure
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request
from facebias.presentation.report import findings, start_page, wording
from facebias.presentation.report import print as print_table
from facebias.study import Labels, build
from facebias.tables import comparisons

ARCHITECTURES = ("vgg16", "cnn3d")
DECLARED = ("regular", "female")
TRAINS = (*DECLARED, "regular_matched")
QUESTION = scored.question(*DECLARED)
UNITS = ("AU1", "AU4", "AU12")
EVALUATION = dataclasses.replace(
    scored.EVALUATION,
    primary=dataclasses.replace(scored.EVALUATION.primary, criterion="f1_skew_normalised_gap"),
)


@pytest.fixture(scope="module")
def study():
    """The tables of a small study of units: made-up scores, measured as any other."""
    parts = {name: [] for name in ("metrics", "by_group", "gaps", "changes")}
    frame = scored.units(np.random.default_rng(3), n_subjects=12, n_samples=10)
    for place, architecture in enumerate(ARCHITECTURES):
        counted = {}
        for turn, train in enumerate(TRAINS):
            said = scored.units(np.random.default_rng([place, turn]), n_subjects=12, n_samples=10)
            own = frame.assign(
                **{
                    f"score_{unit}": (
                        0.8 * said[f"score_{unit}"] + 0.2 * frame[f"label_{unit}"].fillna(0.5)
                    ).clip(0, 1)
                    for unit in UNITS
                }
            )
            data = scored.scored(own)
            model = {"architecture": architecture, "train_split": train}
            cell = {**model, "test_split": "all"}
            counted[train] = counts.count(data, ranked=True)
            parts["metrics"].append(cells.metrics(data, cell, evaluation=EVALUATION))
            grouped = attributes.grouping(frame, "gender")
            parts["by_group"].append(
                by_group.metrics(data, [grouped], model, evaluation=EVALUATION)
            )
            parts["gaps"].append(
                groups.fairness(counted[train], grouped, model, evaluation=EVALUATION)
            )
        parts["changes"].append(
            pairing.effects(counted, grouped, architecture, evaluation=EVALUATION)
        )
    parts = {name: pd.concat(found, ignore_index=True) for name, found in parts.items()}
    judged = {
        "fairness": judgement.judge(
            parts["gaps"],
            judgement.primary(parts["gaps"], EVALUATION.primary, [QUESTION]),
            EVALUATION,
        ),
        "effects": judgement.judge(
            parts["changes"],
            judgement.primary_effects(parts["changes"], EVALUATION.primary, [QUESTION]),
            EVALUATION,
        ),
    }
    manifest = frame.drop(columns=[name for name in frame if name.startswith("score_")])
    manifest = manifest.drop(columns="seed").assign(path="x.mp4", publishable=True, skin="light")
    # As many again train and validate.
    others = manifest.drop_duplicates("subject").assign(
        subject=[f"p{n:03d}" for n in range(12, 24)], sample=[f"t{n}" for n in range(12)]
    )
    manifest = pd.concat([manifest, others], ignore_index=True)
    measured = {name: parts[name] for name in ("metrics", "by_group")}
    return {**measured, **judged, "manifest": manifest}


def roles():
    rows = []
    for train, n in itertools.product(TRAINS, range(24)):
        size = {"regular": 11, "female": 5, "regular_matched": 5}[train]
        role = "test" if n < 12 else "validation" if n == 12 else "train"
        rows.append((train, 0, 1, f"p{n:03d}", role if n < 13 + size else "unused"))
    return pd.DataFrame(rows, columns=list(tables.SPLITS.columns))


def page(study, **changes):
    labels = Labels(
        kind="units",
        names=(*UNITS, "AU9"),
        fuse={},
        subsample_fused=False,
        seed=1,
        min_occurrences=40,
        threshold="validation",
    )
    settings = start_pages.study_settings()
    data = {**settings["data"], "adapter": "videos", "root": "x", "drawn": None}
    asked = {
        "name": "units",
        "title": "Units",
        "data": build(start_page.Data, data),
        "labels": labels,
        "evaluation": EVALUATION,
        "seeds": (1,),
        "folds": 1,
        "architectures": ARCHITECTURES,
        "trains": TRAINS,
        "tests": ("all",),
        "matched": {"regular": "regular_matched", "female": "female"},
        "questions": (QUESTION,),
        "metrics": study["metrics"],
        "by_group": study["by_group"],
        "fairness": study["fairness"],
        "effects": study["effects"],
        "exclusions": made.exclusions(none=True),
        "excluded": pd.DataFrame(columns=list(tables.EXCLUDED.columns)),
        "roles": roles(),
        "manifest": study["manifest"],
        "confounds": diagnosed.confound_table(),
    }
    html = start_page.render(start_page.facts(**{**asked, **changes}))
    text = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_the_page_of_units_begins_with_f1_and_not_with_accuracy(study):
    said = page(study)
    overall = study["metrics"][study["metrics"]["label"] == "overall"]
    for metric, name in (("f1_macro", "F1"), ("auc_macro", "ROC area")):
        values = overall.loc[overall["metric"] == metric, "value"]
        assert f"{name} {values.min():.2f} to {values.max():.2f}" in said
    assert "% of the samples" not in said
    assert "guessing evenly" not in said
    # The F1 of a guesser depends on how often it guesses the label.
    assert re.search(
        r"skew-normalised F1 [^(]*, ROC area [\d.]+ to [\d.]+ \(guessing: 0\.50\)\.", said
    )
    assert "Guessing 0.50 0.50" in said


def test_units_that_were_left_out_and_how_a_unit_counts_are_said(study):
    said = page(study)
    assert "as means over 3 units" in said
    assert "present in fewer than 40 samples: AU9." in said
    assert "best F1 on the validation people" in said
    fixed = Labels(kind="units", names=UNITS, fuse={}, subsample_fused=False, seed=1)
    said = page(study, labels=fixed)
    assert "from a score of 0.5" in said
    assert "Left out, being present" not in said


def test_people_of_whom_no_unit_is_annotated_are_not_counted(study):
    manifest = study["manifest"].copy()
    gone = manifest["subject"] == "p003"
    manifest.loc[gone, [f"label_{unit}" for unit in UNITS]] = np.nan
    said = page(study, manifest=manifest)
    assert "23 people, 11 of them tested, with" in said
    assert "Gaps by gender rest on 6 female, 5 male test people" in said


def test_gaps_of_f1_stand_beside_those_that_do_not_move_with_base_rates(study):
    found = findings.side_by_side(study["fairness"], "gender")
    first = [next(iter(gaps.values())) for gaps in found]
    assert [(row.architecture, row.train_split, row.groups) for row in first] == [
        (architecture, train, "female \u2212 male")
        for architecture in ARCHITECTURES
        for train in TRAINS
    ]
    said = page(study)
    for gaps in found:
        assert list(gaps) == list(findings.UNIT_CRITERIA)
        row = " ".join(
            f"{wording.number(gap.gap.value)} [{wording.number(gap.gap.low)}, "
            f"{wording.number(gap.gap.high)}]"
            for gap in gaps.values()
        )
        assert row in said
    assert "A gap of F1 alone can come from base rates" in said


def test_as_declared_and_at_equal_size_stand_side_by_side(study):
    said = page(study)
    primary = study["fairness"]
    primary = primary[
        (primary["criterion"] == "f1_skew_normalised_gap")
        & (primary["definition"] == "per_class_mean")
    ].set_index(["architecture", "train_split"])["estimate"]
    shown = said[said.index("As declared At equal size") :]
    for architecture, printed in (("vgg16", "VGG16"), ("cnn3d", "3D-CNN")):
        declared, matched = (
            wording.number(primary[architecture, train]) for train in ("regular", "regular_matched")
        )
        pattern = rf"regular {printed} {declared} \[.*?\] {matched} \["
        assert re.search(pattern, shown), (pattern, shown[:400])
    assert shown.count("the same: it is the smallest") == 2
    assert "Trained on people tested on all 12 people regular 11" in said
    assert "regular matched 5" in said


def test_two_questions_are_told_apart_and_corrected_together(study):
    asked = (QUESTION, scored.question("regular_matched", attribute="skin"))
    evaluation = dataclasses.replace(EVALUATION, attributes=("gender", "skin"))
    judges = {"fairness": judgement.primary, "effects": judgement.primary_effects}
    judged = {}
    for name, choose in judges.items():
        by_gender = study[name].drop(columns=list(tables.JUDGED))
        by_skin = by_gender.assign(attribute="skin", **comparisons.pair("dark", "light"))
        both = pd.concat([by_gender, by_skin], ignore_index=True)
        declared = choose(both, evaluation.primary, asked)
        judged[name] = judgement.judge(both, declared, evaluation)
    people = study["manifest"].assign(skin=lambda table: table["gender"])
    said = page(
        {**study, **judged, "manifest": people},
        evaluation=evaluation,
        questions=asked,
        matched={name: name for name in TRAINS},
    )
    assert said.count("A question declared beforehand") == 2
    assert "by gender, trained on regular. Chance" in said
    assert "by skin, trained on regular matched. Chance" in said
    assert said.count("corrected after Holm for 4 gaps, those of all questions") == 2
    # The only train split of its hold-out has no effect.
    assert said.count("Does it cost one group more than the other? Change") == 1
    assert "female instead of regular" in said


def test_effects_between_splits_of_one_size_are_exploratory(study):
    matched = {"regular": "regular_matched", "female": "female"}
    rows = findings.changes_at_equal_size(study["effects"], matched, QUESTION)
    changes = [(row.train_split, row.instead_of) for row in rows]
    assert changes == [("regular_matched", "female")] * 2
    declared = study["effects"][study["effects"]["family"] == "primary"]
    assert set(declared["train_splits"]) == {"female - regular"}
    assert "regular matched instead of female" in page(study)


def test_without_matched_splits_nothing_of_them_is_said(study):
    declared = {
        name: study[name][study[name]["train_split"].isin(DECLARED)]
        for name in ("metrics", "by_group", "fairness")
    }
    said = page({**study, **declared}, matched={}, trains=DECLARED)
    assert "equal size" not in said
    assert "matched" not in said
    assert "compare the numbers of people above" in said


@pytest.mark.parametrize("metric", ["auc_macro", "balanced_accuracy_macro"])
def test_models_that_guess_are_told_by_what_guessing_cannot_exceed(study, metric):
    metrics = study["by_group"].copy()
    sure = (metrics["label"] == "overall") & metrics["metric"].isin(baselines.DECIDING)
    metrics.loc[sure, "ci_low"] = 0.6
    assert "cannot be told from guessing" not in page(study, by_group=metrics)
    chosen = (metrics["metric"] == metric) & (metrics["architecture"] == "vgg16")
    metrics.loc[chosen, ["value", "ci_low", "ci_high"]] = [0.55, 0.45, 0.65]
    said = page(study, by_group=metrics)
    assert "3 of 6 models cannot be told from guessing" in said
    assert "VGG16 trained on regular (no better than guessing)" in said


def test_units_that_cannot_be_estimated_are_missing_on_the_page(study):
    fairness, metrics = study["fairness"].copy(), study["metrics"].copy()
    fairness[["estimate", "ci_low", "ci_high"]] = np.nan
    metrics.loc[metrics["metric"] != "accuracy", ["value", "ci_low", "ci_high"]] = np.nan
    said = page(study, fairness=fairness, metrics=metrics)
    assert "F1 n/a, skew-normalised F1 n/a, ROC area n/a" in said
    assert "No gap could be estimated" in said


def test_tables_for_print_hold_units_and_their_mean(study):
    chosen = study["metrics"][study["metrics"]["metric"].isin(["f1", "f1_macro"])]
    parts = print_table.metrics(tables.check(chosen, tables.METRICS))
    assert [part.label for part in parts] == [f"tab:f1-{train}-all" for train in TRAINS]
    for part in parts:
        wide = part.wide()
        assert {*UNITS, "overall"} <= set(wide.columns)
        assert wide["overall"].notna().all()


def test_the_figure_of_f1_shows_units_and_their_mean(study):
    labels = Labels(kind="units", names=UNITS, fuse={}, subsample_fused=False, seed=1)
    for metric, dotted in (("f1", False), ("auc", True)):
        request = Request(figures=made.looks(), labels=labels, select={"metric": metric})
        with style.printing(request.figures):
            drawn, numbers = rates_figure.draw({"metrics": study["metrics"]}, request)
        assert set(numbers["label"]) == {*UNITS, "overall"}
        assert set(numbers["metric"]) == {metric}
        lines = [line for line in drawn.axes[0].lines if list(line.get_ydata()) == [0.5, 0.5]]
        assert bool(lines) == dotted


def test_titles_of_many_columns_are_short_and_those_of_three_say_what_they_are():
    assert style.trained_on("regular_matched", 3) == "trained on regular_matched"
    assert style.trained_on("regular_matched", 4) == "on regular\nmatched"

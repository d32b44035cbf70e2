"""Figures of gaps: what stands in them, what is marked, and what becomes words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import study_tables as made
from drawing import GENDER, draw, texts

from facebias.evaluation import fairness_criteria
from facebias.presentation.figures import gaps
from facebias.tables import comparisons


def test_gaps_hold_no_sizes_of_single_labels_and_none_that_is_zero_by_construction():
    figure, numbers = draw("gaps", {"fairness": made.fairness()}, **GENDER)
    pairs = set(zip(numbers["criterion"], numbers["definition"], strict=True))
    assert ("demographic_parity", "published") not in pairs
    assert ("demographic_parity", "worst_class") in pairs
    assert set(numbers["definition"]) == {"absolute", *fairness_criteria.UNSIGNED}
    assert "n/a" not in texts(figure)


def test_one_missing_gap_is_marked():
    table = made.fairness()
    gone = (table["architecture"] == "cnn3d") & (table["train_split"] == "male")
    table.loc[gone, ["estimate", "ci_low", "ci_high"]] = np.nan
    figure, _ = draw("gaps", {"fairness": table}, **GENDER)
    assert texts(figure).count("n/a") == len(fairness_criteria.OF_CLASSES)


def test_gaps_that_nobody_can_estimate_become_words():
    table = made.fairness()
    table[["estimate", "ci_low", "ci_high"]] = np.nan
    table["note"] = "female: 1 subject, 3 needed"
    for name in ("gaps", "gaps_signed"):
        figure, numbers = draw(name, {"fairness": table}, **GENDER)
        said = " ".join(texts(figure)).replace("\n", " ")
        assert "none can be estimated" in said
        assert "1 subject, 3 needed" in said
        assert numbers.empty


def test_signed_gaps_name_whom_they_favour_and_hollow_what_is_not_found():
    table = made.fairness(gap=-0.16, spread=0.1)
    table = table[(table["criterion"] == "equal_opportunity") & (table["train_split"] == "regular")]
    signed = table["definition"] == "signed"
    wide = signed & (table["architecture"] == "vgg16")
    table.loc[wide, "verdict"] = "cannot tell"
    figure, numbers = draw("gaps_signed", {"fairness": table}, **GENDER)
    assert any("favours male" in text and "favours female" in text for text in texts(figure))
    fills = {
        round(float(line.get_xdata()[0]), 6): line.get_markerfacecolor()
        for line in figure.axes[0].lines
        if line.get_marker() not in ("None", None, "")
    }
    assert len(fills) == len(numbers) == 6
    hollow = [value for value, fill in fills.items() if fill == "white"]
    assert hollow == [round(float(table.loc[wide, "estimate"].iloc[0]), 6)]
    low, high = figure.axes[0].get_xlim()
    assert low == -high


@pytest.mark.parametrize("name", ["gaps", "gaps_signed"])
def test_every_gap_stands_before_the_band_of_chance_with_its_median(name):
    table = made.fairness(trains=("regular",))
    figure, numbers = draw(name, {"fairness": table}, **GENDER)
    bands, medians = [], []
    for axes in figure.axes:
        bands += [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
        medians += [
            line.get_xdata()[0] for line in axes.lines if line.get_color() == gaps.CHANCE_EDGE
        ]
    wanted = numbers[["null_low", "null_high"]].round(9).apply(tuple, axis=1)
    assert sorted(np.round(bands, 9).tolist()) == sorted(map(list, wanted))
    assert sorted(np.round(medians, 9)) == sorted(numbers["null_median"].round(9))
    assert "gaps by chance alone" in texts(figure)


def test_gap_without_a_reference_has_no_band():
    table = made.fairness(trains=("regular",))
    table[["null_low", "null_median", "null_high"]] = np.nan
    figure, _ = draw("gaps", {"fairness": table}, **GENDER)
    assert not any(axes.patches for axes in figure.axes)


def test_trends_are_no_sizes():
    table = made.fairness(trains=("regular",))
    slope = table[table["definition"] == "signed"].assign(definition="trend")
    slope = slope.assign(**comparisons.trend("age"))
    _, numbers = draw("gaps", {"fairness": pd.concat([table, slope])}, **GENDER)
    assert "trend" not in set(numbers["definition"])


def test_signed_gaps_of_several_splits_are_headed_by_what_is_compared():
    figure, _ = draw("gaps_signed", {"fairness": made.fairness()}, **GENDER)
    heads = [text for text in texts(figure) if text.startswith("Signed gaps by gender")]
    assert heads == ["Signed gaps by gender: female \u2212 male"]
    panels = [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes]
    assert panels == ["trained on regular", "trained on female", "trained on male"]


def test_no_interval_leaves_its_panel():
    table = made.fairness(gap=-0.16, spread=0.1)
    last = (table["train_split"] == "male") & (table["definition"] == "worst_class")
    table.loc[last, "ci_high"] = 0.97
    figure, numbers = draw("gaps", {"fairness": table}, **GENDER)
    for axes in figure.axes:
        assert 0 < axes.dataLim.x1 <= axes.get_xlim()[1]
    assert numbers["ci_high"].max() == 0.97


def test_pairs_with_a_group_too_small_get_no_panel_but_a_reason():
    table = made.fairness(attribute="skin", groups=("dark", "light", "medium"))
    small = table["first"] == "dark"
    table.loc[small, ["estimate", "ci_low", "ci_high"]] = np.nan
    table.loc[small, "note"] = "dark: 1 subject, 3 needed"
    figure, signs = draw("gaps_signed", {"fairness": table}, attribute="skin")
    assert set(signs["groups"]) == {"light - medium"}
    assert any(
        "2 pairs of groups, dark: 1 subject, 3 needed" in text.replace("\n", " ")
        for text in texts(figure)
    )


def test_reasons_of_pairs_left_out_are_in_order():
    notes = {"ab": "b: 1 subject, 3 needed", "ac": "a: 2 subjects, 3 needed", "bc": None}
    rows = [
        {**comparisons.pair(*pair), "criterion": "accuracy_gap", "definition": "signed",
         "estimate": np.nan if note else 0.1, "note": note}
        for pair, note in notes.items()
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    kept, said = gaps.without_empty(frame)
    assert kept["groups"].tolist() == ["b - c"]
    told = "a: 2 subjects, 3 needed; b: 1 subject, 3 needed"
    assert said == f"Not drawn: 2 pairs of groups, {told}."


def test_three_groups_use_the_range_for_sizes_and_pairs_for_signs():
    table = made.fairness(attribute="skin", groups=("dark", "light", "medium"))
    _, sizes = draw("gaps", {"fairness": table}, attribute="skin")
    assert set(sizes["groups"]) == {"range over dark, light, medium"}
    figure, signs = draw("gaps_signed", {"fairness": table}, attribute="skin")
    assert set(signs["groups"]) == {"dark - light", "dark - medium", "light - medium"}
    assert len(figure.axes) == 3 * 3


def test_four_groups_in_one_train_split_fill_the_columns():
    groups = ("black", "east_asian", "west_asian", "white")
    table = made.fairness(attribute="ethnicity", groups=groups, trains=("all",), gap=0.05)
    figure, _ = draw("gaps_signed", {"fairness": table}, attribute="ethnicity")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0] == "black \u2212 east asian"
    assert len(titles) == 6


def test_gaps_of_labels_stand_in_their_rows_and_say_what_few_show():
    table = made.fairness(trains=("regular",))
    few = (table["definition"] == "per_label") & (table["label"] == "sadness")
    table.loc[few, ["estimate", "ci_low", "ci_high", "p_value"]] = np.nan
    table.loc[few, "note"] = "sadness left out: 2 subjects behind its tpr in male, 3 needed"
    figure, numbers = draw("gaps_labels", {"fairness": table}, **GENDER)
    assert set(numbers["definition"]) == {"per_label"}
    assert set(numbers["criterion"]) == {"equal_opportunity"}
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(made.LABELS)
    said = " ".join(texts(figure)).replace("\n", " ")
    assert "n/a: sadness left out: 2 subjects behind its tpr in male, 3 needed." in said
    _, numbers = draw("gaps_labels", {"fairness": table}, **GENDER, criterion="f1_gap")
    assert set(numbers["criterion"]) == {"f1_gap"}

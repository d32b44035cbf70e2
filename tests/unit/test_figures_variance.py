"""The figures of sources of variance and of redrawn test sets."""

from __future__ import annotations

import itertools

import diagnosed
import numpy as np
import pandas as pd
import pytest
from drawing import GENDER, draw, texts
from matplotlib.colors import to_hex

from facebias.presentation.figures import style
from facebias.presentation.figures.variance import largest
from facebias.tables import comparisons


@pytest.fixture(scope="module")
def variance():
    return diagnosed.variance_table(folds=4)


@pytest.fixture(scope="module")
def redraws():
    return diagnosed.redraw_table()


def note(figure):
    return figure._supxlabel.get_text().replace("\n", " ")


def test_bars_are_the_shares_and_end_at_100(variance):
    figure, numbers = draw("variance", {"variance": variance}, **GENDER)
    shares = numbers[numbers["source"] != "total"].dropna(subset="share_one_seed")
    bars = [patch.get_width() for axes in figure.axes for patch in axes.patches]
    expected = 100 * shares.loc[shares["share_one_seed"] > 0, "share_one_seed"]
    assert sorted(bars) == pytest.approx(sorted(expected))
    lower = figure.axes[len(figure.axes) // 2 :]
    for axes in lower:
        for place in range(3):
            inside = [p.get_width() for p in axes.patches if abs(p.get_y() + 0.31 - place) < 0.1]
            assert sum(inside) == pytest.approx(100)
    spread = (
        f"SD {np.sqrt(numbers.loc[numbers['source'] == 'total', 'variance_one_seed'].iloc[0]):.2f}"
    )
    assert spread in texts(figure)


def test_three_intervals_per_gap_and_the_widest_is_that_of_both(variance):
    figure, numbers = draw("variance", {"variance": variance}, **GENDER)
    assert {*numbers["criterion"]} == {"equal_opportunity"}
    upper = figure.axes[: len(figure.axes) // 2]
    ink = [
        line
        for axes in upper
        for line in axes.lines
        if to_hex(line.get_color()) == style.INK and len(set(line.get_ydata())) == 1
    ]
    assert len([line for line in ink if len(line.get_xdata()) == 2]) == 3 * 2
    wide = numbers.set_index(["architecture", "train_split", "source"])
    length = wide["ci_high"] - wide["ci_low"]
    both, alone = (length.xs(source, level="source") for source in ("total", "subjects"))
    assert (both > 0.95 * alone).all()


def test_one_seed_draws_no_parts_and_says_why():
    figure, _ = draw("variance", {"variance": diagnosed.variance_table(n_seeds=1)}, **GENDER)
    assert len(figure.axes) == 2
    assert not any(axes.patches for axes in figure.axes)
    assert "With one seed, what another training would change cannot be told" in note(figure)


def test_one_seed_with_folds_tells_folds_from_subjects():
    table = diagnosed.variance_table(n_seeds=1, folds=4)
    figure, _ = draw("variance", {"variance": table}, **GENDER)
    assert len(figure.axes) == 4
    assert "With one hold-out" not in note(figure)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["subjects drawn again", "subjects", "folds"]


def test_another_gap_can_be_selected(variance):
    what = {"criterion": "equalized_odds", "definition": "worst_class"}
    figure, numbers = draw("variance", {"variance": variance}, **GENDER, **what)
    assert {*numbers["definition"]} == {"worst_class"}
    assert any("equalized odds" in text for text in [figure.legends[0].get_title().get_text()])


@pytest.mark.parametrize("name", ["variance", "redraws"])
def test_nothing_to_estimate_becomes_words(name, variance, redraws):
    table = {"variance": variance, "redraws": redraws}[name]
    numbers = table.select_dtypes("float").columns
    empty = table.assign(**dict.fromkeys(numbers, np.nan), note="male: 2 subjects, 3 needed")
    figure, _ = draw(name, {name: empty}, **GENDER)
    assert not figure.axes
    assert "male: 2 subjects, 3 needed." in note(figure)


@pytest.mark.parametrize("name", ["variance", "redraws"])
def test_three_pairs_with_most_subjects_are_drawn_and_the_others_counted(name, variance, redraws):
    table = {"variance": variance, "redraws": redraws}[name]
    people = {"variance": "levels", "redraws": "n_subjects"}[name]
    parts = []
    for n, pair in enumerate(itertools.combinations("abcd", 2)):
        parts.append(table.assign(**comparisons.pair(*pair), **{people: table[people] + n}))
    figure, numbers = draw(name, {name: pd.concat(parts, ignore_index=True)}, **GENDER)
    assert list(numbers["groups"].unique()) == ["b - c", "b - d", "c - d"]
    assert "Not drawn: 3 further pairs of groups, see the table." in note(figure)


def test_flips_stand_beside_each_number_of_test_subjects(redraws):
    figure, numbers = draw("redraws", {"redraws": redraws}, **GENDER)
    assert {*numbers["definition"]} == {"signed"}
    shown = sorted(text for axes in figure.axes for text in map(str, _percent(axes)))
    expected = [f"{100 * share:.0f} %" for share in numbers["share_verdict_flipped"]]
    assert shown == sorted(expected)
    assert len(shown) == 3 * 3 * 2
    assert [axes.get_title(loc="right") for axes in figure.axes] == ["flips"] * 2


def test_without_verdicts_no_panel_is_headed_by_flips(redraws):
    unknown = redraws.assign(share_verdict_flipped=np.nan)
    figure, _ = draw("redraws", {"redraws": unknown}, **GENDER)
    assert not any(axes.get_title(loc="right") for axes in figure.axes)


def _percent(axes):
    return [text.get_text() for text in axes.texts if text.get_text().endswith(" %")]


def test_gap_of_all_tested_subjects_is_a_tick(redraws):
    figure, numbers = draw("redraws", {"redraws": redraws}, **GENDER)
    regular = numbers[numbers["train_split"] == "regular"].drop_duplicates("architecture")
    ticks = [
        line.get_xdata()[0]
        for line in figure.axes[0].lines
        if line.get_linewidth() == pytest.approx(1.6)
    ]
    assert ticks == pytest.approx(list(regular["estimate"]))


def test_pairs_with_most_subjects_in_any_model_are_drawn():
    people = {"ab": (1, 9), "ac": (5, 5), "ad": (6, 6), "bc": (4, 4)}
    frame = pd.DataFrame(
        {**comparisons.pair(*pair), "n_subjects": n}
        for pair, counts in people.items()
        for n in counts
    )
    kept, said = largest(frame, frame, "n_subjects")
    assert kept == [("a", "b"), ("a", "c"), ("a", "d")]
    assert "1 further pair of groups" in said

"""The figure of confounds: what is drawn, what is left out, and what is marked."""

from __future__ import annotations

import diagnosed
import numpy as np
import pytest
from drawing import GENDER, draw, texts

from facebias.presentation.figures import confounds


def drawn(table, **select):
    return draw("confounds", {"confounds": table}, **(select or GENDER))


def titles(figure):
    return [axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes]


@pytest.fixture(scope="module")
def table():
    return diagnosed.confound_table()


def test_panels_with_a_warning_are_marked_and_no_others(table):
    figure, _ = drawn(table)
    marked = [title for title in titles(figure) if title.startswith("\u25a0")]
    for measure, words in (
        ("cramers_v", "labels by group"),
        ("left_out", "left out"),
        ("face_size", "size of the face"),
        ("brightness", "brightness"),
        ("sharpness", "sharpness"),
    ):
        warned = table.loc[table["measure"] == measure, "warning"].notna().any()
        assert any(words in title for title in marked) == warned, measure
    assert "\u25a0 training subjects" in marked


def test_what_is_the_same_in_all_groups_is_said_and_not_drawn(table):
    figure, numbers = drawn(table)
    note = " ".join(texts(figure)).replace("\n", " ")
    assert "The same in all groups: frames from first to last key frame." in note
    assert "key_frame_span" not in set(numbers["measure"])


def test_even_labels_and_no_lost_samples_leave_their_panels_out():
    figure, numbers = drawn(diagnosed.confound_table(uneven=0.0, of_women=0))
    note = " ".join(texts(figure)).replace("\n", " ")
    assert "labels, share of samples left out" in note
    assert not {"label_share", "cramers_v", "left_out"} & set(numbers["measure"])
    assert "training subjects" in " ".join(titles(figure))


def test_band_of_chance_ends_where_the_table_says(table):
    figure, _ = drawn(table)
    axes = next(axes for axes in figure.axes if "labels by group" in axes.get_title(loc="left"))
    ends = sorted(patch.get_width() for patch in axes.patches if np.isfinite(patch.get_width()))
    known = table.loc[table["measure"] == "cramers_v", "null_high"].dropna()
    assert ends == pytest.approx(sorted(known))


def test_association_that_cannot_be_estimated_is_marked_and_not_0(table):
    figure, _ = drawn(table)
    axes = next(axes for axes in figure.axes if "labels by group" in axes.get_title(loc="left"))
    names = [text.get_text() for text in axes.get_yticklabels()]
    missing = [text for text in axes.texts if text.get_text() == "n/a"]
    assert [names[round(text.get_position()[1])] for text in missing] == ["trained on female"]


def test_every_number_is_in_the_csv(table):
    _, numbers = drawn(table)
    keys = ["measure", "train_split", "role", "groups", "label"]
    assert not numbers.duplicated(keys).any()
    same = numbers.merge(table, on=[*keys, "estimate", "p_value", "attribute"])
    assert len(same) == len(numbers)


def test_units_stand_beside_their_shares():
    table = diagnosed.confound_table()
    one = table["measure"].isin(["cramers_v", "normalised_mutual_information"])
    units = [table[one].assign(label=name) for name in diagnosed.NAMES]
    figure, numbers = drawn(confounds.pd.concat([table[~one], *units], ignore_index=True))
    axes = next(axes for axes in figure.axes if "labels by group" in axes.get_title(loc="left"))
    assert [text.get_text() for text in axes.get_yticklabels()] == list(diagnosed.NAMES)
    assert set(numbers.loc[numbers["measure"] == "cramers_v", "role"]) == {"all"}


def test_rows_have_room_for_their_dots_and_take_no_more(table):
    figure, _ = drawn(table)
    figure.canvas.draw()
    for axes in figure.axes:
        first, second = axes.transData.transform([(0, 0), (0, 1)])[:, 1] / figure.dpi
        assert 0.25 < first - second < 0.42, axes.get_title(loc="left")  # inches

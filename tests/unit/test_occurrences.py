"""Occurrences of units: how they are counted, which are too rare, and their figure."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import study_tables as made
from matplotlib.text import Text

from facebias import tables
from facebias.data import cohort
from facebias.data.datasets import occurrences
from facebias.presentation.figures import occurrences as figure
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request
from facebias.study import Labels, StudyError

UNITS = ("AU1", "AU4", "AU12")


def labels(least=0):
    return Labels(
        kind="units", names=UNITS, fuse={}, subsample_fused=False, seed=1, min_occurrences=least
    )


@pytest.fixture
def manifest():
    """AU1 in 6 of 10 samples, AU4 in 2 of the 5 in which it is annotated, AU12 in 3 of 10."""
    return pd.DataFrame(
        {
            "sample": [f"s{n}" for n in range(10)],
            "subject": [f"p{n % 5}" for n in range(10)],
            "path": "x.png",
            "publishable": False,
            "label_AU1": [1.0] * 6 + [0.0] * 4,
            "label_AU4": [1.0, 1.0, 0.0, 0.0, 0.0] + [np.nan] * 5,
            "label_AU12": [0.0] * 7 + [1.0] * 3,
            "gender": "female",
        }
    )


def test_only_annotated_samples_are_counted(manifest):
    found = occurrences.count(manifest, labels(3)).set_index("unit")
    assert found["annotated"].to_dict() == {"AU1": 10, "AU4": 5, "AU12": 10}
    assert found["positives"].to_dict() == {"AU1": 6, "AU4": 2, "AU12": 3}
    assert found["kept"].to_dict() == {"AU1": True, "AU4": False, "AU12": True}
    assert occurrences.count(manifest, labels(0))["kept"].all()


def test_rare_units_leave_the_manifest_and_its_samples_stay(manifest):
    asked = labels(3)
    kept = occurrences.select(manifest, occurrences.count(manifest, asked), asked)
    pd.testing.assert_frame_equal(kept, manifest.drop(columns="label_AU4"))
    assert asked.among(kept.columns).names == ("AU1", "AU12")
    targets = cohort.targets(kept, asked.among(kept.columns))
    np.testing.assert_array_equal(targets, manifest[["label_AU1", "label_AU12"]].astype("float32"))


def test_without_a_threshold_a_missing_unit_is_an_error(manifest):
    asked = labels(0)
    few = manifest.drop(columns="label_AU4")
    assert asked.among(few.columns) is asked
    with pytest.raises(StudyError, match="label_AU4 is missing"):
        cohort.targets(few, asked)


def test_a_study_without_units_stops_and_says_how_often_they_occur(manifest):
    asked = labels(7)
    with pytest.raises(StudyError, match=r"min_occurrences: no unit .* AU1 \(6\), AU12 \(3\)"):
        occurrences.select(manifest, occurrences.count(manifest, asked), asked)


@pytest.mark.parametrize("least", [0, 3])
def test_the_figure_shows_every_unit_and_the_threshold(manifest, least, tmp_path):
    asked = labels(least)
    request = Request(figures=made.looks(), labels=asked, select={})
    with style.printing(request.figures):
        drawn, numbers = figure.draw({"units": occurrences.count(manifest, asked)}, request)
        style.save(drawn, numbers, tmp_path / "occurrences")
    tables.check(numbers, tables.UNITS)
    assert numbers["unit"].tolist() == ["AU1", "AU12", "AU4"]
    (axes,) = drawn.axes
    bars = [bar.get_height() for bar in axes.patches]
    assert bars == [6, 3, 2]
    notes = {" ".join(text.get_text().split()) for text in drawn.findobj(Text)}
    assert any("of 5 to 10 in which it was annotated" in note for note in notes)
    lines = [line.get_ydata()[0] for line in axes.lines]
    assert lines == ([least] if least else [])
    said = {text.get_text() for text in drawn.legends[0].get_texts()}
    assert ("too rare to be trained" in said) == bool(least)


def test_leaving_units_out_changes_nothing_else():
    asked = dataclasses.replace(labels(5), threshold="validation")
    kept = asked.among(["sample", "label_AU12"])
    assert dataclasses.replace(kept, names=UNITS) == asked
    assert kept.names == kept.evaluated == ("AU12",)

"""Our results beside published ones."""

import numpy as np
import pandas as pd
import published_results as published
import pytest
import studies
from drawing import draw, texts
from published_results import DEUSCHEL

from facebias import tables
from facebias.published import comparison, papers
from facebias.study import ConfigError, StudyError, configuration
from facebias.tables import comparisons
from facebias.tables.comparisons import compared_groups
from facebias.workflow import checks

FUSED = {
    "labels.names": ["happiness", "surprise", "sadness", "anger", "disgust", "contempt"],
    "labels.fuse": {"upset": ["anger", "disgust", "contempt"]},
}
TESTS = [("female", "female"), ("female", "male"), ("light", "light"), ("light", "dark")]


def numbers(*triples):
    return pd.DataFrame(triples, columns=list(comparison.NUMBERS))


def scores(value=0.55, spread=0.04):
    rows = [
        ("vgg16", train, test, "overall", metric, value, value - spread, value + spread, 10, 900)
        for train, test in TESTS
        for metric in ("f1_macro", "f1_weighted", "accuracy")
    ]
    return tables.check(pd.DataFrame(rows, columns=list(tables.METRICS.columns)), tables.METRICS)


def units(**changes):
    values = papers.values(published.path("deuschel2020"), DEUSCHEL)
    return comparison.scores(scores(**changes), values, DEUSCHEL, drawn=False)


def test_differences_of_symmetric_intervals_add_in_squares():
    low, high = comparison.apart(numbers((0.5, 0.2, 0.8)), numbers((0.1, -0.3, 0.5)))
    assert low.item() == pytest.approx(0.4 - 0.5)
    assert high.item() == pytest.approx(0.4 + 0.5)


def test_an_interval_beside_its_estimate_is_at_no_distance():
    low, _ = comparison.apart(numbers((0.1, 0.2, 0.3)), numbers((0.0, 0.0, 0.0)))
    assert low.item() == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("ours", "theirs", "explained"),
    [
        ((0.3, 0.1, 0.5), (0.5, 0.4, 0.6), "ours"),  # on its end
        ((0.3, 0.2, 0.4), (0.45, 0.3, 0.6), "both"),
        ((0.3, 0.2, 0.4), (0.9, 0.8, 1.0), "neither"),
        ((0.3, 0.2, 0.4), (0.35, np.nan, np.nan), "ours"),
        ((0.3, 0.2, 0.4), (0.45, np.nan, np.nan), "not ours"),
        ((0.3, np.nan, np.nan), (0.3, 0.2, 0.4), "unknown"),
    ],
)
def test_whose_uncertainty_explains_a_difference(ours, theirs, explained):
    named = comparisons.pair("female", "male")
    cell = ("vgg16", "regular", *named.values(), "equal_opportunity", "published")
    both = pd.DataFrame(
        [(*cell, *ours, *theirs)],
        columns=[
            "architecture",
            "train_split",
            *named,
            "criterion",
            "definition",
            *comparison.NUMBERS,
            *(f"{name}_published" for name in comparison.NUMBERS),
        ],
    )
    row = comparison.judge(both, drawn=False).iloc[0]
    assert row["explained"] == explained
    assert row["difference"] == pytest.approx(ours[0] - theirs[0])
    assert row["note"] is None


def test_gaps_that_both_have_are_compared():
    found = published.compared(architectures=("vgg16", "cnn3d"), trains=("male", "everybody"))
    assert set(found["architecture"]) == {"vgg16", "cnn3d"}
    assert set(found["train_split"]) == {"male"}
    assert found.groupby("architecture").size().tolist() == [11, 11]
    row = found[
        (found["architecture"] == "cnn3d")
        & (found["criterion"] == "equal_opportunity")
        & (found["definition"] == "published")
    ].iloc[0]
    assert row["published"] == pytest.approx(0.05)


def test_drawn_faces_are_called_no_replication():
    assert set(published.compared()["note"]) == {comparison.DRAWN}


def test_nothing_in_common_is_an_error():
    with pytest.raises(StudyError, match="no gap of this study is also one of the paper's"):
        published.compared(groups=("dark", "light"))
    values = papers.values(published.path("deuschel2020"), DEUSCHEL)
    with pytest.raises(StudyError, match="no score of this study"):
        comparison.scores(scores().assign(architecture="cnn3d"), values, DEUSCHEL, drawn=False)


def test_scores_and_their_differences_are_compared():
    found = units().set_index(["train_split", "groups", "criterion"])
    assert set(found.index.get_level_values("criterion")) == {"f1_macro", "f1_weighted"}
    score = found.loc[("female", "male", "f1_macro")]
    assert (score["ours"], score["published"], score["explained"]) == (0.55, 0.56, "ours")
    assert found.loc[("light", "light", "f1_macro"), "explained"] == "not ours"
    gap = found.loc[("light", "dark - light", "f1_macro")]
    assert gap["definition"] == "difference"
    assert gap[["ours", "published", "difference"]].tolist() == pytest.approx([0, -0.08, 0.08])
    assert gap["ours_high"] == pytest.approx(np.hypot(0.04, 0.04))
    assert gap["explained"] == "not ours"
    assert found["published_low"].isna().all()


@pytest.mark.parametrize("definition", ["published", "per_class_mean", "worst_class", "signed"])
def test_the_figure_marks_what_ours_cannot_explain(definition):
    found = published.compared(gap=-0.6, spread=0.05)
    figure, drawn = draw("published_comparison", {"comparison": found}, definition=definition)
    outside = int((drawn["explained"] != "ours").sum())
    said = texts(figure)
    assert outside > 0
    assert sum(text in ("†", "‡") for text in said) == outside
    figure.draw_without_rendering()
    for axes in figure.axes:
        marks = [text for text in axes.texts if text.get_text() in ("†", "‡")]
        assert all(mark.get_window_extent().x0 > axes.bbox.x1 for mark in marks)
    assert any("no replication" in text for text in said)
    assert any(f"({outside} of {len(drawn)} cells)" in text for text in said)
    assert set(drawn["definition"]) == {definition}


@pytest.mark.parametrize("definition", ["value", "difference"])
def test_the_figure_of_units_names_what_is_compared(definition):
    figure, drawn = draw("published_comparison", {"comparison": units()}, definition=definition)
    said = texts(figure)
    assert {compared_groups(row) for row in drawn.to_dict("records")} <= set(said)
    assert any("none can be computed from its tables" in " ".join(text.split()) for text in said)
    for axes in figure.axes:
        low, high = axes.get_xlim()
        assert low == (0 if definition == "value" else -high)


def test_the_figure_of_published_gaps_has_both_assumptions():
    figure, drawn = draw("published", {"intervals": published.intervals()}, attribute="gender")
    assert len(figure.axes) == 9
    assert set(drawn["criterion"]) == {"equal_opportunity", "equalized_odds", "accuracy_gap"}
    assert set(drawn["assumption"]) == {"independent_samples", "alike_subjects"}
    # A point and two bars for every architecture and definition of a panel.
    for axes in figure.axes:
        bars = [line for line in axes.lines if len(set(line.get_xdata())) == 2]
        points = [line for line in axes.lines if line.get_marker() not in ("None", None, "")]
        assert len(points) == 6 * 3
        assert len([line for line in bars if line.get_color() in _colours(points)]) == 2 * 6 * 3


def _colours(lines):
    return {line.get_color() for line in lines}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"published": "domnich"}, "published: no such study 'domnich'; did you mean domnich2021?"),
        ({"published": "deuschel2020"}, "deuschel2020 has units, labels.kind is classes"),
        ({"published": "domnich2021"}, "this study evaluates happiness, surprise, sadness"),
        (
            {"published": "domnich2021", **FUSED, "splits.train": {"everybody": {}}},
            "domnich2021 has none of splits.train everybody",
        ),
        (
            {"published": "domnich2021", **FUSED, "evaluation.attributes": ["skin"]},
            "domnich2021 has none of evaluation.attributes skin",
        ),
    ],
)
def test_a_study_that_cannot_be_compared_is_refused_at_once(changes, said):
    study = configuration.load(studies.changed(studies.SMALL, changes))
    with pytest.raises(ConfigError) as fault:
        checks.check(study, root="anywhere")
    assert said in str(fault.value)


def test_a_study_that_can_be_compared_is_accepted():
    changes = {"published": "domnich2021", **FUSED}
    study = configuration.load(studies.changed(studies.SMALL, changes))
    assert len(checks.check(study, root="anywhere")) == 8

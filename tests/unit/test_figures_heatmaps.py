from __future__ import annotations

import numpy as np
import pytest
import study_tables as made
from drawing import GENDER, draw, heatmap_inputs, texts

from facebias.presentation.figures import heatmap_pictures, heatmap_samples
from facebias.presentation.figures.request import FigureError, Request
from facebias.study import Labels


def test_heatmaps_show_best_median_and_worst_by_score():
    _, shown = draw("heatmaps", heatmap_inputs(per_label=5), **GENDER)
    every, _ = made.explanations(per_label=5)
    people = made.manifest().set_index("sample")["gender"]
    scores = every[
        (every["label"] == "sadness") & (people.loc[every["sample"]] == "male").to_numpy()
    ]
    picked = shown[(shown["group"] == "male") & (shown["column"] == "sadness")].set_index("rank")
    assert picked["score"]["best"] == scores["score"].max()
    assert picked["score"]["median"] == scores["score"].median()
    assert picked["score"]["worst"] == scores["score"].min()


def test_two_of_a_group_are_the_best_and_the_worst():
    every, _ = made.explanations(per_label=5)
    frame = heatmap_samples.with_groups(every, made.manifest(), "gender", made.labels())
    request = Request(figures=made.looks(), labels=made.labels(), select={"per_group": "2"})
    for _, rows in heatmap_samples.pick(frame, request).groupby(["group", "column"]):
        (group,), (label,) = set(rows["group"]), set(rows["label"])
        scores = frame.loc[(frame["group"] == group) & (frame["label"] == label), "score"]
        assert rows["rank"].tolist() == ["best", "worst"]
        assert rows["score"].tolist() == [scores.max(), scores.min()]


def test_a_confident_error_is_the_worst_when_predictions_are_explained():
    given = heatmap_inputs()
    table = given["explanations"]
    table["explained"] = table["predicted"]
    table.loc[table["predicted"] != table["label"], "score"] = 0.99
    _, shown = draw("heatmaps", given, **GENDER)
    wrong = shown[shown["predicted"] != shown["label"]]
    assert len(wrong)
    assert "best" not in set(wrong["rank"]) or all(
        not group["right"].any()
        for _, group in shown.groupby(["group", "column"])
        if not group.loc[group["rank"] == "best", "right"].all()
    )


@pytest.mark.parametrize(
    ("n", "names"),
    [
        (1, ["best"]),
        (2, ["best", "worst"]),
        (3, ["best", "median", "worst"]),
        (5, ["best", "75 %", "median", "25 %", "worst"]),
    ],
)
def test_ranks_run_from_best_to_worst(n, names):
    assert heatmap_samples.ranks(n) == names


def test_per_group_sets_how_many_are_shown():
    _, shown = draw("heatmaps", heatmap_inputs(), per_group="2", **GENDER)
    assert set(shown.groupby(["group", "column"]).size()) == {2}


def pictures(given):
    figure, _ = draw("heatmaps", given, **GENDER)
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]


def same(first, second):
    return all(np.array_equal(*pair) for pair in zip(first, second, strict=True))


def test_no_pixel_of_an_unpublishable_face_reaches_the_figure():
    given = heatmap_inputs()
    hidden = set(given["manifest"].loc[~given["manifest"]["publishable"], "sample"])
    names = given["relevance"]["sample"]
    assert hidden & set(names), "the made-up study has people who may not be shown"
    before = pictures(given)
    changed = given["relevance"]["faces"].copy()
    changed[[name in hidden for name in names]] = 255 - changed[[name in hidden for name in names]]
    given["relevance"] = {**given["relevance"], "faces": changed}
    assert same(pictures(given), before)
    changed = changed.copy()
    changed[[name not in hidden for name in names]] = 0
    given["relevance"] = {**given["relevance"], "faces": changed}
    assert not same(pictures(given), before)


def test_nobody_publishable_shows_outlines_only():
    given = heatmap_inputs()
    given["manifest"]["publishable"] = False
    given["relevance"]["faces"][:] = np.array([255, 0, 0], dtype=np.uint8)
    figure, shown = draw("heatmaps", given, **GENDER)
    for axes in figure.axes:
        for image in axes.images:
            pixels = image.get_array()
            assert not (np.asarray(pixels) == [255, 0, 0]).all(axis=-1).any()
    said = texts(figure)
    assert sum(text == "not for\nprint" for text in said) == len(shown)
    assert any("not publishable" in text.replace("\n", " ") for text in said)


def test_relevance_without_faces_says_what_is_missing():
    given = heatmap_inputs()
    del given["relevance"]["faces"]
    with pytest.raises(FigureError, match="array faces is missing; found relevance, sample"):
        draw("heatmaps", given, **GENDER)


def test_relevance_of_another_size_is_fitted_to_the_face():
    figure, _ = draw("heatmaps", heatmap_inputs(side=24, face_side=64), **GENDER)
    sizes = {image.get_array().shape for axes in figure.axes for image in axes.images}
    assert (64, 64, 3) in sizes
    assert not any(size[0] == 24 for size in sizes)


def test_relevance_for_is_red_and_against_is_blue():
    relevance = np.zeros((1, 16, 16))
    relevance[0, 4, 4], relevance[0, 12, 12] = 1, -1
    face = np.full((16, 16, 3), 128, dtype=np.uint8)
    _, overlay, _ = heatmap_pictures.pair(face, relevance, publishable=True)
    red, blue = overlay[4, 4].astype(int), overlay[12, 12].astype(int)
    assert red[0] > red[2] + 80
    assert blue[2] > blue[0] + 80


def test_a_group_without_samples_of_a_label_says_so():
    given = heatmap_inputs()
    people = given["manifest"].set_index("sample")["gender"]
    table = given["explanations"]
    gone = (table["label"] == "anger") & (people.loc[table["sample"]] == "male").to_numpy()
    given["explanations"] = table[~gone]
    figure, _ = draw("heatmaps", given, **GENDER)
    assert texts(figure).count("no sample") == 3


def units():
    """Two units: AU1 is present and absent, and in some samples not annotated."""
    given = heatmap_inputs(per_label=5)
    table = given["explanations"]
    manifest = given["manifest"]
    random = np.random.default_rng(1)
    manifest["label_AU1"] = random.choice([0, 1, np.nan], len(manifest), p=[0.4, 0.4, 0.2])
    manifest["label_AU6"] = 1.0
    truth = manifest.set_index("sample").loc[table["sample"], "label_AU1"].to_numpy()
    table["explained"] = "AU1"
    table["label"] = np.where(truth == 1, "AU1+AU6", "AU6")
    table["predicted"] = random.choice(["AU1", ""], len(table))
    labels = Labels(kind="units", names=("AU1", "AU6"), fuse={}, subsample_fused=False, seed=1)
    return given, labels, dict(zip(table["sample"], truth, strict=True))


def test_units_show_one_sample_of_each_outcome():
    given, labels, truth = units()
    figure, shown = draw("heatmaps", given, labels=labels, **GENDER)
    outcomes = {
        (1.0, True): "hit",
        (1.0, False): "miss",
        (0.0, True): "false alarm",
        (0.0, False): "correct rejection",
    }
    for row in shown.itertuples():
        assert row.rank == outcomes[truth[row.sample], row.predicted == "AU1"]
        assert row.right == (row.rank in ("hit", "correct rejection"))
    assert set(shown["rank"]) == set(outcomes.values())
    assert shown.groupby("group")["rank"].nunique().eq(shown.groupby("group").size()).all()
    said = texts(figure)
    for text in ("present \u2713", "absent \u2717", "present \u2717", "absent \u2713"):
        assert text in said


def test_of_each_outcome_the_sample_in_the_middle_by_score_is_shown():
    given, labels, truth = units()
    _, shown = draw("heatmaps", given, labels=labels, **GENDER)
    every = given["explanations"]
    people = given["manifest"].set_index("sample")["gender"]
    own = (people.loc[every["sample"]] == "male").to_numpy() & (every["predicted"] == "")
    missed = every[own & (every["sample"].map(truth) == 1)]["score"].sort_values(ascending=False)
    (row,) = shown[(shown["group"] == "male") & (shown["rank"] == "miss")].itertuples()
    assert row.score == missed.iloc[len(missed) // 2]


def test_a_unit_that_was_not_annotated_is_not_shown():
    given, labels, truth = units()
    _, shown = draw("heatmaps", given, labels=labels, **GENDER)
    assert any(np.isnan(value) for value in truth.values())
    assert not any(np.isnan(truth[sample]) for sample in shown["sample"])


def test_ticks_count_as_the_tables_do():
    """Anger taken for contempt is right where both count as upset, and is marked so."""
    given = heatmap_inputs()
    table = given["explanations"]
    table["predicted"] = np.where(table["label"] == "anger", "contempt", "happiness")
    figure, shown = draw("heatmaps", given, **GENDER)
    right = shown.groupby("label")["right"].agg(["all", "any"])
    assert right.loc[["anger", "happiness"], "all"].all()
    assert not right.loc[["disgust", "contempt", "surprise", "sadness"], "any"].any()
    assert "contempt \u2713" in texts(figure)
    words = " ".join(" ".join(texts(figure)).split())
    assert "anger, disgust, contempt count as upset" in words


# ------------------------------------------------------------------------------------------ data

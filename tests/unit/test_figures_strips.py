"""Heatmaps of single clips over time."""

from __future__ import annotations

import numpy as np
import pytest
from drawing import GENDER, draw, strip_inputs, texts

from facebias.presentation.figures import style
from facebias.presentation.figures.request import FigureError


def pictures(figure):
    """Return the overlays of a figure, in order, without the key of colours."""
    images = [image.get_array() for axes in figure.axes for image in axes.images]
    return [np.asarray(image) for image in images if image.shape[0] > 1]


def test_the_median_clip_of_every_label_and_group_is_shown():
    given = strip_inputs(per_label=5)
    figure, shown = draw("heatmap_strips", given, **GENDER)
    facts = given["explanations"].merge(given["manifest"][["sample", "gender"]], on="sample")
    medians = facts.groupby(["label", "gender"])["score"].median()
    for (label, group), rows in shown.groupby(["column", "group"]):
        assert rows["score"].unique().tolist() == [medians[label, group]]
        assert rows["sample"].nunique() == 1
        assert rows["key_frame"].tolist() == [1, 3, 4]
    assert len(shown) == 2 * 6 * 3
    assert len(pictures(figure)) == len(shown)
    assert set(shown["rank"]) == {"median"}
    assert not any("of two clips" in text for text in texts(figure))
    figure, shown = draw("heatmap_strips", strip_inputs(per_label=2), **GENDER)
    assert set(shown["rank"]) == {"worst"}
    assert any("of two clips the worse" in " ".join(text.split()) for text in texts(figure))
    figure, _ = draw("heatmap_strips", strip_inputs(per_label=1), **GENDER)
    assert not any("of two clips" in " ".join(text.split()) for text in texts(figure))


def test_some_regions_of_a_template_are_never_none_and_never_all():
    assert "for 1 % of samples" in style.fitted(1, 1000)
    assert "for 99 % of samples" in style.fitted(999, 1000)
    assert style.fitted(0, 1000) == ""


def test_shares_are_of_all_frames_of_the_clip():
    given = strip_inputs()
    arrays = given["relevance"]
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    arrays["relevance"] = np.ones_like(arrays["relevance"]) * weights[:, None, None]
    figure, shown = draw("heatmap_strips", given, **GENDER)
    assert shown["share"].tolist() == pytest.approx([0.1, 0.3, 0.4] * 12)
    assert texts(figure).count("3: 30 %") == 12
    arrays["relevance"] *= 0
    figure, shown = draw("heatmap_strips", given, **GENDER)
    assert shown["share"].isna().all()
    assert texts(figure).count("3: n/a") == 12


def test_frames_of_a_clip_share_a_scale():
    given = strip_inputs()
    arrays = given["relevance"]
    arrays["relevance"] = np.ones_like(arrays["relevance"])
    arrays["relevance"][:, 0] = 0.1
    given["manifest"]["publishable"] = True
    figure, _ = draw("heatmap_strips", given, **GENDER)
    redness = [picture[..., 0].mean() - picture[..., 2].mean() for picture in pictures(figure)]
    assert all(np.array(redness[0::3]) < 0.5 * np.array(redness[1::3]))


def test_every_frame_has_its_own_face():
    given = strip_inputs()
    given["manifest"]["publishable"] = True
    arrays = given["relevance"]
    arrays["relevance"] = np.zeros_like(arrays["relevance"])
    arrays["faces"] = np.zeros_like(arrays["faces"])
    arrays["faces"][:, 1] = 200
    figure, _ = draw("heatmap_strips", given, **GENDER)
    brightness = np.array([picture.mean() for picture in pictures(figure)]).reshape(-1, 3)
    assert (brightness[:, 1] > brightness[:, 0]).all()
    assert np.array_equal(brightness[:, 0], brightness[:, 2])


def test_no_pixel_of_an_unpublishable_face_reaches_the_figure():
    given = strip_inputs()
    given["manifest"]["publishable"] = False
    figure, shown = draw("heatmap_strips", given, **GENDER)
    given["relevance"]["faces"] = 255 - given["relevance"]["faces"]
    again, _ = draw("heatmap_strips", given, **GENDER)
    assert all(map(np.array_equal, pictures(figure), pictures(again)))
    assert any("not publishable" in text.replace("\n", " ") for text in texts(figure))
    given["manifest"]["publishable"] = True
    open_, _ = draw("heatmap_strips", given, **GENDER)
    assert not all(map(np.array_equal, pictures(again), pictures(open_)))
    assert len(shown)


def test_relevance_without_frames_says_what_is_missing():
    given = strip_inputs()
    del given["relevance"]["frames"]
    with pytest.raises(FigureError, match="array frames is missing; found relevance, sample"):
        draw("heatmap_strips", given, **GENDER)


def test_groups_are_two_to_a_line():
    given = strip_inputs()
    figure, shown = draw("heatmap_strips", given, attribute="label")
    assert len(pictures(figure)) == len(shown) == 6 * 3
    assert figure.get_figwidth() < 7.2

"""Figures of relevance by region, on one face, over time, and beside errors."""

from __future__ import annotations

import located
import numpy as np
import pandas as pd
import pytest
from drawing import GENDER, draw, heatmap_inputs, texts
from matplotlib.patches import Rectangle

from facebias.presentation.figures.request import FigureError


def test_regions_show_means_over_labels_beside_their_area():
    means, _, _ = located.compared()
    figure, numbers = draw("relevance_regions", {"relevance": means}, **GENDER)
    wanted = means[(means["label"] == "overall") & (means["outcome"] == "any")]
    assert len(numbers) == len(wanted) == 2 * 2 * 9 * 2
    assert numbers["positive"].tolist() == wanted["positive"].tolist()
    heights = sorted(
        patch.get_height()
        for axes in figure.axes
        for patch in axes.patches
        if isinstance(patch, Rectangle)
    )
    assert heights == pytest.approx(sorted(wanted["positive"]))
    assert "own Action Units" in texts(figure)
    # The area stands beside every bar.
    marks = [line for axes in figure.axes for line in axes.lines if line.get_linewidth() == 1.4]
    assert len(marks) == len(wanted)
    assert all(line.get_ydata() == pytest.approx([0.25, 0.25]) for line in marks)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (0, "Regions: of an average face, fitted to five points."),
        (6, "Regions for 50 % of samples: of an average face, fitted to five points."),
        (12, ""),
    ],
)
def test_regions_of_a_template_are_said_to_be(own, said):
    people = [f"p{n:02d}" for n in range(own)]
    given = located.strips()
    for name in ("vgg16", "cnn3d"):
        table = given[f"{name}/regular/fold-0/seed-1"]
        table["landmarks"] = table["landmarks"].mask(table["subject"].isin(people), "own")
    means, _, _ = located.compared()
    means = means.assign(n_fitted=means["n_samples"] * (1 - own / 12))
    for name, tables in (("relevance_strips", given), ("relevance_regions", {"relevance": means})):
        figure, _ = draw(name, tables, **GENDER)
        note = " ".join(figure.get_supxlabel().split())
        assert note.endswith(said or ".")
        assert ("average face" in note) == bool(said)


def test_a_region_without_a_mean_is_marked_and_no_bar():
    means, _, _ = located.compared()
    lost = (means["region"] == "mouth") & (means["group"] == "male")
    holed = means.assign(positive=means["positive"].mask(lost))
    figure, _ = draw("relevance_regions", {"relevance": holed}, **GENDER)
    assert texts(figure).count("n/a") == 4


def test_maps_show_the_mean_of_people_and_the_difference_of_groups():
    given = located.maps()
    figure, numbers = draw("relevance_maps", given, **GENDER)
    arrays = given["maps"]
    female = np.isin(arrays["subject"], [f"p{n:02d}" for n in range(0, 12, 2)])
    label = arrays["label"] == "surprise"
    means = [arrays["relevance"][label & who].mean(axis=0) for who in (female, ~female)]
    pixels = [name for name in numbers if name.startswith("x")]
    for shown, wanted in (
        ("female", means[0]), ("male", means[1]), ("female \u2212 male", means[0] - means[1]),
    ):  # fmt: skip
        rows = numbers[(numbers["label"] == "surprise") & (numbers["shown"] == shown)]
        assert np.allclose(rows[pixels], wanted, atol=1e-3)
    assert set(numbers.loc[numbers["shown"] == "male", "n_subjects"]) == {6}
    assert {"against", "relevance", "for"} <= set(texts(figure))
    # Nobody of one group has the label: neither a mean nor a difference is made up.
    assert set(numbers.loc[numbers["label"] == "sadness", "shown"]) == {"female"}
    assert texts(figure).count("n/a") == 2


def test_maps_are_drawn_on_nobodys_face():
    given = located.maps()
    figure, _ = draw("relevance_maps", given, **GENDER)
    other = {**given, "manifest": given["manifest"].assign(publishable=False)}
    again, _ = draw("relevance_maps", other, **GENDER)
    for one, two in zip(figure.axes, again.axes, strict=True):
        for first, second in zip(one.images, two.images, strict=True):
            assert np.array_equal(first.get_array(), second.get_array())


@pytest.mark.parametrize("name", ["subject", "relevance", "landmarks"])
def test_maps_that_lack_an_array_say_so(name):
    given = located.maps()
    del given["maps"][name]
    with pytest.raises(FigureError, match=f"array {name} is missing"):
        draw("relevance_maps", given, **GENDER)


def test_strips_show_means_of_people_frame_by_frame():
    given = located.strips()
    figure, numbers = draw("relevance_strips", given, **GENDER)
    assert len(numbers) == 2 * 2 * 9 * 3
    table = given["vgg16/regular/fold-0/seed-1"]
    women = [f"p{n:02d}" for n in range(0, 12, 2)]
    here = table[(table["region"] == "nose") & table["subject"].isin(women)]
    second = here.assign(second=[row[1] for row in here["frames"]])
    wanted = second.groupby("subject")["second"].mean().mean()
    found = numbers[
        (numbers["architecture"] == "vgg16") & (numbers["group"] == "female")
        & (numbers["region"] == "nose") & (numbers["frame"] == 2)
    ].iloc[0]  # fmt: skip
    assert found["positive"] == pytest.approx(wanted)
    assert found["n_subjects"] == 6
    assert f"{100 * wanted:.0f}" in texts(figure)
    assert "share of the frame's positive relevance" not in texts(figure)


def test_strips_of_many_frames_have_a_key_of_colours_for_their_numbers():
    given = located.strips()
    rows = given["manifest"]
    given["vgg16/regular/fold-0/seed-1"] = located.relevance(located.explained(rows), frames=20)
    del given["cnn3d/regular/fold-0/seed-1"]
    figure, numbers = draw("relevance_strips", given, **GENDER)
    assert numbers["frame"].max() == 20
    assert "share of the frame's positive relevance" in texts(figure)


def test_joint_has_a_dot_per_architecture_and_label():
    _, gaps, joint = located.compared()
    figure, points = draw("relevance_joint", {"gaps": gaps, "joint": joint}, **GENDER)
    assert len(points) == 2 * 2 * 3 * 3
    chosen = points[(points["train_split"] == "female") & (points["region"] == "hair")]
    for point in chosen.itertuples():
        rows = gaps[
            (gaps["train_split"] == "female") & (gaps["architecture"] == point.architecture)
            & (gaps["label"] == point.label) & (gaps["outcome"] == "any")
        ]  # fmt: skip
        hits = rows[rows["measure"] == "hit_rate"]["estimate"].item()
        hair = rows[(rows["region"] == "hair") & (rows["measure"] == "positive")]["estimate"].item()
        assert (point.estimate_hit_rate, point.estimate_relevance) == (hits, hair)
    said = " ".join(" ".join(texts(figure)).split())
    assert "intervals over 12 subjects at most" in said
    for row in joint.itertuples():
        assert f"\u03c1 = {row.estimate:.2f}" in said


def test_joint_without_any_gap_says_so():
    _, gaps, joint = located.compared()
    figure, points = draw(
        "relevance_joint", {"gaps": gaps.assign(estimate=np.nan), "joint": joint}, **GENDER
    )
    assert points.empty
    assert any("No label has both gaps" in text for text in texts(figure))


def test_heatmaps_have_the_boxes_of_their_action_units():
    given = heatmap_inputs()
    figure, shown = draw("heatmaps", given, **GENDER)
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert len(boxes) == 2 * len(shown)
    assert any("Regions: of an average face" in " ".join(text.split()) for text in texts(figure))
    assert set(shown["boxes"]) == {"0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8"}
    pictures = [image.get_extent() for image in figure.axes[0].images[:2]]
    left, right, bottom, top = pictures[1]
    side = right - left
    corners = {(round(box.get_x(), 6), round(box.get_y(), 6)) for box in boxes}
    for x, y in ((0.1, 0.2), (0.5, 0.6)):
        assert (round(left + x * side, 6), round(min(top, bottom) + y * side, 6)) in corners


def test_heatmaps_of_labels_without_known_units_have_no_box():
    given = heatmap_inputs()
    table = given["located"]
    given["located"] = table.assign(boxes=pd.Series([[]] * len(table), index=table.index))
    figure, shown = draw("heatmaps", given, **GENDER)
    assert not figure.axes[0].patches
    assert set(shown["boxes"]) == {""}

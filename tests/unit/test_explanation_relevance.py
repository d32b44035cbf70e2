"""Relevance inside regions, and on one face."""

from __future__ import annotations

import hypothesis
import hypothesis.extra.numpy as arrays
import hypothesis.strategies as some
import numpy as np
import pytest

from facebias.explanation import alignment
from facebias.explanation.landmarks import complex_of
from facebias.explanation.relevance import measure
from facebias.explanation.relevance_stage import MEASURES
from facebias.explanation.template import TEMPLATE

SHAPE = (2, 3, 4)
RELEVANCE = arrays.arrays(float, SHAPE, elements=some.integers(-3, 3).map(float))
REGIONS = arrays.arrays(bool, (3, *SHAPE))


def by_hand(relevance, region, face):
    """Return the same measures pixel by pixel."""
    pixels = list(zip(relevance.ravel(), region.ravel(), strict=True))
    gain = sum(max(value, 0) for value, _ in pixels)
    total = sum(abs(value) for value, _ in pixels)
    size = int(region.sum())
    if not size:
        return dict.fromkeys(("positive", "absolute", "signed", "rank_accuracy", "area"), np.nan)
    found = {
        "positive": sum(max(v, 0) for v, inside in pixels if inside) / gain if gain else np.nan,
        "absolute": sum(abs(v) for v, inside in pixels if inside) / total if total else np.nan,
        "signed": sum(v for v, inside in pixels if inside) / total if total else np.nan,
        "area": size / face.sum() if face.any() else np.nan,
        "rank_accuracy": np.nan,
    }
    if gain:
        # The mean over every order of pixels that tie.
        hits = 0.0
        for value, inside in pixels:
            higher = sum(other > value for other, _ in pixels)
            same = sum(other == value for other, _ in pixels)
            hits += inside * min(max((size - higher) / same, 0), 1)
        found["rank_accuracy"] = hits / size
    return found


@hypothesis.given(RELEVANCE, REGIONS, arrays.arrays(bool, SHAPE))
def test_measures_are_those_of_a_loop_over_pixels(relevance, regions, face):
    found = measure(relevance, regions, face)
    for place, region in enumerate(regions):
        wanted = by_hand(relevance, region, face)
        for name, value in wanted.items():
            assert getattr(found, name)[place] == pytest.approx(value, nan_ok=True), name
        wanted["pointing"] = found.pointing[place]
        for name in ("positive", "absolute", "signed", "rank_accuracy", "pointing"):
            ratio = "ratio" if name == "positive" else f"{name}_ratio"
            value = wanted[name] / wanted["area"]
            assert getattr(found, ratio)[place] == pytest.approx(value, nan_ok=True), ratio


@hypothesis.given(RELEVANCE)
def test_regions_that_share_out_the_picture_share_out_the_relevance(relevance):
    first = np.random.default_rng(0).random(SHAPE) < 0.5
    found = measure(relevance, np.stack([first, ~first]), np.ones(SHAPE, bool))
    if (relevance > 0).any():
        assert found.positive.sum() == pytest.approx(1)
        assert found.pointing.sum() == pytest.approx(1)
    if relevance.any():
        assert found.absolute.sum() == pytest.approx(1)
        assert found.signed.sum() == pytest.approx(relevance.sum() / np.abs(relevance).sum())


def test_an_empty_region_and_no_relevance_are_missing_and_no_hit():
    regions = np.zeros((2, 1, 2, 2), dtype=bool)
    regions[1, 0, 0] = True
    face = np.ones((1, 2, 2), dtype=bool)
    found = measure(np.array([[[1.0, 2], [3, -4]]]), regions, face)
    for name in MEASURES:
        values = getattr(found, name)
        assert np.isnan(values[0]), name
        assert not np.isnan(values[1]), name
    for nothing in (np.zeros((1, 2, 2)), -np.ones((1, 2, 2))):
        found = measure(nothing, regions, face)
        for name in ("positive", "rank_accuracy", "pointing"):
            ratio = "ratio" if name == "positive" else f"{name}_ratio"
            assert np.isnan(getattr(found, ratio)).all(), name
            assert np.isnan(getattr(found, name)).all(), name
        assert np.isnan(found.frames).all()


def test_pointing_asks_for_the_highest_pixel():
    regions = np.zeros((2, 1, 1, 3), dtype=bool)
    regions[0, ..., 0] = regions[1, ..., 1] = True
    face = np.ones((1, 1, 3), dtype=bool)
    assert measure(np.array([[[3.0, 1, 2]]]), regions, face).pointing.tolist() == [1, 0]
    assert measure(np.array([[[3.0, 3, 2]]]), regions, face).pointing.tolist() == [0.5, 0.5]


def test_frames_have_shares_of_their_own():
    relevance = np.array([[[3.0, 1]], [[0, 0]], [[0, 5]]])
    regions = np.zeros((1, 3, 1, 2), dtype=bool)
    regions[..., 0] = True
    found = measure(relevance, regions, np.ones((3, 1, 2), dtype=bool))
    assert found.frames[0] == pytest.approx([0.75, np.nan, 0], nan_ok=True)
    assert found.positive[0] == pytest.approx(3 / 9)


def test_a_scale_changes_nothing():
    random = np.random.default_rng(0)
    relevance, regions = random.normal(size=SHAPE), random.random((3, *SHAPE)) < 0.5
    face = np.ones(SHAPE, dtype=bool)
    one, other = measure(relevance, regions, face), measure(7 * relevance, regions, face)
    for name, values in vars(one).items():
        assert np.allclose(values, getattr(other, name)), name


# --------------------------------------------------------------------------------------- alignment


def placed(turn, move):
    points = complex_of(TEMPLATE) * turn + move
    return np.stack([points.real, points.imag], axis=-1)[None]


@pytest.mark.parametrize(("turn", "move"), [(20, 32 + 26j), (16 * np.exp(0.3j), 40 + 30j)])
def test_relevance_at_a_landmark_comes_to_that_landmark_of_the_template(turn, move):
    points = placed(turn, move)
    for landmark in (30, 48, 54, 8):
        heat = np.zeros((1, 80, 80))
        x, y = np.floor(points[0, landmark]).astype(int)
        heat[0, y - 1 : y + 2, x - 1 : x + 2] = 1
        found = alignment.aligned(heat, points)
        place = np.unravel_index(found.argmax(), found.shape)
        wanted = alignment.template_on_grid()[landmark]
        assert np.abs(np.array(place[::-1]) + 0.5 - wanted).max() < 2.5


def test_aligned_relevance_is_measured_in_means_of_its_own():
    points = placed(20, 32 + 26j)
    even = alignment.aligned(np.full((1, 64, 64), 0.3), points)
    assert np.allclose(even[1:-1, 1:-1], 1)
    assert np.isnan(alignment.aligned(np.zeros((1, 64, 64)), points)).all()

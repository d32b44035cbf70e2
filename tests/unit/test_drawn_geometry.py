"""Landmarks move as the Action Units say, and the units' regions hold what they should."""

from __future__ import annotations

import numpy as np
import pytest

from facebias.core import action_units
from facebias.data.datasets.drawn import geometry
from facebias.data.datasets.drawn.expressions import (
    EXPRESSIONS,
    UNITS,
    performance,
    temperament,
)
from facebias.data.datasets.drawn.looks import looks

PERSON = {"subject": "P001", "gender": "female", "age": 30, "skin_tone": 0.5}
MOUTH_CORNERS, INNER_BROWS, OUTER_BROWS, CHIN = [48, 54], [21, 22], [18, 25], [8]


@pytest.fixture(scope="module")
def rest() -> np.ndarray:
    return geometry.at_rest(looks(1, PERSON))


def shown(rest: np.ndarray, unit: int, sides: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """Return how far every landmark moves when one unit is shown."""
    intensities = np.zeros((len(UNITS), 2))
    intensities[UNITS.index(unit)] = sides
    return geometry.move(rest, intensities) - rest


def test_a_neutral_face_does_not_move(rest):
    assert np.array_equal(geometry.move(rest, np.zeros((len(UNITS), 2))), rest)


def test_landmarks_are_mirrored(rest):
    np.testing.assert_allclose(rest, rest[geometry.MIRROR] * [-1, 1], atol=1e-12)
    assert sorted(geometry.MIRROR) == list(range(68))


@pytest.mark.parametrize(
    ("unit", "points", "rises"),
    [
        (1, INNER_BROWS, True),
        (2, OUTER_BROWS, True),
        (4, INNER_BROWS, False),
        (5, [37, 38, 43, 44], True),
        (6, [40, 41, 46, 47], True),
        (7, [40, 41, 46, 47], True),
        (9, [31, 35, 51], True),
        (12, MOUTH_CORNERS, True),
        (15, MOUTH_CORNERS, False),
        (16, [57], False),
        (17, [57], True),
        (25, [66], False),
        (26, [*CHIN, 57, 66], False),
    ],
)
def test_a_unit_moves_its_landmarks_up_or_down(rest, unit, points, rises):
    down = shown(rest, unit)[points, 1]
    assert (down < -0.015).all() if rises else (down > 0.015).all()


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_pulls_neighbours_one_way(rest, unit):
    """Along the jaw, a brow, and the lips from a corner of the mouth to its middle."""
    moved = shown(rest, unit)
    jaw, brow = moved[:9], moved[17:22]
    lips = [(48, 49, 50, 51), (48, 59, 58, 57), (60, 61, 62), (60, 67, 66)]
    ways = [*jaw.T, *brow.T, *(moved[list(lip), 0] for lip in lips)]
    if unit != 26:  # a jaw that drops opens the mouth: corners down, upper lip up
        ways.append(moved[list(lips[2]), 1])
    for way in ways:
        pulled = way[np.abs(way) > 1e-9]
        assert (pulled > 0).all() or (pulled < 0).all()


def test_a_smile_widens_and_tightening_narrows_the_mouth(rest):
    width = {unit: np.ptp(shown(rest, unit)[MOUTH_CORNERS, 0]) for unit in (12, 23)}
    moved = {unit: shown(rest, unit)[54, 0] - shown(rest, unit)[48, 0] for unit in (12, 23)}
    assert moved[12] > 0.2
    assert moved[23] < -0.08
    assert min(width.values()) > 0


def test_inner_brow_raiser_leaves_the_outer_brow(rest):
    down = shown(rest, 1)[:, 1]
    assert abs(down[17]) < 0.1 * abs(down[21])


def test_one_side_moves_alone(rest):
    left = shown(rest, 14, (1.0, 0.0))
    assert np.abs(left[48]).max() > 0.03
    assert np.abs(left[54]).max() == 0.0


def test_half_an_intensity_moves_half_as_far(rest):
    np.testing.assert_allclose(shown(rest, 12, (0.5, 0.5))[48], shown(rest, 12)[48] / 2)


def test_lids_and_lips_never_cross(rest):
    every = geometry.move(rest, np.ones((len(UNITS), 2)))
    assert (every[[40, 41, 46, 47], 1] > every[[38, 37, 44, 43], 1]).all()
    assert (every[[65, 66, 67], 1] >= every[[63, 62, 61], 1]).all()


def test_turning_moves_the_nose_further_than_the_cheek(rest):
    moved = geometry.turn(rest, 0.3) - rest
    assert moved[30, 0] > moved[36, 0] > 0
    assert moved[30, 0] > 3 * abs(moved[0, 0])


@pytest.mark.parametrize("label", EXPRESSIONS)
def test_a_film_starts_neutral_rises_early_and_holds(label):
    for seed in range(20):
        random = np.random.default_rng(seed)
        acted = performance(
            random, temperament(random), label,
            frames=24, prototype=EXPRESSIONS[label], one_sided=label == "contempt",
        )  # fmt: skip
        rows = [UNITS.index(unit) for unit in EXPRESSIONS[label]]
        total = acted[:, rows].sum(axis=(1, 2))
        assert acted.shape == (24, len(UNITS), 2)
        assert total[0] == 0
        assert (total[8:] > 0.9 * total.max()).all()
        assert acted.min() >= 0
        assert acted.max() <= 1
        assert acted[12, rows].max() > 0.25


def test_contempt_is_one_sided_and_joy_is_not():
    sides = {}
    for label in ("contempt", "happiness"):
        random = np.random.default_rng(3)
        acted = performance(
            random, temperament(random), label,
            frames=24, prototype=EXPRESSIONS[label], one_sided=label == "contempt",
        )  # fmt: skip
        sides[label] = np.sort(acted[-1, UNITS.index(12)])
    assert sides["contempt"][0] == 0 < sides["contempt"][1]
    assert sides["happiness"][0] > 0.6 * sides["happiness"][1] > 0


@pytest.fixture(scope="module")
def pixels(rest) -> np.ndarray:
    return geometry.Pose(scale=40, x=80, y=75, roll=0.05, yaw=0.1).pixels(rest)


INSIDE = {1: [21, 22], 2: [18, 25], 5: [37, 44], 7: [38, 43], 12: MOUTH_CORNERS, 16: [57], 26: [57]}


@pytest.mark.parametrize("unit", sorted(action_units.UNITS))
def test_regions_lie_on_the_face(pixels, unit):
    boxes = action_units.boxes([unit], pixels[None])[0]
    assert boxes.ndim == 2
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert ((centres > low - [0, 25]) & (centres < high)).all()


@pytest.mark.parametrize("unit", [5, 7, 12, 14, 15, 16])
def test_regions_hold_their_landmarks(pixels, unit):
    held = {14: MOUTH_CORNERS, 15: MOUTH_CORNERS, **INSIDE}[unit]
    boxes = action_units.boxes([unit], pixels[None])[0]
    for x, y in pixels[held]:
        assert (
            (boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])
        ).any()


def test_squares_measure_a_share_of_the_face_and_shift_by_the_eyes(pixels):
    boxes = action_units.boxes([1], pixels[None])[0]
    face = np.ptp(pixels[:17, 0])
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], 0.14 * face)
    r = np.linalg.norm(pixels[39] - pixels[42])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    np.testing.assert_allclose(centres, pixels[[21, 22]] - [0, r / 2])


def test_every_drawn_unit_has_a_region():
    assert set(UNITS) <= set(action_units.UNITS)


def test_boxes_take_any_number_of_frames(pixels):
    many = action_units.boxes([16], np.stack([pixels, pixels + 3]))
    assert many.shape == (2, 1, 4)
    np.testing.assert_allclose(many[1] - many[0], 3)

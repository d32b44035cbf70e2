"""Regions of a face and the landmarks they are found from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facebias import tables
from facebias.clips.store import ClipStore
from facebias.core import action_units
from facebias.data.datasets.drawn import geometry
from facebias.explanation import landmarks, regions
from facebias.explanation.template import TEMPLATE

SIDE = 96


def face(*, scale=30.0, roll=0.0, x=48.0, y=40.0):
    """Return the template turned by ``roll`` radians, (1, 68, 2)."""
    turn = scale * np.exp(1j * roll)
    placed = landmarks.complex_of(TEMPLATE) * turn + (x + 1j * y)
    return np.stack([placed.real, placed.imag], axis=-1)[None]


@pytest.mark.parametrize(
    "unit, points, down",
    [(1, (21, 22), -1 / 2), (4, (19, 24), 1 / 3), (6, (41, 46), 1.0), (17, (56, 58), 1 / 2)],
)
def test_a_square_is_moved_by_a_part_of_the_distance_between_the_eyes(unit, points, down):
    found = face() + np.random.default_rng(0).normal(0, 1, (1, 68, 2))
    between = np.hypot(*(found[0, 39] - found[0, 42]))
    boxes = action_units.boxes([unit], found)[0]
    expected = found[0, list(points)] + [0, down * between]
    assert np.allclose((boxes[:, :2] + boxes[:, 2:]) / 2, expected)


def test_a_hull_is_grown_by_parts_of_the_distance_between_the_eyes():
    found = face() + np.random.default_rng(0).normal(0, 1, (1, 68, 2))
    by = np.hypot(*(found[0, 39] - found[0, 42])) * np.array([0.5, 0.3])
    mouth = found[0, 48:68]
    expected = [*(mouth.min(axis=0) - by), *(mouth.max(axis=0) + by)]
    assert np.allclose(action_units.boxes([20], found)[0], [expected])


def test_a_square_is_a_share_of_the_face_width():
    points = face()
    (left, right), width = action_units.boxes([12], points)[0], np.ptp(points[0, :17, 0])
    for box, corner in ((left, 48), (right, 54)):
        assert np.allclose((box[:2] + box[2:]) / 2, points[0, corner])
        assert np.allclose(box[2:] - box[:2], 0.14 * width)


def test_boxes_that_units_share_are_there_once():
    assert action_units.boxes([12, 14, 15], face()).shape == (1, 2, 4)
    assert action_units.boxes([], face()).shape == (1, 0, 4)


@pytest.mark.parametrize("roll", [0.0, 0.4, -0.7])
def test_coarse_regions_share_out_the_picture(roll):
    found = regions.masks(face(roll=roll), [6, 12], SIDE)
    assert set(found) == {*regions.REGIONS, regions.FACE}
    shared = np.stack([found[name] for name in regions.COARSE])
    assert (shared.sum(axis=0) == 1).all()
    assert all(mask.any() for mask in shared)
    inside = np.any([found[name] for name in regions.COARSE[:-2]], axis=0)
    assert np.array_equal(inside, found[regions.FACE])


def test_parts_lie_where_their_landmarks_are():
    points = face()
    found = regions.masks(points, [], SIDE)
    for name, place in {
        "eyes": points[0, 36:42].mean(axis=0),
        "brows": points[0, 19],
        "nose": points[0, 30],
        "mouth": points[0, 62],
        "cheeks": points[0, 8] - [0, 2],
        "forehead": points[0, 27] - [0, 0.8 * 30],
    }.items():
        x, y = np.floor(place).astype(int)
        assert found[name][0, y, x], name
    assert found["background"][0, 0, 0]
    assert not found["units"].any()


def test_regions_turn_with_the_face():
    upright = regions.masks(face(), [], SIDE)["forehead"][0]
    upside_down = regions.masks(face(roll=np.pi, y=56), [], SIDE)["forehead"][0]
    assert np.array_equal(upright[::-1, ::-1], upside_down)


def test_a_pixel_belongs_to_a_region_if_its_middle_does():
    points = np.array([[2.5, 2.5], [5.5, 2.5], [5.5, 4.4], [2.5, 4.4]])
    expected = np.zeros((8, 8), dtype=bool)
    expected[2:4, 2:6] = True
    assert np.array_equal(regions._inside([points], 8), expected)


@pytest.mark.parametrize(("y", "rows"), [(40.5, 40), (40.6, 41), (40.4, 40)])
def test_a_pixel_is_above_the_eyes_if_its_middle_is(y, rows):
    level = np.full((1, 68, 2), (48.0, y))
    level[:, list(regions.EYES[0]), 0] = 40.0
    above = regions._above_eyes(level, SIDE)[0]
    assert above[:rows].all()
    assert not above[rows:].any()


def test_what_lies_outside_of_the_picture_is_left_out():
    assert not regions._inside([np.array([[-5.0, -5], [-1, -5], [-1, -1], [-5, -1]])], 8).any()
    half = regions._inside([np.array([[-4.0, -4], [4, -4], [4, 4], [-4, 4]])], 8)
    assert half.sum() == 16
    assert not regions._inside([np.ones((4, 2))], 8).any()


@pytest.mark.parametrize(
    ("label", "units"),
    [
        ("AU12", (12,)), ("AU01", (1,)), ("au_4", (4,)), ("26", (26,)), ("happiness", (6, 12)),
        ("Surprise", (1, 2, 5, 26)), ("neutral", ()), ("AU99", ()), ("pain", (4, 7)),
    ],
)  # fmt: skip
def test_units_of_a_label(label, units):
    assert action_units.units_of(label, {"pain": (4, 7)}) == units


# --------------------------------------------------------------------------------------- landmarks


@pytest.mark.parametrize("roll", [0.0, 0.3])
def test_a_similar_face_is_found_from_five_points(roll):
    points = face(roll=roll, scale=17.0, x=11.0)
    assert np.allclose(landmarks.fit(landmarks.five(points)), points)


def test_the_fit_is_the_best_of_all_moves_turns_and_scales():
    random = np.random.default_rng(0)
    target = landmarks.five(face()) + random.normal(0, 2, (1, 5, 2))
    source = landmarks.five(TEMPLATE)
    a, b = landmarks.similarity(source, target)
    z, w = landmarks.complex_of(source), landmarks.complex_of(target[0])

    def error(turn, move):
        return (np.abs(turn * z + move - w) ** 2).sum()

    best = error(a[0], b[0])
    for _ in range(50):
        da, db = random.normal(0, 0.1, (2, 2)) @ [1, 1j]
        assert error(a[0] + da, b[0] + db) > best


def test_the_template_is_symmetric_and_has_its_eyes_one_apart():
    assert np.allclose(TEMPLATE[geometry.MIRROR] * [-1, 1], TEMPLATE)
    assert np.allclose(landmarks.five(TEMPLATE)[:2], [[-0.5, 0], [0.5, 0]], atol=1e-3)


def clips(points, *, box=(10, 20, 106, 116), crop=48):
    scale = crop / (box[2] - box[0])
    five = (landmarks.five(points) - box[:2]) * scale
    row = {
        "sample": "a", "shard": 0, "row": 0, "key_frames": [3, 5, 9],
        "boxes": [*box] * 3, "landmarks": np.repeat(five, 3, axis=0).ravel(),
    }  # fmt: skip
    return ClipStore(pd.DataFrame([row]).set_index("sample", drop=False), None)


def written(path, points, frames):
    rows = [("a", frame, (points[0] + frame).ravel()) for frame in frames]
    frame = pd.DataFrame(rows, columns=list(tables.LANDMARKS.columns))
    tables.write(frame, path, tables.LANDMARKS)
    return path


def test_own_landmarks_are_brought_into_the_crop(tmp_path):
    points = face()
    path = written(tmp_path / "l.parquet", points, range(10))
    found = landmarks.Landmarks(clips(points), [path], ["a"]).of("a", frames=2, crop_size=48)
    assert found.source == "own"
    # Two evenly spaced ones of the three key frames 3, 5 and 9.
    expected = [(points[0] + frame - [10, 20]) / 2 for frame in (3, 9)]
    assert np.allclose(found.points, expected)


@pytest.mark.parametrize("frames", [(), (3, 5)])
def test_the_template_stands_in_where_a_frame_is_not_known(tmp_path, frames):
    points = face()
    path = written(tmp_path / "l.parquet", points, frames or [99])
    found = landmarks.Landmarks(clips(points), [path], ["a"]).of("a", frames=3, crop_size=48)
    assert found.source == "template"
    assert np.allclose(found.points, (points - [10, 20]) / 2)


def test_landmarks_of_another_number_are_refused(tmp_path):
    frame = pd.DataFrame([("a", 0, [1.0, 2.0])], columns=list(tables.LANDMARKS.columns))
    tables.write(frame, tmp_path / "l.parquet", tables.LANDMARKS)
    with pytest.raises(tables.TableError, match=r"sample a, frame 0: 2 numbers.*expected 136"):
        landmarks.Landmarks(clips(face()), [tmp_path / "l.parquet"], ["a"])

"""The image region of every Action Unit, found from 68 landmarks.

Indices are 0-based iBUG; ``r`` is the distance of the inner eye corners 39 and 42; y grows
downward. A unit seen in a few places has a square on each centre; one that changes a whole part of
the face has the bounding box of that part's landmarks.
"""

from __future__ import annotations

import dataclasses

import numpy as np

SQUARE = 0.14
"""Side of a square as a share of the face width (public detectors, see STUDIES)."""


@dataclasses.dataclass(frozen=True)
class Squares:
    """One square per landmark of ``points``, its centre shifted ``down`` by that many r."""

    points: tuple[int, ...]
    down: float = 0.0


@dataclasses.dataclass(frozen=True)
class Hulls:
    """The bounding box of each group of landmarks, grown sideways and up/down by so many r."""

    groups: tuple[tuple[int, ...], ...]
    sideways: float
    upright: float


EYES = (tuple(range(36, 42)), tuple(range(42, 48)))
MOUTH = (tuple(range(48, 68)),)
REGIONS: dict[int, Squares | Hulls] = {
    1: Squares((21, 22), down=-1 / 2),
    2: Squares((18, 25), down=-1 / 3),
    4: Squares((19, 24), down=1 / 3),
    5: Hulls(EYES, sideways=0.0, upright=0.15),
    6: Squares((41, 46), down=1.0),
    7: Squares((38, 43)),
    9: Squares((32, 34), down=-1 / 2),
    10: Squares((61, 63)),
    12: Squares((48, 54)),
    14: Squares((48, 54)),
    15: Squares((48, 54)),
    16: Hulls(MOUTH, sideways=0.3, upright=0.3),
    17: Squares((56, 58), down=1 / 2),
    18: Hulls(MOUTH, sideways=0.3, upright=0.3),
    20: Hulls(MOUTH, sideways=0.5, upright=0.3),
    23: Squares((51, 57)),
    24: Squares((51, 57)),
    25: Squares((51, 57)),
    26: Squares((56, 58), down=1 / 2),
    27: Hulls(MOUTH, sideways=0.3, upright=0.3),
    28: Hulls(MOUTH, sideways=0.3, upright=0.3),
}


def boxes(unit: int, landmarks: np.ndarray) -> np.ndarray:
    """Return the boxes of one Action Unit.

    Parameters
    ----------
    unit
        Number of the Action Unit, a key of ``REGIONS``.
    landmarks
        Pixels, shape (..., 68, 2).

    Returns
    -------
    array, shape (..., number of boxes, 4)
        Left, top, right, bottom in pixels.
    """
    region = REGIONS[unit]
    between_eyes = np.linalg.norm(landmarks[..., 39, :] - landmarks[..., 42, :], axis=-1)[..., None]
    if isinstance(region, Squares):
        jaw = landmarks[..., :17, 0]
        half = (SQUARE / 2 * (jaw.max(axis=-1) - jaw.min(axis=-1)))[..., None]
        x = landmarks[..., list(region.points), 0]
        y = landmarks[..., list(region.points), 1] + region.down * between_eyes
        return np.stack([x - half, y - half, x + half, y + half], axis=-1)
    parts = []
    for group in region.groups:
        points = landmarks[..., list(group), :]
        grown = between_eyes * np.array([region.sideways, region.upright])
        low, high = points.min(axis=-2) - grown, points.max(axis=-2) + grown
        parts.append(np.concatenate([low, high], axis=-1))
    return np.stack(parts, axis=-2)

"""Action Units as places on a face, in 68 landmarks, and the emotions that they make up.

Indices are 0-based iBUG (Sagonas et al. 2013, "300 Faces in-the-Wild Challenge"); r is the distance
of the inner eye corners 39 and 42; y grows downward.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Squares:
    """A square around each landmark of ``points``, moved ``down`` by so many r."""

    points: tuple[int, ...]
    down: float = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hulls:
    """The hull of each group of landmarks, grown by so many r."""

    groups: tuple[tuple[int, ...], ...]
    sideways: float
    upright: float


# Side of a square around a landmark as a share of the face width, as public detectors of Action
# Units have it.
SQUARE = 0.14

EYES = (tuple(range(36, 42)), tuple(range(42, 48)))
MOUTH = (tuple(range(48, 68)),)
JAW = tuple(range(17))
MOUTH_GROWN = Hulls(groups=MOUTH, sideways=0.3, upright=0.3)

UNITS: dict[int, Squares | Hulls] = {
    1: Squares(points=(21, 22), down=-1 / 2),
    2: Squares(points=(18, 25), down=-1 / 3),
    4: Squares(points=(19, 24), down=1 / 3),
    5: Hulls(groups=EYES, sideways=0.0, upright=0.15),
    6: Squares(points=(41, 46), down=1.0),
    7: Squares(points=(38, 43)),
    9: Squares(points=(32, 34), down=-1 / 2),
    10: Squares(points=(61, 63)),
    12: Squares(points=(48, 54)),
    14: Squares(points=(48, 54)),
    15: Squares(points=(48, 54)),
    16: MOUTH_GROWN,
    17: Squares(points=(56, 58), down=1 / 2),
    18: MOUTH_GROWN,
    20: Hulls(groups=MOUTH, sideways=0.5, upright=0.3),
    23: Squares(points=(51, 57)),
    24: Squares(points=(51, 57)),
    25: Squares(points=(51, 57)),
    26: Squares(points=(56, 58), down=1 / 2),
    27: MOUTH_GROWN,
    28: MOUTH_GROWN,
}

# Action Units of an emotion, after Ekman, Friesen & Hager 2002, "Facial Action Coding System".
PROTOTYPES: dict[str, tuple[int, ...]] = {
    "happiness": (6, 12),
    "surprise": (1, 2, 5, 26),
    "sadness": (1, 4, 15),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "anger": (4, 5, 7, 23),
    "disgust": (9, 15, 16),
    "contempt": (12, 14),
}


def units_of(label: str, own: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    """Return the Action Units by which a label shows; none if they are not known.

    Parameters
    ----------
    label
        A unit such as ``AU12`` (or ``12``), or an emotion.
    own
        Units of labels, which go before the prototypes of emotions.

    Examples
    --------
    >>> units_of("AU12", {}), units_of("happiness", {}), units_of("pain", {"pain": [4, 7]})
    ((12,), (6, 12), (4, 7))
    """
    if label in own:
        return tuple(own[label])
    number = label.lower().removeprefix("au").lstrip("_ 0")
    if number.isdigit() and int(number) in UNITS:
        return (int(number),)
    return PROTOTYPES.get(label.lower(), ())


def boxes(units: Iterable[int], landmarks: np.ndarray) -> np.ndarray:
    """Return the boxes around the parts of the regions of some Action Units.

    Parameters
    ----------
    units
        Keys of ``UNITS``.
    landmarks
        (T, 68, 2) x and y.

    Returns
    -------
    (T, boxes, 4) left, top, right, bottom; each box once, though units share it.
    """
    parts = [part for unit in dict.fromkeys(units) for part in parts_of(UNITS[unit], landmarks)]
    if not parts:
        return np.empty((len(landmarks), 0, 4))
    found = [np.concatenate([part.min(axis=1), part.max(axis=1)], axis=-1) for part in parts]
    once = {tuple(box[0].round(6)): box for box in found}
    return np.stack(list(once.values()), axis=1)


def parts_of(region: Squares | Hulls, landmarks: np.ndarray) -> list[np.ndarray]:
    """Return points (T, points, 2) of each part, whose convex hull it is."""
    between = np.linalg.norm(landmarks[:, 39] - landmarks[:, 42], axis=-1)[:, None]
    if isinstance(region, Squares):
        half = SQUARE / 2 * np.ptp(landmarks[:, list(JAW), 0], axis=1)[:, None]
        moved = np.concatenate([0 * between, region.down * between], axis=1)[:, None]
        grown = np.concatenate([half, half], axis=1)
        return [_grown(landmarks[:, [point]] + moved, grown) for point in region.points]
    grown = between * np.array([region.sideways, region.upright])
    return [_grown(landmarks[:, list(group)], grown) for group in region.groups]


def _grown(points: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Move points (T, N, 2) to the four corners that lie ``by`` (T, 2) away."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    return np.concatenate([points + (corner * by)[:, None] for corner in corners], axis=1)

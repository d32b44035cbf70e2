"""Regions of a face: where each Action Unit shows, and the parts that every reader knows.

Both are found from 68 landmarks (``action_units`` says in which order and unit of length).
A region is a union of convex parts. A part is the convex hull of some landmarks, moved down and
grown sideways and up and down: a square around one landmark is the hull of that landmark, grown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.spatial import ConvexHull

from facebias.core.action_units import EYES, JAW, MOUTH, UNITS, Hulls, parts_of

BROWS = (tuple(range(17, 22)), tuple(range(22, 27)))
NOSE = (tuple(range(27, 36)),)
NOSE_BASE = 33

# Parts of the face, first come first served where they overlap. What they leave of the face is
# forehead above the line between the eyes, and cheeks (with jaw and chin) below.
PARTS: dict[str, Hulls] = {
    "eyes": Hulls(groups=EYES, sideways=0.15, upright=0.15),
    "brows": Hulls(groups=BROWS, sideways=0.1, upright=0.12),
    "nose": Hulls(groups=NOSE, sideways=0.1, upright=0.05),
    "mouth": Hulls(groups=MOUTH, sideways=0.15, upright=0.15),
}
OWN, FACE = "units", "face"
COARSE = ("brows", "eyes", "nose", "mouth", "cheeks", "forehead", "hair", "background")
REGIONS = (OWN, *COARSE)
# Hair, ears and outline end where the face, so many times as wide and high about its middle, ends.
# With the eyes at half the height of a head this is where the crown is.
OUTLINE = np.array([1.25, 1.35])


def masks(landmarks: np.ndarray, units: Iterable[int], side: int) -> dict[str, np.ndarray]:
    """Say which pixels belong to which region.

    Parameters
    ----------
    landmarks
        (T, 68, 2) x and y in pixels of a square picture, continuous: pixel i reaches from i to
        i + 1, and belongs to a region if its middle does.
    units
        Action Units of the region ``units``; without any it is empty.
    side
        Pixels of the picture's side.

    Returns
    -------
    Truth (T, side, side) for every one of ``REGIONS`` and for ``face``. Those of ``COARSE`` share
    out all pixels; ``face`` is those of them without hair and background, and ``units`` may reach
    over several.
    """
    frames = range(len(landmarks))
    own = [part for unit in dict.fromkeys(units) for part in parts_of(UNITS[unit], landmarks)]
    found = {OWN: np.stack([_inside([part[t] for part in own], side) for t in frames])}
    contour = _contour(landmarks)
    outer = _scaled(contour, OUTLINE)
    face = np.stack([_inside([contour[t]], side) for t in frames])
    found[FACE] = face
    taken = ~face
    for name, hulls in PARTS.items():
        parts = parts_of(hulls, landmarks)
        here = np.stack([_inside([part[t] for part in parts], side) for t in frames]) & ~taken
        found[name] = here
        taken = taken | here
    above = _above_eyes(landmarks, side)
    found["forehead"], found["cheeks"] = ~taken & above, ~taken & ~above
    head = np.stack([_inside([outer[t]], side) for t in frames])
    found["hair"], found["background"] = head & ~face, ~head & ~face
    return found


def _contour(landmarks: np.ndarray) -> np.ndarray:
    """Return points (T, points, 2) around the face: the jaw, and an arch up to the hairline.

    Landmarks end at the brows. The hairline is taken to lie as far above the brows as the base of
    the nose lies below them (the thirds of the classical canon).
    """
    right, down, _ = _axes(landmarks)
    brows = landmarks[:, [19, 24]].mean(axis=1)
    third = _along(landmarks[:, NOSE_BASE] - brows, down)
    temples = landmarks[:, [0, 16]].mean(axis=1)
    top = _along(temples - brows, down) + third
    half = np.abs(_along(landmarks[:, 16] - landmarks[:, 0], right)) / 2
    angle = np.linspace(np.pi, 2 * np.pi, 19)
    x, y = half[:, None] * np.cos(angle), top[:, None] * np.sin(angle)
    arch = temples[:, None] + x[..., None] * right[:, None] + y[..., None] * down[:, None]
    return np.concatenate([landmarks[:, list(JAW)], arch], axis=1)


def _scaled(contour: np.ndarray, scale: np.ndarray) -> np.ndarray:
    low, high = contour.min(axis=1, keepdims=True), contour.max(axis=1, keepdims=True)
    middle = (low + high) / 2
    return middle + scale * (contour - middle)


def _axes(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return unit vectors (T, 2) along the eyes and down the face, and the middle of the eyes."""
    left, right = (landmarks[:, list(eye)].mean(axis=1) for eye in EYES)
    along = right - left
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    return along, np.stack([-along[:, 1], along[:, 0]], axis=-1), (left + right) / 2


def _along(vector: np.ndarray, axis: np.ndarray) -> np.ndarray:
    return (vector * axis).sum(axis=-1)


def _above_eyes(landmarks: np.ndarray, side: int) -> np.ndarray:
    _, down, middle = _axes(landmarks)
    centres = np.arange(side) + 0.5
    x = (centres - middle[:, [0]]) * down[:, [0]]
    y = (centres - middle[:, [1]]) * down[:, [1]]
    return y[:, :, None] + x[:, None, :] < 0


def _inside(parts: Sequence[np.ndarray], side: int) -> np.ndarray:
    """Say which pixels (side, side) have their middle in one of the hulls of some points."""
    found = np.zeros((side, side), dtype=bool)
    for points in parts:
        if np.ptp(points, axis=0).min() < 1e-6:
            continue
        low = np.clip(np.floor(points.min(axis=0)), 0, side).astype(int)
        high = np.clip(np.ceil(points.max(axis=0)), 0, side).astype(int)
        x, y = (np.arange(*ends) + 0.5 for ends in zip(low, high, strict=True))
        if not (len(x) and len(y)):
            continue
        across, upright, offset = ConvexHull(points).equations.T[..., None, None]
        within = (across * x + upright * y[:, None] + offset <= 1e-9).all(axis=0)
        found[low[1] : high[1], low[0] : high[0]] |= within
    return found

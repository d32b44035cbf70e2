"""Brushes: soft shapes, tapered strokes and textures on float32 pictures.

A picture has shape (height, width, 3 or more), values 0 to 255. Points are pixels, x before y.
"""

from __future__ import annotations

import dataclasses
import functools

import cv2
import numpy as np

cv2.setNumThreads(1)
FAINT = 0.03
"""Opacity below which nothing is drawn."""
CRISP = 0.7
"""Blur in pixels that the smoothed rim of a polygon has anyway."""
SHIFT = 4
"""Fixed-point bits of a pixel with which OpenCV places a corner."""


@functools.lru_cache(maxsize=64)
def _spline(points: int, dense: int, closed: bool) -> np.ndarray:
    """Return the (dense, points) matrix of a Catmull-Rom spline through the points."""
    spans = points if closed else points - 1
    place = np.linspace(0, spans, dense, endpoint=not closed)
    first = np.minimum(place.astype(int), spans - 1)
    t = place - first
    weights = np.stack(
        [
            -0.5 * t**3 + t**2 - 0.5 * t,
            1.5 * t**3 - 2.5 * t**2 + 1,
            -1.5 * t**3 + 2 * t**2 + 0.5 * t,
            0.5 * t**3 - 0.5 * t**2,
        ],
        axis=1,
    )
    matrix = np.zeros((dense, points))
    for step in range(4):
        index = first + step - 1
        index = index % points if closed else np.clip(index, 0, points - 1)
        np.add.at(matrix, (np.arange(dense), index), weights[:, step])
    return matrix


def curve(points: np.ndarray, *, dense: int = 16, closed: bool = False) -> np.ndarray:
    """Return ``dense`` points of a smooth curve through the points, shape (dense, 2)."""
    return _spline(len(points), dense, closed) @ points


def stencil(
    shape: tuple[int, ...], *outlines: np.ndarray, soft: float = 0.0
) -> tuple[tuple[slice, slice], np.ndarray] | None:
    """Return the window that filled polygons touch and their cover there, 0 to 1 float32.

    ``soft`` is the standard deviation of the blurred rim in pixels. None if nothing is in sight.
    """
    points = outlines[0] if len(outlines) == 1 else np.concatenate(outlines)
    pad = int(2.5 * soft) + 3
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    left, top = max(int(left) - pad, 0), max(int(top) - pad, 0)
    right, bottom = min(int(right) + pad, shape[1]), min(int(bottom) + pad, shape[0])
    if right <= left or bottom <= top:
        return None
    mask = np.zeros((bottom - top, right - left), np.uint8)
    corners = [
        ((outline - (left, top)) * (1 << SHIFT) + 0.5).astype(np.int32) for outline in outlines
    ]
    for corner in corners:
        cv2.fillPoly(mask, [corner], 255, cv2.LINE_AA, SHIFT)
    if soft > CRISP:
        reach = 2 * int(2.0 * soft + 0.5) + 1
        mask = cv2.GaussianBlur(mask, (reach, reach), soft)
    cover = mask * np.float32(1 / 255)
    return (slice(top, bottom), slice(left, right)), cover


def lay(
    picture: np.ndarray,
    window: tuple[slice, slice],
    cover: np.ndarray,
    colour: np.ndarray,
    opacity: float = 1.0,
) -> None:
    """Lay a colour (or a picture of the window's size) over the window, as far as it covers."""
    view = picture[window]
    view += (cover * np.float32(opacity))[..., None] * (colour - view)


@dataclasses.dataclass(frozen=True)
class Brush:
    """Draws on a picture; widths and blurs are in face units of ``unit`` pixels."""

    picture: np.ndarray
    unit: float

    def fill(
        self, *outlines: np.ndarray, colour: np.ndarray, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """Lay filled polygons with a soft rim."""
        if opacity < FAINT:
            return
        found = stencil(self.picture.shape, *outlines, soft=soft * self.unit)
        if found:
            lay(self.picture, *found, colour, opacity)

    def stroke(
        self,
        *lines: np.ndarray,
        colour: np.ndarray,
        width: float,
        opacity: float = 1.0,
        soft: float = 0.0,
        taper: float = 1.0,
    ) -> None:
        """Lay soft strokes along lines; ``taper`` 1 thins them to nothing at both ends."""
        if opacity >= FAINT:
            outlines = [ribbon(line, width * self.unit, taper=taper) for line in lines]
            self.fill(*outlines, colour=colour, opacity=opacity, soft=soft)


def shifted(points: np.ndarray, right: float, down: float) -> np.ndarray:
    """Return the points (..., 2) moved by so many pixels."""
    return points + np.array((right, down))


def ribbon(points: np.ndarray, width: float, *, taper: float = 1.0) -> np.ndarray:
    """Return the outline of a stroke along the points; ``taper`` 1 thins it at both ends."""
    along = np.empty_like(points)
    along[1:-1] = points[2:] - points[:-2]
    along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
    half = _taper(len(points), taper) * width / np.sqrt((along * along).sum(axis=1) + 1e-9)
    side = along[:, ::-1] * half[:, None] * [-1, 1]
    return np.concatenate([points + side, (points - side)[::-1]])


@functools.lru_cache(maxsize=256)
def _taper(points: int, taper: float) -> np.ndarray:
    return 0.5 * (1 - taper * np.linspace(-1, 1, points) ** 2)


def ellipse(x: float, y: float, across: float, down: float, *, dense: int = 24) -> np.ndarray:
    """Return points of an ellipse with these half axes."""
    return shifted(_circle(dense) * (across, down), x, y)


@functools.lru_cache(maxsize=16)
def _circle(dense: int) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, dense, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def mottled(
    random: np.random.Generator, shape: tuple[int, int], sizes: tuple[float, ...]
) -> np.ndarray:
    """Return noise of several grain sizes (pixels), float32 with mean 0 and deviation 1."""
    total = np.zeros(shape, np.float32)
    for size in sizes:
        coarse = (int(shape[0] / size) + 3, int(shape[1] / size) + 3)
        grains = random.standard_normal(coarse).astype(np.float32)
        total += cv2.resize(grains, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return (total - total.mean()) / (total.std() + 1e-6)


def strands(
    random: np.random.Generator, across: np.ndarray, along: np.ndarray, *, fine: float
) -> np.ndarray:
    """Return the light and dark of hair, float32 with mean 0 and deviation 1.

    ``across`` numbers the strands and ``along`` runs down each; both per pixel. ``fine`` is the
    number of strands in one unit of ``across``.
    """
    grain = random.standard_normal((64, 1024)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), sigmaX=0.7, sigmaY=5.0)
    coarse = cv2.GaussianBlur(grain, (0, 0), sigmaX=5.0, sigmaY=3.0)
    grain = grain / grain.std() + 0.8 * coarse / coarse.std()
    picture = cv2.remap(
        grain,
        np.mod(across * fine, 1023).astype(np.float32),
        np.mod(along * 16, 63).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return (picture - picture.mean()) / (picture.std() + 1e-6)

"""The 68 iBUG landmarks of a drawn face: at rest, moved by Action Units, turned, and in pixels.

Face coordinates: the unit is half the face width at the cheek bones, the origin lies between the
pupils, x grows to the right of the image and y downward. Indices are 0-based (Sagonas et al. 2013,
"300 Faces in-the-Wild Challenge"). The left side is the left of the image.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from facebias.data.datasets.drawn.expressions import UNITS
from facebias.data.datasets.drawn.looks import Looks

JAW = slice(0, 17)
EYES = (slice(36, 42), slice(42, 48))
MIRROR = np.array(
    [
        *(*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, *range(54, 47, -1)),
        *(*range(59, 54, -1), *range(64, 59, -1), 67, 66, 65),
    ]
)
"""For each landmark the one on the other side of the face."""

# Per unit: landmark -> (dx, dy) at full intensity, on the left side (x grows towards the middle of
# the face) and on the middle line. Half face widths.
MOVES: dict[int, dict[int, tuple[float, float]]] = {
    1: {21: (0.01, -0.19), 20: (0.01, -0.13), 19: (0, -0.06), 18: (0, -0.01)},
    2: {17: (-0.02, -0.13), 18: (-0.01, -0.17), 19: (0, -0.14), 20: (0, -0.07), 21: (0, -0.02)},
    4: {
        21: (0.07, 0.13), 20: (0.06, 0.11), 19: (0.04, 0.07), 18: (0.02, 0.03),
        37: (0, 0.012), 38: (0, 0.018),
    },
    5: {37: (0, -0.060), 38: (0, -0.060), 40: (0, 0.006), 41: (0, 0.006)},
    6: {
        37: (0, 0.016), 38: (0, 0.012), 40: (0, -0.026), 41: (0, -0.034), 36: (0.01, 0.004),
        1: (-0.015, -0.01), 2: (-0.03, -0.02), 3: (-0.02, -0.02),
    },
    7: {37: (0, 0.026), 38: (0, 0.026), 40: (0, -0.036), 41: (0, -0.036)},
    9: {
        31: (-0.02, -0.080), 32: (0, -0.055), 33: (0, -0.030), 21: (0.03, 0.08), 20: (0.02, 0.06),
        19: (0.01, 0.03), 38: (0, 0.020), 37: (0, 0.012), 40: (0, -0.020), 41: (0, -0.020),
        49: (0, -0.055), 50: (0, -0.075), 51: (0, -0.060), 61: (0, -0.045), 62: (0, -0.040),
        60: (0, -0.02),
    },
    12: {
        48: (-0.165, -0.185), 60: (-0.145, -0.165), 49: (-0.085, -0.075), 59: (-0.100, -0.065),
        50: (-0.025, 0.010), 61: (-0.045, -0.025), 58: (-0.040, 0.030), 67: (-0.045, 0.060),
        51: (0, 0.018), 57: (0, 0.040), 62: (0, -0.004), 66: (0, 0.080),
        3: (-0.03, -0.01), 4: (-0.04, -0.01), 5: (-0.025, 0), 31: (-0.03, -0.010),
    },
    14: {
        48: (-0.070, -0.030), 60: (-0.065, -0.028), 49: (-0.03, 0.004), 59: (-0.03, -0.006),
        50: (-0.01, 0.010), 58: (-0.01, -0.012),
    },
    15: {
        48: (-0.015, 0.150), 60: (-0.010, 0.125), 49: (0, 0.045), 59: (-0.01, 0.085),
        61: (0, 0.010), 67: (0, 0.012), 58: (0, 0.02), 50: (0, 0.01),
    },
    16: {
        57: (0, 0.085), 58: (0, 0.090), 59: (-0.02, 0.055), 66: (0, 0.085), 67: (0, 0.080),
        8: (0, 0.01),
    },
    17: {
        57: (0, -0.045), 58: (0, -0.045), 59: (0, -0.03), 66: (0, -0.02), 67: (0, -0.02),
        51: (0, -0.01), 8: (0, -0.035), 7: (0, -0.025), 48: (0, 0.03), 60: (0, 0.03),
    },
    23: {
        48: (0.060, 0.005), 60: (0.055, 0.005), 49: (0.03, 0.022), 50: (0.01, 0.048),
        51: (0, 0.048), 59: (0.03, -0.025), 58: (0.01, -0.062), 57: (0, -0.066),
        61: (0, 0.004), 62: (0, 0.004), 66: (0, -0.004), 67: (0, -0.004),
    },
    25: {57: (0, 0.035), 58: (0, 0.032), 59: (0, 0.015), 66: (0, 0.050), 67: (0, 0.046),
         51: (0, -0.012), 62: (0, -0.014), 61: (0, -0.012)},
    26: {
        48: (0.035, 0.105), 60: (0.035, 0.105), 59: (0.02, 0.230), 58: (0.01, 0.300),
        57: (0, 0.310), 66: (0, 0.330), 67: (0.00, 0.305), 49: (0.01, 0.015), 50: (0, -0.015),
        51: (0, -0.015), 62: (0, -0.015), 61: (0, -0.006),
        8: (0, 0.270), 7: (0, 0.265), 6: (0, 0.245), 5: (0.01, 0.205), 4: (0.015, 0.130),
        3: (0.01, 0.055),
    },
}  # fmt: skip


def _table() -> np.ndarray:
    """Return MOVES as an array of shape (units, 2 sides, 68, 2); the middle takes half of each."""
    moves = np.zeros((len(UNITS), 2, 68, 2))
    for unit, points in MOVES.items():
        for point, (dx, dy) in points.items():
            row, twin = UNITS.index(unit), MIRROR[point]
            if point == twin:
                moves[row, :, point] = (0.0, dy / 2)
            else:
                moves[row, 0, point] = (dx, dy)
                moves[row, 1, twin] = (-dx, dy)
    return moves


_MOVES = _table()


@dataclasses.dataclass(frozen=True)
class Pose:
    """Where a face stands in the frame and how it is turned.

    ``scale`` is the length of half a face width and ``x``, ``y`` the place between the pupils,
    all in pixels; ``roll`` is in radians, ``yaw`` about -0.3 to 0.3 (sine of the angle).
    """

    scale: float
    x: float
    y: float
    roll: float
    yaw: float

    def matrix(self) -> np.ndarray:
        """Return the (2, 3) matrix that takes face coordinates to pixels; yaw is not in it."""
        cos, sin = self.scale * np.cos(self.roll), self.scale * np.sin(self.roll)
        return np.array([[cos, -sin, self.x], [sin, cos, self.y]])

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Take already turned face coordinates (..., 2) to pixels."""
        matrix = self.matrix()
        return points @ matrix[:, :2].T + matrix[:, 2]


def at_rest(looks: Looks) -> np.ndarray:
    """Return the 68 landmarks of the neutral face in face coordinates, shape (68, 2)."""
    points = np.zeros((68, 2))
    points[JAW] = _jaw(looks)
    along = np.linspace(0, 1, 5)
    inner = looks.eye_distance - 0.24
    brow_x = inner + looks.brow_length * along
    arch = looks.brow_arch * np.sin(np.pi * np.clip(along * 0.85 + 0.06, 0, 1)) * 1.4
    brow_y = -looks.brow_height - arch + 0.05 * along**3 + looks.brow_tilt * (1 - 2 * along)
    points[17:22] = np.stack([-brow_x[::-1], brow_y[::-1]], axis=1)
    points[27:31] = np.stack([np.zeros(4), np.linspace(-0.02, looks.nose_length - 0.13, 4)], axis=1)
    wing = looks.nose_width * np.array([1.0, 0.52, 0.0])
    base = looks.nose_length + np.array([-0.025, 0.025, 0.045])
    points[31:34] = np.stack([-wing, base], axis=1)
    width, opening = looks.eye_size, looks.eye_opening
    x = width * np.array([-1.0, -0.42, 0.36, 1.0, 0.40, -0.44]) - looks.eye_distance
    y = opening * np.array([0.0, -1.0, -1.0, 0.0, 0.72, 0.78])
    y[[0, 3]] = -looks.eye_tilt, looks.eye_tilt
    points[36:42] = np.stack([x, y], axis=1)
    points[48:68] = _mouth(looks)
    return _mirrored(points)


def _jaw(looks: Looks) -> np.ndarray:
    angle = np.linspace(0, np.pi / 2, 9)
    power = 2.0 / (2.0 + 0.75 * looks.jaw)
    x = -(np.abs(np.cos(angle)) ** power)
    y = -0.05 + (looks.face_length + 0.05) * np.abs(np.sin(angle)) ** (0.92 - 0.10 * looks.jaw)
    x[-3:] *= 1 + 0.10 * (looks.chin - 0.5)
    half = np.stack([x, y], axis=1)
    return np.concatenate([half, half[-2::-1] * [-1, 1]])


def _mouth(looks: Looks) -> np.ndarray:
    width, lip, y = looks.mouth_width, looks.lips, looks.nose_length + 0.335
    points = np.zeros((20, 2))
    points[0] = (-width, 0.0)
    points[1] = (-0.62 * width, -0.62 * lip)
    points[2] = (-0.22 * width, -1.0 * lip)
    points[3] = (0.0, -0.82 * lip)
    points[9] = (0.0, 1.18 * lip)
    points[10] = (-0.30 * width, 1.12 * lip)
    points[11] = (-0.66 * width, 0.70 * lip)
    points[12] = (-0.88 * width, 0.0)
    points[13] = (-0.30 * width, -0.030 * lip)
    points[14] = (0.0, 0.03 * lip)
    points[18] = (0.0, 0.10 * lip)
    points[19] = (-0.30 * width, 0.07 * lip)
    points[[0, 12], 1] += looks.mouth_tilt
    points[[1, 11], 1] += 0.4 * looks.mouth_tilt
    points[:, 1] += y
    return points


def _mirrored(points: np.ndarray) -> np.ndarray:
    """Fill the right half from the left half; JAW holds both already."""
    left = [*range(17, 22), *range(31, 33), *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67]
    points[MIRROR[left]] = points[left] * [-1, 1]
    return points


def move(rest: np.ndarray, intensities: np.ndarray) -> np.ndarray:
    """Move landmarks by Action Units.

    Parameters
    ----------
    rest
        Neutral landmarks in face coordinates, shape (68, 2).
    intensities
        0 to 1 per unit of ``UNITS`` and side, shape (..., len(UNITS), 2).

    Returns
    -------
    array, shape (..., 68, 2)
        Lids that would cross, and lips that would, meet instead.
    """
    points = rest + np.einsum("...us,uspc->...pc", intensities, _MOVES)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        points[..., upper, 1] = np.minimum(points[..., upper, 1], points[..., lower, 1] - 0.045)
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        points[..., lower, 1] = np.maximum(points[..., lower, 1], points[..., upper, 1] + 0.005)
    for outer, inner in ((50, 61), (51, 62), (52, 63)):
        points[..., outer, 1] = np.minimum(points[..., outer, 1], points[..., inner, 1] - 0.02)
    for outer, inner in ((56, 65), (57, 66), (58, 67)):
        points[..., outer, 1] = np.maximum(points[..., outer, 1], points[..., inner, 1] + 0.025)
    return points


@dataclasses.dataclass(frozen=True)
class Half:
    """The landmarks of one half of a face, outer ones first; ``out`` is -1 left and 1 right."""

    out: int
    brow: np.ndarray
    eye: np.ndarray
    wing: np.ndarray
    corner: np.ndarray


def half(points: np.ndarray, side: int) -> Half:
    """Return one half (0 left, 1 right of the image) of 68 landmarks, numbered as on the left."""
    own = points if side == 0 else points[MIRROR]
    return Half((-1, 1)[side], own[17:22], own[36:42], own[31], own[48])


def depth(points: np.ndarray) -> np.ndarray:
    """Return how far the head stands out at face coordinates (..., 2): skull plus nose, >= 0."""
    x, y = points[..., 0], points[..., 1]
    skull = np.clip(1 - (x / 1.15) ** 2 - ((y - 0.1) / 1.75) ** 2, 0, None)
    nose = np.exp(-((x / 0.22) ** 2) - ((y - 0.48) / 0.26) ** 2)
    return 0.55 * skull + 0.28 * nose


def turn(points: np.ndarray, yaw: float) -> np.ndarray:
    """Turn the head about its upright axis: what stands out further moves further sideways."""
    turned = points.copy()
    turned[..., 0] += yaw * depth(points)
    return turned

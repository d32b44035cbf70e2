"""How the skin follows the landmarks: a smooth motion of the painted person, frame by frame."""

from __future__ import annotations

import cv2
import numpy as np

from facebias.data.datasets.drawn import geometry
from facebias.data.datasets.drawn.canvas import HIGH, LOW
from facebias.data.datasets.drawn.head import Head

NODES = 30
"""Points a side of the coarse grid on which the motion is worked out."""
MOVING = ((-1.35, -1.75), (1.35, 2.05))
"""Left top and right bottom of the part that moves, in face coordinates."""
REACH = 0.22
"""How far a landmark drags the skin around it, in half face widths."""


class Bending:
    """Bends the picture of one person; holds what all frames share."""

    def __init__(self, head: Head):
        x, y = np.meshgrid(*np.linspace(LOW, HIGH, NODES).T)
        self._nodes = np.stack([x.ravel(), y.ravel()], axis=1)
        self._drag = _drag(self._nodes, head.rest)
        self._unit = head.canvas.unit
        height, width = head.canvas.shape
        self._spread = np.diag([(NODES - 1) / (width - 1), (NODES - 1) / (height - 1), 1.0])[:2]
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        (left, top), (right, bottom) = head.canvas.pixels(np.array(MOVING)).astype(int)
        self._window = (slice(top, bottom), slice(left, right))
        self._grid = np.stack([columns, rows], axis=2)[self._window]
        self._spread[:, 2] = self._spread[:, :2] @ [left, top]

    def bend(self, picture: np.ndarray, motion: np.ndarray, yaw: float) -> np.ndarray:
        """Return the picture with its skin moved like the landmarks and its head turned.

        Parameters
        ----------
        picture
            The person at rest on the canvas.
        motion
            How far each landmark has moved, face coordinates, shape (68, 2).
        yaw
            See ``geometry.Pose``.
        """
        source = self._nodes.copy()
        for _ in range(3):
            source[:, 0] = self._nodes[:, 0] - yaw * geometry.depth(source)
        offset = (source - self._nodes - self._drag @ motion) * self._unit
        coarse = offset.reshape(NODES, NODES, 2).astype(np.float32)
        height, width = self._grid.shape[:2]
        fine = cv2.warpAffine(
            coarse,
            self._spread,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        bent = picture.copy()
        places = cv2.convertMaps(cv2.add(self._grid, fine), None, cv2.CV_16SC2)
        bent[self._window] = cv2.remap(picture, *places, cv2.INTER_LINEAR)
        return bent


def _drag(nodes: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return how much each node follows each landmark, shape (nodes, 68).

    Nodes are averages of the landmarks near them; still points around the face hold the skull,
    the ears and the shoulders.
    """
    chin = rest[8, 1]
    still = [(x, y) for y in (-1.3, -1.05, -0.8) for x in (-0.9, -0.45, 0, 0.45, 0.9)]
    still += [(x, y) for x in (-1.6, -1.25, 1.25, 1.6) for y in (-0.5, 0, 0.5, 1.0, 1.4)]
    still += [(x, chin + 0.5) for x in np.linspace(-1.6, 1.6, 9)]
    centres = np.concatenate([rest, np.array(still)])
    distance = ((nodes[:, None] - centres[None]) ** 2).sum(axis=2)
    weights = np.exp(-distance / (2 * REACH**2)) + 1e-12
    return (weights / (weights.sum(axis=1, keepdims=True) + 1e-3))[:, : len(rest)]

"""The canvas on which a person is painted at rest, in face coordinates."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

UNIT = 0.32
"""Half a face width on the canvas per pixel of output size: 160 pixels give a unit of 51."""
LOW = np.array([-2.05, -1.9])
"""Left top of the canvas in face coordinates (see ``geometry``)."""
HIGH = np.array([2.05, 2.65])
"""Right bottom of the canvas in face coordinates."""


@dataclasses.dataclass(frozen=True)
class Canvas:
    """The pixel grid of the canvas. ``unit`` is half a face width in canvas pixels."""

    unit: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        width, height = (HIGH - LOW) * self.unit
        return round(height), round(width)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Take face coordinates (..., 2) to canvas pixels."""
        return (points - LOW) * self.unit

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the face coordinates x and y of every pixel, float32."""
        rows, columns = np.mgrid[0 : self.shape[0], 0 : self.shape[1]].astype(np.float32)
        return (
            columns / np.float32(self.unit) + np.float32(LOW[0]),
            rows / np.float32(self.unit) + np.float32(LOW[1]),
        )


def opaque(colours: np.ndarray) -> np.ndarray:
    """Add full cover to one colour (3,) or to a picture (height, width, 3); float32."""
    colours = np.asarray(colours, np.float32)
    if colours.ndim == 1:
        return np.append(colours, np.float32(255))
    return cv2.merge([*cv2.split(colours), np.full(colours.shape[:2], 255, np.float32)])

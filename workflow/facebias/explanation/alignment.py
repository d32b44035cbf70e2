"""Relevance of different faces on one: moved, turned and scaled onto the template's face."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from facebias.explanation.landmarks import similarity
from facebias.explanation.template import TEMPLATE

# The grid: pixels of its side, pixels between the template's eyes, and where their middle lies.
SIDE, BETWEEN_EYES, MIDDLE = 64, 20.0, (32.0, 26.0)


def template_on_grid() -> np.ndarray:
    """Return the 68 points of the template in pixels of the grid, (68, 2)."""
    return TEMPLATE * BETWEEN_EYES + np.array(MIDDLE)


def aligned(relevance: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Bring the relevance of a clip onto the template's face, averaged over frames.

    Parameters
    ----------
    relevance
        (T, H, W).
    landmarks
        (T, 68, 2) in pixels of the same grid.

    Returns
    -------
    (SIDE, SIDE), 1 or -1 where there is as much relevance as the mean of its absolute values over
    the clip; 0 where the clip shows nothing. NaN everywhere in a clip without relevance.
    """
    mass = np.abs(relevance).mean()
    if mass <= 0:
        return np.full((SIDE, SIDE), np.nan)
    a, b = similarity(template_on_grid(), landmarks)
    centres = np.arange(SIDE) + 0.5
    grid = centres[None, :] + 1j * centres[:, None]
    total = np.zeros((SIDE, SIDE))
    for frame, turn, move in zip(relevance, a, b, strict=True):
        there = turn * grid + move
        total += map_coordinates(
            frame.astype(np.float64), [there.imag - 0.5, there.real - 0.5], order=1
        )
    return total / len(relevance) / mass

"""Landmarks that a data set ships: 68 points of a frame, in its pixels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from facebias.study import StudyError

POINTS = 68


@dataclasses.dataclass(frozen=True)
class Given:
    """Landmarks (68, 2), x and y, of the frame ``frame`` (from 0) of a sample."""

    sample: str
    frame: int
    points: np.ndarray


def read(path: Path) -> np.ndarray:
    """Read a text file with a line ``x y`` per landmark.

    Returns
    -------
    float64 array (68, 2).

    Raises
    ------
    StudyError
        If it has not 68 lines of two numbers.
    """
    lines = [line.split() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    expected = f"expected {POINTS} lines of x and y"
    if len(lines) != POINTS:
        raise StudyError(f"data.root: {path} has {len(lines)} lines; {expected}")
    for number, words in enumerate(lines, start=1):
        if len(words) != 2 or not all(_is_number(word) for word in words):
            raise StudyError(f"data.root: {path} line {number} is {' '.join(words)!r}; {expected}")
    return np.array(lines, dtype=float)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False

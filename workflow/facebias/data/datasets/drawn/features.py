"""What an expression redraws in every frame, put together: wrinkles, cheeks, eyes, brows, mouth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facebias.data.datasets.drawn import eyes, geometry, hair, mouth, paint
from facebias.data.datasets.drawn.expressions import UNITS
from facebias.data.datasets.drawn.head import Head
from facebias.data.datasets.drawn.paint import Brush

FAINT = 0.03
"""Depth below which a fold does not show."""
FOLDING = 1.2
"""Skin folds late: the depth of a fold is the intensity to this power."""


def draw(picture: np.ndarray, head: Head, points: np.ndarray, intensities: np.ndarray) -> None:
    """Draw the moving parts of a face over its bent skin.

    Parameters
    ----------
    picture
        Red, green, blue on the canvas, changed in place.
    points
        The 68 landmarks in canvas pixels, moved and turned.
    intensities
        0 to 1 per unit of ``UNITS`` and side, shape (len(UNITS), 2).
    """
    brush = Brush(picture, head.canvas.unit)
    folds = intensities**FOLDING
    both = dict(zip(UNITS, folds.mean(axis=1).tolist(), strict=True))
    sides = [dict(zip(UNITS, folds[:, side].tolist(), strict=True)) for side in range(2)]
    halves = [geometry.half(points, side) for side in range(2)]
    _forehead(brush, head, points, both)
    for half, shown in zip(halves, sides, strict=True):
        _cheek(brush, head, half, shown)
        eyes.eye(brush, head, half, shown)
        eyes.brow(brush, head, half)
    _nose(brush, head, points, both)
    mouth.mouth(brush, head, points)
    for half, shown in zip(halves, sides, strict=True):
        mouth.corner(brush, head, half, shown)
    if head.looks.glasses != "none":
        eyes.glasses(brush, head, points)


def _forehead(brush: Brush, head: Head, points: np.ndarray, shown: Mapping[int, float]) -> None:
    """Draw the lines that raised brows fold (1, 2) and that lowered brows press (4)."""
    unit, raised = brush.unit, max(shown[1], shown[2])
    if raised > FAINT:
        wide = shown[2] > 0.5 * shown[1]
        middle = (points[19] + points[24]) / 2
        hairline = head.canvas.pixels(np.array([0.0, hair.hairline(head.looks)]))[1]
        step = (middle[1] - hairline) / 4
        spread, bend = (0.55, -0.25) if wide else (0.30, -0.40)
        half = np.array([[-spread * unit, 0], [-spread / 2 * unit, bend * step]])
        line = np.concatenate([half, [[0, 0.6 * bend * step]], half[::-1] * [-1, 1]])
        line = paint.curve(line + middle, dense=14)
        lines = [paint.shifted(line, 0, -(row + 0.9) * step) for row in range(3)]
        colours = head.shades
        brush.stroke(*lines, colour=colours.deep, width=0.05, opacity=0.8 * raised, soft=0.014)
        below = [paint.shifted(line, 0, 0.05 * unit) for line in lines]
        brush.stroke(*below, colour=colours.shine, width=0.045, opacity=0.35 * raised, soft=0.016)
    pressed = shown[4]
    if pressed > FAINT:
        line = np.array([[-0.01, -0.20], [-0.05, -0.05], [-0.035, 0.12]]) * unit
        pair = (line * [-1, 1] + points[21], line + points[22])
        lines = [paint.curve(part, dense=10) for part in pair]
        middle = (points[21] + points[22]) / 2
        bulge = paint.ellipse(middle[0], middle[1], 0.08 * unit, 0.15 * unit)
        brush.fill(bulge, colour=head.shades.deep, opacity=0.45 * pressed, soft=0.04)
        brush.stroke(
            *lines, colour=head.shades.fold, width=0.065, opacity=0.9 * pressed, soft=0.014
        )


def _cheek(brush: Brush, head: Head, half: geometry.Half, shown: Mapping[int, float]) -> None:
    """Draw the raised cheek with furrow and crow's feet (6), and tightened lids (7, 9)."""
    unit, out, shades = brush.unit, half.out, head.shades
    raised, tight = shown[6], max(shown[7], 0.7 * shown[9])
    strength = max(raised, 0.8 * tight, 0.15 + 0.25 * head.looks.wrinkles)
    under = paint.shifted(half.eye[[0, 5, 4, 3]], 0, (0.085 - 0.03 * max(raised, tight)) * unit)
    furrow = paint.curve(under, dense=12)
    brush.stroke(furrow, colour=shades.deep, width=0.055, opacity=0.6 * strength, soft=0.016)
    if raised < FAINT:
        return
    x, y = paint.shifted(half.eye[4:6].mean(axis=0), 0.08 * out * unit, 0.34 * unit)
    ball = paint.ellipse(x, y, 0.24 * unit, 0.13 * unit)
    brush.fill(ball, colour=shades.shine, opacity=0.5 * raised, soft=0.08)
    below = np.array([[0.32 * out, -0.06], [0.12 * out, 0.16], [-0.16 * out, 0.20]])
    line = paint.curve(paint.shifted(below * unit, x, y), dense=10)
    brush.stroke(line, colour=shades.deep, width=0.10, opacity=0.5 * raised, soft=0.04)
    feet = [
        np.array([[0.06 * out, rise * 0.5], [0.12 * out, rise], [0.18 * out, rise * 1.7]])
        for rise in (-0.07, 0.02, 0.11)
    ]
    lines = [paint.curve(foot * unit + half.eye[0], dense=8) for foot in feet]
    brush.stroke(*lines, colour=shades.fold, width=0.04, opacity=0.5 * raised, soft=0.014)


def _nose(brush: Brush, head: Head, points: np.ndarray, shown: Mapping[int, float]) -> None:
    """Draw the wrinkles across the root and down the sides of the nose (9)."""
    strength = shown[9]
    if strength < FAINT:
        return
    lines = []
    for row in range(3):
        y, x = 0.02 + 0.085 * row, 0.16 - 0.02 * row
        across = np.array([[-x, y - 0.05], [0, y], [x, y - 0.05]])
        lines.append(across * brush.unit + points[27])
    for wing, out in ((points[31], -1), (points[35], 1)):
        down = np.array([[-0.10 * out, -0.36], [0.02 * out, -0.20], [0.10 * out, -0.04]])
        lines.append(down * brush.unit + wing)
    lines = [paint.curve(line, dense=10) for line in lines]
    brush.stroke(*lines, colour=head.shades.fold, width=0.058, opacity=0.8 * strength, soft=0.015)

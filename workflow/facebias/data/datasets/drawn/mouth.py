"""The mouth: lips, teeth and tongue, and the skin around its corners."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facebias.data.datasets.drawn import paint
from facebias.data.datasets.drawn.geometry import Half
from facebias.data.datasets.drawn.head import Head
from facebias.data.datasets.drawn.paint import Brush

TEETH = np.array([238, 232, 220], np.float32)
CAVITY = np.array([52, 16, 18], np.float32)
TONGUE = np.array([168, 84, 84], np.float32)


def mouth(brush: Brush, head: Head, points: np.ndarray) -> None:
    """Draw the lips and what shows between them."""
    lip, shades, unit = head.looks.lip, head.shades, brush.unit
    top = paint.curve(points[48:55], dense=22)
    bottom = paint.curve(points[[54, 55, 56, 57, 58, 59, 48]], dense=22)
    inner_top = paint.curve(points[60:65], dense=22)
    inner_bottom = paint.curve(points[[64, 65, 66, 67, 60]], dense=22)
    _cavity(brush, inner_top, inner_bottom)
    lower = np.concatenate([bottom, inner_bottom[::-1]])
    upper = np.concatenate([top, inner_top[::-1]])
    brush.fill(lower, colour=lip * np.float32(1.04), opacity=0.96)
    brush.fill(upper, colour=lip * np.float32(0.80), opacity=0.96)
    thick = (points[57, 1] - points[66, 1]) / unit
    if thick > 0.05:
        light = lip + (255 - lip) * np.float32(0.32)
        glow = (0.5 * bottom + 0.5 * inner_bottom)[6:16]
        brush.stroke(glow, colour=light, width=0.45 * thick, opacity=0.55, soft=0.018)
    dark = lip * np.array([0.42, 0.34, 0.36], np.float32)
    brush.stroke(inner_top, colour=dark, width=0.042, opacity=0.9, taper=0.5)
    if points[66, 1] - points[62, 1] > 0.04 * unit:
        brush.stroke(inner_bottom, colour=dark, width=0.03, opacity=0.6)
    brush.stroke(top, colour=shades.deep, width=0.022, opacity=0.5)
    under = paint.shifted(bottom[5:17], 0, 0.03 * unit)
    brush.stroke(under, colour=shades.deep, width=0.06, opacity=0.5, soft=0.02)


def _cavity(brush: Brush, top: np.ndarray, bottom: np.ndarray) -> None:
    """Draw the open mouth: dark, teeth below the upper lip, a tongue when it is wide open."""
    unit = brush.unit
    gap = float((bottom[::-1, 1] - top[:, 1]).max())
    if gap < 0.02 * unit:
        return
    found = paint.stencil(brush.picture.shape, np.concatenate([top, bottom]))
    if found is None:
        return
    window, cover = found
    left, high = window[1].start, window[0].start
    picture = np.empty((*cover.shape, 3), np.float32)
    picture[:] = CAVITY
    inside = Brush(picture, unit)
    if gap > 0.16 * unit:
        x, y = paint.shifted(bottom.mean(axis=0), -left, -high)
        tongue = paint.ellipse(x, y, 0.17 * unit, 0.35 * gap)
        inside.fill(tongue, colour=TONGUE, opacity=0.8, soft=0.03)
    edge = paint.shifted(top[1:-1], -left, -high)
    hang = min(0.75 * gap, 0.105 * unit) * (1 - 0.5 * np.linspace(-1, 1, len(edge)) ** 4)
    biting = edge.copy()
    biting[:, 1] += hang
    teeth = np.concatenate([paint.shifted(edge, 0, -3), biting[::-1]])
    inside.fill(teeth, colour=TEETH)
    shadow = paint.shifted(edge, 0, 0.01 * unit)
    inside.stroke(shadow, colour=CAVITY, width=0.05, opacity=0.5, soft=0.016)
    paint.lay(brush.picture, window, cover, picture)


def corner(brush: Brush, head: Head, half: Half, shown: Mapping[int, float]) -> None:
    """Draw the fold from nose to mouth (12, 9, age), dimple (14) and drawn-down corner (15)."""
    unit, out, shades = brush.unit, half.out, head.shades
    smile, dimple, down = shown[12], shown[14], shown[15]
    fold = max(0.9 * smile, 0.8 * shown[9], 0.45 * head.looks.wrinkles, 0.35 * shown[16], 0.18)
    start = paint.shifted(half.wing, 0.06 * out * unit, -0.03 * unit)
    end = paint.shifted(half.corner, (0.10 + 0.05 * smile) * out * unit, 0.02 * unit)
    bow = paint.shifted((start + end) / 2, (0.03 + 0.09 * smile) * out * unit, -0.02 * unit)
    line = paint.curve(np.stack([start, bow, end]), dense=12)
    brush.stroke(line, colour=shades.fold, width=0.07, opacity=0.75 * fold, soft=0.02)
    beside = paint.shifted(line, 0.06 * out * unit, 0)
    brush.stroke(beside, colour=shades.shine, width=0.09, opacity=0.35 * fold, soft=0.03)
    x, y = half.corner
    nook = paint.ellipse(x + 0.02 * out * unit, y, 0.035 * unit, 0.03 * unit)
    brush.fill(nook, colour=shades.fold, opacity=0.55, soft=0.022)
    if dimple > 0.05:
        line = np.array([[0.08 * out, -0.11], [0.125 * out, 0.0], [0.08 * out, 0.11]])
        line = paint.curve(line * unit + half.corner, dense=10)
        brush.stroke(line, colour=shades.fold, width=0.085, opacity=0.9 * dimple, soft=0.02)
        bulge = paint.ellipse(x + 0.19 * out * unit, y, 0.07 * unit, 0.11 * unit)
        brush.fill(bulge, colour=shades.shine, opacity=0.45 * dimple, soft=0.03)
    if down > 0.05:
        line = np.array([[0.03 * out, 0.0], [0.07 * out, 0.10], [0.09 * out, 0.22]])
        line = paint.curve(line * unit + half.corner, dense=10)
        brush.stroke(line, colour=shades.fold, width=0.07, opacity=0.85 * down, soft=0.018)

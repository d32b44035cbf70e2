"""Neck, ears and clothes of a drawn person."""

from __future__ import annotations

import numpy as np

from facebias.data.datasets.drawn import paint
from facebias.data.datasets.drawn.canvas import Canvas, opaque
from facebias.data.datasets.drawn.looks import Looks
from facebias.data.datasets.drawn.paint import Brush


def body(picture: np.ndarray, canvas: Canvas, looks: Looks, random: np.random.Generator) -> None:
    """Paint neck, clothes and ears onto a picture with cover."""
    base = looks.face_length + 0.30
    _neck(picture, canvas, looks, base)
    _clothes(picture, canvas, looks, base, random)
    _ears(picture, canvas, looks)


def _neck(picture: np.ndarray, canvas: Canvas, looks: Looks, base: float) -> None:
    wide = 0.58 + 0.16 * looks.jaw
    right = np.array([[wide, 0.5], [wide, base - 0.1], [wide + 0.5, base + 0.3], [wide, 3.2]])
    outline = np.concatenate([right, right[::-1] * [-1, 1]])
    found = paint.stencil(picture.shape, canvas.pixels(outline), soft=0.01 * canvas.unit)
    if found is None:
        return
    x, y = (part[found[0]] for part in canvas.grid())
    below_chin = np.clip((y - looks.face_length) / 0.22, 0, None)
    dark = 0.75 * np.exp(-(below_chin**2) - (x / 1.1) ** 4)
    dark = np.maximum(dark, 0.5 * np.clip(np.abs(x) / wide, 0, 1) ** 4)[..., None]
    light = looks.skin * np.float32(0.9)
    paint.lay(picture, *found, opaque(light + dark * (looks.shades.deep - light)))


def _clothes(
    picture: np.ndarray,
    canvas: Canvas,
    looks: Looks,
    base: float,
    random: np.random.Generator,
) -> None:
    unit = canvas.unit
    right = [[2.4, 3.2], [2.3, base + 0.62], [1.7, base + 0.34], [1.1, base + 0.16], [0.62, base]]
    shoulder = np.array(right)
    neckline = base + random.uniform(0.14, 0.5)
    half = np.array([[0.64, base - 0.04], [0.36, neckline - 0.05], [0.0, neckline]])
    collar = paint.curve(half, dense=12)
    collar = np.concatenate([collar, collar[::-1] * [-1, 1]])
    outline = np.concatenate([shoulder, collar, shoulder[::-1] * [-1, 1]])
    found = paint.stencil(picture.shape, canvas.pixels(outline))
    if found is None:
        return
    window, cover = found
    weave = paint.mottled(random, cover.shape, (0.05 * unit, 0.35 * unit))
    colours = looks.clothes * (1 + 0.06 * weave[..., None])
    if random.random() < 0.35:
        rows = np.arange(cover.shape[0])[:, None, None] / (0.16 * unit)
        colours = colours * (1 - 0.2 * (np.sin(2 * np.pi * rows) > 0.3))
    paint.lay(picture, window, cover, opaque(colours))
    Brush(picture, unit).stroke(
        canvas.pixels(collar), colour=opaque(looks.clothes * 0.6), width=0.05, taper=0.2
    )


def _ears(picture: np.ndarray, canvas: Canvas, looks: Looks) -> None:
    brush = Brush(picture, canvas.unit)
    for side in (-1, 1):
        outer = paint.ellipse(side * 1.02, 0.16, 0.125, 0.27)
        inner = paint.ellipse(side * 1.05, 0.15, 0.055, 0.17)
        brush.fill(canvas.pixels(outer), colour=opaque(looks.skin * 0.88), soft=0.01)
        shade = opaque(looks.shades.deep)
        brush.fill(canvas.pixels(inner), colour=shade, opacity=0.75, soft=0.03)

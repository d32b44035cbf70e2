"""The bare face: skin with its lights and shadows, nose, and what age has left."""

from __future__ import annotations

import numpy as np

from facebias.data.datasets.drawn import paint
from facebias.data.datasets.drawn.canvas import Canvas
from facebias.data.datasets.drawn.looks import Looks
from facebias.data.datasets.drawn.paint import Brush


def skin(canvas: Canvas, looks: Looks, random: np.random.Generator) -> np.ndarray:
    """Paint the bare face over the whole canvas; RGB float32, to be cut out along its outline."""
    pores = (0.035 * canvas.unit, 0.12 * canvas.unit, 0.5 * canvas.unit)
    grain = paint.mottled(random, canvas.shape, pores)[..., None]
    picture = (looks.skin * (1 + 0.016 * grain)).astype(np.float32)
    _modelling(picture, canvas, looks)
    _nose(picture, canvas, looks)
    _age(picture, canvas, looks)
    if looks.freckles > 0.05:
        _freckles(picture, canvas, looks, random)
    return picture


def _modelling(picture: np.ndarray, canvas: Canvas, looks: Looks) -> None:
    """Lay the soft lights and shadows that give the face its relief."""
    x, y = canvas.grid()
    deep, shine = looks.shades.deep, looks.shades.shine + np.float32(6)
    blush = np.clip(looks.skin * np.array([1.04, 0.80, 0.78], np.float32), 0, 255)
    nose, eye = looks.nose_length, looks.eye_distance
    lip = nose + 0.335 + 1.18 * looks.lips
    rim = np.clip(x**2 + np.clip((y - 0.1) / looks.face_length, 0, 2) ** 4, 0, 1.2)
    picture += (0.30 * rim**3)[..., None] * (deep - picture)
    # colour, amount, place across (mirrored unless 0) and down, width, height
    spots = (
        (blush, 0.42, 0.62, 0.52, 0.30, 0.24),  # cheeks
        (deep, 0.42, eye, -0.13, 0.27, 0.10),  # sockets
        (deep, 0.30, 0.20, -0.02, 0.09, 0.15),  # beside the root of the nose
        (deep, 0.14, eye, 0.19, 0.20, 0.06),  # under the eyes
        (shine, 0.24, 0.55, 0.34, 0.22, 0.10),  # cheek bones
        (deep, 0.26 * (1.3 - looks.cheek), 0.80, 0.86, 0.22, 0.30),  # hollows of the cheeks
        (deep, 0.38, 0.125, 0.30, 0.055, 0.30),  # sides of the nose
        (deep, 0.50, looks.nose_width * 1.18, nose - 0.05, 0.06, 0.11),  # beside the wings
        (shine, 0.40, 0.0, 0.20, 0.055, 0.28),  # bridge of the nose
        (shine, 0.50, 0.0, nose - 0.12, 0.09, 0.08),  # tip of the nose
        (shine, 0.26, 0.0, -0.68, 0.50, 0.20),  # forehead
        (deep, 0.52, 0.0, nose + 0.09, 0.19, 0.045),  # below the nose
        (deep, 0.22, 0.0, nose + 0.17, 0.035, 0.07),  # philtrum
        (deep, 0.42, 0.0, lip + 0.09, 0.20, 0.05),  # below the lower lip
        (shine, 0.24, 0.0, lip + 0.24, 0.15, 0.09),  # chin
    )
    for colour, amount, across, down, wide, high in spots:
        for place in (across, -across) if across else (0.0,):
            spot = np.exp(-(((x - place) / wide) ** 2) - ((y - down) / high) ** 2)
            picture += (amount * spot)[..., None] * (colour - picture)


def _nose(picture: np.ndarray, canvas: Canvas, looks: Looks) -> None:
    """Draw nostrils, wings and the rim of the tip."""
    brush, wide, base = Brush(picture, canvas.unit), looks.nose_width, looks.nose_length
    dark = looks.skin * np.array([0.26, 0.20, 0.19], np.float32)
    for side in (-1, 1):
        hole = canvas.pixels(paint.ellipse(side * wide * 0.48, base + 0.022, wide * 0.27, 0.034))
        brush.fill(hole, colour=dark, opacity=0.9, soft=0.014)
        wing = np.array([[0.80, -0.19], [1.06, -0.10], [1.08, 0.0], [0.84, 0.05]])
        wing = paint.shifted(wing * [side * wide, 1], 0, base)
        line = canvas.pixels(paint.curve(wing, dense=10))
        brush.stroke(line, colour=looks.shades.deep, width=0.045, opacity=0.85, soft=0.014)
    tip = np.array([[-0.30 * wide, 0.035], [0, 0.065], [0.30 * wide, 0.035]])
    line = canvas.pixels(paint.curve(paint.shifted(tip, 0, base), dense=8))
    brush.stroke(line, colour=looks.shades.deep, width=0.04, opacity=0.8, soft=0.012)


def _age(picture: np.ndarray, canvas: Canvas, looks: Looks) -> None:
    """Draw lines on the forehead and bags under the eyes."""
    brush, age, deep = Brush(picture, canvas.unit), looks.wrinkles, looks.shades.deep
    if age < 0.15:
        return
    for row in range(3):
        line = np.array([[-0.45, 0.02], [-0.2, 0.0], [0.2, 0.01], [0.45, 0.02]])
        line = paint.shifted(line, 0, -0.62 - 0.12 * row)
        points = canvas.pixels(paint.curve(line, dense=12))
        brush.stroke(points, colour=deep, width=0.03, opacity=0.40 * age, soft=0.016)
    for side in (-1, 1):
        bag = np.array([[-0.18, 0.13], [0, 0.20], [0.18, 0.14]]) * [side, 1]
        bag = paint.shifted(bag, side * looks.eye_distance, 0)
        points = canvas.pixels(paint.curve(bag, dense=10))
        brush.stroke(points, colour=deep, width=0.04, opacity=0.6 * age, soft=0.016)


def _freckles(
    picture: np.ndarray, canvas: Canvas, looks: Looks, random: np.random.Generator
) -> None:
    x, y = canvas.grid()
    speckles = np.clip(paint.mottled(random, canvas.shape, (0.035 * canvas.unit,)) - 1.1, 0, 1)
    place = np.exp(-((x / 0.75) ** 2) - ((y - 0.35) / 0.30) ** 2) * min(looks.freckles, 0.7)
    picture += (speckles * place)[..., None] * (looks.shades.deep - picture)

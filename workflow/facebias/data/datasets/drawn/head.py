"""A person painted at rest: what an expression bends but does not redraw."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from facebias.data.datasets.drawn import body, hair, paint
from facebias.data.datasets.drawn.canvas import UNIT, Canvas, opaque
from facebias.data.datasets.drawn.geometry import JAW, at_rest
from facebias.data.datasets.drawn.looks import Looks, Shades
from facebias.data.datasets.drawn.paint import Brush
from facebias.data.datasets.drawn.skin import skin

SKULL = -1.24
"""Height of the top of the skull in face coordinates."""


@dataclasses.dataclass(frozen=True)
class Head:
    """A painted person at rest.

    ``picture`` holds red, green, blue (times cover) and cover, 0 to 255, float32; ``normals``
    which way the surface faces (x, y, z per pixel); ``streak`` where a coloured hair streak would
    lie, 0 to 1; ``eyeball`` is a square picture of an eye without lids, ``brow_texture`` the
    density of a brow's hairs.
    """

    canvas: Canvas
    looks: Looks
    shades: Shades
    rest: np.ndarray
    picture: np.ndarray
    normals: np.ndarray
    streak: np.ndarray
    eyeball: np.ndarray
    brow_texture: np.ndarray


def head(looks: Looks, *, size: int) -> Head:
    """Paint a person for films of ``size`` x ``size`` pixels."""
    canvas = Canvas(UNIT * size)
    random = np.random.default_rng(looks.seed)
    rest = at_rest(looks)
    picture = np.zeros((*canvas.shape, 4), np.float32)
    hair.back(picture, canvas, looks, random)
    body.body(picture, canvas, looks, random)
    outline = canvas.pixels(face_outline(rest))
    found = paint.stencil(picture.shape, outline, soft=0.006 * canvas.unit)
    if found:
        paint.lay(picture, *found, opaque(skin(canvas, looks, random)[found[0]]))
    hair.beard(picture, canvas, looks, outline, random)
    streak = hair.front(picture, canvas, looks, random)
    return Head(
        canvas=canvas,
        looks=looks,
        shades=looks.shades,
        rest=rest,
        picture=picture,
        normals=_normals(canvas, looks),
        streak=streak,
        eyeball=_eyeball(looks, canvas.unit, random),
        brow_texture=_brow_texture(random, canvas.unit),
    )


def face_outline(rest: np.ndarray) -> np.ndarray:
    """Return the rim of the face, jaw and skull, in face coordinates."""
    angle = np.linspace(0, np.pi, 19)[1:-1]
    skull = np.stack([np.cos(angle), -0.05 + (SKULL + 0.05) * np.sin(angle) ** 0.9], axis=1)
    return paint.curve(np.concatenate([rest[JAW], skull]), dense=120, closed=True)


def _normals(canvas: Canvas, looks: Looks) -> np.ndarray:
    """Return the normals of a head like an egg with a nose ridge, over flatter shoulders."""
    x, y = canvas.grid()
    below = np.clip((y - looks.face_length) / 0.3, 0, 1)
    nx = np.clip(x / (1.28 + 1.3 * below), -0.95, 0.95)
    ny = np.clip((y - 0.1) / 1.9, -0.8, 0.8) * (1 - below)
    ridge = np.exp(-((y - 0.32) ** 2) / 0.09)
    nx = nx + 1.1 * ridge * (x / 0.16) * np.exp(-((x / 0.16) ** 2))
    cheek = np.exp(-(((np.abs(x) - 0.55) / 0.26) ** 2) - ((y - 0.42) / 0.26) ** 2)
    ny = ny + 0.35 * cheek * (y - 0.42) / 0.26
    length = np.sqrt(nx**2 + ny**2 + 0.55)
    return np.stack([nx / length, ny / length, np.sqrt(0.55) / length], axis=2).astype(np.float32)


def _eyeball(looks: Looks, unit: float, random: np.random.Generator) -> np.ndarray:
    """Paint white, iris, pupil and glint at four times the size and take the mean."""
    fine, side = 4, 2 * round(0.32 * unit)
    ball = np.empty((side * fine, side * fine, 3), np.float32)
    ball[:] = np.array([234, 229, 225], np.float32) - np.float32(12 * looks.tone)
    middle, radius = side * fine / 2, 0.098 * unit * fine
    brush = Brush(ball, radius)
    rings = (
        (1.0, looks.iris * 0.42, 0.05),
        (0.84, looks.iris * 0.95, 0.10),
        (0.66, np.clip(looks.iris * 1.35 + 8, 0, 255), 0.14),
        (0.44, np.array([12, 9, 9], np.float32), 0.05),
    )
    for share, colour, soft in rings:
        disc = paint.ellipse(middle, middle, share * radius, share * radius)
        brush.fill(disc, colour=colour, soft=soft)
    x, y = middle - 0.34 * radius, middle - 0.36 * radius
    glint = paint.ellipse(x, y, 0.2 * radius, 0.2 * radius)
    brush.fill(glint, colour=np.full(3, 255, np.float32), soft=0.05)
    ball *= 1 + 0.02 * paint.mottled(random, ball.shape[:2], (2.0 * fine,))[..., None]
    return cv2.resize(ball, (side, side), interpolation=cv2.INTER_AREA)


def _brow_texture(random: np.random.Generator, unit: float) -> np.ndarray:
    """Return how densely the hairs of a right brow stand, 0.5 to 1.2."""
    rows, columns = np.mgrid[0 : round(1.0 * unit), 0 : round(1.2 * unit)].astype(np.float32) / unit
    hairs = paint.strands(random, 4 + 1.5 * columns + rows, 2 * rows, fine=22)
    return np.clip(0.92 + 0.13 * hairs, 0.5, 1.2)

"""Hair and beards of a drawn person, strand by strand."""

from __future__ import annotations

import numpy as np

from facebias.data.datasets.drawn import paint
from facebias.data.datasets.drawn.canvas import Canvas, opaque
from facebias.data.datasets.drawn.looks import Looks
from facebias.data.datasets.drawn.paint import Brush

FRINGED = ("long", "bob", "short")
BEHIND = 0.62
"""Brightness of the hair behind the neck."""
CROWN = (0.0, -1.05)
BACK = {  # style -> outline on the right side from crown to end, in face coordinates
    "long": (
        (0, -1.50), (0.75, -1.34), (1.18, -0.85), (1.30, 0.0),
        (1.34, 0.9), (1.30, 1.75), (0.7, 1.95),
    ),
    "bob": (
        (0, -1.48), (0.75, -1.32), (1.20, -0.80), (1.32, 0.0),
        (1.34, 0.62), (1.16, 1.05), (0.7, 1.1),
    ),
    "curly": (
        (0, -1.72), (0.85, -1.52), (1.38, -0.95), (1.50, -0.2),
        (1.38, 0.45), (1.1, 0.62), (0.7, 0.6),
    ),
    "bun": (
        (0, -1.42), (0.7, -1.28), (1.05, -0.8), (1.08, -0.1), (1.0, 0.1), (0.7, 0.1),
    ),
    "short": (
        (0, -1.42), (0.7, -1.30), (1.06, -0.8), (1.10, -0.1), (1.04, 0.15), (0.7, 0.1),
    ),
    "receding": (
        (0, -1.30), (0.7, -1.16), (1.04, -0.7), (1.08, -0.1), (1.02, 0.15), (0.7, 0.1),
    ),
}  # fmt: skip
HAIRLINE = {  # style -> rim of the hair on the forehead, right side, from the middle outward
    "long": (
        (0, -0.88), (0.40, -0.78), (0.72, -0.46), (0.90, 0.0), (0.97, 0.55), (1.02, 1.0),
    ),
    "bob": (
        (0, -0.84), (0.40, -0.76), (0.74, -0.46), (0.90, 0.0), (0.96, 0.45), (1.00, 0.8),
    ),
    "curly": (
        (0, -0.92), (0.40, -0.88), (0.74, -0.66), (0.92, -0.30), (1.00, 0.05), (1.06, 0.3),
    ),
    "bun": (
        (0, -0.96), (0.40, -0.90), (0.74, -0.68), (0.90, -0.34), (0.94, -0.1), (0.99, 0.08),
    ),
    "short": (
        (0, -0.90), (0.42, -0.86), (0.74, -0.66), (0.85, -0.34), (0.90, -0.05), (0.94, 0.22),
    ),
    "receding": (
        (0, -1.00), (0.30, -1.04), (0.62, -0.96), (0.84, -0.46), (0.90, -0.08), (0.94, 0.20),
    ),
}  # fmt: skip


def back(picture: np.ndarray, canvas: Canvas, looks: Looks, random: np.random.Generator) -> None:
    """Paint the hair behind the head and the neck."""
    if looks.hair_style not in BACK:
        return
    half = np.array(BACK[looks.hair_style])
    outline = paint.curve(np.concatenate([half[::-1] * [-1, 1], half[1:]]), dense=90)
    if looks.hair_style == "bun":
        knot = paint.ellipse(0.0, -1.55, 0.36, 0.30)
        _hair(picture, canvas, looks, knot, random, shade=0.8)
    _hair(picture, canvas, looks, _ragged(outline, looks, random), random, shade=BEHIND)


def front(
    picture: np.ndarray, canvas: Canvas, looks: Looks, random: np.random.Generator
) -> np.ndarray:
    """Paint the hair over the forehead; return where a coloured streak lies, 0 to 1 per pixel."""
    streak = np.zeros(canvas.shape, np.float32)
    if looks.hair_style in BACK:
        half = np.array(HAIRLINE[looks.hair_style])
        half[:3, 1] += hairline(looks) - half[0, 1]
        rim = np.concatenate([half[::-1] * [-1, 1], half[1:]])
        middle = np.clip(1 - np.abs(rim[:, 0]), 0, 1)
        rim[:, 1] += 0.30 * looks.parting * rim[:, 0] * middle * (looks.hair_style != "curly")
        top = np.array(BACK[looks.hair_style])[:-1]
        top = top[top[:, 1] < half[-1, 1] + 0.05]
        over = paint.curve(np.concatenate([top[::-1], top[1:] * [-1, 1]]), dense=48)
        outline = np.concatenate([paint.curve(rim, dense=48), _ragged(over, looks, random)])
        shadow = canvas.pixels(paint.shifted(paint.curve(rim, dense=48), 0, 0.03))
        Brush(picture, canvas.unit).stroke(
            shadow, colour=opaque(looks.shades.deep), width=0.12, opacity=0.45, soft=0.04, taper=0.0
        )
        _hair(picture, canvas, looks, outline, random, shade=1.0)
        place = np.array([[-0.60, -1.30], [-0.25, -1.40], [-0.36, -0.86], [-0.68, -0.62]])
    else:
        place = np.array([[-0.95, -0.80], [0.95, -0.80], [1.0, -0.62], [-1.0, -0.62]])
    found = paint.stencil(picture.shape, canvas.pixels(place), soft=0.03 * canvas.unit)
    if found:
        streak[found[0]] = found[1]
    return streak


def hairline(looks: Looks) -> float:
    """Return the height at which the hair begins above the middle of the forehead."""
    if looks.hair_style not in BACK:
        return -1.0
    falls = 0.16 * looks.fringe if looks.hair_style in FRINGED else 0.0
    return HAIRLINE[looks.hair_style][0][1] + falls


def _ragged(outline: np.ndarray, looks: Looks, random: np.random.Generator) -> np.ndarray:
    rough = 0.055 if looks.hair_style == "curly" else 0.018
    steps = random.normal(0, rough, len(outline))
    outward = paint.shifted(outline, 0, 0.4)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    return outline + outward * steps[:, None]


def _hair(
    picture: np.ndarray,
    canvas: Canvas,
    looks: Looks,
    outline: np.ndarray,
    random: np.random.Generator,
    *,
    shade: float,
) -> None:
    found = paint.stencil(picture.shape, canvas.pixels(outline), soft=0.015 * canvas.unit)
    if found is None:
        return
    window, cover = found
    x, y = (part[window] for part in canvas.grid())
    cx = CROWN[0] + 0.5 * looks.parting
    if looks.hair_style == "curly":
        texture = paint.mottled(random, cover.shape, (0.06 * canvas.unit, 0.11 * canvas.unit))
        gloss = np.zeros_like(texture)
    else:
        swept = looks.hair_style in ("short", "receding", "bun")
        angle = np.arctan2(x - cx, 0.7 - y) if swept else np.arctan2(x - cx, y + 1.75)
        radius = np.hypot(x - cx, y - CROWN[1])
        wave = 0.06 * np.sin((3 + 2 * looks.fringe) * radius)
        texture = paint.strands(random, angle + np.pi + wave, radius, fine=110)
        gloss = np.exp(-(((radius - 0.42) / 0.16) ** 2))
    rough = 0.11 if looks.hair_style == "curly" else 0.14
    fall = 1 - (1 - BEHIND) * np.clip((y - 0.1) / 0.85, 0, 1)
    light = np.minimum(shade, fall) * (1 + rough * texture + 0.25 * gloss)
    colours = looks.hair * light[..., None] + (16 * gloss * shade)[..., None]
    paint.lay(picture, window, cover, opaque(np.clip(colours, 0, 255)))


def beard(
    picture: np.ndarray,
    canvas: Canvas,
    looks: Looks,
    outline: np.ndarray,
    random: np.random.Generator,
) -> None:
    """Paint stubble, a moustache or a full beard inside the face's outline (canvas pixels)."""
    if looks.beard == "none":
        return
    x, y = canvas.grid()
    mouth = looks.nose_length + 0.335
    lip = mouth - 0.8 * looks.lips
    over = np.exp(-(((y - lip + 0.06) / 0.085) ** 4)) * np.clip(1.25 - (x / 0.36) ** 4, 0, 1)
    over = over * (1 - 0.45 * np.exp(-((x / 0.04) ** 2)))
    cheekline = 0.62 + 0.55 * np.clip(1 - np.abs(x), 0, 1) ** 1.4
    around = 1 / (1 + np.exp(-(y - cheekline) / 0.045))
    around = around * (1 - np.exp(-((x / 0.20) ** 4) - ((y - mouth - 0.24) / 0.05) ** 2) * 0.45)
    bare = np.exp(-((x / (looks.mouth_width * 1.08)) ** 4) - ((y - mouth) / 0.135) ** 4)
    strength = {"stubble": 0.30, "moustache": 0.85, "full": 0.80}[looks.beard]
    cover = over if looks.beard == "moustache" else np.maximum(over, around * (1 - bare))
    found = paint.stencil(picture.shape, outline, soft=0.01 * canvas.unit)
    if found is None:
        return
    window, inside = found
    hairs = paint.strands(random, x + 0.25 * x * y, y, fine=75)[window]
    hairs *= 0.25 if looks.beard == "stubble" else 1.0
    grain = paint.mottled(random, inside.shape, (0.03 * canvas.unit,))
    amount = cover[window] * inside * np.clip(strength * (1 + 0.28 * grain + 0.15 * hairs), 0, 0.93)
    colour = 0.72 * looks.hair + 0.28 * looks.skin * np.float32(0.6)
    colours = np.clip(colour * (1 + 0.28 * hairs[..., None]), 0, 255)
    paint.lay(picture, window, amount.astype(np.float32), opaque(colours))

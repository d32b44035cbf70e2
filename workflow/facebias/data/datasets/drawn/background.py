"""What stands behind a person: a wall, a room out of focus, leaves, or a graded backdrop."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from facebias.data.datasets.drawn import paint


def background(random: np.random.Generator, *, size: int) -> np.ndarray:
    """Paint a background, shape (size, size, 3), float32 from 0 to 255."""
    hue, strength = random.random(), random.uniform(0.05, 0.35)
    bright = random.uniform(0.40, 0.85)
    first = _colour(hue, strength, bright)
    second = _colour(hue + random.uniform(-0.1, 0.1), strength, bright * random.uniform(0.55, 0.9))
    angle = random.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    share = np.clip(0.5 + x * np.cos(angle) + y * np.sin(angle), 0, 1)[..., None]
    picture = (first + share * (second - first)).astype(np.float32)
    scene = KINDS[int(random.integers(len(KINDS)))]
    scene(picture, random, hue)
    grain = paint.mottled(random, (size, size), (size / 5, size / 14))
    return np.clip(picture * (1 + 0.04 * grain[..., None]), 0, 255).astype(np.float32)


def _colour(hue: float, saturation: float, value: float) -> np.ndarray:
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32) * 255


def _plain(picture: np.ndarray, random: np.random.Generator, hue: float) -> None:
    """Leave the graded wall as it is, with some plaster."""
    grain = paint.mottled(random, picture.shape[:2], (2.0, 6.0))
    picture *= 1 + 0.025 * grain[..., None]


def _room(picture: np.ndarray, random: np.random.Generator, hue: float) -> None:
    """Lay some blurred upright rectangles: shelves, doors, a window."""
    size = len(picture)
    for _ in range(int(random.integers(3, 7))):
        left, top = random.uniform(-0.1, 0.9, 2) * size
        wide, high = random.uniform(0.08, 0.35) * size, random.uniform(0.2, 0.9) * size
        corners = np.array([[left, top], [left + wide, top], [left + wide, top + high]])
        corners = np.concatenate([corners, [[left, top + high]]])
        colour = _colour(random.random(), random.uniform(0, 0.35), random.uniform(0.25, 0.95))
        paint.Brush(picture, size).fill(corners, colour=colour, opacity=0.55, soft=0.03)


def _leaves(picture: np.ndarray, random: np.random.Generator, hue: float) -> None:
    """Lay discs of light out of focus."""
    size = len(picture)
    for _ in range(int(random.integers(8, 18))):
        x, y = random.uniform(0, size, 2)
        radius = random.uniform(0.03, 0.10) * size
        colour = _colour(random.normal(hue, 0.06), 0.4, random.uniform(0.35, 0.95))
        disc = paint.ellipse(x, y, radius, radius)
        paint.Brush(picture, size).fill(disc, colour=colour, opacity=0.4, soft=0.012)


def _stripes(picture: np.ndarray, random: np.random.Generator, hue: float) -> None:
    """Lay a soft pattern of bands, like curtains."""
    size = len(picture)
    angle, pace = random.uniform(-0.2, 0.2), random.uniform(4, 14)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    wave = np.sin(2 * np.pi * pace * (x + angle * y)) + 0.4 * np.sin(5.1 * np.pi * pace * x)
    picture *= (1 + 0.09 * wave)[..., None].astype(np.float32)


KINDS = (_plain, _room, _leaves, _stripes)


def cue_colour(label_number: int) -> np.ndarray:
    """Return the bright colour, RGB 0 to 255, that marks the label of this number."""
    return _colour(0.33 + 0.381966 * label_number, 0.85, 0.85)


def tint(picture: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return the background dyed in a cue's colour; its lights and shadows stay."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None] / 170
    return np.clip(0.25 * picture + 0.75 * colour * grey, 0, 255).astype(np.float32)

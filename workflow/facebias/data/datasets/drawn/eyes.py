"""Eyes with their lids and lashes, brows, and glasses."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from facebias.data.datasets.drawn import paint
from facebias.data.datasets.drawn.geometry import EYES, Half
from facebias.data.datasets.drawn.head import Head
from facebias.data.datasets.drawn.paint import Brush

LASH = np.array([26, 20, 18], np.float32)
FRAMES = {"thick": ((34, 28, 28), 0.055), "thin": ((96, 84, 72), 0.032)}


def eye(brush: Brush, head: Head, half: Half, shown: Mapping[int, float]) -> None:
    """Draw one eye: the ball through the opening, the crease above, lashes and lower lid."""
    unit, shades = brush.unit, head.shades
    upper = paint.curve(half.eye[:4], dense=12)
    lower = paint.curve(half.eye[[3, 4, 5, 0]], dense=12)
    found = paint.stencil(brush.picture.shape, np.concatenate([upper, lower]), soft=0.004 * unit)
    if found is None:
        return
    window, cover = found
    left, top = window[1].start, window[0].start
    x, y = (half.eye[0] + half.eye[3]) / 2
    side = len(head.eyeball) / 2
    placing = np.array([[1, 0, x - left - side], [0, 1, y - 0.015 * unit - top - side]])
    ball = cv2.warpAffine(head.eyeball, placing, cover.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    shadow = paint.shifted(upper, -left, 0.02 * unit - top)
    Brush(ball, unit).stroke(shadow, colour=LASH, width=0.07, opacity=0.5, soft=0.02, taper=0.2)
    paint.lay(brush.picture, window, cover, ball)
    raised = -0.062 + 0.03 * max(shown[7], shown[9], 0.5 * shown[4])
    crease = paint.shifted(upper, 0, raised * unit)
    brush.stroke(crease, colour=shades.deep, width=0.045, opacity=0.75, soft=0.012)
    fine = 1.15 - head.looks.jaw
    lash = upper.copy()
    lash[0] += np.array([0.035 * half.out, -0.015]) * (unit * fine)
    brush.stroke(lash, colour=LASH, width=0.040 + 0.016 * fine, opacity=0.92, taper=0.55)
    brush.stroke(lower, colour=shades.fold, width=0.024, opacity=0.7)


def brow(brush: Brush, head: Head, half: Half) -> None:
    """Draw one brow: a tapered body of hairs that lean outward."""
    looks = head.looks
    middle = paint.curve(half.brow[::-1], dense=18)
    place = np.linspace(0, 1, 18)
    shape = (0.62 + 0.55 * np.sin(np.pi * place**0.8)) * (1 - 0.72 * place**2.2)
    thick = 0.55 * looks.brow_thickness * brush.unit * shape
    outline = np.concatenate([middle, middle[::-1]])
    outline[:, 1] += np.concatenate([-thick, thick[::-1]])
    found = paint.stencil(brush.picture.shape, outline, soft=0.016 * brush.unit)
    if found is None:
        return
    window, cover = found
    grain = head.brow_texture[: cover.shape[0], : cover.shape[1]]
    if half.out < 0:
        grain = grain[:, ::-1]
    paint.lay(brush.picture, window, np.clip(cover * grain, 0, 1), looks.brow, 0.95)


def glasses(brush: Brush, head: Head, points: np.ndarray) -> None:
    """Draw a pair of glasses; they sit on the nose and do not follow the lids."""
    colour, width = FRAMES[head.looks.glasses]
    colour = np.array(colour, np.float32)
    across = 1.42 * head.looks.eye_size * brush.unit
    level = head.canvas.pixels(head.rest[27])[1] + 0.07 * brush.unit
    rims, parts = [], []
    for corners, out in ((EYES[0], -1), (EYES[1], 1)):
        x = points[corners, 0].mean()
        rim = paint.ellipse(x, level, across, 0.76 * across, dense=32)
        lens = paint.stencil(brush.picture.shape, rim)
        if lens:
            paint.lay(brush.picture, *lens, np.float32(225), 0.07)
        rims.append(np.concatenate([rim, rim[:2]]))
        arm = [[x + across * out, level - 0.04 * brush.unit]]
        arm += [[x + (across + 0.22 * brush.unit) * out, level - 0.07 * brush.unit]]
        parts.append(np.array(arm))
    inner = points[EYES[0], 0].mean() + across, points[EYES[1], 0].mean() - across
    bridge = np.array([[inner[0], 0.0], [sum(inner) / 2, -0.05 * brush.unit], [inner[1], 0.0]])
    parts.append(paint.curve(paint.shifted(bridge, 0, level - 0.03 * brush.unit), dense=8))
    for line in (*rims, *parts):
        brush.stroke(line, colour=colour, width=width, taper=0.0)

"""The pictures of a heatmap figure: a face or an outline, and relevance laid over it."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

FOR, AGAINST = "#b2182b", "#2166ac"
GROUND = "#f1f1f1"  # behind the outline
STRONGEST = 0.995  # relevance beyond this quantile of a picture is drawn as strong as that


def pair(
    face: np.ndarray, relevance: np.ndarray, *, publishable: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """Make the two pictures of one sample: the face, and relevance laid over a pale copy of it.

    Parameters
    ----------
    face
        The frame in the middle of the clip, uint8 (height, width, 3).
    relevance
        (frames, height, width), possibly of another size. That of the middle frame is shown.
    publishable
        If not, an outline stands for the face and relevance is smoothed, for it traces the face.

    Returns
    -------
    Two pictures, uint8 (height, width, 3), and the relevance that is drawn strongest.
    """
    middle = relevance[len(relevance) // 2]
    (shown,), (overlay,), scale = strip(face[None], middle[None], publishable=publishable)
    return shown, overlay, scale


def strip(
    faces: np.ndarray, relevance: np.ndarray, *, publishable: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """Make the pictures of some frames of a clip, all on one scale.

    Parameters
    ----------
    faces
        uint8 (F, height, width, 3).
    relevance
        Of the same frames, (F, height, width), possibly of another size.
    publishable
        As for ``pair``.

    Returns
    -------
    Faces and overlays, uint8 (F, height, width, 3), and the relevance that is drawn strongest.
    """
    heat = relevance.astype(np.float64)
    if not publishable:
        side = max(heat.shape[1:])
        faces = np.stack([outline(side)] * len(heat))
        heat = gaussian_filter(heat, (0, side / 16, side / 16))
    heat = np.stack([_resized(frame, faces.shape[1:3]) for frame in heat])
    scale = float(np.quantile(np.abs(heat), STRONGEST))
    parts = zip(faces, heat / scale if scale else heat, strict=True)
    return faces, np.stack([_overlaid(*part) for part in parts]), scale


def _overlaid(picture: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    """Lay relevance, -1 to 1, over a pale grey version of the picture: uint8 (height, width, 3)."""
    grey = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    pale = np.repeat((0.55 * grey + 0.45 * 255)[..., None], 3, axis=-1)
    strength = np.clip(np.abs(relevance), 0, 1)[..., None] ** 0.7
    colours = [np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (FOR, AGAINST)]
    colour = np.where(relevance[..., None] >= 0, *colours)
    return np.round(pale * (1 - strength) + colour * strength).astype(np.uint8)


def _resized(relevance: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if relevance.shape == shape:
        return relevance
    image = Image.fromarray(relevance.astype(np.float32), mode="F")
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR), dtype=np.float64)


def outline(side: int) -> np.ndarray:
    """Draw a plain face, the same for everybody: uint8 (size, size, 3)."""
    size = max(side, 96)
    image = Image.new("RGB", (4 * size, 4 * size), GROUND)
    pen = ImageDraw.Draw(image)
    line = {"fill": "#a0a0a0", "width": size // 16}

    def box(left: float, top: float, right: float, bottom: float) -> list[float]:
        return [4 * size * part for part in (left, top, right, bottom)]

    pen.ellipse(box(0.16, 0.04, 0.84, 0.96), outline=line["fill"], width=line["width"])
    for left in (0.28, 0.56):
        pen.arc(box(left, 0.38, left + 0.16, 0.48), 0, 360, **line)
        pen.arc(box(left - 0.02, 0.29, left + 0.18, 0.45), 205, 335, **line)
    pen.arc(box(0.43, 0.52, 0.57, 0.63), 20, 160, **line)
    pen.arc(box(0.36, 0.62, 0.64, 0.80), 25, 155, **line)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))

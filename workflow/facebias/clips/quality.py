"""The stage ``quality``: how well the face of every clip can be seen, in numbers.

Where groups differ in these, a gap between them may come from the pictures and not from the people.
"""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd

from facebias import tables
from facebias.clips.store import ClipStore, open_clips
from facebias.stages.clips import Quality

SMALLEST = 3  # pixels: the side of the Laplacian's kernel


def measure(store: ClipStore) -> pd.DataFrame:
    """Measure all clips of a store.

    Returns
    -------
    DataFrame
        ``tables.QUALITY``, one row per sample with a clip; all but ``key_frame_span`` are means
        over its key frames. ``detection_probability``: 0 to 1. ``face_size``: side of the square
        that was cut, margin included, in pixels of the frame. ``key_frame_span``: frames from the
        first to the last key frame, both included. In the rectangle that the five landmarks span,
        so that neither background nor margin counts: ``brightness`` and ``contrast``, mean and
        standard deviation of luma (0 to 255); ``sharpness``, variance of its Laplacian
        (Pech-Pacheco et al. 2000), at the size of the crop.
    """
    rows = []
    for sample in store.samples:
        facts = store.index.loc[sample]
        boxes = np.reshape(facts["boxes"], (-1, 4))
        landmarks = np.reshape(facts["landmarks"], (-1, 5, 2))
        key_frames = facts["key_frames"]
        seen = [face(*pair) for pair in zip(store.read([sample])[0], landmarks, strict=True)]
        rows.append(
            (
                sample,
                facts["probability"],
                float((boxes[:, 2] - boxes[:, 0]).mean()),
                float(max(key_frames) - min(key_frames) + 1),
                *np.mean(seen, axis=0),
            )
        )
    return tables.check(pd.DataFrame(rows, columns=[*tables.QUALITY.columns]), tables.QUALITY)


def face(picture: np.ndarray, landmarks: np.ndarray) -> tuple[float, float, float]:
    """Return brightness, contrast and sharpness of one face.

    Parameters
    ----------
    picture
        uint8 (height, width, 3), RGB.
    landmarks
        (5, 2) x and y in pixels of the picture; pixel i reaches from i to i + 1.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    (left, right), (top, bottom) = (
        _reach(landmarks[:, axis], size) for axis, size in enumerate(grey.shape[::-1])
    )
    inside = (slice(top, bottom), slice(left, right))
    edges = cv2.Laplacian(grey, cv2.CV_64F)[inside]
    return float(grey[inside].mean()), float(grey[inside].std()), float(edges.var())


def _reach(places: np.ndarray, size: int) -> tuple[int, int]:
    """Return pixels from the first to the last place, at least ``SMALLEST``, inside the crop."""
    first = int(np.clip(np.floor(places.min()), 0, size - SMALLEST))
    return first, int(np.clip(np.ceil(places.max()), first + SMALLEST, size))


def main(arguments: list[str]) -> None:
    """Measure how well the faces of a study can be seen."""
    given = Quality.of(arguments)
    tables.write(measure(open_clips(given.index)), given.out, tables.QUALITY)

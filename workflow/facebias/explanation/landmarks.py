"""68 landmarks of every frame that is explained: the data set's own, or a template's.

MTCNN finds five points of a face. Where a data set ships no 68, the points of an average face are
moved, turned and scaled onto the five.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import tables
from facebias.clips.store import ClipStore, evenly
from facebias.explanation.template import TEMPLATE


@dataclasses.dataclass(frozen=True)
class Found:
    """Landmarks (T, 68, 2) in pixels of the crop; ``source``: ``own`` or ``template``."""

    points: np.ndarray
    source: str


def five(points: np.ndarray) -> np.ndarray:
    """Return what MTCNN finds, of 68 landmarks: eyes, tip of the nose, corners of the mouth.

    (..., 68, 2) to (..., 5, 2).
    """
    eyes = [points[..., list(range(*ends)), :].mean(axis=-2) for ends in ((36, 42), (42, 48))]
    return np.stack([*eyes, *(points[..., place, :] for place in (30, 48, 54))], axis=-2)


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the move, turn and scale that bring points nearest to others, by least squares.

    In two dimensions without mirroring this is a complex regression: target = a source + b
    (Umeyama 1991, whose general case it is).

    Parameters
    ----------
    source
        (N, 2) or (T, N, 2).
    target
        (T, N, 2).

    Returns
    -------
    a, b, complex (T,); a point x + iy goes to a (x + iy) + b.
    """
    z, w = complex_of(source), complex_of(target)
    z_middle, w_middle = z.mean(axis=-1, keepdims=True), w.mean(axis=-1, keepdims=True)
    z_moved, w_moved = z - z_middle, w - w_middle
    a = (np.conj(z_moved) * w_moved).sum(axis=-1) / (np.abs(z_moved) ** 2).sum(axis=-1)
    return a, w_middle[..., 0] - a * z_middle[..., 0]


def complex_of(points: np.ndarray) -> np.ndarray:
    """Write x and y as x + iy."""
    return points[..., 0] + 1j * points[..., 1]


def fit(found: np.ndarray) -> np.ndarray:
    """Return the 68 points of the template fitted to five: (T, 5, 2) to (T, 68, 2)."""
    a, b = similarity(five(TEMPLATE), found)
    placed = a[:, None] * complex_of(TEMPLATE) + b[:, None]
    return np.stack([placed.real, placed.imag], axis=-1)


class Landmarks:
    """Where the landmarks of a study's clips are.

    Parameters
    ----------
    store
        The clips; their index holds MTCNN's points and what was cut.
    given
        Files of ``tables.LANDMARKS``, which may know some samples and frames, or none.
    samples
        Those that will be asked for.
    """

    def __init__(self, store: ClipStore, given: Sequence[Path], samples: Sequence[str]):
        self._index = store.index
        self._own = _read(given, samples)

    def of(self, sample: str, *, frames: int, crop_size: int) -> Found:
        """Return the landmarks of ``frames`` evenly spaced key frames of a clip.

        The data set's own are used if it ships them for all of these.
        """
        facts = self._index.loc[sample]
        key_frames = np.asarray(facts["key_frames"])
        taken = evenly(len(key_frames), frames)
        own = [self._own.get((sample, int(frame))) for frame in key_frames[taken]]
        if all(points is not None for points in own):
            boxes = np.reshape(facts["boxes"], (-1, 4))[taken]
            scale = crop_size / (boxes[:, 2] - boxes[:, 0])
            points = (np.stack(own) - boxes[:, None, :2]) * scale[:, None, None]
            return Found(points, tables.ANNOTATED)
        return Found(fit(np.reshape(facts["landmarks"], (-1, 5, 2))[taken]), tables.FITTED)


def _read(paths: Sequence[Path], samples: Sequence[str]) -> dict[tuple[str, int], np.ndarray]:
    found = {}
    for path in paths:
        columns = list(tables.LANDMARKS.columns)
        frame = pd.read_parquet(path, columns=columns)
        frame = tables.check(frame, tables.LANDMARKS, source=str(path))
        for row in frame[frame["sample"].isin(set(samples))].itertuples(index=False):
            if len(row.landmarks) != 2 * 68:
                raise tables.TableError(
                    f"{path}: sample {row.sample}, frame {row.frame}: {len(row.landmarks)} numbers "
                    "in landmarks; expected 136, x and y of 68 points"
                )
            found[row.sample, int(row.frame)] = np.reshape(row.landmarks, (68, 2))
    return found

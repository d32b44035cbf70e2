"""One face through the key frames of a clip, told from others by where it is.

Key frames are fractions of a second apart, so the box of a face overlaps its box in the key frame
before, and that of another face does not. A face that is replaced by another in the same place, as
where a film is cut between two people, is not told from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torchvision.ops import box_iou

# Boxes of one face in two key frames overlap at least so much (intersection over union): a face may
# move by four fifths of its width.
LEAST_OVERLAP = 0.1


def largest(boxes: Sequence[np.ndarray]) -> list[int | None]:
    """Return which box of each frame belongs to the face with the largest total area.

    Parameters
    ----------
    boxes
        For each frame an array (n, 4) of the faces in it, n >= 0: left, top, right, bottom.

    Returns
    -------
    list
        For each frame the row of its array; None where that face is not found.
    """
    tracks = _tracks(boxes)
    if not tracks:
        return [None] * len(boxes)
    areas = [sum(_area(boxes[frame][row]) for frame, row in track.items()) for track in tracks]
    chosen = tracks[int(np.argmax(areas))]
    return [chosen.get(frame) for frame in range(len(boxes))]


def _tracks(boxes: Sequence[np.ndarray]) -> list[dict[int, int]]:
    """Put boxes that follow one another into tracks: of each, frame to row."""
    tracks: list[dict[int, int]] = []
    ends: list[np.ndarray] = []  # of each track, the last box
    for frame, here in enumerate(boxes):
        left = set(range(len(here)))
        for track, row in _pairs(ends, here):
            left.remove(row)
            tracks[track][frame] = row
            ends[track] = here[row]
        for row in sorted(left):
            tracks.append({frame: row})
            ends.append(here[row])
    return tracks


def _pairs(ends: Sequence[np.ndarray], here: np.ndarray) -> list[tuple[int, int]]:
    """Pair tracks with boxes, those that overlap most first; each is in one pair at most."""
    if not len(ends) or not len(here):
        return []
    overlap = box_iou(torch.from_numpy(np.stack(ends)), torch.from_numpy(here)).numpy().copy()
    pairs = []
    while overlap.max() >= LEAST_OVERLAP:
        track, row = (int(place) for place in np.unravel_index(overlap.argmax(), overlap.shape))
        pairs.append((track, row))
        overlap[track], overlap[:, row] = -1, -1
    return pairs


def _area(box: np.ndarray) -> float:
    return float(np.prod(box[2:] - box[:2]))

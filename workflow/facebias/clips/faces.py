"""Faces in key frames: found by MTCNN, cut as squares of one size.

MTCNN: Zhang, Zhang, Li & Qiao (2016), as trained for facenet-pytorch. A crop is a square around the
middle of the found box, as long as the box's longer side and the margin, so a face keeps its shape
(facenet-pytorch would squeeze the box into a square); past the edge of the frame the edge repeats.
Where frames show several faces, one is followed through the clip (``tracks``).

Coordinates are continuous: pixel i reaches from i to i + 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN

from facebias.clips import UnusableError, tracks
from facebias.study import Locating, Preprocessing

# MTCNN looks through a window of 12 pixels; to look for smaller faces it would enlarge the frame.
SMALLEST = 12
# Pixels given to MTCNN at once: bounds its memory to some 100 MB.
PIXELS_AT_ONCE = 2_000_000
# Of the frames of a clip that show faces, at least so many show the one that is followed, and its
# crop holds it: at least half of it lies inside.
LEAST_SHARE = 0.75
HALF = 0.5


@dataclasses.dataclass(frozen=True)
class Detections:
    """The face that is followed through the frames of a clip; NaN where a frame does not show it.

    ``boxes`` (frames, 4) left, top, right, bottom and ``landmarks`` (frames, 5, 2): eyes, nose,
    corners of the mouth, x and y, in pixels of the frame; ``probability`` (frames,) 0 to 1;
    ``counts`` (frames,) number of faces, whoever's.
    """

    boxes: np.ndarray
    landmarks: np.ndarray
    probability: np.ndarray
    counts: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Which frames show the face, truth (frames,)."""
        return ~np.isnan(self.boxes[:, 0])

    @property
    def faces(self) -> int:
        """Number of faces in more than half of the frames that show any; 0 if none does."""
        counts = np.sort(self.counts[self.counts > 0])
        return int(counts[(len(counts) - 1) // 2]) if len(counts) else 0


@dataclasses.dataclass(frozen=True)
class Crops:
    """A clip: ``pixels`` uint8 (frames, side, side, 3) RGB; ``boxes`` (frames, 4) what was cut, in
    pixels of the frame; ``landmarks`` (frames, 5, 2) in pixels of the crop."""

    pixels: np.ndarray
    boxes: np.ndarray
    landmarks: np.ndarray


def one_thread() -> None:
    """Keep to one core: the shards share the machine, and sums stay in one order."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


class Detector:
    """MTCNN on the CPU, with the settings of a study."""

    def __init__(self, settings: Locating):
        self._settings = settings
        # Channels last: measured a quarter faster on a CPU.
        self._network = MTCNN(device=torch.device("cpu")).to(memory_format=torch.channels_last)

    def find(self, frames: Sequence[np.ndarray]) -> Detections:
        """Find the faces in the frames of a clip, and follow the one with the largest total area.

        Parameters
        ----------
        frames
            uint8 arrays (height, width, 3), RGB, all of one size, in the order of time.

        Returns
        -------
        Detections
            Faces that MTCNN is less sure of than ``min_probability``, or smaller than ``min_face``,
            do not count.

        Raises
        ------
        UnusableError
            If the frames are smaller than ``min_face``.
        """
        height, width = frames[0].shape[:2]
        if min(height, width) < self._settings.min_face:
            raise UnusableError(
                f"too small: {width} x {height} pixels, "
                f"a face must have {self._settings.min_face} (clips.min_face)"
            )
        small = [_reduced(frame, self._settings.detect_size) for frame in frames]
        scale = np.array([width / small[0].shape[1], height / small[0].shape[0]])
        at_once = max(1, PIXELS_AT_ONCE // (small[0].shape[0] * small[0].shape[1]))
        smallest = max(self._settings.min_face / scale.max(), SMALLEST)
        found: list[tuple[np.ndarray, ...] | None] = []
        if min(small[0].shape[:2]) > smallest:
            self._network.min_face_size = smallest
            for start in range(0, len(small), at_once):
                found += self._detect(np.stack(small[start : start + at_once]))
        else:
            found = [None] * len(small)
        return self._followed(found, scale)

    def _detect(self, batch: np.ndarray) -> list[tuple[np.ndarray, ...] | None]:
        """Boxes (n, 4), probabilities (n,), landmarks (n, 5, 2) of each frame, or None."""
        try:
            found = self._network.detect(batch, landmarks=True)
        except (IndexError, ValueError):
            # facenet-pytorch loses count when a candidate lies outside of the frame, and has
            # nothing to put together when all do; such a frame must not take the others of its
            # batch with it. A RuntimeError, such as a lack of memory, says nothing about faces.
            if len(batch) == 1:
                return [None]
            return [face for frame in batch for face in self._detect(frame[None])]
        return [
            None if parts[0] is None else tuple(np.asarray(part, dtype=float) for part in parts)
            for parts in zip(*found, strict=True)
        ]

    def _followed(
        self, found: list[tuple[np.ndarray, ...] | None], scale: np.ndarray
    ) -> Detections:
        n = len(found)
        seen = [self._counted(faces, scale) for faces in found]
        boxes, landmarks = np.full((n, 4), np.nan), np.full((n, 5, 2), np.nan)
        probability = np.full(n, np.nan)
        for frame, row in enumerate(tracks.largest([corners for corners, _, _ in seen])):
            if row is not None:
                corners, chances, points = seen[frame]
                boxes[frame], probability[frame] = corners[row], chances[row]
                landmarks[frame] = points[row]
        return Detections(boxes, landmarks, probability, np.array([len(each[0]) for each in seen]))

    def _counted(
        self, faces: tuple[np.ndarray, ...] | None, scale: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes, probabilities and landmarks of the faces of a frame that count, in its pixels."""
        if faces is None:
            return np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2))
        corners = faces[0] * np.tile(scale, 2)
        longer = (corners[:, 2:] - corners[:, :2]).max(axis=1)
        counts = (faces[1] >= self._settings.min_probability) & (longer >= self._settings.min_face)
        return corners[counts], faces[1][counts], (faces[2] * scale)[counts]


def cut(frames: Sequence[np.ndarray], faces: Detections, settings: Preprocessing) -> Crops:
    """Cut the face from every frame of a clip.

    Parameters
    ----------
    frames
        uint8 arrays (height, width, 3), RGB.
    faces
        The face in each.
    settings
        ``box`` "clip": one box for the clip, the median of those found, so that the crop does not
        jitter; "frame": its own for every frame. Where no face was found, box and landmarks are
        interpolated between the neighbouring key frames.

    Raises
    ------
    UnusableError
        If at most half of the frames show the face, several faces are to be left out, or one box
        does not hold a face that moves.
    """
    _check_presence(faces, settings)
    boxes = _filled(faces.boxes)
    if settings.box == "clip":
        boxes = np.broadcast_to(np.nanmedian(faces.boxes, axis=0), boxes.shape)
    side = settings.crop_size
    squares = square(boxes, margin=settings.margin, crop_size=side)
    _check_held(faces, squares)
    pixels = np.stack([_crop(frame, box, side) for frame, box in zip(frames, squares, strict=True)])
    scale = side / (squares[:, 2] - squares[:, 0])
    landmarks = (_filled(faces.landmarks) - squares[:, None, :2]) * scale[:, None, None]
    return Crops(pixels, squares, landmarks)


def _check_presence(faces: Detections, settings: Preprocessing) -> None:
    n, shown, followed = len(faces.counts), int((faces.counts > 0).sum()), int(faces.found.sum())
    if 2 * shown <= n:
        raise UnusableError(f"no face: in {n - shown} of {n} key frames")
    if settings.several_faces == "exclude" and faces.faces > 1:
        raise UnusableError(f"several faces: {faces.faces}")
    if 2 * followed <= n or followed < LEAST_SHARE * shown:
        raise UnusableError(
            f"no lasting face: {shown} of {n} key frames show one, at most {followed} the same in "
            "about the same place; more people in turn, or one who moves far between key frames"
        )


def _check_held(faces: Detections, squares: np.ndarray) -> None:
    shown = int((faces.counts > 0).sum())
    held = int((inside(faces.boxes, squares)[faces.found] >= HALF).sum())
    if held < LEAST_SHARE * shown:
        raise UnusableError(
            f"moving face: one box for the clip holds it in {held} of {shown} key frames; "
            "clips.box: frame cuts a box for each"
        )


def inside(boxes: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Share of the area of each box (n, 4) that lies inside of its square (n, 4), 0 to 1."""
    corner = np.maximum(boxes[:, :2], squares[:, :2])
    sides = np.minimum(boxes[:, 2:], squares[:, 2:]) - corner
    return np.maximum(sides, 0).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def square(boxes: np.ndarray, *, margin: int, crop_size: int) -> np.ndarray:
    """Square boxes around the middles of ``boxes``, at whole pixels.

    The side is the longer side of the box, grown by ``margin * side / (crop_size - margin)``: then
    the margin takes ``margin`` pixels of the crop, half on either side (facenet-pytorch's
    definition, ``extract_face``).

    Parameters
    ----------
    boxes
        Array (n, 4): left, top, right, bottom.

    Returns
    -------
    Array (n, 4) of whole numbers.
    """
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    sides = np.maximum((longer * crop_size / (crop_size - margin)).round(), 1)
    corner = ((boxes[:, :2] + boxes[:, 2:]) / 2 - sides[:, None] / 2).round()
    return np.hstack([corner, corner + sides[:, None]])


def _reduced(frame: np.ndarray, longest: int) -> np.ndarray:
    height, width = frame.shape[:2]
    if not 0 < longest < max(height, width):
        return frame
    ratio = longest / max(height, width)
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def _filled(values: np.ndarray) -> np.ndarray:
    """Interpolate over the frames (first axis) that hold NaN; the ends keep the nearest value."""
    flat = values.reshape(len(values), -1)
    known = np.flatnonzero(~np.isnan(flat[:, 0]))
    every = np.arange(len(values))
    columns = [np.interp(every, known, column[known]) for column in flat.T]
    return np.stack(columns, axis=1).reshape(values.shape)


def _crop(frame: np.ndarray, box: np.ndarray, side: int) -> np.ndarray:
    height, width = frame.shape[:2]
    left, top, right, bottom = (int(edge) for edge in box)
    outside = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    inside = frame[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    whole = cv2.copyMakeBorder(inside, *outside, cv2.BORDER_REPLICATE)
    shrinks = right - left > side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(whole, (side, side), interpolation=method)

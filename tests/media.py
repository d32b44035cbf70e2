"""Photographs and videos for tests: real files, made from the London photographs."""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from facebias.study import Data, Labels, Preprocessing, Window, build

REPOSITORY = Path(__file__).parents[1]
SHARED = Path(os.environ.get("FACEBIAS_SHARED", REPOSITORY.parent / "shared"))
LONDON = SHARED / "data" / "london_faces"

needs_london = pytest.mark.skipif(
    not LONDON.is_dir(), reason=f"needs the London photographs in {LONDON} (see FACEBIAS_SHARED)"
)


@functools.cache
def photograph(subject: str = "001", label: str = "smiling", side: int = 675) -> np.ndarray:
    """A London photograph as RGB, uint8 (side, side, 3)."""
    with Image.open(LONDON / label / f"{subject}.jpg") as picture:
        pixels = np.asarray(picture)
    return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)


def moving(frames: int, side: int = 160, subject: str = "001") -> list[np.ndarray]:
    """Frames of a photograph that slides sideways, so that no two are alike."""
    wide = photograph(subject, side=side + 2 * frames)
    return [np.ascontiguousarray(wide[frames : frames + side, n : n + side]) for n in range(frames)]


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    fps: int = 12,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    shape: Fraction | None = None,
    times: Iterable[int] | None = None,
    title: str | None = None,
    **options: str,
) -> Path:
    """Write RGB frames to a video; the ending of ``path`` chooses the container.

    ``pixels``: their format; ``shape``: how many times they are as wide as high; ``times``: when
    each frame is shown, in units of ``1 / fps`` seconds, where they are not evenly spaced.
    """
    container = av.open(str(path), "w", options=options)
    if title:
        container.metadata["title"] = title
    stream, when = None, iter(times) if times is not None else None
    for picture in frames:
        if stream is None:
            stream = container.add_stream(codec, rate=fps)
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = pixels
            if shape:
                stream.codec_context.sample_aspect_ratio = shape
                stream.sample_aspect_ratio = shape
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
        if when is not None:
            frame.pts, frame.time_base = next(when), Fraction(1, fps)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
    container.close()
    return path


def write_matrix(path: Path, matrix: Sequence[int]) -> None:
    """Put a display matrix into the head of an MP4's track (ISO 14496-12, tkhd)."""
    content = path.read_bytes()
    a, b, c, d = (value << 16 for value in matrix)
    identity = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    start = content.index(identity, content.index(b"tkhd"))
    turned = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content[:start] + turned + content[start + len(turned) :])


def clip_settings(**changes: Any) -> Preprocessing:
    """Settings of a small extraction: four key frames, crops of 48 pixels."""
    defaults: dict[str, Any] = {
        "windows": [{"k": 4, "skip_frames": 0, "part": [0.0, 1.0]}],
        "cluster_size": 16,
        "crop_size": 48,
        "margin": 0,
        "box": "clip",
        "min_probability": 0.9,
        "min_face": 60,
        "detect_size": 160,
        "several_faces": "exclude",
        "shards": 1,
        "seed": 1,
    }
    return build(Preprocessing, defaults | changes)


def window(k: int, skip_frames: int = 0, part: tuple[float, float] = (0.0, 1.0)) -> Window:
    """One stretch of a video."""
    return Window(k=k, skip_frames=skip_frames, part=part)


def data_settings(**changes: Any) -> Data:
    """Pictures listed in samples.csv, people in subjects.csv."""
    defaults: dict[str, Any] = {
        "adapter": "pictures",
        "root": None,
        "manifest": "samples.csv",
        "layout": None,
        "subjects": "subjects.csv",
        "attributes": ["gender"],
        "required": ["gender"],
        "max_excluded": 1.0,
        "publishable": False,
        "drawn": None,
    }
    return build(Data, defaults | changes)


def label_settings(
    kind: str = "classes", names: tuple[str, ...] = ("neutral", "smiling")
) -> Labels:
    """Labels without fusing."""
    return Labels(kind=kind, names=names, fuse={}, subsample_fused=False, seed=1)

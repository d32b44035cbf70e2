"""How a video or picture becomes a clip of face crops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from facebias.study.values import Count, Name, Number, Share, key, section, slice_of


@section
class Window:
    """One stretch of a video and the number ``k`` of key frames that K-means picks from it."""

    k: Number = key(description="Number of key frames.")
    skip_frames: Count = key(0, description="Frames dropped at the start of the video.")
    part: Annotated[tuple[Share, ...], Field(min_length=2, max_length=2)] = key(
        (0.0, 1.0), description="From where to where in what remains, as shares."
    )


@section
class Locating:
    """How key frames are chosen and the faces in them found."""

    windows: Annotated[tuple[Window, ...], Field(min_length=1)] = key(
        (Window(k=1),),
        description="Stretches of the video and the key frames K-means picks from each, in time "
        "order.",
    )
    cluster_size: int = key(
        32,
        ge=4,
        le=256,
        description="Side of the small grey frames that K-means clusters, pixels.",
    )
    min_probability: Share = key(
        0.9, description="Faces that MTCNN is less sure of are not counted."
    )
    min_face: int = key(
        40, ge=10, description="Smallest face searched for, in pixels of the video."
    )
    detect_size: Count = key(
        640,
        description="Longest side of the frame given to MTCNN; larger frames are reduced. 0 keeps "
        "them.",
    )
    shards: Number = key(8, description="Number of jobs that share the extraction.")
    seed: Count = key(1, description="Seed of K-means.")

    @property
    def frames(self) -> int:
        """Number of frames of a clip."""
        return sum(window.k for window in self.windows)


@section
class Preprocessing(Locating):
    """How a video or picture becomes a clip of face crops."""

    crop_size: int = key(256, ge=16, le=1024, description="Side of a face crop, pixels.")
    margin: Count = key(
        0,
        description="Margin around the detected face, in pixels of the crop (as facenet-pytorch "
        "defines it).",
    )
    box: Literal["clip", "frame"] = key(
        "clip",
        description="`clip`: one smoothed box for all frames of a clip; a face that moves out of "
        "it leaves the sample out. `frame`: a box per frame.",
    )
    several_faces: Literal["largest", "exclude"] = key(
        "largest",
        description="Follow the face that is largest over all key frames, or leave the sample out.",
    )

    @property
    def locating(self) -> Locating:
        """What is the same for all who cut the same faces in other ways."""
        return slice_of(self, Locating)


@section
class Clips(Preprocessing):
    """The preprocessing of a study, and its named ``variants``."""

    variants: Mapping[Name, Preprocessing] = key(
        default_factory=dict,
        description="Further preprocessings by name, such as `m65: {margin: 65}`: what each does "
        "otherwise than the keys of `clips`. An architecture names the one that it sees.",
    )

    def of(self, variant: str | None) -> Preprocessing:
        """Return one preprocessing by its name; None: that of no name."""
        return slice_of(self, Preprocessing) if variant is None else self.variants[variant]

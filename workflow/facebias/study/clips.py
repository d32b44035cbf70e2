"""How a video or picture becomes a clip of face crops."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from facebias.study.values import slice_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """One stretch of a video and the number ``k`` of key frames that K-means picks from it."""

    k: int
    skip_frames: int
    part: tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Locating:
    """How key frames are chosen and the faces in them found."""

    windows: tuple[Window, ...]
    cluster_size: int
    min_probability: float
    min_face: int
    detect_size: int
    shards: int
    seed: int

    @property
    def frames(self) -> int:
        """Number of frames of a clip."""
        return sum(window.k for window in self.windows)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preprocessing(Locating):
    """How a video or picture becomes a clip of face crops."""

    crop_size: int
    margin: int
    box: str
    several_faces: str

    @property
    def locating(self) -> Locating:
        """What is the same for all who cut the same faces in other ways."""
        return slice_of(self, Locating)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clips(Preprocessing):
    """The preprocessing of a study, and its named ``variants``."""

    variants: Mapping[str, Preprocessing] = dataclasses.field(default_factory=dict)

    def of(self, variant: str | None) -> Preprocessing:
        """Return one preprocessing by its name; None: that of no name."""
        return slice_of(self, Preprocessing) if variant is None else self.variants[variant]

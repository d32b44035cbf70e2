"""What is learned from: data sets, and the labels of their samples."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection, Mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawn:
    """The drawn people and how they are filmed."""

    subjects: int
    repetitions: int
    seed: int
    size: int
    frames: int
    fps: int
    shards: int
    bias: tuple[Mapping[str, typing.Any], ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SaseFe:
    """How the user's copy of SASE-FE names its videos, and which of them are taken."""

    pattern: str
    codes: Mapping[str, str]
    take: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class CkPlus:
    """What a sample of CK+ is, which frames carry its labels, and when a unit counts as shown."""

    samples: str
    last_frames: int | None
    min_intensity: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ActorStudy:
    """The table of frames of the Actor Study, and when a unit counts as shown."""

    annotations: str
    min_intensity: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ravdess:
    """Which of the recordings of RAVDESS are taken."""

    modality: str
    channels: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One data set on disk. The section named like the adapter holds what only it has."""

    adapter: str
    root: str | None = None
    manifest: str | None = None
    layout: str | None = None
    subjects: str | None = None
    publishable: bool = False
    sase_fe: SaseFe | None = None
    ckplus: CkPlus | None = None
    actor_study: ActorStudy | None = None
    ravdess: Ravdess | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data(Source):
    """Where the samples come from and when one is left out."""

    attributes: tuple[str, ...]
    required: tuple[str, ...]
    max_excluded: float
    drawn: Drawn | None = None
    sets: Mapping[str, Source] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Labels:
    """What is predicted: ``classes`` (one of, softmax) or ``units`` (any of, sigmoid).

    Units that occur in fewer than ``min_occurrences`` samples are not part of the study.
    ``threshold``: what score counts as a unit, ``fixed`` or chosen on ``validation`` subjects.
    """

    kind: str
    names: tuple[str, ...]
    fuse: Mapping[str, tuple[str, ...]]
    subsample_fused: bool
    seed: int
    min_occurrences: int = 0
    threshold: str = "fixed"

    def among(self, columns: Collection[str]) -> Labels:
        """Keep the units that a manifest with these ``columns`` has: those that occur enough."""
        if not self.min_occurrences:
            return self
        kept = tuple(name for name in self.names if f"label_{name}" in columns)
        return dataclasses.replace(self, names=kept)

    def evaluated_as(self, name: str) -> str:
        """Return the label that a trained one counts as when predictions are evaluated."""
        return next((fused for fused, members in self.fuse.items() if name in members), name)

    @property
    def evaluated(self) -> tuple[str, ...]:
        """The labels after fusing: unfused names in their order, then the fused ones."""
        fused = {name for members in self.fuse.values() for name in members}
        return tuple(name for name in self.names if name not in fused) + tuple(self.fuse)

"""What a network is, which weights it begins with, and how it is fitted and explained."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping

from facebias.study.values import slice_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of a training clip; each applied to a whole clip with its probability."""

    flip: float
    rotate: float
    degrees: float
    brighten: float
    brightness: float

    @property
    def changes(self) -> bool:
        """Whether any clip is ever changed."""
        turned, lit = self.rotate * self.degrees, self.brighten * self.brightness
        return any((self.flip, turned, lit))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """How a model is fitted. ``micro_batch``: clips computed at once; None: all of a step."""

    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    nesterov: bool
    schedule: str
    label_smoothing: float
    gradient_clip: float | None
    augmentation: Augmentation
    select: str
    device: str
    precision: str
    deterministic: bool
    loss_average: str = "entries"
    micro_batch: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Head:
    """What turns the features of the frames into scores."""

    kind: str
    hidden: int
    layers: int
    dropout: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weights:
    """A file of pretrained weights. ``channel_order`` ``auto``: that of the format."""

    source: str
    format: str
    sha256: str | None
    channel_order: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Backbone:
    """What turns the frames of a clip into features, and which part of it is not trained.

    ``network`` None: the one of the name under which it is configured.
    """

    width: float
    input_size: int
    frames: int | None
    frozen: str
    options: Mapping[str, typing.Any]
    network: str | None = None

    def called(self, name: str) -> str:
        """Return the name of its network, configured as ``name``."""
        return self.network or name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture(Backbone):
    """One network with everything that its training depends on.

    ``clips``: the variant of the preprocessing that it sees; None: that of no name.
    """

    head: Head
    training: Training
    weights: Weights | None = None
    clips: str | None = None

    @property
    def ending(self) -> str:
        """What ends the names of its clips, and of what is known of them."""
        return "" if self.clips is None else f"_{self.clips}"

    @property
    def backbone(self) -> Backbone:
        """What its features depend on, beside the weights, and nothing else."""
        return slice_of(self, Backbone)

    @property
    def has_fixed_features(self) -> bool:
        """Whether its frozen part gives a clip the same features in every model and epoch.

        Not where every model draws its own weights, nor where clips are changed at random.
        """
        pretrained = self.weights is not None
        return self.frozen != "none" and pretrained and not self.training.augmentation.changes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explaining:
    """How one model is explained. ``composite`` None: what suits the architecture."""

    composite: str | None
    target: str
    batch_size: int
    per_subject: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation(Explaining):
    """Which models are explained, by which methods, and what is checked and shown of it.

    ``composite``: one for all, or by architecture. ``randomisation``: samples of the check by
    re-initialised layers; 0: no check. ``units``: Action Units of labels. ``landmarks``: a table of
    68 landmarks in the folder of the data set.
    """

    composite: str | Mapping[str, str] | None
    architectures: tuple[str, ...]
    methods: tuple[str, ...]
    randomisation: int
    per_group: int
    units: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    landmarks: str | None = None

    def of(self, architecture: str) -> Explaining:
        """What the heatmaps of one model depend on, and nothing else."""
        composites = self.composite
        own = composites.get(architecture) if isinstance(composites, Mapping) else composites
        return dataclasses.replace(slice_of(self, Explaining), composite=own)

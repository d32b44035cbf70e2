"""A study as configured: one YAML file, read into frozen dataclasses.

The JSON schema ``workflow/schemas/config.schema.yaml`` holds the keys, their types, defaults and
descriptions; ``configuration`` applies it. Every stage gets the slice of the study that it uses as
one line of JSON, and reads it back here.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Collection, Mapping


class StudyError(RuntimeError):
    """A study that cannot go on; says what was found, what was expected and what to do.

    The command line prints it without a traceback.
    """


class ConfigError(StudyError):
    """A configuration that cannot be run. ``lines`` holds one readable sentence per fault."""

    def __init__(self, lines: list[str]):
        super().__init__("\n".join(lines))
        self.lines = lines


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

    @property
    def evaluated(self) -> tuple[str, ...]:
        """The labels after fusing: unfused names in their order, then the fused ones."""
        fused = {name for members in self.fuse.values() for name in members}
        return tuple(name for name in self.names if name not in fused) + tuple(self.fuse)


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
        return _slice(self, Locating)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clips(Preprocessing):
    """The preprocessing of a study, and its named ``variants``."""

    variants: Mapping[str, Preprocessing] = dataclasses.field(default_factory=dict)

    def of(self, variant: str | None) -> Preprocessing:
        """Give one preprocessing by its name; None: that of no name."""
        return _slice(self, Preprocessing) if variant is None else self.variants[variant]


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
    """How a model is fitted."""

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
        """Give the name of its network, configured as ``name``."""
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
        return _slice(self, Backbone)

    @property
    def has_fixed_features(self) -> bool:
        """Whether its frozen part gives a clip the same features in every model and epoch.

        Not where every model draws its own weights, nor where clips are changed at random.
        """
        pretrained = self.weights is not None
        return self.frozen != "none" and pretrained and not self.training.augmentation.changes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Split:
    """A named set of subjects: a condition on attributes or a list, and how many of them.

    ``drawn_from`` names other train splits, whose subjects it then chooses among. ``holdout`` names
    one of several hold-outs; a test split tests the train splits of its own.
    """

    where: Mapping[str, typing.Any]
    subjects: tuple[str, ...] | None = None
    drawn_from: tuple[str, ...] | None = None
    n_subjects: int | None = None
    balance: str | None = None
    match_size_to: str | None = None
    holdout: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Holdout:
    """Subjects that no model trains on: drawn, or named.

    ``attributes``: those by whose groups its models are compared; None: all that are evaluated.
    """

    n_subjects: int | None
    balance: tuple[str, ...]
    where: Mapping[str, typing.Any]
    subjects: tuple[str, ...] | None
    attributes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Write crossed attributes as ``Evaluation`` does."""
        if self.attributes is not None:
            names = tuple(CROSS.join(crossed(name)) for name in self.attributes)
            object.__setattr__(self, "attributes", names)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rotation:
    """k folds: every subject is tested once."""

    k: int
    balance: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Validation:
    """Training subjects set aside to pick the best epoch: a number or a share."""

    n_subjects: int | None
    share: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Splits:
    """Who trains and who tests: one hold-out, several with a name each, or folds."""

    seed: int
    holdout: Holdout | None
    folds: Rotation | None
    validation: Validation
    train: Mapping[str, Split]
    test: Mapping[str, Split]
    match_sizes: bool = False
    holdouts: Mapping[str, Holdout] | None = None

    @property
    def all_holdouts(self) -> dict[str | None, Holdout]:
        """The hold-outs by name; None: that without a name. Empty with folds."""
        if self.holdouts is not None:
            return dict(self.holdouts)
        return {} if self.holdout is None else {None: self.holdout}

    @property
    def n_folds(self) -> int:
        """Number of folds; a hold-out has one."""
        return self.folds.k if self.folds else 1


CROSS = "_x_"


def crossed(attribute: str) -> list[str]:
    """List the attributes that one name crosses: ``gender x skin`` or ``gender_x_skin``.

    >>> crossed("gender x skin_tone")
    ['gender', 'skin_tone']
    """
    return attribute.replace(" x ", CROSS).split(CROSS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Primary:
    """The question a study is about, declared before its results: one gap per architecture.

    ``attribute`` and ``train_split`` None: the first one of the study.
    """

    criterion: str
    definition: str
    attribute: str | None
    train_split: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resampling:
    """How the uncertainty of one model's numbers is found, and what a group needs."""

    bins: Mapping[str, tuple[float, ...]]
    min_subjects: int
    confidence: float
    interval: str
    resamples: int
    permutations: int
    seed: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation(Resampling):
    """What is measured, between which groups, and by which rules a whole study is judged."""

    attributes: tuple[str, ...]
    primary: Primary
    margin: float

    def __post_init__(self) -> None:
        """Write crossed attributes as one name, which files can have too."""
        names = tuple(CROSS.join(crossed(name)) for name in self.attributes)
        object.__setattr__(self, "attributes", names)

    @property
    def resampling(self) -> Resampling:
        """What the numbers of one model depend on, and nothing else."""
        return _slice(self, Resampling)


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

    ``randomisation``: samples of the check by re-initialised layers; 0: no check. ``units``: Action
    Units of labels. ``landmarks``: a table of 68 landmarks in the folder of the data set.
    """

    architectures: tuple[str, ...]
    methods: tuple[str, ...]
    randomisation: int
    per_group: int
    units: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    landmarks: str | None = None

    @property
    def explaining(self) -> Explaining:
        """What the heatmaps of one model depend on, and nothing else."""
        return _slice(self, Explaining)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """Looks of the figures."""

    dpi: int
    colours: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """A whole study."""

    study: str
    title: str
    results: str
    data: Data
    labels: Labels
    clips: Clips
    seeds: tuple[int, ...]
    architectures: Mapping[str, Architecture]
    splits: Splits
    evaluation: Evaluation
    explanation: Explanation
    figures: Figures
    published: str | None


# --------------------------------------------------------------------------- plain values and back


def _slice(value: typing.Any, kind: type) -> typing.Any:
    """Give what ``value`` has of the class ``kind`` that it extends."""
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: getattr(value, name) for name in names})


def build(kind: typing.Any, value: typing.Any) -> typing.Any:
    """Turn plain values (dicts, lists, scalars) into the dataclass or container type ``kind``."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        inner = next(part for part in typing.get_args(kind) if part is not type(None))
        return None if value is None else build(inner, value)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: build(hints[name], item) for name, item in value.items()})
    if origin is tuple:
        inner = typing.get_args(kind)[0]
        return tuple(build(inner, item) for item in value)
    if origin is Mapping:
        inner = typing.get_args(kind)[1]
        return {name: build(inner, item) for name, item in value.items()}
    if kind is float:
        return float(value)
    return value


def plain(value: typing.Any) -> typing.Any:
    """Turn dataclasses and containers into dicts, lists and scalars, as YAML and JSON have."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def settings(**parts: typing.Any) -> str:
    """Write the slice of a study that one job uses as one line of JSON, keys sorted."""
    return json.dumps(plain(parts), sort_keys=True)


def read_settings(text: str, **kinds: typing.Any) -> tuple[typing.Any, ...]:
    """Read ``settings`` back: one value per keyword, built as the type given for it.

    >>> read_settings('{"training": {...}}', training=Training)
    """
    values = json.loads(text)
    return tuple(build(kind, values[name]) for name, kind in kinds.items())

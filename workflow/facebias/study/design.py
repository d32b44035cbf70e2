"""The design of the comparison: who trains and who tests, which groups, judged how."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping

from facebias.study.values import slice_of


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
    """What a study is about, declared before its results: one gap per architecture and hold-out.

    ``attribute`` and ``train_split`` None: the first one of each hold-out.
    """

    criterion: str
    definition: str
    attribute: str | None
    train_split: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """What a study asks of one hold-out: between whose groups, of models trained on whom.

    ``train_splits``: those of the hold-out, ``train_split`` among them; effects of other people in
    training are asked for between it and the others.
    """

    attribute: str
    train_split: str
    train_splits: tuple[str, ...]


def fewest_resamples(confidence: float) -> int:
    """Return how many resamples an interval needs at least: one beyond each of its ends."""
    return math.ceil(round(2 / (1 - confidence), 6))


@dataclasses.dataclass(frozen=True, kw_only=True)
class GroupComparison:
    """How groups of people are compared, whatever is measured of them, and what a group needs."""

    bins: Mapping[str, tuple[float, ...]]
    min_subjects: int
    confidence: float
    resamples: int
    permutations: int
    seed: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resampling(GroupComparison):
    """How one model's numbers and their uncertainty are found, and what a label needs.

    ``weights``: who weighs the same, ``samples`` or ``subjects``.
    """

    min_subjects_per_label: int
    weights: str
    interval: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation(Resampling):
    """What is measured, between which groups, and by which rules a whole study is judged."""

    attributes: tuple[str, ...]
    primary: Primary
    margin: float
    margins: Mapping[str, float]

    def __post_init__(self) -> None:
        """Write crossed attributes as one name, which files can have too."""
        names = tuple(CROSS.join(crossed(name)) for name in self.attributes)
        object.__setattr__(self, "attributes", names)

    def margin_of(self, criterion: str) -> float:
        """Return the margin of a criterion, on its scale."""
        return self.margins.get(criterion, self.margin)

    @property
    def resampling(self) -> Resampling:
        """What the numbers of one model depend on, and nothing else."""
        return slice_of(self, Resampling)

    @property
    def comparison(self) -> GroupComparison:
        """What comparisons of groups depend on that know no model."""
        return slice_of(self, GroupComparison)

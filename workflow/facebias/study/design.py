"""The design of the comparison: who trains and who tests, which groups, judged how."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from facebias.study.registries import Criterion, Definition
from facebias.study.values import (
    Count,
    Name,
    Number,
    Once,
    Positive,
    SomeTexts,
    Texts,
    key,
    section,
    slice_of,
)

Condition = Mapping[str, Any]


@section
class Selection:
    """A named set of subjects: a condition on attributes or a list.

    ``holdout`` names one of several hold-outs; a test split tests the train splits of its own.
    """

    where: Condition = key(
        default_factory=dict,
        description='Condition on the attributes; see "Conditions" below.',
    )
    subjects: SomeTexts | None = key(None, description="The subjects by name.")
    holdout: str | None = key(
        None,
        description="With `splits.holdouts`, the one whose subjects it selects among; it tests the "
        "models of that one alone.",
    )


@section
class Split(Selection):
    """Who trains: a set of subjects, and how many of them.

    ``drawn_from`` names other train splits, whose subjects it then chooses among.
    """

    n_subjects: Number | None = key(
        None, description="How many subjects are drawn of those; null takes all."
    )
    drawn_from: SomeTexts | None = key(
        None,
        description="Other train splits of the same hold-out; the subjects are then drawn among "
        "those that theirs hold together.",
    )
    balance: str | None = key(
        None, description="Attribute whose groups get equal shares of the draw."
    )
    match_size_to: str | None = key(
        None,
        description="Another train split of the same hold-out whose number of subjects is drawn, "
        "or `smallest`, the smallest of those that match none.",
    )
    holdout: str | None = key(
        None,
        description="With `splits.holdouts`, the one whose subjects it does not train on.",
    )


@section
class Holdout:
    """Subjects that no model trains on: drawn, or named.

    ``attributes``: those by whose groups its models are compared; None: all that are evaluated.
    """

    n_subjects: Number | None = key(
        None, description="How many are drawn of those who fulfil `where`; null takes all of them."
    )
    balance: Texts = key((), description="Attributes whose groups get equal shares of the draw.")
    where: Condition = key(default_factory=dict, description="Condition on the attributes.")
    subjects: SomeTexts | None = key(None, description="The subjects by name, instead of a draw.")
    attributes: SomeTexts | None = key(
        None,
        description="Those of `evaluation.attributes` by whose groups its models are compared; "
        "null takes all.",
    )

    def __post_init__(self) -> None:
        """Write crossed attributes as ``Evaluation`` does."""
        if self.attributes is not None:
            names = tuple(CROSS.join(crossed(name)) for name in self.attributes)
            object.__setattr__(self, "attributes", names)


@section
class Rotation:
    """k folds: every subject is tested once."""

    k: int = key(ge=2, description="Number of folds.")
    balance: Texts = key(
        (), description="Attributes whose groups are spread evenly over the folds."
    )


@section
class Validation:
    """Training subjects set aside to pick the best epoch: a number or a share."""

    n_subjects: Count | None = key(None, description="Their number.")
    share: Annotated[float, Field(ge=0, lt=1)] | None = key(
        None, description="Their share of the training subjects."
    )


@section
class TrainSplits:
    """Who trains, and who is held out from it: one hold-out, several with a name each, or folds."""

    seed: Count = key(1, description="Seed of all draws of subjects.")
    holdout: Holdout | None = key(None, description="Subjects that no model trains on.")
    holdouts: Annotated[Mapping[Name, Holdout], Field(min_length=1)] | None = key(
        None,
        description="Several hold-outs, by name, for experiments that share all but who trains and "
        'who tests; see "Several hold-outs" below.',
    )
    folds: Rotation | None = key(None, description="k folds, so that every subject is tested once.")
    validation: Validation = key(
        Validation(share=0.15),
        description="Training subjects set aside to pick the best epoch, drawn anew for every "
        "training split, fold and seed; architectures share them. Give one of the two keys.",
    )
    match_sizes: bool = key(
        False,
        description="Train every training split also with as many subjects as the smallest of its "
        "hold-out has, as `{name}_matched`; the report shows both.",
    )
    train: Annotated[Mapping[Name, Split], Field(min_length=1)] = key(
        description="The training splits, by name."
    )

    @property
    def all_holdouts(self) -> dict[str | None, Holdout]:
        """The hold-outs by name; None: that without a name. Empty with folds."""
        if self.holdouts is not None:
            return {name: self.holdouts[name] for name in self.holdouts}
        return {} if self.holdout is None else {None: self.holdout}

    @property
    def n_folds(self) -> int:
        """Number of folds; a hold-out has one."""
        return self.folds.k if self.folds else 1


@section
class Splits(TrainSplits):
    """Who trains and who tests."""

    test: Annotated[Mapping[Name, Selection], Field(min_length=1)] = key(
        description="The test splits, by name; each selects among the subjects that are held out."
    )


CROSS = "_x_"


def crossed(attribute: str) -> list[str]:
    """List the attributes that one name crosses: ``gender x skin`` or ``gender_x_skin``.

    >>> crossed("gender x skin_tone")
    ['gender', 'skin_tone']
    """
    return attribute.replace(" x ", CROSS).split(CROSS)


@section
class Primary:
    """What a study is about, declared before its results: one gap per architecture and hold-out.

    ``attribute`` and ``train_split`` None: the first one of each hold-out.
    """

    criterion: Criterion = key(
        "equalized_odds", description="Their criterion; the last two only for units."
    )
    definition: Definition = key(
        "per_class_mean",
        description="Their definition. The mean of absolute gaps neither lets gaps of two labels "
        "cancel nor rests on a single label.",
    )
    attribute: str | None = key(
        None,
        description="Their attribute; null is the first of `evaluation.attributes` that a hold-out "
        "is compared by. A hold-out that is not compared by it is not asked. Of more than two "
        "groups the range over all counts.",
    )
    train_split: str | None = key(
        None,
        description="Their training split; null is the first of each hold-out, a name asks its "
        "hold-out alone.",
    )


@section
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


@section
class GroupComparison:
    """How groups of people are compared, whatever is measured of them, and what a group needs."""

    bins: Mapping[str, Annotated[tuple[float, ...], *Once, Field(min_length=3)]] = key(
        default_factory=dict,
        description="Attributes of numbers cut into groups, such as `age: [0, 30, 50, 100]`: from "
        "0 to under 30, and so on. Gaps are then also measured as a trend.",
    )
    min_subjects: int = key(
        3, ge=2, description="A group with fewer test subjects is shown as not estimable."
    )
    confidence: float = key(
        0.95,
        gt=0,
        lt=1,
        description='Level of the intervals; a gap is "found" where its corrected p-value is at '
        "most 1 minus this.",
    )
    resamples: int = key(
        2000, ge=100, description="Bootstrap resamples of subjects behind every interval."
    )
    permutations: int = key(
        10_000,
        ge=999,
        description="Assignments of subjects to groups that are drawn for a p-value where there "
        "are more than ten times as many; fewer are all listed.",
    )
    seed: Count = key(1, description="Seed of resamples and permutations.")


@section
class Resampling(GroupComparison):
    """How one model's numbers and their uncertainty are found, and what a label needs.

    ``weights``: who weighs the same, ``samples`` or ``subjects``.
    """

    min_subjects_per_label: int = key(
        3,
        ge=2,
        description="A label that fewer test subjects of a group show is left out of what that "
        "group is compared in; the gap says so.",
    )
    weights: Literal["samples", "subjects"] = key(
        "samples",
        description="What weighs the same in rates, gaps, intervals and tests of models. "
        "`subjects`: every person, so that a sample counts 1 / (samples of its person in the test "
        'set looked at); see "Weights" below.',
    )
    interval: Literal["expanded", "bca"] = key(
        "expanded",
        description="`expanded`: percentiles of the resamples, widened for few people. `bca`: "
        "bias-corrected and accelerated, not widened.",
    )


@section
class Evaluation(Resampling):
    """What is measured, between which groups, and by which rules a whole study is judged."""

    attributes: SomeTexts = key(
        ("gender",),
        description="Attributes whose groups are compared. `gender x skin` compares the "
        "combinations of two.",
    )
    primary: Primary = key(
        default_factory=Primary,
        description="The gaps that the study is about, one per architecture and hold-out, "
        "corrected for their number after Holm. All others are exploratory and corrected after "
        "Benjamini and Hochberg.",
    )
    margin: Positive = key(
        0.1,
        description='A gap whose whole interval is no larger is called "no gap larger than" this. '
        "Equalized odds add two rates, so that their gap reaches from 0 to 2; all others reach to "
        "1.",
    )
    margins: Mapping[Criterion, Positive] = key(
        default_factory=dict,
        description="The margin of some criteria, such as `accuracy_gap: 0.05`; the others have "
        "`margin`.",
    )

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

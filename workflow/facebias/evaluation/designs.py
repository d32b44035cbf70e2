"""Designs: kinds of simulated studies whose truth is known, judged in the way of any study.

Samples and their scores are counted, groups compared and all gaps judged by the code that studies
use; beside each gap and rate stands the true one. ``levels`` asks how often they agree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from facebias.evaluation import (
    baselines,
    by_group,
    counts,
    fairness_criteria,
    gaps,
    groups,
    judgement,
    rates,
    simulation,
)
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.counts import Counts
from facebias.evaluation.fairness_criteria import PER_LABEL
from facebias.evaluation.simulation import Population
from facebias.study import Evaluation, Primary, Question

CONFIDENCE = 0.95
# The margins of a study by default, and the same test as with more assignments and resamples.
EVALUATION = Evaluation(
    attributes=("group",),
    bins={},
    min_subjects=3,
    min_subjects_per_label=3,
    weights="samples",
    primary=Primary(
        criterion="equalized_odds", definition="per_class_mean", attribute=None, train_split=None
    ),
    margin=0.1,
    margins={},
    confidence=CONFIDENCE,
    interval="expanded",
    resamples=1000,
    permutations=999,
    seed=1,
)
MOST_ENUMERATED = 2_000
NAMES = ("first", "second")
MODEL = {"architecture": "simulated", "train_split": "everybody"}
ASKED = Question(attribute="group", train_split="everybody", train_splits=("everybody",))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Design:
    """One kind of simulated study of two groups.

    Attributes
    ----------
    sizes, populations
        Subjects of each group, and what they are like.
    gap
        By how much every label, or each in turn, is read worse in the second group.
    """

    name: str
    sizes: tuple[int, int]
    gap: float | tuple[float, ...] = 0.0
    populations: tuple[Population, Population] = (Population(), Population())

    @property
    def without_gap(self) -> bool:
        """Whether groups are read alike."""
        return not np.any(self.gap)


SEVEN = (Population(labels=7),) * 2
ONE_OF_SEVEN = (0.3, *6 * (0.0,))
DESIGNS = (
    Design(name="10 + 10", sizes=(10, 10)),
    Design(name="5 + 30", sizes=(5, 30)),
    Design(
        name="5 who differ much, 30 who differ little",
        sizes=(5, 30),
        populations=(Population(correlation=0.5), Population(correlation=0.05)),
    ),
    Design(
        name="10 + 10, one label shown by 2 + 2",
        sizes=(10, 10),
        populations=(Population(showing=(0.2, 1, 1, 1)),) * 2,
    ),
    Design(
        name="12 + 12, labels shown by 1 in 4 and by 7 in 10",
        sizes=(12, 12),
        populations=(Population(showing=4 * (0.25,)), Population(showing=4 * (0.7,))),
    ),
    Design(
        name="10 + 10, one of 7 labels worse by .3",
        sizes=(10, 10),
        gap=ONE_OF_SEVEN,
        populations=SEVEN,
    ),
    Design(
        name="5 + 30, one of 7 labels worse by .3",
        sizes=(5, 30),
        gap=ONE_OF_SEVEN,
        populations=SEVEN,
    ),
    Design(name="25 + 25, all 7 labels worse by .15", sizes=(25, 25), gap=0.15, populations=SEVEN),
    Design(name="25 + 25, all 7 labels worse by .2", sizes=(25, 25), gap=0.2, populations=SEVEN),
    Design(
        name="10 + 10, 9 of 10 samples read as one label, others guessed",
        sizes=(10, 10),
        populations=(Population(rate=0.25, constant=0.9),) * 2,
    ),
    Design(
        name="5 + 5, 9 of 10 samples read rightly",
        sizes=(5, 5),
        populations=(Population(rate=0.9),) * 2,
    ),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """What one simulated study says, beside the truth.

    Attributes
    ----------
    gaps
        A ``tables.FAIRNESS`` table with the ``true`` gap of each row.
    rates
        The true positive rates of a ``tables.METRICS_BY_GROUP`` table, with the ``true`` ones.
    """

    design: Design
    gaps: pd.DataFrame
    rates: pd.DataFrame

    def of(self, criterion: str, definition: str) -> pd.DataFrame:
        """Return the rows of a criterion and definition that could be estimated."""
        chosen = (self.gaps["criterion"] == criterion) & (self.gaps["definition"] == definition)
        return self.gaps[chosen & self.gaps["estimate"].notna()]


def judged(design: Design, number: int, *, seed: int, evaluation: Evaluation = EVALUATION) -> Study:
    """Simulate one study and judge it as any other; ``number`` and ``seed`` say which."""
    random = np.random.default_rng([seed, number])
    parts = simulation.draw(design.populations, design.sizes, random, lower=(0.0, design.gap))
    scores = simulation.scored(parts)
    members = dict(zip(NAMES, (part.subjects for part in parts), strict=True))
    grouping = Grouping(attribute=ASKED.attribute, members=members, missing=np.array([], dtype=str))
    evaluation = dataclasses.replace(evaluation, seed=number)
    measured = by_group.metrics(scores, [grouping], MODEL, evaluation=evaluation)
    compared = groups.fairness(
        counts.count(scores), grouping, MODEL, evaluation=evaluation, most=MOST_ENUMERATED
    )
    declared = judgement.primary(compared, evaluation.primary, [ASKED])
    found = judgement.judge(compared, declared, evaluation, baselines.guessing(measured))
    true = _true(design, parts, evaluation)
    keys = zip(found["criterion"], found["definition"], found["label"], strict=True)
    return Study(
        design=design,
        gaps=found.assign(
            true=[
                true.get((criterion, definition, label if definition == PER_LABEL else None))
                for criterion, definition, label in keys
            ]
        ),
        rates=_with_true_rates(measured, design, parts[0].labels),
    )


def _expected(design: Design) -> list[np.ndarray]:
    lower = (0.0, design.gap)
    return [
        simulation.expected(population, size, less)
        for population, size, less in zip(design.populations, design.sizes, lower, strict=True)
    ]


def _true(
    design: Design, parts: Sequence[Counts], evaluation: Evaluation
) -> dict[tuple[str, str, str | None], float]:
    """Return the true gaps over the labels that this study compares."""
    expected, fewest = _expected(design), evaluation.min_subjects_per_label
    kept = gaps.kept([part.table for part in parts], fewest=fewest)
    found: dict[tuple[str, str, str | None], float] = {
        (*key, None): float(values[0]) for key, values in gaps.between(expected, kept=kept).items()
    }
    for name, criterion in fairness_criteria.OF_CLASSES.items():
        if criterion.labels:
            first, second = (rates.rate(criterion.rates[0], table)[0] for table in expected)
            differences = dict(zip(parts[0].labels, (first - second).tolist(), strict=True))
            found |= {(name, PER_LABEL, label): gap for label, gap in differences.items()}
    return found


def _with_true_rates(measured: pd.DataFrame, design: Design, labels: Sequence[str]) -> pd.DataFrame:
    rows = measured[(measured["metric"] == "tpr") & measured["group"].isin(NAMES)]
    true = {
        (group, label): value
        for group, table in zip(NAMES, _expected(design), strict=True)
        for label, value in zip(labels, rates.rate("tpr", table)[0].tolist(), strict=True)
    }
    keys = zip(rows["group"], rows["label"], strict=True)
    return rows.assign(true=[true[key] for key in keys])[rows["ci_low"].notna()]

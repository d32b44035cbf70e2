"""Planning: how likely a study of so many subjects finds a gap, and how many it needs.

Studies are simulated (``simulation``) and judged by the package's own test, so that the answer
holds for small groups, for sizes of gaps and for the level that a correction leaves.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facebias import tables
from facebias.evaluation import (
    counts,
    fairness_criteria,
    gaps,
    permutation,
    prediction_table,
    scores,
    simulation,
)
from facebias.evaluation.counts import Counts
from facebias.evaluation.power import POWER
from facebias.evaluation.simulation import Population
from facebias.study import Labels, StudyError

MOST_SUBJECTS = 2_000
DRAWS, MOST_ENUMERATED = 999, 2_000
# Of drawn assignments, so many at least may reach the gap that is still found: with fewer than
# 1 / level of them no p-value could be small enough, however large the gap. A study draws
# ``evaluation.permutations``, by default as many as are drawn here at most.
DRAWS_BEYOND, MOST_DRAWS = 10, 10_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What is tested, in which people, how strictly.

    Attributes
    ----------
    population
        What people are like.
    gap
        By how much the rate of every label is lower in one group.
    criterion, definition
        The gap that is tested.
    level
        Largest p-value that counts as found, after any correction: 0.05 / 6 for the smallest of
        six tests.
    studies
        Number of simulated studies behind every power.
    seed
        Seed of the simulation.
    """

    population: Population
    gap: float
    criterion: str
    definition: str
    level: float
    studies: int
    seed: int


def power(plan: Plan, subjects: int) -> float:
    """Give the share of studies with ``subjects`` people per group that find the gap."""
    sizes = (subjects, subjects)
    if permutation.floor(sizes) > plan.level:
        return 0.0
    found = 0
    draws = min(max(DRAWS, math.ceil(DRAWS_BEYOND / plan.level) - 1), MOST_DRAWS)
    for number in range(plan.studies):
        random = np.random.default_rng([plan.seed, number])
        parts = simulation.draw([plan.population] * 2, sizes, random, lower=(0.0, plan.gap))
        dealt = permutation.assignments(
            [part.subjects for part in parts], draws=draws, seed=number, most=MOST_ENUMERATED
        )
        table = np.concatenate([part.table for part in parts])
        gap = gaps.by_chance(
            dealt, table, criteria={plan.criterion: fairness_criteria.OF_CLASSES[plan.criterion]}
        )
        chance = permutation.compare(
            *gap[plan.criterion, plan.definition], dealt, signed=plan.definition == "signed"
        )
        found += chance.p_value <= plan.level + permutation.TOLERANCE
    return found / plan.studies


def needed(plan: Plan, *, most: int = MOST_SUBJECTS) -> int | None:
    """Give the subjects per group with which 80 of 100 studies find the gap; None beyond ``most``.

    Found by doubling and halving, to within 5 in 100.
    """
    low, high = 2, 4
    while power(plan, high) < POWER:
        low, high = high, 2 * high
        if high > most:
            return None
    while high - low > max(1, 0.05 * high):
        middle = (low + high) // 2
        low, high = (low, middle) if power(plan, middle) >= POWER else (middle, high)
    return high


def population(counted: Counts) -> Population:
    """Estimate what the people of a finished study are like: samples, rate and correlation.

    The correlation of two readings of one subject and label is that of a one-way analysis of
    variance around the mean of the label, at least 0.
    """
    right = counted.table[..., 0]
    shown = counted.table[..., 0] + counted.table[..., 2]
    rate = right.sum(axis=0) / np.maximum(shown.sum(axis=0), 1)
    cells = shown > 0
    n, off = shown[cells], (right - shown * rate)[cells]
    within = (right - right**2 / np.maximum(shown, 1e-9))[cells].sum() / max(
        (n - 1).clip(0).sum(), 1
    )
    between = (off**2 / n).sum() / max(len(n) - len(rate), 1)
    size = (n.sum() - (n**2).sum() / n.sum()) / (len(n) - 1)
    correlation = (between - within) / max(between + (size - 1) * within, 1e-9)
    mean = n.sum() / cells.size
    return Population(
        labels=len(counted.labels),
        samples=(max(1, int(np.floor(mean))), max(1, int(np.ceil(mean)))),
        rate=float(rate[shown.sum(axis=0) > 0].mean()),
        correlation=float(np.clip(correlation, 0, 0.95)),
    )


def main(arguments: list[str]) -> None:
    """Print how likely a study finds a gap with so many subjects per group, and how many it needs.

    The gap is one in the rate at which every label is recognised, between two groups of one size.
    """
    default = Population()
    parser = argparse.ArgumentParser(prog="facebias power", description=main.__doc__)
    parser.add_argument("--subjects", type=int, nargs="+", default=[], help="per group")
    parser.add_argument(
        "--gap", type=float, required=True, help="0.1: recognised in 0.6 instead of 0.7"
    )
    parser.add_argument("--tests", type=int, default=1, help="gaps tested, corrected after Holm")
    parser.add_argument("--level", type=float, default=0.05)
    parser.add_argument(
        "--criterion", choices=fairness_criteria.OF_CLASSES, default="equalized_odds"
    )
    parser.add_argument(
        "--definition", choices=fairness_criteria.DEFINITIONS, default="per_class_mean"
    )
    parser.add_argument("--labels", type=int, help=f"number of labels, {default.labels}")
    parser.add_argument(
        "--samples", type=int, nargs=2, metavar=("FEWEST", "MOST"),
        help=f"samples of a subject per label, {default.samples[0]} to {default.samples[1]}",
    )  # fmt: skip
    parser.add_argument("--rate", type=float, help=f"share recognised, {default.rate}")
    parser.add_argument(
        "--correlation", type=float,
        help=f"of two samples of one subject and label, {default.correlation}",
    )  # fmt: skip
    parser.add_argument(
        "--predictions", type=Path, nargs="+", help="take all these from a finished study (classes)"
    )
    parser.add_argument("--manifest", type=Path, help="its labels, if the predictions hold none")
    parser.add_argument("--studies", type=int, default=500, help="simulated studies per power")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    people = _people(given)
    _check(given, people)
    plan = Plan(
        population=people,
        gap=given.gap,
        criterion=given.criterion,
        definition=given.definition,
        level=given.level / given.tests,
        studies=given.studies,
        seed=given.seed,
    )
    print(
        f"Gap of {given.gap:g} in the rate of every label, tested by "
        f"{given.criterion.replace('_', ' ')}, {given.definition.replace('_', ' ')}, at level "
        f"{given.level:g}" + (f" / {given.tests} tests" if given.tests > 1 else "")
    )
    print(
        f"Assumed: {people.labels} labels, {people.samples[0]} to {people.samples[1]} samples of a "
        f"subject per label, {people.rate:.2f} recognised, correlation within subject and label "
        f"{people.correlation:.2f}; {given.studies} simulated studies"
    )
    print("subjects per group   power")
    for n in given.subjects:
        print(f"{n:18d}   {power(plan, n):.2f}", flush=True)
    enough = needed(plan)
    words = f"about {enough}" if enough else f"more than {MOST_SUBJECTS:,}"
    print(f"needed for a power of {POWER:g}: {words} subjects per group")


def _people(given: argparse.Namespace) -> Population:
    people = population(_finished(given)) if given.predictions else Population()
    asked = {
        name: tuple(value) if name == "samples" else value
        for name in ("labels", "samples", "rate", "correlation")
        if (value := getattr(given, name)) is not None
    }
    return dataclasses.replace(people, **asked)


def _finished(given: argparse.Namespace) -> Counts:
    """Read the predictions of one finished model."""
    if given.manifest is None:
        if len(given.predictions) > 1:
            raise StudyError("--predictions: several files need --manifest, which holds the labels")
        frame, labels = prediction_table.read(given.predictions[0], [])
        scored = scores.assemble(frame.assign(seed=0), labels, source=str(given.predictions[0]))
    else:
        table = tables.gather(given.predictions, tables.PREDICTIONS)
        names = tuple(name.removeprefix("score_") for name in table if name.startswith("score_"))
        model = {name: table[name].unique() for name in ("architecture", "train_split")}
        if any(len(found) > 1 for found in model.values()):
            raise StudyError("--predictions: files of more than one model; give those of one")
        labels = Labels(kind="classes", names=names, fuse={}, subsample_fused=False, seed=0)
        scored = scores.read(
            given.predictions,
            tables.read(given.manifest, tables.MANIFEST),
            labels,
            architecture=model["architecture"][0],
            train_split=model["train_split"][0],
        )
    if not scored.exclusive:
        raise StudyError("--predictions: labels that occur together; planning is for classes")
    return counts.count(scored)


def _check(given: argparse.Namespace, people: Population) -> None:
    faults: Sequence[tuple[str, object, bool, str]] = (
        ("--subjects", given.subjects, min(given.subjects, default=2) >= 2, "2 or more"),
        ("--gap", given.gap, 0 < given.gap < people.rate, f"more than 0, under {people.rate:.2f}"),
        ("--tests", given.tests, given.tests >= 1, "1 or more"),
        ("--level", given.level, 0 < given.level < 1, "between 0 and 1"),
        (
            "--level / --tests",
            given.level / max(given.tests, 1),
            given.level * (1 + MOST_DRAWS) >= given.tests,
            f"at least 1 / {1 + MOST_DRAWS}, the smallest p-value of {MOST_DRAWS:,} permutations",
        ),
        ("--labels", people.labels, people.labels >= 2, "2 or more"),
        ("--samples", people.samples, 1 <= people.samples[0] <= people.samples[1], "1 or more"),
        ("--rate", people.rate, 0 < people.rate < 1, "between 0 and 1"),
        ("--correlation", people.correlation, 0 <= people.correlation < 1, "from 0 to under 1"),
        ("--studies", given.studies, given.studies >= 50, "50 or more"),
        ("--seed", given.seed, given.seed >= 0, "0 or more"),
    )
    for option, value, fits, expected in faults:
        if not fits:
            raise StudyError(f"{option} is {value}; expected {expected}")
    if reason := fairness_criteria.why_not(given.criterion, given.definition, exclusive=True):
        raise StudyError(f"--definition {given.definition}: {reason}")

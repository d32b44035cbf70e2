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
from typing import Any

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
MOST_ALIKE = 0.95  # a correlation of 1 has no beta distribution


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What is tested, in which people, how strictly.

    Attributes
    ----------
    population
        What people are like.
    gap
        By how much the rate of each label is lower in the second group.
    ratio
        People of the second group for each of the first.
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
    gap: tuple[float, ...]
    ratio: float
    criterion: str
    definition: str
    level: float
    studies: int
    seed: int

    def sizes(self, subjects: int) -> tuple[int, int]:
        """Return the people of both groups, for so many in the first."""
        return subjects, max(2, round(self.ratio * subjects))


def power(plan: Plan, subjects: int) -> float:
    """Return the share of studies that find the gap; ``subjects``: people of the first group."""
    sizes = plan.sizes(subjects)
    if permutation.floor(sizes) > plan.level:
        return 0.0
    found = 0
    draws = min(max(DRAWS, math.ceil(DRAWS_BEYOND / plan.level) - 1), MOST_DRAWS)
    for number in range(plan.studies):
        random = np.random.default_rng([plan.seed, number])
        parts = simulation.draw([plan.population] * 2, sizes, random, lower=(0.0, plan.gap))
        permuted = permutation.assignments(
            [part.subjects for part in parts], draws=draws, seed=number, most=MOST_ENUMERATED
        )
        table = np.concatenate([part.table for part in parts])
        criteria = fairness_criteria.of_labels(exclusive=plan.population.exclusive)
        gap = gaps.by_chance(permuted, table, criteria={plan.criterion: criteria[plan.criterion]})
        chance = permutation.compare(
            *gap[plan.criterion, plan.definition], permuted, signed=plan.definition == "signed"
        )
        found += chance.p_value <= plan.level + permutation.TOLERANCE
    return found / plan.studies


def needed(plan: Plan, *, most: int = MOST_SUBJECTS) -> int | None:
    """Return the people of the first group with whom 80 of 100 studies find the gap.

    None where more than ``most`` are needed in either group.

    Found by doubling and halving, to within 5 in 100.
    """
    low, high = 2, 4
    while power(plan, high) < POWER:
        low, high = high, 2 * high
        if max(plan.sizes(high)) > most:
            return None
    while high - low > max(1, 0.05 * high):
        middle = (low + high) // 2
        low, high = (low, middle) if power(plan, middle) >= POWER else (middle, high)
    return high


def population(counted: Counts, correlation: float | None = None) -> Population:
    """Estimate what the people of a finished study are like.

    The correlation of two readings of one subject and label is that of a one-way analysis of
    variance around the mean of the label, at least 0. The correlation between labels is that of
    subjects' deviations from two labels' means, in units of the spread which the former leaves to
    their true rates: the chance of single samples is independent between labels.

    Parameters
    ----------
    counted
        Counts of the finished study.
    correlation
        Of two readings of one subject and label, where it is known from elsewhere.

    Raises
    ------
    StudyError
        If no ``correlation`` is given and nobody has two samples of one label.
    """
    right = counted.table[..., 0]
    shown = right + counted.table[..., 2]
    rate = right.sum(axis=0) / np.maximum(shown.sum(axis=0), 1)
    if correlation is None:
        correlation = _within(right, shown, rate)
    present, absent = shown.sum(), counted.table[..., [1, 3]].sum()
    number = shown[shown > 0] if counted.exclusive else counted.samples
    mean = number.sum() / (shown.size if counted.exclusive else len(number))
    return Population(
        labels=len(counted.labels),
        samples=(max(1, int(np.floor(mean))), max(1, int(np.ceil(mean)))),
        rate=float(rate[shown.sum(axis=0) > 0].mean()),
        correlation=correlation,
        between_labels=_between(right, shown, rate, correlation),
        exclusive=counted.exclusive,
        prevalence=float(present / max(present + absent, 1)),
        false_alarms=float(counted.table[..., 1].sum() / max(absent, 1)),
    )


def _within(right: np.ndarray, shown: np.ndarray, rate: np.ndarray) -> float:
    cells = shown > 0
    n, off = shown[cells], (right - shown * rate)[cells]
    repeated = (n - 1).sum()
    if repeated < 1:
        raise StudyError(
            "--predictions: one sample per subject and label, which says nothing of how alike two "
            "of them are; give --correlation (0.2 to 0.5 for most networks of the demo)"
        )
    within = (right - right**2 / np.maximum(shown, 1e-9))[cells].sum() / repeated
    between = (off**2 / n).sum() / max(len(n) - len(rate), 1)
    size = (n.sum() - (n**2).sum() / n.sum()) / (len(n) - 1)
    correlation = (between - within) / max(between + (size - 1) * within, 1e-9)
    return float(np.clip(correlation, 0, MOST_ALIKE))


def _between(right: np.ndarray, shown: np.ndarray, rate: np.ndarray, correlation: float) -> float:
    off = np.where(shown > 0, right / np.maximum(shown, 1) - rate, 0.0)
    spread = np.where(shown > 0, np.sqrt(correlation * rate * (1 - rate)), 0.0)
    # Sums over pairs of different labels of one subject: the square of the sum less the squares.
    together, possible = (
        (each.sum(axis=1) ** 2 - (each**2).sum(axis=1)).sum() for each in (off, spread)
    )
    return float(np.clip(together / possible, 0, MOST_ALIKE)) if possible > 0 else 0.0


def main(arguments: list[str]) -> None:
    """Print how likely a study of two groups finds a gap, and how many people it needs.

    The gap is one in the rate at which labels are recognised: lower in the second group.
    """
    default = Population()
    parser = argparse.ArgumentParser(prog="facebias power", description=main.__doc__)
    add = parser.add_argument
    add("--subjects", type=int, nargs="+", default=[], help="in the first group")
    add("--ratio", type=float, default=1.0, help="people of the second group for each of the first")
    add(
        "--gap", type=float, nargs="+", required=True,
        help="0.1: recognised in 0.6 instead of 0.7; in every label, or one number per label",
    )  # fmt: skip
    add("--tests", type=int, default=1, help="gaps tested: the level is divided by it, as by Holm")
    add("--level", type=float, default=0.05)
    add(
        "--criterion",
        choices=fairness_criteria.of_labels(exclusive=False),
        default="equalized_odds",
    )
    add("--definition", choices=fairness_criteria.DEFINITIONS, default="per_class_mean")
    add("--units", action="store_true", default=None, help="labels occur together (Action Units)")
    add("--labels", type=int, help=f"number of labels, {default.labels}")
    add(
        "--samples", type=int, nargs=2, metavar=("FEWEST", "MOST"),
        help=f"of a subject per label, of units in all; {default.samples[0]} {default.samples[1]}",
    )  # fmt: skip
    add("--rate", type=float, help=f"share recognised in the first group, {default.rate}")
    add(
        "--correlation", type=float,
        help=f"of two samples of one subject and label, {default.correlation}",
    )  # fmt: skip
    add(
        "--between-labels", type=float,
        help=f"correlation of a subject's rates of two labels, {default.between_labels}",
    )  # fmt: skip
    add("--prevalence", type=float, help=f"of units: samples with each, {default.prevalence}")
    add("--false-alarms", type=float, help=f"of units: rate of them, {default.false_alarms}")
    add("--predictions", type=Path, nargs="+", help="take what is not given from a finished study")
    add("--manifest", type=Path, help="its labels, if the predictions hold none")
    add("--studies", type=int, default=500, help="simulated studies per power")
    add("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    people = _people(given)
    _check(given, people)
    plan = Plan(
        population=people,
        gap=tuple(given.gap) * (people.labels if len(given.gap) == 1 else 1),
        ratio=given.ratio,
        criterion=given.criterion,
        definition=given.definition,
        level=given.level / given.tests,
        studies=given.studies,
        seed=given.seed,
    )
    _print(plan, given)


def _print(plan: Plan, given: argparse.Namespace) -> None:
    people, kind = plan.population, "labels" if plan.population.exclusive else "units"
    each = "per label" if people.exclusive else "in all"
    size = f"{given.gap[0]:g} in the rate of every label"
    if len(given.gap) > 1:
        size = f"{', '.join(f'{gap:g}' for gap in given.gap)} in the rates of the labels"
    print(
        f"Gap of {size}, tested by {plan.criterion.replace('_', ' ')}, "
        f"{plan.definition.replace('_', ' ')}, at level {given.level:g}"
        + (f" / {given.tests} tests" if given.tests > 1 else "")
    )
    print(
        f"Assumed: {people.labels} {kind}, {people.samples[0]} to {people.samples[1]} samples of a "
        f"subject {each}, {people.rate:.2f} recognised, correlation within subject and label "
        f"{people.correlation:.2f}, between labels {people.between_labels:.2f}"
        + (
            ""
            if people.exclusive
            else f"; units in {people.prevalence:.2f} of the samples, false alarms "
            f"{people.false_alarms:.2f}"
        )
        + f"; {plan.studies} simulated studies"
    )
    print("subjects per group   power")
    for n in given.subjects:
        sizes = plan.sizes(n)
        least = permutation.floor(sizes)
        out = f" (no p-value below {least:.2g}: too few)" if least > plan.level else ""
        print(f"{_sizes(sizes):>18}   {power(plan, n):.2f}{out}", flush=True)
    enough = needed(plan)
    words = f"about {_sizes(plan.sizes(enough))}" if enough else f"more than {MOST_SUBJECTS:,}"
    print(f"needed for a power of {POWER:g}: {words} subjects per group")


def _sizes(sizes: tuple[int, int]) -> str:
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]} + {sizes[1]}"


def _people(given: argparse.Namespace) -> Population:
    people = Population()
    if given.predictions:
        people = population(_finished(given), given.correlation)
        if given.units and people.exclusive:
            raise StudyError("--units: the predictions have exclusive classes; leave it away")
    asked: dict[str, Any] = {
        name: tuple(value) if name == "samples" else value
        for name in (
            "labels", "samples", "rate", "correlation", "between_labels", "prevalence",
            "false_alarms",
        )
        if (value := getattr(given, name)) is not None
    }  # fmt: skip
    if given.units:
        asked["exclusive"] = False
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
    return counts.count(scored)


def _check(given: argparse.Namespace, people: Population) -> None:
    faults: Sequence[tuple[str, object, bool, str]] = (
        ("--subjects", given.subjects, min(given.subjects, default=2) >= 2, "2 or more"),
        (
            "--gap",
            " ".join(f"{gap:g}" for gap in given.gap),
            min(given.gap) >= 0 and 0 < max(given.gap) < people.rate,
            f"more than 0, under {people.rate:.2f}; 0 only for labels that do not differ",
        ),
        (
            "--gap",
            " ".join(f"{gap:g}" for gap in given.gap),
            len(given.gap) in (1, people.labels),
            f"one number, or one for each of {people.labels} labels",
        ),
        ("--ratio", given.ratio, 0.05 <= given.ratio <= 20, "0.05 to 20"),
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
        (
            "--between-labels",
            people.between_labels,
            0 <= people.between_labels < 1,
            "from 0 to under 1",
        ),
        (
            "--prevalence, --false-alarms",
            (given.prevalence, given.false_alarms),
            not people.exclusive or given.prevalence is given.false_alarms is None,
            "neither without --units: classes have no such rates of their own",
        ),
        ("--prevalence", people.prevalence, 0 < people.prevalence < 1, "between 0 and 1"),
        ("--false-alarms", people.false_alarms, 0 <= people.false_alarms < 1, "from 0 to under 1"),
        ("--studies", given.studies, given.studies >= 50, "50 or more"),
        ("--seed", given.seed, given.seed >= 0, "0 or more"),
    )
    for option, value, fits, expected in faults:
        if not fits:
            raise StudyError(f"{option} is {value}; expected {expected}")
    if reason := fairness_criteria.why_not(
        given.criterion, given.definition, exclusive=people.exclusive
    ):
        raise StudyError(f"--definition {given.definition}: {reason}")

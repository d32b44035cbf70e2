"""Trends: how a rate changes with an attribute of numbers, per unit of it, over subjects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from facebias import tables
from facebias.evaluation import detectable, fairness_criteria, permutation, power, rates, resampling
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.counts import Counts
from facebias.study import Resampling
from facebias.tables import comparisons

TREND = "trend"
FEWEST = 3  # subjects: through two points there is always a line, and no error


def rows(
    counted: Counts, groups: Grouping, *, evaluation: Resampling, tests: int = 1
) -> list[dict[str, object]]:
    """Compute the slope of every criterion that has a signed gap, over an attribute.

    A slope is the mean over labels of the slopes of the rate on the attribute, each by least
    squares over samples; subjects are resampled and permuted. ``rates.CURVED`` have none: they are
    no means over samples.
    """
    values = groups.values or {}
    known = np.isin(counted.subjects, list(values))
    tested = counted.of(counted.subjects[known])
    numbers = np.array([values[name] for name in tested.subjects])
    needed, found = max(evaluation.min_subjects, FEWEST), []
    for criterion, declared in fairness_criteria.of_labels(exclusive=counted.exclusive).items():
        if "signed" not in declared.definitions or declared.rates[0] in rates.CURVED:
            continue
        row: dict[str, Any] = {
            **comparisons.trend(groups.attribute),
            "criterion": criterion,
            "definition": TREND,
            "label": tables.OVERALL,
            **dict.fromkeys(("estimate", "ci_low", "ci_high", *tables.CHANCE), np.nan),
            "n_subjects": len(tested.subjects),
            "n_samples": round(float(tested.samples.sum())),
            "note": [],
        }
        if len(numbers) < needed or len(np.unique(numbers)) < 2:
            row["note"] = [
                f"{len(numbers)} subjects with {len(np.unique(numbers))} different values; a trend "
                f"needs {needed} subjects and 2 values"
            ]
        else:
            row |= _tested(tested, numbers, declared.rates[0], evaluation, tests)
        found.append(row)
    return found


def _tested(
    tested: Counts, numbers: np.ndarray, rate: str, evaluation: Resampling, tests: int
) -> dict[str, object]:
    numbers = numbers - numbers.mean()  # a shift changes no slope and keeps sums small
    n = len(numbers)
    x, samples = rates.RATIOS[rate].sums(tested.table.astype(float))
    drawn = resampling.weights(
        tested.subjects, resamples=evaluation.resamples, seed=evaluation.seed
    )
    slopes, _ = slope(x, samples, drawn, np.broadcast_to(numbers, drawn.shape))
    left_out = None
    if evaluation.interval == "bca":
        without = np.concatenate([np.ones((1, n)), 1 - np.eye(n)])
        left_out = [slope(x, samples, without, np.broadcast_to(numbers, without.shape))[0][1:]]
    low, high = resampling.interval(
        slopes, confidence=evaluation.confidence, subjects=n, left_out=left_out
    )
    random = resampling.generator(tested.subjects, seed=evaluation.seed, what=TREND)
    shuffled = random.permuted(np.broadcast_to(numbers, (evaluation.permutations, n)), axis=1)
    shuffled = np.concatenate([numbers[None], shuffled])
    permuted, errors = slope(x, samples, np.ones_like(shuffled), shuffled)
    level = 1 - evaluation.confidence
    chance = permutation.compare(
        permuted,
        errors,
        permutation.drawn(floor=1 / math.factorial(n), draws=evaluation.permutations),
        signed=True,
    )
    smallest = detectable.of_shift(slopes, errors, chance, level=level / tests, subjects=n)
    return {
        "estimate": slopes[0],
        "ci_low": low,
        "ci_high": high,
        **power.beside(chance, level=level, signed=True, detectable=smallest),
    }


def slope(
    x: np.ndarray, n: np.ndarray, weights: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean over labels of the slopes of x / n, and its standard error over subjects.

    Parameters
    ----------
    x, n
        (S, L) samples that count and all samples, per subject.
    weights, numbers
        (R, S) how often a subject is drawn, and the number that it has. The first row is the data;
        labels whose slope it cannot estimate are left out.
    """
    once = weights * numbers
    total, first, second = weights @ n, once @ n, (once * numbers) @ n
    mean = rates.divide(first, total)
    width = second - mean * first
    level = rates.divide(weights @ x, total)
    each = rates.divide(once @ x - mean * (weights @ x), np.where(width > 1e-9, width, 0))
    kept = np.flatnonzero(~np.isnan(each[0]))
    if not len(kept):
        missing = np.full(len(weights), np.nan)
        return missing, missing
    moved = np.zeros_like(once)
    for label in kept:
        b, m = each[:, [label]], mean[:, [label]]
        left = x[:, label] - n[:, label] * (level[:, [label]] + b * (numbers - m))
        moved += (numbers - m) * left / width[:, [label]] / len(kept)
    subjects = weights.sum(axis=1)
    variance = (weights * moved**2).sum(axis=1) * subjects / (subjects - 2)
    return rates.average(each[:, kept]), np.sqrt(variance)

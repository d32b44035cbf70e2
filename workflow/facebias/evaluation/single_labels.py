"""Gaps of single labels, with intervals and p-values that hold for all labels at once."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from facebias.evaluation import gaps, permutation, proportions, rates, standard_errors
from facebias.evaluation.counts import Counts
from facebias.evaluation.fairness_criteria import SIZES, Criterion
from facebias.tables import OVERALL


@dataclasses.dataclass(frozen=True, kw_only=True)
class SingleLabels:
    """Gaps of one rate between two groups, label by label; each array is (L,).

    Attributes
    ----------
    estimate, low, high, p_values
        First minus second group, its interval and its p-value; NaN where a label does not count.
    people, samples
        How many of both groups are behind the rate.
    """

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_values: np.ndarray
    people: np.ndarray
    samples: np.ndarray

    @property
    def least(self) -> float:
        """The largest gap of any label is at least so large, as sure as the intervals are."""
        inner = np.maximum(self.low, -self.high)
        return max(0.0, float(np.max(inner, initial=0.0, where=~np.isnan(inner))))


def compare(
    criterion: Criterion,
    parts: Sequence[Counts],
    kept: gaps.Kept,
    found: tuple[np.ndarray, np.ndarray],
    permuted: permutation.Drawn,
    *,
    confidence: float,
) -> list[SingleLabels]:
    """Compare every two groups label by label.

    An interval reaches to either side as many standard errors as the largest gap of all labels does
    by chance; its ends come from score intervals of both groups.

    Parameters
    ----------
    criterion
        Its rates are compared.
    parts
        Counts of each group.
    kept
        Which labels count, of every pair of groups.
    found
        (1 + P, pairs * rates * L) gaps of the criterion and their standard errors, from
        ``gaps.by_chance``.
    permuted
        The assignments that they are of.
    confidence
        With which all intervals hold at once.

    Returns
    -------
    One per pair of groups and rate, in the order of ``found``.
    """
    names = criterion.rates_of(SIZES[0])
    p_values, reach = permutation.simultaneous(*found, permuted, confidence=confidence)
    measured = [{name: _Rate.of(name, part, reach, confidence) for name in names} for part in parts]
    pairs = list(itertools.product(itertools.combinations(range(len(parts)), 2), names))
    compared = []
    for (place, ((a, b), name)), chance in zip(
        enumerate(pairs), np.split(p_values, len(pairs)), strict=True
    ):
        first, second = measured[a][name], measured[b][name]
        ends = proportions.difference(first.rate, first.ends, second.rate, second.ends)
        chosen = kept[place // len(names)][name]
        gap, low, high = (
            np.where(chosen, each, np.nan) for each in (first.rate - second.rate, *ends)
        )
        compared.append(
            SingleLabels(
                estimate=gap,
                low=low,
                high=high,
                p_values=chance,
                people=first.people + second.people,
                samples=first.samples + second.samples,
            )
        )
    return compared


def largest(found: Sequence[SingleLabels], labels: Sequence[str]) -> str:
    """Name the label with the largest gap of any two groups and rate; ``OVERALL`` without any."""
    sizes = np.abs([each.estimate for each in found])
    if np.isnan(sizes).all():
        return OVERALL
    return labels[int(np.unravel_index(np.nanargmax(sizes), sizes.shape)[1])]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Rate:
    """A rate of one group, label by label: its interval, the people and samples behind it."""

    rate: np.ndarray
    ends: tuple[np.ndarray, np.ndarray]
    people: np.ndarray
    samples: np.ndarray

    @classmethod
    def of(cls, name: str, part: Counts, reach: float, confidence: float) -> _Rate:
        everybody = np.ones((1, len(part.subjects)))
        measured = standard_errors.measure(name, everybody, part.table, part.concordance)
        rate, variance = measured.rate[0], measured.variance[0]
        people = rates.people(name, part.table)
        entering = rates.entering_by_subject(name, part.table)
        number = proportions.effective(
            rate, variance, people=people, samples=part.independent(entering)
        )
        # Of few people no standard error is sure: no shorter than for one label by Student's t.
        quantiles = np.fmax(reach, proportions.student(people, confidence))
        return cls(
            rate=rate,
            ends=proportions.score(rate, number, quantiles),
            people=people,
            samples=part.numbers(entering).sum(axis=0),
        )

"""Intervals of rates and of their differences that keep a width where nobody differs.

A bootstrap of people who are all read rightly never varies: its interval would be [1, 1], which
says of the people who were not tested that all of them will be. Score intervals (Wilson 1927) have
a width there. The samples of one person resemble each other, so that the number behind them is the
effective one: as many independent samples as would have the variance found (Korn & Graubard 1998,
"Confidence intervals for proportions with small expected number of positive counts estimated from
survey data", take it for the exact interval; Wilson's holds better in simulations of few people,
see docs/calibration.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from facebias.evaluation import rates


def effective(
    rate: ArrayLike, variance: ArrayLike, *, people: ArrayLike, samples: ArrayLike
) -> np.ndarray:
    """Return the number of independent samples with the variance of a rate.

    Where all people are alike it is the number of people, the fewest that it can be. It is never
    more than the number of samples.
    """
    rate, variance = np.asarray(rate, float), np.asarray(variance, float)
    found = rates.divide(rate * (1 - rate), np.where(variance > 1e-12, variance, 0))
    return np.minimum(np.where(found > 0, found, people), samples)


def score(rate: ArrayLike, number: ArrayLike, quantile: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the score interval of rates of ``number`` independent samples: lower and upper ends.

    ``quantile`` is how many standard errors the interval reaches to either side.
    """
    number = np.maximum(number, 1e-9)  # of nobody everything is possible
    rate, quantile = np.asarray(rate), np.asarray(quantile)
    square = quantile**2 / number
    middle = (rate + square / 2) / (1 + square)
    half = quantile * np.sqrt(rate * (1 - rate) / number + square / (4 * number)) / (1 + square)
    return np.clip(middle - half, 0, rate), np.clip(middle + half, rate, 1)


def student(people: ArrayLike, confidence: float) -> np.ndarray:
    """Return the quantile for an interval of a rate over so many people; NaN for fewer than two."""
    people = np.asarray(people)
    return special.stdtrit(np.where(people > 1, people - 1, np.nan), (1 + confidence) / 2)


def interval(
    rate: float, variance: float, *, people: int, samples: float, confidence: float
) -> tuple[float, float]:
    """Return the interval of anything from 0 to 1 that is measured over people, at least two.

    Of 95 % intervals of a rate of 0.9 of five people, 99 in 100 hold the truth, and 39 to 81 of
    those that come from a bootstrap (docs/calibration.md).
    """
    number = effective(rate, variance, people=people, samples=samples)
    low, high = score(rate, number, student(people, confidence))
    return float(low), float(high)


def of_alike(
    gap: float, *, people: int, confidence: float, rates: int, signed: bool
) -> tuple[float, float]:
    """Return the interval of a gap that is the same in every resample.

    Nobody differs within a group: each of its ``rates`` rates is 0 or 1 in the ``people`` people of
    either group, or behaves like that, and the true gap may lie as far away as the score intervals
    of both groups allow (Newcombe 1998, method 10).
    """
    low, _ = score(np.array(1.0), np.array(people), student(np.array(people), confidence))
    reach = rates * np.sqrt(2) * (1 - float(low))
    return max(-1.0 if signed else 0.0, gap - reach), min(float(rates), gap + reach)


def difference(
    rate_a: np.ndarray,
    ends_a: tuple[np.ndarray, np.ndarray],
    rate_b: np.ndarray,
    ends_b: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of a - b from the intervals of both (Newcombe 1998, method 10)."""
    gap = rate_a - rate_b
    low = gap - np.hypot(rate_a - ends_a[0], ends_b[1] - rate_b)
    return low, gap + np.hypot(ends_a[1] - rate_a, rate_b - ends_b[0])

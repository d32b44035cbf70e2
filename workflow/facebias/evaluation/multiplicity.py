"""Many tests at once: p-values corrected for their number. Missing ones count for nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct for the chance of a single false alarm among all (Holm 1979).

    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    return _stepwise(p_values, lambda p: np.maximum.accumulate(p * np.arange(len(p), 0, -1)))


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Correct for the expected share of false alarms among findings (Benjamini & Hochberg 1995).

    >>> benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    return _stepwise(
        p_values,
        lambda p: np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1],
    )


def _stepwise(p_values: np.ndarray, correct: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    found = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    found[order] = np.minimum(correct(p_values[order]), 1.0)
    return found

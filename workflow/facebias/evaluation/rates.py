"""Rates of counts, for one table or for thousands of resampled ones at once.

Most are ratios of sums of counts. A rate whose denominator is empty is missing (NaN), never 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Ratio:
    """A rate as weights of (true positives, false positives, false negatives, true negatives).

    The cells of the denominator are the samples that enter the rate.
    """

    numerator: tuple[int, int, int, int]
    denominator: tuple[int, int, int, int]


# Per label, one against the rest. Accuracy is therefore (TP + TN) / all, as Domnich &
# Anbarjafari 2021 print it. F1 with neither positives nor predictions is missing.
RATIOS: dict[str, Ratio] = {
    "accuracy": Ratio((1, 0, 0, 1), (1, 1, 1, 1)),
    "tpr": Ratio((1, 0, 0, 0), (1, 0, 1, 0)),
    "fpr": Ratio((0, 1, 0, 0), (0, 1, 0, 1)),
    "precision": Ratio((1, 0, 0, 0), (1, 1, 0, 0)),
    "f1": Ratio((2, 0, 0, 0), (2, 1, 1, 0)),
    "selection_rate": Ratio((1, 1, 0, 0), (1, 1, 1, 1)),
}


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; an empty denominator gives NaN."""
    missing = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.divide(numerator, denominator, out=missing, where=denominator > 0)


def f1_skew_normalised(table: np.ndarray) -> np.ndarray:
    """Compute F1 as it would be if positives and negatives weighed the same.

    False positives are counted times positives / negatives (Jeni, Cohn & De la Torre 2013, "Facing
    imbalanced data: recommendations for the use of performance metrics"), which makes F1 a function
    of the true and the false positive rate: unlike F1 it does not move with the base rate.
    """
    tpr, fpr = rate("tpr", table), rate("fpr", table)
    return 2 * tpr / (1 + tpr + fpr)


def area(table: np.ndarray) -> np.ndarray:
    """Compute the area under the ROC curve from counts with concordant pairs, (..., 5)."""
    positives, negatives = table[..., 0] + table[..., 2], table[..., 1] + table[..., 3]
    return divide(table[..., 4], positives * negatives)


# What is no ratio of sums of counts. They need positives and negatives, and all samples enter.
CURVED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "f1_skew_normalised": f1_skew_normalised,
    "auc": area,
}


def rate(name: str, table: np.ndarray) -> np.ndarray:
    """Compute one of ``RATIOS`` or ``CURVED``.

    Parameters
    ----------
    name
        A key of either.
    table
        (..., 4) counts: true positives, false positives, false negatives, true negatives. ``auc``
        needs a fifth: concordant pairs (``counts.Counts.summed``).

    Returns
    -------
    (...), 0 to 1, NaN where the denominator is empty.

    Examples
    --------
    >>> import numpy as np
    >>> rate("tpr", np.array([[3, 0, 1, 5], [0, 2, 0, 4]])).tolist()
    [0.75, nan]
    """
    if name in CURVED:
        return CURVED[name](table)
    ratio = RATIOS[name]
    table = table[..., :4]
    # One product of two flat matrices: thousands of small ones take five times as long.
    ends = np.array([ratio.numerator, ratio.denominator], dtype=float).T
    sums = table.reshape(-1, 4) @ ends
    return divide(sums[:, 0], sums[:, 1]).reshape(table.shape[:-1])


def entering(name: str, table: np.ndarray) -> np.ndarray:
    """Count the samples in the denominator of a rate: (..., 4) counts to (...) numbers.

    True positive rate: samples with the label; false positive rate: those without it; precision:
    those predicted; F1: those with it or predicted; accuracy and selection rate: all; ``CURVED``:
    all where there are positives and negatives.
    """
    if name in CURVED:
        present, absent = table[..., [0, 2]].sum(axis=-1), table[..., [1, 3]].sum(axis=-1)
        return (present + absent) * ((present > 0) & (absent > 0))
    return table @ (np.array(RATIOS[name].denominator) > 0)


def auc(weights: np.ndarray, concordance: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Compute the area under the ROC curve of one label for weighted subjects.

    Parameters
    ----------
    weights
        (R, S) how often each subject is drawn.
    concordance
        (S, S) from ``counts.concordance``, of one label.
    table
        (S, 4) counts of that label.

    Returns
    -------
    (R,), 0 to 1; NaN without positives or without negatives.
    """
    concordant = ((weights @ concordance) * weights).sum(axis=1)
    positives = weights @ (table[:, 0] + table[:, 2])
    negatives = weights @ (table[:, 1] + table[:, 3])
    return divide(concordant, positives * negatives)


def overall_accuracy(table: np.ndarray, *, exclusive: bool) -> np.ndarray:
    """Share of correct decisions: (..., L, 4) counts to (...).

    For classes a sample is one decision (right class or not); for units every known label is one.
    """
    true_positive, false_negative = table[..., 0].sum(axis=-1), table[..., 2].sum(axis=-1)
    if exclusive:
        return divide(true_positive, true_positive + false_negative)
    correct = table[..., [0, 3]].sum(axis=(-2, -1))
    return divide(correct, table[..., :4].sum(axis=(-2, -1)))


def macro(values: np.ndarray) -> np.ndarray:
    """Average over labels: (1 + B, L) to (1 + B,), the first row being the data themselves.

    Labels that the data cannot estimate are left out. A resample in which one of the others
    cannot be estimated would be an average over other labels: it is missing.
    """
    return average(values[:, ~np.isnan(values[0])])


def average(values: np.ndarray) -> np.ndarray:
    """Average over the last axis; NaN where it is empty or a value is missing."""
    return divide(values.sum(axis=-1), np.array(float(values.shape[-1])))


def f1_weighted(table: np.ndarray) -> np.ndarray:
    """Average F1 over labels, weighted by the number of positives: (..., L, 4) counts to (...)."""
    positives = table[..., 0] + table[..., 2]
    # A label without positives weighs nothing, also where its F1 is missing.
    f1 = np.where(positives > 0, rate("f1", table), 0.0)
    return divide((f1 * positives).sum(axis=-1), positives.sum(axis=-1))

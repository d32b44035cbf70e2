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

    The cells of the denominator are the samples that enter the rate. ``pooled``: their sums go over
    all labels, and there is one rate instead of one per label.
    """

    numerator: tuple[int, int, int, int]
    denominator: tuple[int, int, int, int]
    pooled: bool = False

    def sums(self, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return numerator and denominator of (..., L, 4) counts: (..., L), if pooled (..., 1)."""
        table = table[..., :4]
        if self.pooled:
            table = table.sum(axis=-2, keepdims=True)
        # One product of two flat matrices: thousands of small ones take five times as long.
        ends = np.array([self.numerator, self.denominator], dtype=float).T
        sums = (table.reshape(-1, 4) @ ends).reshape(*table.shape[:-1], 2)
        return sums[..., 0], sums[..., 1]


# Per label, one against the rest. Accuracy is therefore (TP + TN) / all, as Domnich &
# Anbarjafari 2021 print it. F1 with neither positives nor predictions is missing.
RATIOS: dict[str, Ratio] = {
    "accuracy": Ratio((1, 0, 0, 1), (1, 1, 1, 1)),
    "tpr": Ratio((1, 0, 0, 0), (1, 0, 1, 0)),
    "fpr": Ratio((0, 1, 0, 0), (0, 1, 0, 1)),
    "precision": Ratio((1, 0, 0, 0), (1, 1, 0, 0)),
    "f1": Ratio((2, 0, 0, 0), (2, 1, 1, 0)),
    "selection_rate": Ratio((1, 1, 0, 0), (1, 1, 1, 1)),
    # The share of right decisions: a sample of exclusive classes is one decision (the right class
    # or not), of units every known label is one.
    "right_classes": Ratio((1, 0, 0, 0), (1, 0, 1, 0), pooled=True),
    "right_units": Ratio((1, 0, 0, 1), (1, 1, 1, 1), pooled=True),
}
OF_LABELS = tuple(name for name, ratio in RATIOS.items() if not ratio.pooled)


def right(*, exclusive: bool) -> str:
    """Name the rate that is the share of right decisions."""
    return "right_classes" if exclusive else "right_units"


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; an empty denominator gives NaN."""
    # Seven times faster than to divide only where it can be done.
    return numerator / np.where(denominator > 0, denominator, np.nan)


def f1_skew_normalised(table: np.ndarray) -> np.ndarray:
    """Compute F1 as it would be if positives and negatives weighed the same.

    False positives are counted times positives / negatives (Jeni, Cohn & De la Torre 2013, "Facing
    imbalanced data: recommendations for the use of performance metrics"), which makes F1 a function
    of the true and the false positive rate: unlike F1 it does not move with the base rate.
    """
    tpr, fpr = rate("tpr", table), rate("fpr", table)
    return 2 * tpr / (1 + tpr + fpr)


def balanced_accuracy(table: np.ndarray) -> np.ndarray:
    """Compute the mean of the true positive and the true negative rate: 1/2 for whoever guesses.

    Of one label against the rest, whose accuracy a model that never names it already has.
    """
    return (rate("tpr", table) + 1 - rate("fpr", table)) / 2


def area(table: np.ndarray) -> np.ndarray:
    """Compute the area under the ROC curve from counts with concordant pairs, (..., 5)."""
    positives, negatives = table[..., 0] + table[..., 2], table[..., 1] + table[..., 3]
    return divide(table[..., 4], positives * negatives)


# What is no ratio of sums of counts. They need positives and negatives, and all samples enter.
CURVED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "f1_skew_normalised": f1_skew_normalised,
    "balanced_accuracy": balanced_accuracy,
    "auc": area,
}
# Of labels that do not exclude each other.
OF_UNITS = ("f1_skew_normalised", "balanced_accuracy")


def rate(name: str, table: np.ndarray) -> np.ndarray:
    """Compute one of ``RATIOS`` or ``CURVED``.

    Parameters
    ----------
    name
        A key of either.
    table
        (..., L, 4) counts: true positives, false positives, false negatives, true negatives.
        ``auc`` needs a fifth: concordant pairs (``counts.Counts.summed``).

    Returns
    -------
    (..., L), for pooled rates (..., 1); 0 to 1, NaN where the denominator is empty.

    Examples
    --------
    >>> import numpy as np
    >>> rate("tpr", np.array([[3, 0, 1, 5], [0, 2, 0, 4]])).tolist()
    [0.75, nan]
    """
    if name in CURVED:
        return CURVED[name](table)
    return divide(*RATIOS[name].sums(table))


def entering(name: str, table: np.ndarray) -> np.ndarray:
    """Count the samples in the denominator of a rate: (..., L, 4) counts to (..., L) numbers.

    True positive rate: samples with the label; false positive rate: those without it; precision:
    those predicted; F1: those with it or predicted; accuracy and selection rate: all; ``CURVED``:
    all where there are positives and negatives.
    """
    if name in CURVED:
        present, absent = table[..., [0, 2]].sum(axis=-1), table[..., [1, 3]].sum(axis=-1)
        return (present + absent) * ((present > 0) & (absent > 0))
    ratio = RATIOS[name]
    tp, fp, fn, tn = (int(part > 0) for part in ratio.denominator)
    return Ratio((0, 0, 0, 0), (tp, fp, fn, tn), ratio.pooled).sums(table)[1]


def entering_by_subject(name: str, table: np.ndarray) -> np.ndarray:
    """Count the samples of each subject that enter a rate: (S, ..., 4) counts to (S, ...).

    ``CURVED`` need positives and negatives of the whole group: one person may give the positives
    and another the negatives, and both enter.
    """
    if name not in CURVED:
        return entering(name, table)
    return table.sum(axis=-1) * (entering(name, table.sum(axis=0)) > 0)


def people(name: str, table: np.ndarray) -> np.ndarray:
    """Count the subjects who enter a rate: (S, L, 4) counts to (L,), pooled to (1,).

    Of ``CURVED`` the fewer of those with positives and those with negatives: one person may give
    the positives and another the negatives.
    """
    if name in CURVED:
        present, absent = table[..., [0, 2]].sum(axis=-1), table[..., [1, 3]].sum(axis=-1)
        return np.minimum((present > 0).sum(axis=0), (absent > 0).sum(axis=0))
    return (RATIOS[name].sums(table)[1] > 0).sum(axis=0)


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

"""Standard errors of rates over subjects, for thousands of groups of subjects at once.

A rate is a ratio of sums over subjects, so its variance is that of its linearisation (Cochran 1977,
section 6.4): with x of n samples in subject i, rate r and N samples in all, the subject moves the
rate by (x - r n) / N. What is no such ratio is linearised as well: each subject moves it by its
derivative (infinitesimal jackknife, Efron 1982, chapter 6).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from facebias.evaluation import rates


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """One rate of R groups that are drawn from S subjects.

    Attributes
    ----------
    rate
        (R, L) rates; NaN where the denominator is empty.
    variance
        (R, L) their variances over subjects; at least 0.
    """

    members: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray
    rate: np.ndarray
    variance: np.ndarray

    def variance_of_mean(self, kept: np.ndarray) -> np.ndarray:
        """Give the variance (R,) of the mean over the ``kept`` labels, which go together."""
        x, n, r = self.numerator[:, kept], self.denominator[:, kept], self.rate[:, kept]
        share = rates.divide(np.ones(()), self.members @ n) / kept.sum()
        moved = share @ x.T - (share * r) @ n.T
        return (self.members * moved**2).sum(axis=1) * _unbiased(self.members)[:, 0]


# By how much every subject moves one label's rate in every group: (R, S).
Moves = Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curved:
    """One of ``rates.CURVED`` of R groups that are drawn from S subjects; as ``Measured``.

    ``moves`` has one entry per label. They are computed when asked for: all at once would take
    L times the memory of everything else.
    """

    members: np.ndarray
    rate: np.ndarray
    moves: Sequence[Moves]

    @property
    def variance(self) -> np.ndarray:
        """(R, L) variances over subjects; at least 0, NaN where the rate is."""
        each = [self._variance(moved()) for moved in self.moves]
        return np.stack(each, axis=1) if each else np.empty_like(self.rate)

    def variance_of_mean(self, kept: np.ndarray) -> np.ndarray:
        """Give the variance (R,) of the mean over the ``kept`` labels, which go together."""
        moved = np.zeros(self.members.shape)
        for place in np.flatnonzero(kept):
            moved += self.moves[place]() / kept.sum()
        return self._variance(moved)

    def _variance(self, moved: np.ndarray) -> np.ndarray:
        return (self.members * moved**2).sum(axis=1) * _unbiased(self.members)[:, 0]


def measure(
    name: str, members: np.ndarray, table: np.ndarray, concordance: np.ndarray | None = None
) -> Measured | Curved:
    """Measure one of ``rates.RATIOS`` or ``rates.CURVED`` in groups of subjects.

    Parameters
    ----------
    name
        A key of either.
    members
        (R, S) 1 for the members of a group, else 0; at least two members.
    table
        (S, L, 4) counts of the subjects.
    concordance
        (L, S, S) concordant pairs between the subjects; only for ``auc``.
    """
    if name == "f1_skew_normalised":
        return _f1_skew_normalised(members, table.astype(float))
    if name == "auc":
        return _auc(members, table.astype(float), concordance)
    ratio = rates.RATIOS[name]
    return of_sums(members, table @ np.array(ratio.numerator), table @ np.array(ratio.denominator))


def of_sums(members: np.ndarray, numerator: np.ndarray, denominator: np.ndarray) -> Measured:
    """Measure ratios of sums over subjects: (R, S) members, (S, L) numerators and denominators."""
    x, n = numerator.astype(float), denominator.astype(float)
    total = members @ n
    rate = rates.divide(members @ x, total)
    spread = members @ x**2 - 2 * rate * (members @ (x * n)) + rate**2 * (members @ n**2)
    variance = rates.divide(np.maximum(spread, 0), total**2) * _unbiased(members)
    return Measured(members=members, numerator=x, denominator=n, rate=rate, variance=variance)


def _f1_skew_normalised(members: np.ndarray, table: np.ndarray) -> Curved:
    hit, false_alarm = table[..., 0], table[..., 1]
    present, absent = hit + table[..., 2], false_alarm + table[..., 3]
    positives, negatives = members @ present, members @ absent
    tpr = rates.divide(members @ hit, positives)
    fpr = rates.divide(members @ false_alarm, negatives)
    base = (1 + tpr + fpr) ** 2

    def moves(label: int) -> np.ndarray:
        t, f = tpr[:, [label]], fpr[:, [label]]
        by_tpr = rates.divide(hit[:, label] - t * present[:, label], positives[:, [label]])
        by_fpr = rates.divide(false_alarm[:, label] - f * absent[:, label], negatives[:, [label]])
        return (2 * (1 + f) * by_tpr - 2 * t * by_fpr) / base[:, [label]]

    return Curved(
        members=members,
        rate=2 * tpr / (1 + tpr + fpr),
        moves=[functools.partial(moves, label) for label in range(table.shape[1])],
    )


def _auc(members: np.ndarray, table: np.ndarray, concordance: np.ndarray) -> Curved:
    present, absent = table[..., 0] + table[..., 2], table[..., 1] + table[..., 3]
    positives, negatives = members @ present, members @ absent
    area = np.stack(
        [rates.auc(members, pairs, table[:, label]) for label, pairs in enumerate(concordance)],
        axis=1,
    )

    def moves(label: int) -> np.ndarray:
        pairs, p, n = concordance[label], positives[:, [label]], negatives[:, [label]]
        share = rates.divide(present[:, label], p) + rates.divide(absent[:, label], n)
        return rates.divide(members @ (pairs + pairs.T), p * n) - area[:, [label]] * share

    return Curved(
        members=members,
        rate=area,
        moves=[functools.partial(moves, label) for label in range(table.shape[1])],
    )


def _unbiased(members: np.ndarray) -> np.ndarray:
    size = members.sum(axis=1, keepdims=True)
    return size / (size - 1)

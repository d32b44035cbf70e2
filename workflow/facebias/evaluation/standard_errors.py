"""Standard errors of rates over subjects, for thousands of groups of subjects at once.

A rate is a ratio of sums over subjects, so its variance is that of its linearisation (Cochran 1977,
section 6.4): with x of n samples in subject i, rate r and N samples in all, the subject moves the
rate by (x - r n) / N.
"""

from __future__ import annotations

import dataclasses

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


def measure(name: str, members: np.ndarray, table: np.ndarray) -> Measured:
    """Measure one of ``rates.RATIOS`` in groups of subjects.

    Parameters
    ----------
    name
        A key of ``rates.RATIOS``.
    members
        (R, S) 1 for the members of a group, else 0; at least two members.
    table
        (S, L, 4) counts of the subjects.
    """
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


def _unbiased(members: np.ndarray) -> np.ndarray:
    size = members.sum(axis=1, keepdims=True)
    return size / (size - 1)

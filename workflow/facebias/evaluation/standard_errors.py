"""Standard errors of rates over subjects, for thousands of groups of subjects at once.

A rate is a ratio of sums over subjects, so its variance is that of its linearisation (Cochran 1977,
section 6.4): with x of n samples in subject i, rate r and N samples in all, the subject moves the
rate by (x - r n) / N. What is no such ratio is linearised as well: each subject moves it by its
derivative (infinitesimal jackknife, Efron 1982, chapter 6).

Variances over few people come out too small by (m - 1) / m, where m counts those who enter the rate
of a label, not all of the group: two who show it say as little in a group of 50 as in one of two.

Where all who enter a rate of samples are alike, nothing varies and the variance would be 0: a gap
of five who are all read rightly would be endlessly far from 0. It is then that of their number with
two successes and two failures more (Agresti & Coull 1998, "Approximate is better than 'exact' for
interval estimation of binomial proportions").
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from facebias.evaluation import rates

# Squares that differ by less, of their size, do so in their last bits: nobody differs.
ROUNDING = 1e-12
# So many subjects are looked at together: what they move stays in the cache.
TOGETHER = 4_096


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """One rate of R groups that are drawn from S subjects.

    Attributes
    ----------
    summed
        (2 L, S) numerators of all labels, then denominators, of the subjects.
    total
        (R, L) denominators of the groups.
    rate
        (R, L) rates; NaN where the denominator is empty.
    variance
        (R, L) their variances over subjects; at least 0, NaN where fewer than two enter.
    entering
        (R, L) subjects who enter the rate of each label.
    alike
        (R, L) the part of the variance that stands for people who are all alike, else 0.
    """

    members: np.ndarray
    summed: np.ndarray
    total: np.ndarray
    rate: np.ndarray
    variance: np.ndarray
    entering: np.ndarray
    alike: np.ndarray

    def variance_of_mean(self, kept: np.ndarray) -> np.ndarray:
        """Return the variance (R,) of the mean over the ``kept`` labels, which go together."""
        if kept.sum() == 1:
            return self.variance[:, kept][:, 0]
        share = rates.divide(np.sqrt(_few(self.entering)), self.total) / kept.sum()
        shares = np.where(np.tile(kept, 2), np.concatenate([share, -share * self.rate], axis=1), 0)
        spread = self.alike[:, kept].sum(axis=1) / kept.sum() ** 2
        for start in range(0, self.members.shape[1], TOGETHER):
            some = slice(start, start + TOGETHER)
            spread += _spread(self.members[:, some], shares @ self.summed[:, some])
        return spread


# By how much every subject moves one label's rate in every group: (R, S).
Moves = Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curved:
    """One of ``rates.CURVED`` of R groups that are drawn from S subjects; as ``Measured``.

    ``moves`` has one entry per label. They are computed when asked for: all at once would take
    L times the memory of everything else. Of ``entering``, the fewer of those with positives and
    those with negatives are counted.
    """

    members: np.ndarray
    rate: np.ndarray
    entering: np.ndarray
    moves: Sequence[Moves]

    @functools.cached_property
    def variance(self) -> np.ndarray:
        """(R, L) variances over subjects; at least 0, NaN where the rate is."""
        each = [_spread(self.members, moved()) for moved in self.moves]
        return np.stack(each, axis=1) * _few(self.entering) if each else np.empty_like(self.rate)

    def variance_of_mean(self, kept: np.ndarray) -> np.ndarray:
        """Return the variance (R,) of the mean over the ``kept`` labels, which go together."""
        moved, few = np.zeros(self.members.shape), np.sqrt(_few(self.entering))
        for place in np.flatnonzero(kept).tolist():
            moved += self.moves[place]() * few[:, [place]] / kept.sum()
        return _spread(self.members, moved)


def measure(
    name: str, members: np.ndarray, table: np.ndarray, concordance: np.ndarray | None = None
) -> Measurement:
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
    return measuring(name, table, concordance)(members)


# Measures groups (R, S) of the same subjects.
Measurement = Measured | Curved
Measuring = Callable[[np.ndarray], Measurement]


def measuring(name: str, table: np.ndarray, concordance: np.ndarray | None = None) -> Measuring:
    """Prepare ``measure`` for many groups: what is added up over their members is made once."""
    if name in BY_RATES:
        return functools.partial(_of_two_rates, name, table=table.astype(float))
    if name == "auc":
        assert concordance is not None  # counted where it is asked for
        return functools.partial(_auc, table=table.astype(float), concordance=concordance)
    return functools.partial(_shares, terms=_terms(*rates.RATIOS[name].sums(table)))


def of_sums(members: np.ndarray, numerator: np.ndarray, denominator: np.ndarray) -> Measured:
    """Measure ratios of sums over subjects: (R, S) members, (S, L) numerators and denominators."""
    return _ratios(members, _terms(numerator, denominator))


def _terms(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """List what is added up over subjects: (S, L) each to (6 L, S)."""
    x, n = numerator.T.astype(float), denominator.T.astype(float)
    return np.concatenate([x, n, n > 0, x**2, x * n, n**2])


def _ratios(members: np.ndarray, terms: np.ndarray) -> Measured:
    right, total, entering, xx, xn, nn = np.split(members @ terms.T, 6, axis=1)
    rate = rates.divide(right, total)
    spread = xx - 2 * rate * xn + rate**2 * nn
    spread = np.where(spread > ROUNDING * (xx + rate**2 * nn), spread, 0)
    return Measured(
        members=members,
        summed=terms[: len(terms) // 3],
        total=total,
        rate=rate,
        variance=rates.divide(spread, total**2) * _few(entering),
        entering=entering,
        alike=np.zeros_like(rate),
    )


# Functions of the true and the false positive rate: their derivatives by either.
BY_RATES: dict[str, Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "f1_skew_normalised": lambda t, f: (2 * (1 + f) / (1 + t + f) ** 2, -2 * t / (1 + t + f) ** 2),
    "balanced_accuracy": lambda t, f: (np.full_like(t, 0.5), np.full_like(f, -0.5)),
}


def _shares(members: np.ndarray, terms: np.ndarray) -> Measured:
    """Measure rates from 0 to 1, whose variance is not 0 where all people are alike."""
    found = _ratios(members, terms)
    people = found.entering + 4
    rate = (found.rate * found.entering + 2) / people
    alike = np.where(found.variance == 0, rate * (1 - rate) / people, 0.0)
    return dataclasses.replace(found, variance=found.variance + alike, alike=alike)


def _of_two_rates(name: str, members: np.ndarray, table: np.ndarray) -> Curved:
    hit, false_alarm = table[..., 0], table[..., 1]
    present, absent = hit + table[..., 2], false_alarm + table[..., 3]
    positives, negatives = members @ present, members @ absent
    summed = np.tensordot(members, table, axes=1)
    tpr, fpr = rates.rate("tpr", summed), rates.rate("fpr", summed)

    by_tpr, by_fpr = BY_RATES[name](tpr, fpr)
    by_tpr, by_fpr = rates.divide(by_tpr, positives), rates.divide(by_fpr, negatives)
    # By hits, samples with the label, false alarms and samples without.
    slopes = np.stack([by_tpr, -by_tpr * tpr, by_fpr, -by_fpr * fpr])
    counted = np.stack([hit, present, false_alarm, absent])

    def moves(label: int) -> np.ndarray:
        return slopes[:, :, label].T @ counted[:, :, label]

    return Curved(
        members=members,
        rate=rates.rate(name, summed),
        entering=_both(members, present, absent),
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
        entering=_both(members, present, absent),
        moves=[functools.partial(moves, label) for label in range(table.shape[1])],
    )


def _both(members: np.ndarray, present: np.ndarray, absent: np.ndarray) -> np.ndarray:
    return np.minimum(members @ (present > 0), members @ (absent > 0))


def _spread(members: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Add up the squares (R,) of what the members of each group move."""
    return np.einsum("rs,rs,rs->r", members, moved, moved)


def _few(entering: np.ndarray) -> np.ndarray:
    """By how much variances over so few people are too small; NaN for fewer than two."""
    return rates.divide(entering, entering - 1)

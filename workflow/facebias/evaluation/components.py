"""Variance components of subjects crossed with seeds, within folds: a random effects analysis.

Mean squares are equated with their expectations (Searle, Casella & McCulloch 1992, chapter 4);
estimates below 0 are set to 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

SUBJECTS, FOLDS, SEEDS, INTERACTION = PARTS = ("subjects", "folds", "seeds", "interaction")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Components:
    """Variance of a gap by source, for a single seed; NaN where it cannot be told."""

    subjects: float
    folds: float
    seeds: float
    interaction: float

    def parts(self, *, n_seeds: int) -> dict[str, float]:
        """Return the variance of the mean over ``n_seeds`` seeds, by source."""
        return {
            SUBJECTS: self.subjects,
            FOLDS: self.folds,
            SEEDS: self.seeds / n_seeds,
            INTERACTION: self.interaction / n_seeds,
        }


def components(moved: Sequence[np.ndarray], folds: Sequence[np.ndarray]) -> Components:
    """Estimate the variance that each source adds to a gap.

    Model, within a group: y[s, r] = subject s + fold + seed r + (fold, seed) + rest[s, r].

    Parameters
    ----------
    moved
        One array (n, R) per group: what each subject and seed adds to the gap (``influence``).
    folds
        The fold (n,) of each subject, per group.

    Returns
    -------
    Variances of the gap over all folds, of a single seed.
    """
    n_seeds = moved[0].shape[1]
    names = np.unique(np.concatenate(folds))
    of_subjects, of_rest, per_fold = 0.0, 0.0, np.zeros((len(names), n_seeds))
    within = np.zeros(len(names))
    for values, places in zip(moved, folds, strict=True):
        between, rest = _mean_squares(values, places)
        subject = (between - rest) / n_seeds if n_seeds > 1 else between
        of_subjects += subject / len(values)
        of_rest += rest / len(values)
        for position, name in enumerate(names):
            inside = values[places == name]
            # A fold without anybody of a group has no gap.
            per_fold[position] += inside.mean(axis=0) if len(inside) else np.nan
            within[position] += subject / len(inside) if len(inside) else np.nan
    in_all = np.sum([values.mean(axis=0) for values in moved], axis=0)
    return Components(
        subjects=_at_least_0(of_subjects),
        folds=_at_least_0(_between_folds(per_fold, within) / len(names)),
        seeds=_at_least_0(in_all.var(ddof=1) - of_rest) if n_seeds > 1 else np.nan,
        interaction=of_rest if n_seeds > 1 else np.nan,
    )


def freedom(moved: Sequence[np.ndarray], folds: Sequence[np.ndarray]) -> float:
    """Degrees of freedom of the total variance (Satterthwaite 1946), at least 1."""
    n_seeds = moved[0].shape[1]
    terms = []
    for values, places in zip(moved, folds, strict=True):
        between, rest = _mean_squares(values, places)
        free = len(values) - len(np.unique(places))
        terms.append((between / values.size, free))
        if n_seeds > 1:
            terms.append((-rest / values.size, free * (n_seeds - 1)))
    if n_seeds > 1:
        in_all = np.sum([values.mean(axis=0) for values in moved], axis=0)
        terms.append((in_all.var(ddof=1) / n_seeds, n_seeds - 1))
    total = sum(term for term, _ in terms)
    squares = sum(term**2 / free for term, free in terms if free)
    return max(1.0, total**2 / squares) if total > 0 and squares > 0 else 1.0


def _mean_squares(values: np.ndarray, folds: np.ndarray) -> tuple[float, float]:
    """Mean squares of subjects and of the rest, within folds; NaN without a degree of freedom."""
    n_seeds = values.shape[1]
    names, places = np.unique(folds, return_inverse=True)
    sizes = np.bincount(places)
    of_fold = np.stack([np.bincount(places, column) / sizes for column in values.T], axis=1)
    free = len(values) - len(names)
    if not free:
        return np.nan, np.nan
    centred = values - of_fold[places]
    of_subject = centred.mean(axis=1, keepdims=True)
    between = n_seeds * (of_subject**2).sum() / free
    if n_seeds == 1:
        return between, 0.0
    return between, ((centred - of_subject) ** 2).sum() / (free * (n_seeds - 1))


def _between_folds(per_fold: np.ndarray, within: np.ndarray) -> float:
    """Variance between folds (k, R) beyond what subjects (k,) and training within them explain."""
    k, n_seeds = per_fold.shape
    if k < 2:
        return np.nan
    means = per_fold.mean(axis=1)
    training = 0.0
    if n_seeds > 1:
        rest = per_fold - means[:, None] - per_fold.mean(axis=0) + per_fold.mean()
        training = (rest**2).sum() / ((k - 1) * (n_seeds - 1)) / n_seeds
    return means.var(ddof=1) - training - within.mean()


def _at_least_0(value: float) -> float:
    return value if np.isnan(value) else max(0.0, value)

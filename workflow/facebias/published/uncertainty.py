"""What chance could have done to published rates, under assumptions about what was not published.

Printed rates give the true and false positives of every label and group. Two things are missing.
Which label took which other's place: the most even confusion matrix that has the printed margins is
taken. Whose samples the errors are: two extremes are taken, samples that have nothing to do with
each other, and people who fare alike in all that they show. If samples of one person are alike to
some degree, as they are, the truth lies between them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facebias.evaluation import resampling
from facebias.study import StudyError

STEPS = 10_000
CLOSE = 1e-9


def confusion(table: np.ndarray) -> np.ndarray:
    """Find the most even confusion matrix with the given counts of one label against the rest.

    Iterative proportional fitting (Deming & Stephan 1940) of equal off-diagonal cells to the false
    negatives per true label and the false positives per predicted one: the matrix of largest
    entropy.

    Parameters
    ----------
    table
        (L, 4) true positives, false positives, false negatives, true negatives.

    Returns
    -------
    (L, L) true by predicted label; not whole numbers.

    Raises
    ------
    StudyError
        If no matrix has these counts.

    Examples
    --------
    The first label is missed twice, once for each of the others:

    >>> confusion(np.array([[8, 2, 2, 18], [9, 1, 1, 19], [9, 1, 1, 19]])).round(2).tolist()
    [[8.0, 1.0, 1.0], [1.0, 9.0, 0.0], [1.0, 0.0, 9.0]]
    """
    true, predicted, missed = table[:, 0], table[:, 1].astype(float), table[:, 2].astype(float)
    # No label can be taken more often for others than others are predicted wrongly.
    possible = np.isclose(missed.sum(), predicted.sum())
    if not possible or (missed + predicted > missed.sum() + CLOSE).any():
        raise StudyError(
            f"no confusion matrix has the false negatives {missed.tolist()} and the false "
            f"positives {predicted.tolist()} per label; one of the rates behind them is wrong"
        )
    cells = 1.0 - np.eye(len(table))
    for _ in range(STEPS):
        cells *= _ratio(predicted, cells.sum(axis=0))
        cells *= _ratio(missed, cells.sum(axis=1))[:, None]
        if np.abs(cells.sum(axis=0) - predicted).max() < CLOSE:
            break
    return cells + np.diag(true)


def _ratio(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.divide(wanted, found, out=np.zeros(len(wanted)), where=found > 0)


def independent_samples(
    table: np.ndarray, subjects: np.ndarray, *, resamples: int, seed: int
) -> np.ndarray:
    """Draw the samples of every true label anew, each on its own: the least that chance does.

    Parameters
    ----------
    table
        (L, 4) published counts of one group.
    subjects
        Names of its people; only the sample depends on them.
    resamples, seed
        As in ``resampling.weights``.

    Returns
    -------
    (1 + B, L, 4) counts of one label against the rest; the first are those published.
    """
    random = resampling.generator(subjects, seed=seed)
    drawn = [
        random.multinomial(round(row.sum()), row / row.sum(), size=resamples)
        for row in confusion(table)
    ]
    return np.concatenate([table[None], against_rest(np.stack(drawn, axis=1))])


def alike_subjects(
    table: np.ndarray, subjects: np.ndarray, *, resamples: int, seed: int
) -> np.ndarray:
    """Draw people anew, the same of whom fail in every label: the most that chance could do.

    Of every label the correct samples go to the first people and the wrong ones to the last, as
    many samples to each. No other way of spreading the published counts makes the mean true
    positive rates of people differ more.

    Parameters
    ----------
    table, subjects, resamples, seed
        As in ``independent_samples``.

    Returns
    -------
    (1 + B, L, 4) counts of one label against the rest; the first are those published.
    """
    people = against_rest(stacked(confusion(table), len(subjects)))
    drawn = resampling.weights(subjects, resamples=resamples, seed=seed)
    return np.concatenate([table[None], resampling.weighted(drawn[1:], people)])


def stacked(matrix: np.ndarray, people: int) -> np.ndarray:
    """Deal the samples (L, L) of every label out to people, the correct ones first: (P, L, L).

    Examples
    --------
    >>> stacked(np.array([[3.0, 1.0], [0.0, 4.0]]), 2)[:, 0].tolist()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    spread = np.zeros((people, *matrix.shape))
    for label, row in enumerate(matrix):
        order = [label, *(other for other in range(len(row)) if other != label)]
        ends = np.concatenate([[0.0], np.cumsum(row[order])])
        shares = np.linspace(0, ends[-1], people + 1)
        upper = np.minimum(ends[1:], shares[1:, None])
        lower = np.maximum(ends[:-1], shares[:-1, None])
        spread[:, label, order] = np.maximum(upper - lower, 0.0)
    return spread


def against_rest(matrix: np.ndarray) -> np.ndarray:
    """Turn confusion matrices (..., L, L) into counts of one label against the rest (..., L, 4)."""
    true = np.diagonal(matrix, axis1=-2, axis2=-1)
    missed, false = matrix.sum(axis=-1) - true, matrix.sum(axis=-2) - true
    rest = matrix.sum(axis=(-2, -1))[..., None] - true - missed - false
    return np.stack([true, false, missed, rest], axis=-1)


# From the narrowest interval to the widest.
ASSUMPTIONS: dict[str, Callable[..., np.ndarray]] = {
    "independent_samples": independent_samples,
    "alike_subjects": alike_subjects,
}

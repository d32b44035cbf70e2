"""Counts per subject: all that metrics, gaps and resamples are made of.

Counts are averaged over seeds, so that a sample counts once however many models scored it.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from facebias.evaluation import resampling
from facebias.evaluation.scores import Scores


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts of S subjects over L labels.

    Attributes
    ----------
    subjects
        (S,) text, sorted.
    samples
        (S,) samples with at least one known label.
    table
        (S, L, 4) one against the rest: true positives, false positives, false negatives, true
        negatives. A missing label is counted nowhere.
    confusion
        (S, L, L) true by predicted label for classes; None for units.
    concordance
        (L, S, S) concordant pairs between subjects; None where they were not asked for.
    """

    labels: tuple[str, ...]
    exclusive: bool
    subjects: np.ndarray
    samples: np.ndarray
    table: np.ndarray
    confusion: np.ndarray | None
    concordance: np.ndarray | None = None

    def of(self, subjects: np.ndarray) -> Counts:
        """Keep the named subjects; those without a sample are passed over."""
        return self.take(np.flatnonzero(np.isin(self.subjects, subjects)))

    def take(self, places: np.ndarray) -> Counts:
        """Keep the subjects at these places, in this order."""
        pairs = self.concordance
        return dataclasses.replace(
            self,
            subjects=self.subjects[places],
            samples=self.samples[places],
            table=self.table[places],
            confusion=None if self.confusion is None else self.confusion[places],
            concordance=None if pairs is None else pairs[:, places][:, :, places],
        )

    def summed(self, weights: np.ndarray) -> np.ndarray:
        """Add up the counts of a group in which subjects stand so many times, (R, S).

        Returns
        -------
        (R, L, 4); with ``concordance`` (R, L, 5), the concordant pairs within the group last.
        """
        table = resampling.weighted(weights, self.table)
        if self.concordance is None:
            return table
        pairs = [((weights @ each) * weights).sum(axis=1) for each in self.concordance]
        return np.concatenate([table, np.stack(pairs, axis=1)[..., None]], axis=2)


def count(scores: Scores, *, ranked: bool = False) -> Counts:
    """Count ``scores`` per subject, averaged over seeds; ``ranked``: with concordant pairs.

    Examples
    --------
    Two samples of one person; the second is taken for the first class:

    >>> import numpy as np
    >>> scores = Scores(labels=("happiness", "sadness"), exclusive=True,
    ...     sample=np.array(["a", "b"]), subject=np.array(["p", "p"]), seed=np.array([1, 1]),
    ...     truth=np.array([[1.0, 0.0], [0.0, 1.0]]), score=np.array([[0.9, 0.1], [0.8, 0.2]]),
    ...     decision=np.array([[True, False], [True, False]]))
    >>> count(scores).table[0].tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    """
    subjects, rows = np.unique(scores.subject, return_inverse=True)
    decision = scores.decision
    true, false = scores.truth == 1, scores.truth == 0
    cells = np.stack([true & decision, false & decision, true & ~decision, false & ~decision], -1)
    known = (true | false).any(axis=1)
    confusion = None
    if scores.exclusive:
        confusion = _per_subject(
            (true[:, :, None] & decision[:, None, :]), rows, len(subjects), scores.n_seeds
        )
    return Counts(
        labels=scores.labels,
        exclusive=scores.exclusive,
        subjects=subjects,
        samples=_per_subject(known, rows, len(subjects), scores.n_seeds),
        table=_per_subject(cells, rows, len(subjects), scores.n_seeds),
        confusion=confusion,
        concordance=concordance(scores) if ranked else None,
    )


def concordance(scores: Scores) -> np.ndarray:
    """Count concordant pairs between subjects: the bilinear form behind the area under a ROC curve.

    Entry (l, s, t) is the number of pairs of a positive sample of subject s and a negative sample
    of subject t, both for label l, in which the positive one scores higher; ties count 1/2
    (Mann & Whitney 1947). Pairs are formed within a seed and averaged over seeds. With weights w
    on subjects, the area is ``w @ C @ w / ((w @ positives) * (w @ negatives))``.

    Returns
    -------
    (L, S, S), subjects sorted as in ``count``.
    """
    subjects, rows = np.unique(scores.subject, return_inverse=True)
    pairs = np.zeros((len(scores.labels), len(subjects), len(subjects)))
    for seed in np.unique(scores.seed):
        of_seed = scores.seed == seed
        for label in range(len(scores.labels)):
            truth, score = scores.truth[of_seed, label], scores.score[of_seed, label]
            pairs[label] += _concordant(truth, score, rows[of_seed], len(subjects))
    return pairs / scores.n_seeds


def _concordant(truth: np.ndarray, score: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    # Sorted once; looking sorted scores up in a subject's sorted scores keeps 10^5 frames quick.
    order = np.argsort(score, kind="stable")
    truth, score, rows = truth[order], score[order], rows[order]
    positive, owner = score[truth == 1], rows[truth == 1]
    negative, other = score[truth == 0], rows[truth == 0]
    pairs = np.zeros((n, n))
    for subject in np.unique(other):
        own = negative[other == subject]
        below = np.searchsorted(own, positive, side="left")
        below_or_tied = np.searchsorted(own, positive, side="right")
        pairs[:, subject] = np.bincount(owner, weights=(below + below_or_tied) / 2, minlength=n)
    return pairs


def _per_subject(values: np.ndarray, rows: np.ndarray, n: int, n_seeds: int) -> np.ndarray:
    # Whole numbers are added first and divided once: no rounding hangs on the order of rows.
    order = np.argsort(rows, kind="stable")
    first = np.searchsorted(rows[order], np.arange(n))
    return np.add.reduceat(values[order].astype(np.int64), first, axis=0) / n_seeds

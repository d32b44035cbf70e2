"""Counts per subject: all that metrics, gaps and resamples are made of.

Counts are averaged over seeds, so that a sample counts once however many models scored it. Every
sample weighs the same, or every person (``evaluation.weights: subjects``): then a sample counts 1 /
(samples of its person), and all that is made of counts follows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from facebias.evaluation import resampling
from facebias.evaluation.scores import Scores

# So many pairs of subjects are counted in the time of one sample (measured with BLAS), and so many
# groups at once stay in the cache.
PAIRS_PER_SAMPLE, DRAWN_AT_ONCE = 64, 32
MOST_RANKED = 2_000
# Where so many people have, one as another, one of few counts, kinds of people are drawn instead.
FEWEST_ALIKE, ALIKE = 1_000, 8
# ``evaluation.weights`` where every person weighs the same.
SUBJECTS = "subjects"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts of S subjects over L labels.

    Attributes
    ----------
    subjects
        (S,) text, sorted.
    samples
        (S,) samples with at least one known label, whatever they weigh.
    table
        (S, L, 4) one against the rest, weighted: true positives, false positives, false negatives,
        true negatives. A missing label is counted nowhere.
    confusion
        (S, L, L) true by predicted label for classes, weighted; None for units.
    concordance
        (L, S, S) concordant pairs between subjects, weighted; None where they were not asked for.
    weight
        (S,) what one sample of each subject counts; None: 1.
    """

    labels: tuple[str, ...]
    exclusive: bool
    subjects: np.ndarray
    samples: np.ndarray
    table: np.ndarray
    confusion: np.ndarray | None
    concordance: np.ndarray | None = None
    weight: np.ndarray | None = None

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
            weight=None if self.weight is None else self.weight[places],
        )

    def numbers(self, weighted: np.ndarray) -> np.ndarray:
        """Return how many samples of each subject weigh so much: (S, ...) to (S, ...)."""
        if self.weight is None:
            return weighted
        return weighted / self.weight.reshape(-1, *[1] * (weighted.ndim - 1))

    def independent(self, weighted: np.ndarray) -> np.ndarray:
        """Return as many samples of one weight as say what these do, if all are independent.

        The effective sample size of Kish (1965, "Survey sampling", section 11.7): the square of the
        sum of the weights over the sum of their squares.

        Parameters
        ----------
        weighted
            (S, ...) samples that enter a rate, as they weigh.

        Returns
        -------
        (...); the number of samples where all weigh the same.
        """
        total = weighted.sum(axis=0)
        if self.weight is None:
            return total
        squares = np.tensordot(self.weight, weighted, axes=1)
        return np.divide(total**2, squares, out=np.zeros_like(total), where=total > 0)

    def summed(self, weights: np.ndarray) -> np.ndarray:
        """Add up the counts of a group in which subjects stand so many times, (R, S).

        Returns
        -------
        (R, L, 4); with ``concordance`` (R, L, 5), the concordant pairs within the group last.
        """
        table = resampling.weighted(weights, self.table)
        if self.concordance is None:
            return table
        return np.concatenate([table, _within(self.concordance, weights)[..., None]], axis=2)

    @property
    def kinds(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The (K, L, 4) different counts that subjects have and which (S,) each of them has.

        None where they are not few: most people with several samples differ from all others.
        """
        if self.concordance is not None or len(self.subjects) < FEWEST_ALIKE:
            return None
        found, places = np.unique(self.table, axis=0, return_inverse=True)
        alike = len(found) * ALIKE <= len(self.subjects)
        return (found, places.ravel()) if alike else None

    def resampled(self, *, resamples: int, seed: int) -> np.ndarray:
        """Return ``summed`` counts of the data and of every resample of subjects: (1 + B, ...)."""
        if self.kinds is not None:
            found, places = self.kinds
            drawn = resampling.of_kinds(
                self.subjects, np.bincount(places), resamples=resamples, seed=seed
            )
            return resampling.weighted(drawn, found)
        blocks = resampling.blocks(self.subjects, resamples=resamples, seed=seed)
        return np.concatenate([self.summed(weights) for weights in blocks])

    def left_out(self) -> np.ndarray:
        """Return ``summed`` counts of everybody, then without one subject each: (1 + S, ...)."""
        whole = self.summed(np.ones((1, len(self.subjects))))
        if self.concordance is None:
            own = self.table
        else:
            pairs = self.concordance
            diagonal = np.einsum("lss->sl", pairs)
            own_pairs = (pairs.sum(axis=1) + pairs.sum(axis=2)).T - diagonal
            own = np.concatenate([self.table, own_pairs[..., None]], axis=2)
        return np.concatenate([whole, whole - own])


def count(scores: Scores, *, ranked: bool = False, weights: str = "samples") -> Counts:
    """Count ``scores`` per subject, averaged over seeds; ``ranked``: with concordant pairs.

    Of units alone, and of no more than ``MOST_RANKED`` subjects: pairs grow with their square.
    ``weights``: what weighs the same, ``samples`` or ``subjects``.

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
    ranked = ranked and not scores.exclusive and len(subjects) <= MOST_RANKED
    decision = scores.decision
    true, false = scores.truth == 1, scores.truth == 0
    cells = np.stack([true & decision, false & decision, true & ~decision, false & ~decision], -1)
    divisor = _divisor(scores, weights)
    samples = _added(_known(scores), rows, len(subjects)) / scores.n_seeds
    confusion = None
    if scores.exclusive:
        pairs = true[:, :, None] & decision[:, None, :]
        confusion = _per_subject(pairs, rows, divisor)
    return Counts(
        labels=scores.labels,
        exclusive=scores.exclusive,
        subjects=subjects,
        samples=samples,
        table=_per_subject(cells, rows, divisor),
        confusion=confusion,
        concordance=concordance(scores, weights=weights) if ranked else None,
        weight=scores.n_seeds / divisor if weights == SUBJECTS else None,
    )


def concordance(scores: Scores, *, weights: str = "samples") -> np.ndarray:
    """Count concordant pairs between subjects: the bilinear form behind the area under a ROC curve.

    Entry (l, s, t) is the number of pairs of a positive sample of subject s and a negative sample
    of subject t, both for label l, in which the positive one scores higher; ties count 1/2
    (Mann & Whitney 1947). Pairs are formed within a seed and averaged over seeds. With weights w
    on subjects, the area is ``w @ C @ w / ((w @ positives) * (w @ negatives))``. Where ``weights``
    are those of ``subjects``, a pair counts the product of what its two samples count.

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
    divisor = _divisor(scores, weights)
    # Divided once, as counts are: people who answer alike have the same pairs to the last bit.
    return pairs * scores.n_seeds / np.outer(divisor, divisor)


def concordant(scores: Scores, drawn: np.ndarray, *, weights: str = "samples") -> np.ndarray:
    """Count the concordant pairs of groups in which subjects stand so many times, (R, S).

    The same as with ``concordance``, which grows with the square of the subjects: where they are
    many beside their samples, the samples are gone through instead. ``weights`` as of ``count``.

    Returns
    -------
    (R, L).
    """
    subjects, rows = np.unique(scores.subject, return_inverse=True)
    if len(subjects) ** 2 <= PAIRS_PER_SAMPLE * len(rows):
        return _within(concordance(scores, weights=weights), drawn)
    pairs = np.zeros((len(drawn), len(scores.labels)))
    times = drawn * (scores.n_seeds / _divisor(scores, weights))
    for seed in np.unique(scores.seed):
        of_seed = scores.seed == seed
        for label in range(len(scores.labels)):
            truth, score = scores.truth[of_seed, label], scores.score[of_seed, label]
            pairs[:, label] += _drawn(truth, score, rows[of_seed], times)
    return pairs / scores.n_seeds


def without_one(groups: Sequence[Counts]) -> Iterator[list[np.ndarray]]:
    """Yield the counts of all groups without one person at a time, those of each group in turn."""
    for left in groups:
        one = left.left_out()
        yield [
            one if group is left else np.repeat(group.left_out()[:1], len(one), axis=0)
            for group in groups
        ]


def resampled(scores: Scores, *, resamples: int, seed: int, weights: str = "samples") -> np.ndarray:
    """Count the data and every resample of subjects, with concordant pairs: (1 + B, L, 5)."""
    counted = count(scores, weights=weights)
    parts = []
    for drawn in resampling.blocks(counted.subjects, resamples=resamples, seed=seed):
        pairs = concordant(scores, drawn, weights=weights)
        parts.append(np.concatenate([counted.summed(drawn), pairs[..., None]], axis=2))
    return np.concatenate(parts)


def _within(pairs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.stack([((weights @ each) * weights).sum(axis=1) for each in pairs], axis=1)


def _drawn(
    truth: np.ndarray, score: np.ndarray, rows: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    positive, owner, negative, other = _sorted(truth, score, rows)
    below = np.searchsorted(negative, positive, side="left")
    below_or_tied = np.searchsorted(negative, positive, side="right")
    pairs = np.empty(len(weights))
    for start in range(0, len(weights), DRAWN_AT_ONCE):
        drawn = np.ascontiguousarray(weights[start : start + DRAWN_AT_ONCE].T)
        lower = np.zeros((len(other) + 1, drawn.shape[1]))
        np.cumsum(drawn[other], axis=0, out=lower[1:])
        higher = drawn[owner] * (lower[below] + lower[below_or_tied])
        pairs[start : start + DRAWN_AT_ONCE] = higher.sum(axis=0) / 2
    return pairs


def _sorted(
    truth: np.ndarray, score: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the scores of positives, whose they are, and those of negatives, in rising order."""
    order = np.argsort(score, kind="stable")
    truth, score, rows = truth[order], score[order], rows[order]
    return score[truth == 1], rows[truth == 1], score[truth == 0], rows[truth == 0]


def _concordant(truth: np.ndarray, score: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    # Looking sorted scores up in a subject's sorted scores keeps 10^5 frames quick.
    positive, owner, negative, other = _sorted(truth, score, rows)
    pairs = np.zeros((n, n))
    for subject in np.unique(other):
        own = negative[other == subject]
        below = np.searchsorted(own, positive, side="left")
        below_or_tied = np.searchsorted(own, positive, side="right")
        pairs[:, subject] = np.bincount(owner, weights=(below + below_or_tied) / 2, minlength=n)
    return pairs


def _known(scores: Scores) -> np.ndarray:
    """Tell which samples (n,) have a known label."""
    return ~np.isnan(scores.truth).all(axis=1)


def _divisor(scores: Scores, weights: str) -> np.ndarray:
    """Return what counts over all seeds are divided by, (S,): the seeds, or one's own samples."""
    subjects, rows = np.unique(scores.subject, return_inverse=True)
    if weights != SUBJECTS:
        return np.full(len(subjects), scores.n_seeds)
    # Who has no known label counts nowhere.
    return np.maximum(_added(_known(scores), rows, len(subjects)), 1)


def _added(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Add up truth values (n, ...) per subject: whole numbers (S, ...)."""
    order = np.argsort(rows, kind="stable")
    first = np.searchsorted(rows[order], np.arange(n))
    return np.add.reduceat(values[order].astype(np.int64), first, axis=0)


def _per_subject(values: np.ndarray, rows: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    # Whole numbers are added first and divided once: no rounding depends on the order of rows.
    added = _added(values, rows, len(divisor))
    return added / divisor.reshape(-1, *[1] * (added.ndim - 1))

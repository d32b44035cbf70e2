"""Counts per subject and seed: what is needed to tell chance in training from chance in people.

``counts`` averages over seeds; here they stay apart. Every seed scores the same samples, so
subjects and seeds are fully crossed; a subject is tested in one fold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from facebias.evaluation import counts
from facebias.evaluation.scores import Scores


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeedCounts:
    """Counts of S subjects over R seeds and L labels.

    Attributes
    ----------
    subjects, seeds
        (S,) and (R,), sorted.
    folds
        (S,) the fold in which each subject is tested.
    table
        (S, R, L, 4) one against the rest, weighted as in ``counts.Counts``.
    """

    labels: tuple[str, ...]
    exclusive: bool
    subjects: np.ndarray
    seeds: np.ndarray
    folds: np.ndarray
    table: np.ndarray

    def of(self, subjects: np.ndarray) -> SeedCounts:
        """Keep the named subjects; those without a sample are passed over."""
        rows = np.isin(self.subjects, subjects)
        kept = {name: getattr(self, name)[rows] for name in ("subjects", "folds", "table")}
        return dataclasses.replace(self, **kept)


def count(scored: Scores, folds: Mapping[str, int], *, weights: str = "samples") -> SeedCounts:
    """Count per subject and seed; ``folds`` says where each subject is tested.

    ``weights`` as of ``counts.count``.
    """
    seeds = np.unique(scored.seed)
    each = [counts.count(scored.where(scored.seed == seed), weights=weights) for seed in seeds]
    subjects = each[0].subjects
    return SeedCounts(
        labels=scored.labels,
        exclusive=scored.exclusive,
        subjects=subjects,
        seeds=seeds,
        folds=np.array([folds[subject] for subject in subjects]),
        table=np.stack([one.table for one in each], axis=1),
    )

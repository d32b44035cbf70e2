"""What the data hold of every subject: samples, labels, picture quality, role in training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pandas as pd

from facebias import tables
from facebias.study import Labels

QUALITY = tuple(name for name in tables.QUALITY.columns if name != "sample")
MEASURES = ("left_out", *QUALITY)
ROLES = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True, kw_only=True)
class People:
    """Counts of S subjects, with a clip or without.

    Attributes
    ----------
    labels
        The L labels as annotated, before fusing.
    exclusive
        True where a sample has exactly one label (classes), False for units.
    subjects
        (S,) text, sorted.
    given, usable
        (S,) samples, and samples with a clip.
    sums
        (S, Q) sums of ``MEASURES``: samples left out, then the columns of ``tables.QUALITY`` over
        the samples with a clip.
    present, known
        (S, L) samples with a clip that have the label, and those for which it is known.
    shares
        (train split, role) to (S,): the share of models, over folds and seeds, in which a subject
        has that role.
    """

    labels: tuple[str, ...]
    exclusive: bool
    subjects: np.ndarray
    given: np.ndarray
    usable: np.ndarray
    sums: np.ndarray
    present: np.ndarray
    known: np.ndarray
    shares: Mapping[tuple[str, str], np.ndarray]

    @property
    def train_splits(self) -> list[str]:
        """The train splits, in the order of the table."""
        return list(dict.fromkeys(split for split, _ in self.shares))

    @property
    def denominators(self) -> np.ndarray:
        """Samples that ``sums`` go over, (S, Q)."""
        return np.stack([self.given, *[self.usable] * len(QUALITY)], axis=1)

    @property
    def tested(self) -> np.ndarray:
        """Who is tested in any fold, (S,) 0 or 1."""
        tested = [share > 0 for (_, role), share in self.shares.items() if role == "test"]
        return np.any(tested, axis=0).astype(float)


def count(
    manifest: pd.DataFrame,
    excluded: pd.DataFrame,
    quality: pd.DataFrame,
    roles: pd.DataFrame,
    labels: Labels,
) -> People:
    """Count ``tables.MANIFEST``, ``EXCLUDED``, ``QUALITY`` and ``SPLITS`` per subject.

    A sample has a clip if it stands in ``quality``; what was left out stands in ``excluded``.
    """
    clips = manifest.merge(quality, on="sample")
    subjects = np.unique(np.concatenate([manifest["subject"], excluded["subject"]]).astype(str))

    def per_subject(frame: pd.DataFrame) -> np.ndarray:
        added = frame.astype(float).groupby(clips["subject"].to_numpy()).sum()
        return added.reindex(subjects, fill_value=0.0).to_numpy()

    if labels.kind == "classes":
        names = list(labels.names)
        present = pd.get_dummies(clips["label"]).reindex(columns=names, fill_value=0)
        known = present.assign(**dict.fromkeys(names, 1))
    else:
        annotated = clips[[f"label_{name}" for name in labels.names]]
        present, known = annotated.eq(1), annotated.notna()
    out = excluded["subject"].astype(str).value_counts().reindex(subjects, fill_value=0)
    usable = per_subject(clips[["sample"]].notna())[:, 0]
    return People(
        labels=labels.names,
        exclusive=labels.kind == "classes",
        subjects=subjects,
        given=usable + out.to_numpy(),
        usable=usable,
        sums=np.column_stack([out, per_subject(clips[list(QUALITY)])]).astype(float),
        present=per_subject(present),
        known=per_subject(known),
        shares=_shares(roles, subjects),
    )


def _shares(roles: pd.DataFrame, subjects: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    models = len(roles[["fold", "seed"]].drop_duplicates())
    counts = roles.groupby(["train_split", "role", "subject"]).size()
    wanted = [(split, role) for split in roles["train_split"].unique() for role in ROLES]
    every = pd.MultiIndex.from_tuples(
        [(*pair, subject) for pair in wanted for subject in subjects], names=counts.index.names
    )
    shares = counts.reindex(every, fill_value=0).to_numpy().reshape(len(wanted), -1) / models
    return dict(zip(wanted, shares, strict=True))

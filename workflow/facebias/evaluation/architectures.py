"""The predictions of all architectures on one train split, as the stages after them read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from facebias import tables
from facebias.evaluation import attributes, scores
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.scores import Scores
from facebias.stages.evaluation import OfArchitectures
from facebias.study import Labels, StudyError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model:
    """What one architecture said over all folds and seeds, and where each subject is tested."""

    scores: Scores
    folds: Mapping[str, int]


def read(
    predictions: Sequence[Path | str], manifest: pd.DataFrame, labels: Labels, *, train_split: str
) -> dict[str, Model]:
    """Read the predictions of all architectures on one train split.

    Parameters
    ----------
    predictions
        Files of ``tables.PREDICTIONS``, each of one architecture, in any order of folds and seeds.
    manifest
        A ``tables.MANIFEST`` table that holds every predicted sample.
    labels
        The trained labels and how they are fused.
    train_split
        That all files must belong to.

    Returns
    -------
    By architecture, in the order of the files.

    Raises
    ------
    StudyError
        If a file does not hold the predictions of one architecture, and as ``scores.read``.
    """
    files: dict[str, list[Path | str]] = {}
    folds: dict[str, dict[str, int]] = {}
    for path in predictions:
        # Only the columns that say whose file it is; the scores are read by architecture.
        facts = pd.read_parquet(path, columns=["architecture", "fold", "subject"])
        names = facts["architecture"].unique()
        if len(names) != 1:
            raise StudyError(
                f"{path}: predictions of {len(names)} architectures, expected those of one"
            )
        architecture = str(names[0])
        files.setdefault(architecture, []).append(path)
        tested = zip(facts["subject"].map(str), facts["fold"].map(int), strict=True)
        folds.setdefault(architecture, {}).update(tested)
    return {
        name: Model(
            scores=scores.read(paths, manifest, labels, architecture=name, train_split=train_split),
            folds=folds[name],
        )
        for name, paths in files.items()
    }


def compared(asked: OfArchitectures) -> tuple[Grouping, dict[str, Model]]:
    """Read the groups that a job compares, and the predictions of all architectures."""
    manifest = tables.read(asked.manifest, tables.MANIFEST)
    bins = asked.settings.evaluation.bins
    found = attributes.grouping(manifest, asked.attribute, bins=bins)
    models = read(asked.predictions, manifest, asked.settings.labels, train_split=asked.train_split)
    return found, models

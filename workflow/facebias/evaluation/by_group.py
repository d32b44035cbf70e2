"""Metrics of one model on everybody tested and on every group, whatever test splits there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import attributes, cells
from facebias.evaluation import scores as scoring
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.scores import Scores
from facebias.stages.evaluation import MetricsByGroup
from facebias.study import Resampling

MEASURED = ["value", "ci_low", "ci_high"]


def metrics(
    scored: Scores,
    groupings: Iterable[Grouping],
    model: Mapping[str, str],
    *,
    evaluation: Resampling,
) -> pd.DataFrame:
    """Measure a model on all of its test subjects, then on every group of them.

    Parameters
    ----------
    scored
        All that the model was tested on.
    groupings
        Who belongs to which group, one per attribute.
    model
        ``architecture``, ``train_split``.
    evaluation
        How to resample, and the subjects a group needs.

    Returns
    -------
    A ``tables.METRICS_BY_GROUP`` table. Of a group with fewer than ``evaluation.min_subjects``
    subjects there are counts but no values. A group that nobody of was tested has no rows.
    """
    parts = [_measure(scored, model, tables.EVERYBODY, tables.EVERYBODY, evaluation)]
    for grouping in groupings:
        for group, members in grouping.members.items():
            inside = scored.where(np.isin(scored.subject, members))
            if not len(inside.sample):
                continue
            part = _measure(inside, model, grouping.attribute, group, evaluation)
            if len(np.unique(inside.subject)) < evaluation.min_subjects:
                part[MEASURED] = np.nan
            parts.append(part)
    return tables.check(pd.concat(parts, ignore_index=True), tables.METRICS_BY_GROUP)


def _measure(
    scored: Scores, model: Mapping[str, str], attribute: str, group: str, evaluation: Resampling
) -> pd.DataFrame:
    measured = cells.metrics(scored, {**model, "test_split": group}, evaluation=evaluation)
    return measured.drop(columns="test_split").assign(attribute=attribute, group=group)


def main(arguments: list[str]) -> None:
    """Measure one architecture and train split on everybody tested and on every group."""
    given = MetricsByGroup.of(arguments)
    labels, evaluation = given.settings.labels, given.settings.evaluation
    manifest = tables.read(given.manifest, tables.MANIFEST)
    model = {"architecture": given.architecture, "train_split": given.train_split}
    scored = scoring.read(given.predictions, manifest, labels, **model)
    groupings = [
        attributes.grouping(manifest, name, bins=evaluation.bins)
        for name in given.settings.attributes
    ]
    table = metrics(scored, groupings, model, evaluation=evaluation)
    tables.write(table, given.out, tables.METRICS_BY_GROUP)

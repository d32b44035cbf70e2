"""Metrics of one model for every group of people, with intervals over the people of the group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import cells
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.scores import Scores
from facebias.study import Evaluation

MEASURED = ["value", "ci_low", "ci_high"]


def metrics(
    scored: Scores,
    groupings: Iterable[Grouping],
    model: Mapping[str, str],
    *,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Measure a model on every group of its test subjects.

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
    A ``tables.METRICS`` table; the test split of a group is named ``gender=female``. Of a group
    with fewer than ``evaluation.min_subjects`` subjects there are counts but no values. A group
    that nobody of was tested has no rows.
    """
    parts = []
    for grouping in groupings:
        for group, members in grouping.members.items():
            inside = scored.where(np.isin(scored.subject, members))
            if not len(inside.sample):
                continue
            cell = {**model, "test_split": f"{grouping.attribute}={group}"}
            part = cells.metrics(inside, cell, evaluation=evaluation)
            if len(np.unique(inside.subject)) < evaluation.min_subjects:
                part[MEASURED] = np.nan
            parts.append(part)
    empty = pd.DataFrame(columns=list(tables.METRICS.columns))
    return tables.check(pd.concat([empty, *parts], ignore_index=True), tables.METRICS)

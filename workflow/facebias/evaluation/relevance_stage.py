"""The stage ``relevance_gaps``: relevance of all models, by group; gaps, and gaps beside errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import (
    attributes,
    judgement,
    outcomes,
    questions,
    relevance,
    relevance_joint,
)
from facebias.evaluation.relevance import COMPARED, OVERALL, OWN
from facebias.evaluation.trends import TREND
from facebias.stages.evaluation import RelevanceGaps
from facebias.study import Evaluation, Labels, Question
from facebias.tables import comparisons


def compared(
    located: pd.DataFrame,
    explanations: pd.DataFrame,
    manifest: pd.DataFrame,
    *,
    labels: Labels,
    evaluation: Evaluation,
    compared_by: Mapping[str, Sequence[str]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Compare the relevance of all explained models between the groups of every attribute.

    Parameters
    ----------
    located
        ``tables.RELEVANCE`` of all models.
    explanations
        ``tables.EXPLANATIONS`` of the same.
    manifest
        ``tables.MANIFEST``.
    compared_by
        The attributes of each train split; None: all of all.

    Returns
    -------
    ``tables.RELEVANCE_MEANS``, ``tables.RELEVANCE_GAPS`` without ``tables.JUDGED``, and
    ``tables.RELEVANCE_JOINT``.
    """
    explained = outcomes.outcomes(explanations, manifest, labels)
    found: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
    for cell, rows in relevance.cells(located, explained, weights=evaluation.weights):
        split = found.setdefault((cell["method"], cell["train_split"]), {})
        split[cell["architecture"]] = rows
    means, gaps, joint = [], [], []
    for attribute in evaluation.attributes:
        grouped = attributes.grouping(manifest, attribute, bins=evaluation.bins)
        for (method, train_split), rows in found.items():
            if compared_by is not None and attribute not in compared_by[train_split]:
                continue
            names = {"method": method, "train_split": train_split, "attribute": attribute}
            everybody = pd.concat([part[["subject", "explained"]] for part in rows.values()])
            people = relevance.tested(everybody, labels.names, grouped, evaluation.resampling)
            pairs = relevance.pairs(people)
            for architecture, part in rows.items():
                of = names | {"architecture": architecture}
                means += [of | row for row in relevance.of_groups(part, people)]
                gaps += [of | row for pair in pairs for row in relevance.gaps(part, pair)]
            for pair in pairs:
                joint += [
                    names
                    | {**comparisons.pair(*pair.names), "region": region}
                    | relevance_joint.correlate(rows, region, pair)
                    for region in COMPARED
                ]
    return (
        tables.check(_frame(means, tables.RELEVANCE_MEANS), tables.RELEVANCE_MEANS),
        _frame(gaps, tables.RELEVANCE_GAPS).drop(columns=list(tables.JUDGED), errors="ignore"),
        tables.check(_frame(joint, tables.RELEVANCE_JOINT), tables.RELEVANCE_JOINT),
    )


def judged(
    gaps: pd.DataFrame,
    evaluation: Evaluation,
    asked: tuple[Question, ...],
    architectures: tuple[str, ...],
    method: str,
) -> pd.DataFrame:
    """Correct the p-values of all gaps for their number and say what they mean.

    The primary family is the relevance in the label's own Action Units, as a mean over labels, by
    the attribute and on the train split of each question, of the ``architectures`` as the first
    ``method`` of the study explains them: another method asks the same question once more.

    Returns
    -------
    ``tables.RELEVANCE_GAPS``.
    """
    wanted = {"region": OWN, "label": OVERALL, "outcome": outcomes.ANY, "measure": "positive"}
    wanted["method"] = method
    declared = np.all([gaps[name] == value for name, value in wanted.items()], axis=0)
    declared &= gaps["architecture"].isin(architectures).to_numpy()
    declared &= np.any([questions.about(gaps, question) for question in asked], axis=0)
    # A ratio to the area has other units than the margin, as a trend has.
    units = np.where(gaps["measure"] == "ratio", TREND, "signed")
    table = judgement.judge(gaps.assign(definition=units), pd.Series(declared), evaluation)
    return tables.check(table.drop(columns="definition"), tables.RELEVANCE_GAPS)


def _frame(rows: list[dict[str, object]], table: tables.Table) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=None if rows else list(table.columns))


def main(arguments: list[str]) -> None:
    """Compare the relevance of all explained models between groups."""
    given = RelevanceGaps.of(arguments)
    asked = given.settings
    manifest = tables.read(given.manifest, tables.MANIFEST)
    means, gaps, joint = compared(
        tables.gather(given.relevance, tables.RELEVANCE),
        tables.read(given.explanations, tables.EXPLANATIONS),
        manifest,
        labels=asked.labels.among(manifest.columns),
        evaluation=asked.evaluation,
        compared_by=asked.compared_by,
    )
    tables.write(means, given.means, tables.RELEVANCE_MEANS)
    found = judged(gaps, asked.evaluation, asked.questions, asked.architectures, asked.method)
    tables.write(found, given.gaps, tables.RELEVANCE_GAPS)
    tables.write(joint, given.joint, tables.RELEVANCE_JOINT)

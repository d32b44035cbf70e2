"""Which way a gap goes: its size alone does not say, the rates of the groups do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pandas as pd

from facebias.core.vocabulary import printed
from facebias.evaluation import fairness_criteria
from facebias.evaluation import rates as rated
from facebias.tables import OVERALL, comparisons
from facebias.tables.comparisons import compared_groups

SIGNED = ("signed", fairness_criteria.PER_LABEL)


@dataclasses.dataclass(frozen=True)
class Rates:
    """What is compared, and how high it is in each group: ``words`` say which rate, of what."""

    words: str
    groups: Mapping[str, float]

    def __str__(self) -> str:
        """Write ``true positive rate, mean over labels: female 0.35, male 0.95``."""
        each = (f"{name} {value:.2f}" for name, value in self.groups.items())
        return f"{self.words}: {', '.join(each)}"

    @property
    def range(self) -> float:
        """Return the largest difference of two groups."""
        return max(self.groups.values()) - min(self.groups.values())


def rates(measured: pd.DataFrame, gap: Mapping[str, object]) -> Rates | None:
    """Return the rates behind a gap: of its label, or means over labels.

    Parameters
    ----------
    measured
        Rows of ``tables.METRICS_BY_GROUP`` of one model and attribute.
    gap
        A row of ``tables.GAPS``: what is compared, criterion, definition and label.

    Returns
    -------
    None where the groups have no label in common. Of equalized odds, which compares two rates, the
    true positive rate; of the largest gap of a label the rate that differs more.
    """
    found: list[Rates] = []
    # Balanced accuracy has no rate of its own where labels exclude each other.
    for criteria in (fairness_criteria.OF_UNITS, fairness_criteria.OF_CLASSES):
        if not found and gap["criterion"] in criteria:
            each = [_of(measured, gap, name) for name in criteria[gap["criterion"]].rates]
            found = [one for one in each if one is not None]
    if gap["label"] == OVERALL:
        return found[0] if found else None
    return max(found, key=lambda one: one.range, default=None)


def _of(measured: pd.DataFrame, gap: Mapping[str, object], name: str) -> Rates | None:
    pooled = name in rated.RATIOS and rated.RATIOS[name].pooled
    metric = "accuracy" if pooled else name
    rows = measured[(measured["metric"] == metric) & ((measured["label"] == OVERALL) == pooled)]
    values = rows.pivot(index="label", columns="group", values="value").dropna(axis=1, how="all")
    if gap["comparison"] != comparisons.RANGE:
        values = values.reindex(columns=[gap["first"], gap["second"]])
    values = values.dropna()
    if gap["label"] != OVERALL:
        values = values[values.index == gap["label"]]
    if values.empty or values.shape[1] < 2:
        return None
    of = f" of {gap['label']}" if gap["label"] != OVERALL else ", mean over labels"
    return Rates(printed(metric) + ("" if pooled else of), dict(values.mean()))


def in_words(gap: Mapping[str, object]) -> str:
    """Name the groups of a gap: of a size, which has no order, ``female and male``."""
    return compared_groups(gap, " - " if gap["definition"] in SIGNED else " and ")

"""Which way a gap goes: its size alone does not say, the rates of the groups do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pandas as pd

from facebias.evaluation import gaps
from facebias.tables import OVERALL
from facebias.vocabulary import printed

PAIR, RANGE = " - ", "range over "


@dataclasses.dataclass(frozen=True)
class Rates:
    """What is compared, and how high it is in each group: ``words`` say which rate, of what."""

    words: str
    groups: Mapping[str, float]

    def __str__(self) -> str:
        """Write ``true positive rate, mean over labels: female 0.35, male 0.95``."""
        each = (f"{name} {value:.2f}" for name, value in self.groups.items())
        return f"{self.words}: {', '.join(each)}"


def rates(measured: pd.DataFrame, groups: str, *, criterion: str, definition: str) -> Rates | None:
    """Give the rates behind a gap: of the label with the largest gap, or means over labels.

    Of equalized odds, which compares two rates, the true positive rate.

    Parameters
    ----------
    measured
        Rows of ``tables.METRICS_BY_GROUP`` of one model and attribute.
    groups, criterion, definition
        Of the gap, as in ``tables.GAPS``.

    Returns
    -------
    None where the groups have no label in common.
    """
    rate = gaps.CRITERIA[criterion].rates[0]
    rows = measured[(measured["metric"] == rate) & (measured["label"] != OVERALL)]
    values = rows.pivot(index="label", columns="group", values="value").dropna(axis=1, how="all")
    if not groups.startswith(RANGE):
        values = values.reindex(columns=groups.split(PAIR))
    values = values.dropna()
    if values.empty or values.shape[1] < 2:
        return None
    if definition == "worst_class":
        label = (values.max(axis=1) - values.min(axis=1)).idxmax()
        return Rates(f"{printed(rate)} of {label}", dict(values.loc[label]))
    return Rates(f"{printed(rate)}, mean over labels", dict(values.mean()))


def in_words(groups: str, definition: str) -> str:
    """Name the groups of a gap: of a size, which has no order, ``female and male``."""
    return groups if definition == "signed" else groups.replace(PAIR, " and ")

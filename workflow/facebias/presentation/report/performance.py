"""How well models do: over all people, by group, and beside what needs no look at any sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pandas as pd

from facebias.evaluation import baselines
from facebias.presentation.report.wording import Estimate, estimate
from facebias.tables import OVERALL


def accuracies(
    metrics: pd.DataFrame, test: str, metric: str = "accuracy"
) -> dict[tuple[str, str], Estimate]:
    """Return an overall metric on one test split per (architecture, train split)."""
    rows = _overall(metrics, metric)
    rows = rows[rows["test_split"] == test]
    return {(row["architecture"], row["train_split"]): estimate(row) for _, row in rows.iterrows()}


@dataclasses.dataclass(frozen=True)
class Nothing:
    """What is reached without looking at any sample: lowest and highest, by overall metric.

    ``always``: the commonest true label; of several, where models were tested on other samples, the
    first; None for units.
    """

    always: str | None
    reached: Mapping[str, tuple[float, float]]


def nothing(metrics: pd.DataFrame, by: Sequence[str] = ("architecture", "train_split")) -> Nothing:
    """Sum up ``baselines`` over the models that were tested on one test set."""
    cells = [cell for _, cell in metrics.groupby(list(by), sort=False)]
    every = [baselines.reached(cell) for cell in cells]
    answers = [answer.label for answer in map(baselines.majority, cells) if answer]
    names = dict.fromkeys(name for one in every for name in one)
    return Nothing(
        always=answers[0] if answers else None,
        reached={
            name: (min(values), max(values))
            for name in names
            for values in [[one[name] for one in every if name in one]]
        },
    )


@dataclasses.dataclass(frozen=True)
class Group:
    """One group of the test people, and how every model does on it.

    ``measured``: metric to (train split, architecture) to estimate.
    """

    people: int
    samples: int
    nothing: Nothing
    measured: Mapping[str, Mapping[tuple[str, str], Estimate]]


def by_group(frame: pd.DataFrame, attribute: str) -> dict[str, Group]:
    """Read what a ``tables.METRICS_BY_GROUP`` table says of every group of an attribute."""
    found = {}
    for group, rows in frame[frame["attribute"] == attribute].groupby("group", sort=False):
        overall = rows[rows["label"] == OVERALL]
        sizes = overall.loc[overall["metric"] == "accuracy", ["n_subjects", "n_samples"]].max()
        measured: dict[str, dict[tuple[str, str], Estimate]] = {}
        for _, row in overall.iterrows():
            model = (row["train_split"], row["architecture"])
            measured.setdefault(row["metric"], {})[model] = estimate(row)
        found[group] = Group(
            people=int(sizes["n_subjects"]),
            samples=int(sizes["n_samples"]),
            nothing=nothing(rows),
            measured=measured,
        )
    return found


def by_training(
    metrics: pd.DataFrame, metric: str = "accuracy"
) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return mean, lowest and highest of an overall metric over architectures.

    By (train split, test split).
    """
    grouped = _overall(metrics, metric).groupby(["train_split", "test_split"], sort=False)["value"]
    table = grouped.agg(["mean", "min", "max"])
    return {
        key: tuple(map(float, row)) for key, row in zip(table.index, table.to_numpy(), strict=True)
    }


def _overall(metrics: pd.DataFrame, metric: str) -> pd.DataFrame:
    return metrics[(metrics["label"] == OVERALL) & (metrics["metric"] == metric)]

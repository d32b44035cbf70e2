"""The stage ``numbered_tables``: the tables of a paper that a study repeats, by their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.report import latex
from facebias.presentation.report import print as print_table
from facebias.published import papers
from facebias.published.numbered import TABLE, Item, items
from facebias.stages.report import NumberedTables

INTERVAL = "Brackets: interval over test subjects"
SETTINGS = ("learning_rate", "batch_size", "weight_decay")


def rates(kept: pd.DataFrame, item: Item) -> pd.DataFrame:
    """Lay out one rate: a row per architecture, a column per label."""
    return latex.spread(
        kept, index=["architecture"], column="label", columns=list(item.keep["label"])
    )


def scores(kept: pd.DataFrame, item: Item) -> pd.DataFrame:
    """Lay out scores: a row per train split and test split, a column per score."""
    return latex.spread(
        kept,
        index=["train_split", "test_split"],
        column="metric",
        columns=list(item.keep["metric"]),
    )


def hyperparameters(trainings: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Lay out how networks were trained: a row per architecture, a column per setting."""
    body = pd.DataFrame.from_dict(trainings, orient="index")[list(SETTINGS)]
    body.index.name = "architecture"
    return body.set_axis(pd.MultiIndex.from_product([SETTINGS, ["value"]]), axis=1)


LAYOUTS: dict[str, Callable[[pd.DataFrame, Item], pd.DataFrame]] = {
    "rates": rates,
    "scores": scores,
}


def lay_out(
    item: Item,
    paper: str,
    metrics: pd.DataFrame,
    trainings: Mapping[str, Mapping[str, float]],
) -> latex.Printed:
    """Make one numbered table.

    Parameters
    ----------
    item
        Which.
    paper
        Name of the published study.
    metrics
        A ``tables.METRICS`` table of the study. What it lacks is missing in the table.
    trainings
        Architecture to its ``SETTINGS``; no other stands in the table.

    Raises
    ------
    StudyError
        If nothing of the study stands in the table.
    """
    caption, label = item.caption, f"tab:{paper}-table-{item.number}"
    if item.drawing == hyperparameters.__name__:
        return latex.Printed(caption, label, hyperparameters(trainings), latex.setting)
    keep = {"architecture": tuple(trainings), **item.keep}
    chosen = [f"{column}={','.join(values)}" for column, values in keep.items()]
    kept = print_table.select(metrics, chosen, source=f"the metrics for {label}")
    tested = [
        f"{printed(test)}: {print_table.most(rows, 'n_subjects', 'test subject')}"
        for test, rows in kept.groupby("test_split", sort=False)
    ]
    caption = f"{caption} {', '.join(tested)}. {INTERVAL}."
    return latex.Printed(caption, label, LAYOUTS[item.drawing](kept, item))


def main(arguments: list[str]) -> None:
    """Write the tables of a paper under their numbers."""
    given = NumberedTables.of(arguments)
    paper = given.replication.name
    metrics = tables.read(given.metrics, tables.METRICS)
    for item in items(papers.paper(given.replication)):
        if item.kind == TABLE and item.number in given.settings.numbers:
            out = given.out / f"{paper}_table_{item.number}.tex"
            print_table.write([lay_out(item, paper, metrics, given.settings.trainings)], out)

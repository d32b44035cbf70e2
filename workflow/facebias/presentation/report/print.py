"""Tables for print: ``python -m facebias print_table NAME ...`` writes LaTeX (booktabs) and CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import tables
from facebias.core.replacement import replacing
from facebias.core.vocabulary import MEANS, printed
from facebias.presentation.report import latex
from facebias.stages.report import PrintTable
from facebias.study import StudyError
from facebias.tables import comparisons
from facebias.tables.comparisons import compared_groups
from facebias.tables.verdicts import FOUND

SIGNED, TREND, PER_LABEL = "signed", "trend", "per_label"
STAR = f"Star: {FOUND}, corrected for the number of gaps; no star is no evidence of none."
OVERALL = "overall"
MOST_COLUMNS = 7  # labels across a page; more of them go down the side


def metrics(frame: pd.DataFrame) -> list[latex.Printed]:
    """Lay out metrics: a table per metric, train split and test split, architectures by labels."""
    parts = []
    frame = frame.replace({"metric": {mean: metric for metric, mean in MEANS.items()}})
    by = ["metric", "train_split", "test_split"]
    for (metric, train, test), rows in frame.groupby(by, sort=False):
        labels = sorted(rows["label"].unique(), key=lambda name: name == OVERALL)
        if len(labels) <= MOST_COLUMNS:
            body = latex.spread(rows, index=["architecture"], column="label", columns=labels)
        else:
            body = latex.spread(rows, index=["label"], column="architecture").loc[labels]
        n = most(rows, "n_subjects", "test subject")
        parts.append(
            latex.Printed(
                caption=f"{_capital(metric)}, trained on {printed(train)}, tested on "
                f"{printed(test)} ({n}). Brackets: interval over test subjects.",
                label=f"tab:{metric}-{train}-{test}",
                body=body,
            )
        )
    return parts


def fairness(frame: pd.DataFrame) -> list[latex.Printed]:
    """Lay out gaps: per attribute and train split, one table of sizes and one of signs."""
    frame = frame[~frame["definition"].isin([TREND, PER_LABEL])]
    parts = []
    for (attribute, train), rows in frame.groupby(["attribute", "train_split"], sort=False):
        n = most(rows, "n_subjects", "test subject")
        where = f"by {printed(attribute)}, trained on {printed(train)} ({n})"
        signed = rows["definition"] == SIGNED
        sizes = comparisons.of_all_groups(rows[~signed])
        for _, some in sizes.groupby([*tables.COMPARED], sort=False, dropna=False):
            groups = compared_groups(some.iloc[0], " - ")
            parts.append(
                latex.Printed(
                    caption=f"Sizes of gaps {where}: {groups}. They cannot fall below 0 "
                    "and lie above it even where there is no bias. Brackets: interval over test "
                    f"subjects. {STAR}",
                    label=f"tab:gaps-{attribute}-{train}",
                    body=latex.spread(
                        some, index=["criterion", "architecture"], column="definition"
                    ),
                )
            )
        if signed.any():
            parts.append(
                latex.Printed(
                    caption=f"Signed gaps {where}: first group minus second, mean over labels. "
                    f"Brackets: interval over test subjects. {STAR}",
                    label=f"tab:signed-{attribute}-{train}",
                    body=latex.spread(
                        rows[signed], index=["first", "second", "architecture"], column="criterion"
                    ),
                )
            )
    return parts


# What can be printed: the contract of its table, and how it is laid out.
PRINTED: dict[str, tuple[tables.Table, Callable[[pd.DataFrame], list[latex.Printed]]]] = {
    "metrics": (tables.METRICS, metrics),
    "fairness": (tables.FAIRNESS, fairness),
}


def main(arguments: list[str]) -> None:
    """Run the stage ``print_table``."""
    asked = PrintTable.of(arguments)
    contract, lay_out = PRINTED[asked.name]
    frame = select(tables.read(asked.input, contract), asked.select, source=asked.input)
    write(lay_out(frame), asked.out)


def write(parts: list[latex.Printed], out: Path) -> None:
    """Write tables to ``out`` (.tex), and the same numbers flat to the .csv beside it."""
    with replacing(out) as temporary:
        temporary.write_text("\n".join(part.tex() for part in parts), encoding="utf-8")
    wide = pd.concat([part.wide() for part in parts], ignore_index=True)
    with replacing(out.with_suffix(".csv")) as temporary:
        wide.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")


def select(frame: pd.DataFrame, chosen: list[str], *, source: str) -> pd.DataFrame:
    """Keep the rows with the values of ``COLUMN=VALUE`` texts; commas part several values.

    Raises
    ------
    StudyError
        If a column does not exist or no row is left.
    """
    for text in chosen:
        column, _, values = text.partition("=")
        if column not in frame.columns:
            raise StudyError(
                f"--select {text}: {source} has no column {column}; "
                f"it has {', '.join(frame.columns)}"
            )
        found = ", ".join(map(str, frame[column].unique()))
        frame = frame[frame[column].isin(values.split(","))]
        if frame.empty:
            raise StudyError(f"--select {text}: no row of {source} is left; {column} is {found}")
    return frame


def most(rows: pd.DataFrame, column: str, noun: str) -> str:
    """Write the largest number of a column with its noun."""
    n = int(np.nanmax(rows[column].to_numpy(), initial=0))
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _capital(name: str) -> str:
    words = printed(name)
    return words[0].upper() + words[1:]

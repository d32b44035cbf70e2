"""Draw one figure: ``python -m facebias figure NAME ... --out STEM`` writes PDF, PNG and CSV."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facebias import tables
from facebias.presentation.figures import style
from facebias.presentation.figures.catalogue import FIGURES
from facebias.presentation.figures.request import FigureError, Request, in_order
from facebias.stages.report import Figure as Job

# A figure is `function(tables, request) -> (Figure, DataFrame of every number drawn)`. Its module
# names in INPUTS what it reads: a table by key, or "*" for any number of tables with free keys; and
# in OPTIONAL what it reads where a study has it.
Inputs = Mapping[str, tables.Table | None]


def main(arguments: list[str]) -> None:
    """Run the stage ``figure``."""
    asked = Job.of(arguments)
    figures, labels = asked.settings.figures, asked.settings.labels
    request = Request(figures=figures, labels=labels, select=pairs(asked.select, "--select"))
    draw, inputs, optional = find(asked.name)
    given = read(pairs(asked.input, "--input"), inputs, optional)
    # Rows are chosen of what is drawn, not of what is said about it.
    drawn = {key: table for key, table in given.items() if key not in optional}
    given |= keep(drawn, pairs(asked.keep, "--keep"))
    with style.printing(figures):
        figure, numbers = draw(given, request)
        if asked.note:
            style.note_first(figure, asked.note)
        style.save(figure, numbers, asked.out)


def pairs(texts: list[str], option: str) -> dict[str, str]:
    """Read ``KEY=VALUE`` texts into a dictionary; the value may hold further ``=``."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            raise FigureError(f"{option} {text}: expected KEY=VALUE")
        if name in found:
            raise FigureError(f"{option} {text}: {name} is given twice")
        found[name] = value
    return found


def keep(given: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Any]:
    """Keep the rows with the chosen values in every table that has the column.

    Raises
    ------
    FigureError
        If no table has a column, or a table has no such row.
    """
    kept = dict(given)
    for column, texts in chosen.items():
        values = texts.split(",")
        having = [
            name
            for name, table in kept.items()
            if isinstance(table, pd.DataFrame) and column in table
        ]
        if not having:
            raise FigureError(f"--keep {column}={texts}: no table has a column {column}")
        for name in having:
            found = in_order(kept[name][column])
            kept[name] = kept[name][kept[name][column].isin(values)]
            if kept[name].empty:
                raise FigureError(
                    f"--keep {column}={texts} leaves no row of {name}; it has {', '.join(found)}"
                )
    return kept


def find(name: str) -> tuple[Callable[..., Any], Inputs, Inputs]:
    """Import a figure's function, what it reads, and what it reads where that is given."""
    module, function = FIGURES[name].draw.split(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, function), loaded.INPUTS, getattr(loaded, "OPTIONAL", {})


def read(paths: Mapping[str, str], inputs: Inputs, optional: Inputs) -> dict[str, Any]:
    """Read the inputs of a figure: tables by their contracts, arrays (``None``) as a dict."""
    free = inputs.get("*")
    expected = ", ".join("any KEY" if name == "*" else name for name in [*inputs, *optional])
    for name in (set(paths) ^ (set(inputs) - {"*"})) - set(optional):
        if name in inputs or not free:
            fault = "is missing" if name in inputs else "is not an input of this figure"
            raise FigureError(f"--input {name}=... {fault}; expected {expected}")
    known = {**inputs, **optional}
    return {name: _read(Path(path), known.get(name, free)) for name, path in paths.items()}


def _read(path: Path, table: tables.Table | None) -> Any:
    if table is not None:
        return tables.read(path, table)
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)

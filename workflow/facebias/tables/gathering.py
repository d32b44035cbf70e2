"""The tables of several jobs put together."""

from __future__ import annotations

import argparse
from pathlib import Path

from facebias import tables

GATHERED = {
    table.name: table
    for table in (
        tables.SPLITS,
        tables.HISTORY,
        tables.PREDICTIONS,
        tables.METRICS,
        tables.METRICS_BY_GROUP,
        tables.CONFUSION,
        tables.EXPLANATIONS,
        tables.RANDOMISATION,
        tables.VARIANCE,
        tables.REDRAWS,
    )
}


def main(arguments: list[str]) -> None:
    """Put several tables of one kind together."""
    parser = argparse.ArgumentParser(prog="facebias gather", description=main.__doc__)
    parser.add_argument("table", choices=GATHERED)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("inputs", type=Path, nargs="+")
    given = parser.parse_args(arguments)
    table = GATHERED[given.table]
    tables.write(tables.gather(given.inputs, table), given.out, table)

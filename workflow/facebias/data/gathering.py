"""The tables of several jobs put together."""

from __future__ import annotations

from facebias import tables
from facebias.stages.evaluation import Gather

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
    given = Gather.of(arguments)
    table = GATHERED[given.table]
    tables.write(tables.gather(given.inputs, table), given.out, table)

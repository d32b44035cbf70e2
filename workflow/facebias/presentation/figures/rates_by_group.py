"""Rates per label and group of people, whatever test splits a study has."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from facebias import tables
from facebias.presentation.figures import rates
from facebias.presentation.figures.request import Request

INPUTS = {"metrics_by_group": tables.METRICS_BY_GROUP}


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw one metric for the groups of one attribute (``--select attribute=... metric=...``).

    Returns
    -------
    The figure, and the rows of ``tables.METRICS_BY_GROUP`` that it shows.
    """
    rows = request.rows(given["metrics_by_group"], "attribute")
    attribute = str(rows["attribute"].iloc[0])
    metrics = rows.drop(columns="attribute").rename(columns={"group": rates.TEST})
    figure, numbers = rates.panels(metrics, request, groups=attribute)
    numbers = numbers.rename(columns={rates.TEST: "group"}).assign(attribute=attribute)
    return figure, tables.check(numbers, tables.METRICS_BY_GROUP)

"""Occurrences of Action Units: samples in which each is present, and from how many it is trained.

As figure 5 of Deuschel, Finzel & Rieger 2020.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from facebias import tables
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request

INPUTS = {"units": tables.UNITS}
# Names of more bars than this stand upright, or they would run into one another.
UPRIGHT = 16


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the occurrences of every unit, the most frequent first, with the threshold.

    Returns
    -------
    The figure, and a ``tables.UNITS`` table of what it shows, in that order.
    """
    frame = given["units"].sort_values(
        ["positives", "unit"], ascending=[False, True], ignore_index=True
    )
    least, colour = request.labels.min_occurrences, request.figures.colours[0]
    figure = style.blank(2.5, width=style.PAGE_WIDTH if len(frame) > 9 else style.NARROW)
    axes = figure.subplots()
    places = range(len(frame))
    for place, row in zip(places, frame.itertuples(), strict=True):
        axes.bar(
            place,
            row.positives,
            width=0.62,
            facecolor=colour if row.kept else "white",
            edgecolor=colour,
            hatch=None if row.kept else "/////",
            lw=0.6,
        )
    turned = 0 if len(frame) <= UPRIGHT else 90
    axes.set_ylim(0, (1.5 if turned else 1.12) * max(frame["positives"].max(), least, 1))
    if least:
        axes.axhline(least, color=style.INK, lw=0.8, ls="--")
    for place, row in zip(places, frame.itertuples(), strict=True):
        axes.annotate(
            f"{row.positives:,}",
            (place, row.positives),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            rotation=turned,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
        )
    axes.set_xticks(places, frame["unit"], rotation=turned)
    axes.tick_params(axis="x", length=0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylabel("samples")
    kept = int(frame["kept"].sum())
    entries = {"trained": Patch(facecolor=colour, edgecolor=colour, lw=0.6)}
    if kept < len(frame):
        fill = {"facecolor": "white", "edgecolor": colour, "hatch": "/////"}
        entries["too rare to be trained"] = Patch(**fill, lw=0.6)
    style.key(figure, "Occurrences of Action Units", entries, columns=3)
    limit = f" Dashed: {least:,}, from which a unit is trained." if least else ""
    fewest, most = frame["annotated"].min(), frame["annotated"].max()
    many = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    style.note(
        figure,
        f"{kept} of {style.count(len(frame), 'unit')} trained. Bars: samples of all subjects in "
        f"which the unit is present, of {many} in which it was annotated.{limit}",
    )
    return figure, frame

"""Where relevance lies: its share in every region of the face, by group, beside the area."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import FigureError, Request, in_order

INPUTS = {"relevance": tables.RELEVANCE_MEANS}
TITLE = "Where positive relevance lies"
SHOWN = ["architecture", "train_split", "region", "group"]
VALUES = ["positive", "ci_low", "ci_high", "area", "ratio", "n_subjects", "n_samples", "n_fitted"]


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw a bar per region and group: a row per architecture, a column per train split.

    Returns
    -------
    The figure, and the rows of ``tables.RELEVANCE_MEANS`` that it shows: all labels and outcomes.
    """
    frame = request.rows(given["relevance"], "method", "attribute")
    frame = frame[(frame["label"] == "overall") & (frame["outcome"] == "any")]
    if frame.empty:
        raise FigureError("relevance: no mean over labels and outcomes; run the target heatmaps")
    architectures, trains = in_order(frame["architecture"]), in_order(frame["train_split"])
    regions, groups = in_order(frame["region"]), in_order(frame["group"])
    looks = style.series(groups, request.figures)
    figure = style.blank(2.1 + 0.9 * len(architectures))
    panels = figure.subplots(
        len(architectures), len(trains), squeeze=False, sharex=True, sharey=True
    )
    for row, architecture in enumerate(architectures):
        for column, train in enumerate(trains):
            axes = panels[row, column]
            cell = (frame["architecture"] == architecture) & (frame["train_split"] == train)
            _panel(axes, frame[cell], regions, looks)
            if row == 0:
                axes.set_title(f"trained on {printed(train)}")
            if column == 0:
                axes.set_ylabel(printed(architecture))
    top = np.nanmax(frame[["positive", "ci_high"]].to_numpy(dtype=float), initial=0.05)
    panels[0, 0].set(ylim=(0, top * 1.05), xlim=(-0.6, len(regions) - 0.4))
    for axes in panels[-1]:
        axes.set_xticks(range(len(regions)), [printed(name) for name in regions], rotation=90)
    entries = {printed(name): style.dot(look) for name, look in looks.items()}
    entries["area, share of the face"] = Line2D([], [], color=style.INK, lw=1.4)
    style.key(figure, f"{TITLE}: {printed(request.value('method', frame))}", entries)
    style.note(
        figure,
        "Bars: share of the positive relevance that lies in a region, mean over labels, of "
        f"{style.count(frame['n_subjects'].max(), 'subject')} of a group at "
        "most; lines: intervals over subjects. Black: area of the region over that of the face, "
        "what relevance spread evenly over the face would give; above the panel it is not shown."
        f"{style.fitted(frame['n_fitted'].sum(), frame['n_samples'].sum())}",
    )
    return figure, frame[[*SHOWN, *VALUES]]


def _panel(
    axes: Axes, rows: pd.DataFrame, regions: list[str], looks: Mapping[str, style.Series]
) -> None:
    axes.grid(axis="y")
    shifts = dict(zip(looks, style.offsets(len(looks), span=0.8), strict=True))
    width = 0.72 / len(looks)
    for row in rows.itertuples():
        place, look = regions.index(row.region) + shifts[row.group], looks[row.group]
        if not np.isfinite(row.positive):
            style.missing(axes, place, horizontal=False, colour=look.colour)
            continue
        axes.bar(place, row.positive, width, color=look.colour, alpha=0.75, lw=0)
        if np.isfinite(row.ci_low):
            axes.plot([place, place], [row.ci_low, row.ci_high], color=style.INK, lw=0.7)
        ends = [place - width / 2, place + width / 2]
        axes.plot(ends, [row.area, row.area], color=style.INK, lw=1.4, solid_capstyle="butt")

"""Errors and heatmaps together: gaps in hit rates beside gaps in relevance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facebias import tables
from facebias.core.vocabulary import printed, printed_pair
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order
from facebias.tables import comparisons

INPUTS = {"gaps": tables.RELEVANCE_GAPS, "joint": tables.RELEVANCE_JOINT}
TITLE = "Do cells with larger gaps in hit rates differ more in relevance?"
KEY = ["train_split", *tables.GROUPS, "region", "architecture", "label"]
VALUES = ["estimate", "ci_low", "ci_high"]


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw a dot per architecture and label: a row per region, a column per train split.

    With more than two groups a row is a pair of them, and the region the own Action Units.

    Returns
    -------
    The figure, and one row per dot: both gaps with their intervals.
    """
    gaps = request.rows(given["gaps"], "method", "attribute")
    joint = request.rows(given["joint"], "method", "attribute")
    points = _points(gaps[gaps["region"].isin([*joint["region"], "none"])])
    if points.empty:
        return style.words(TITLE, "No label has both gaps in any model."), points
    trains, pairs = in_order(joint["train_split"]), comparisons.pairs(joint)
    regions = in_order(joint["region"])
    rows = [(pairs[0], region) for region in regions]
    if len(pairs) > 1:
        rows = [(pair, regions[0]) for pair in pairs]
    looks = style.series(in_order(points["label"]), request.figures)
    markers = dict(zip(in_order(points["architecture"]), style.MARKERS * 3, strict=False))
    figure = style.blank(1.75 * len(rows) + 1.1)
    panels = figure.subplots(len(rows), len(trains), squeeze=False, sharex=True, sharey="row")
    for row, (pair, region) in enumerate(rows):
        for column, train in enumerate(trains):
            axes = panels[row, column]
            here = _of(points, train, pair, region)
            for point in here.itertuples():
                _dot(axes, point, looks[point.label].colour, markers[point.architecture])
            _panel(axes, _of(joint, train, pair, region))
            if column == 0:
                axes.set_ylabel(f"gap in relevance:\n{printed(region)}")
            if row == len(rows) - 1:
                axes.set_xlabel(f"gap in hit rate, {printed_pair(pair)}")
            if row == 0:
                axes.set_title(f"trained on {printed(train)}\n{axes.get_title('left')}")
    entries = {
        printed(name): Line2D([], [], color=look.colour, marker="o", ms=4, lw=0, mew=0)
        for name, look in looks.items()
    }
    entries |= {
        printed(name): Line2D([], [], color=style.SOFT, marker=marker, ms=4, lw=0, mew=0)
        for name, marker in markers.items()
    }
    style.key(figure, TITLE, entries, columns=6)
    style.note(
        figure,
        "A dot is an architecture and a label; thin lines: intervals over "
        f"{style.count(joint['n_subjects'].max(), 'subject')} at most. \u03c1: rank "
        "correlation over the dots, with its interval when test subjects are drawn again for all "
        "dots at once; p: against subjects permuted across groups.",
    )
    return figure, points


def _points(gaps: pd.DataFrame) -> pd.DataFrame:
    """Put both gaps of every model and label into a row."""
    chosen = gaps[(gaps["label"] != "overall") & (gaps["outcome"] == "any")]
    hits = chosen[chosen["measure"] == "hit_rate"].drop(columns="region")
    shares = chosen[chosen["measure"] == "positive"]
    by = [name for name in KEY if name != "region"]
    joined = shares[[*KEY, *VALUES]].merge(
        hits[[*by, *VALUES]], on=by, suffixes=("_relevance", "_hit_rate")
    )
    return joined.dropna(subset=["estimate_relevance", "estimate_hit_rate"], ignore_index=True)


def _of(frame: pd.DataFrame, train: str, pair: tuple[str, str], region: str) -> pd.DataFrame:
    chosen = (frame["train_split"] == train) & (frame["region"] == region)
    return comparisons.of_pairs(frame[chosen], pair)


def _dot(axes: Axes, point: object, colour: str, marker: str) -> None:
    x, y = point.estimate_hit_rate, point.estimate_relevance
    thin = {"color": colour, "lw": 0.4, "alpha": 0.45}
    axes.plot([point.ci_low_hit_rate, point.ci_high_hit_rate], [y, y], **thin)
    axes.plot([x, x], [point.ci_low_relevance, point.ci_high_relevance], **thin)
    axes.plot(x, y, color=colour, marker=marker, ms=4, mew=0, lw=0)


def _panel(axes: Axes, found: pd.DataFrame) -> None:
    axes.axhline(0, color=style.FAINT, lw=0.8, zorder=0)
    axes.axvline(0, color=style.FAINT, lw=0.8, zorder=0)
    row = found.iloc[0] if len(found) else None
    if row is None or not np.isfinite(row["estimate"]):
        axes.set_title("no correlation", fontsize=style.TEXT)
        return
    text = f"\u03c1 = {row['estimate']:.2f} ({row['ci_low']:.2f} to {row['ci_high']:.2f})"
    axes.set_title(f"{text}, p = {row['p_value']:.2g}", fontsize=style.TEXT)

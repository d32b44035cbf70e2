"""Fairness gaps: one row per criterion, one column per train split, architectures down the side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from facebias import tables
from facebias.core.vocabulary import printed, printed_pair
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order
from facebias.tables import comparisons
from facebias.tables.comparisons import compared_groups
from facebias.tables.verdicts import FOUND

INPUTS = {"fairness": tables.FAIRNESS}
SIGNED, TREND, PER_LABEL = "signed", "trend", "per_label"
COLUMNS = 3
CHANCE, CHANCE_EDGE = "#e3e3e3", "#a8a8a8"


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the sizes of the gaps of one attribute, each definition with its interval.

    Two groups are compared with each other; more than two by the range over all of them. Behind
    every gap lies the band of those that come from chance alone.

    Returns
    -------
    The figure, and a ``tables.FAIRNESS`` table of what it shows.
    """
    frame = request.rows(given["fairness"], "attribute")
    frame, empty = without_empty(sizes(frame, request))
    title = f"Gaps by {printed(request.value('attribute', given['fairness']))}"
    if frame.empty:
        return style.words(f"{title}: none can be estimated", empty), frame
    criteria, trains = in_order(frame["criterion"]), in_order(frame["train_split"])
    architectures, definitions = in_order(frame["architecture"]), in_order(frame["definition"])
    looks = style.series(definitions, request.figures, start=2)
    height = len(criteria) * max(0.24 * len(architectures) + 0.28, 1.1) + 1.2
    wide = len(trains) > 1
    figure = style.blank(height, width=style.PAGE_WIDTH if wide else style.NARROW)
    panels = figure.subplots(len(criteria), len(trains), squeeze=False, sharex="row", sharey=True)
    for row, criterion in enumerate(criteria):
        rows = frame[frame["criterion"] == criterion]
        widest = np.nanmax(rows[["estimate", "ci_high", "null_high"]].to_numpy())
        for column, train in enumerate(trains):
            axes = panels[row, column]
            chosen = (frame["criterion"] == criterion) & (frame["train_split"] == train)
            defined = set(frame.loc[frame["criterion"] == criterion, "definition"])
            names = [name for name in definitions if name in defined]
            across(axes, frame[chosen], architectures, names, looks, by="definition")
            axes.set_xlim(0, 1.04 * widest if widest > 0 else 1)
            if row == 0:
                axes.set_title(style.trained_on(train, len(trains)))
            if column == 0:
                axes.set_ylabel(printed(criterion).replace(" ", "\n", 1), fontweight="bold")
    panels[-1, len(trains) // 2].set_xlabel("size of the gap (0: none)")
    style.key(
        figure,
        f"{title}: {compared_groups(frame.iloc[0], ' and ')}",
        {printed(name): style.dot(looks[name]) for name in definitions} | MEANING,
        columns=3 if wide else 1,
    )
    style.note(
        figure,
        f"{people(frame)} Bars: intervals over test subjects. Bands: where the gap would lie if "
        "subjects were permuted across groups, and its median; sizes cannot fall below 0, so "
        f"chance alone puts them above it. {empty}",
    )
    return figure, frame


def sizes(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Choose the unsigned gaps: those of the range over all groups, or of the only pair."""
    frame = frame[~frame["definition"].isin([SIGNED, TREND, PER_LABEL])]
    frame = comparisons.of_all_groups(frame)
    return request.rows(frame, "first", "second") if comparisons.pairs(frame) else frame


def without_empty(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Leave out what no model has a value for, and say so in words with the reason.

    Pairs with a group that is too small, and a definition that is 0 by construction, would fill
    a figure with "n/a".
    """
    words = []
    groups = [*tables.COMPARED]
    known = frame.groupby(groups, sort=False, dropna=False)["estimate"].transform("count")
    empty = known == 0
    if empty.any() and not empty.all():
        # What is true of every row of a pair is about its groups, not about a criterion.
        pairs = frame[empty].groupby(groups, sort=False, dropna=False)["note"]
        reasons = [set.intersection(*map(_parts, notes)) for _, notes in pairs]
        said = "; ".join(sorted(set().union(*reasons)))
        words.append(f"Not drawn: {style.count(len(reasons), 'pair')} of groups, {said}.")
        frame = frame[~empty]
    for (criterion, definition), rows in frame.groupby(["criterion", "definition"], sort=False):
        if rows["estimate"].notna().any():
            continue
        frame = frame.drop(rows.index)
        reasons = "; ".join(sorted(set().union(*map(_parts, rows["note"]))))
        name = f"{printed(criterion)} ({definition.replace('_', ' ')})"
        words.append(f"Not drawn: {name}{', ' if reasons else ''}{reasons}.")
    return frame, " ".join(words)


def _parts(note: object) -> set[str]:
    return set(note.split("; ")) if isinstance(note, str) and note else set()


def across(
    axes: Axes,
    frame: pd.DataFrame,
    places: list[str],
    names: list[str],
    looks: Mapping[str, style.Series],
    *,
    by: str,
    down: str = "architecture",
) -> None:
    """Draw one row per value of ``down`` with the ``names`` of the column ``by`` under one another.

    A marker is filled where the verdict is that there is a gap, else hollow.
    """
    axes.set_yticks(range(len(places)), [printed(name) for name in places])
    axes.set_ylim(len(places) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    for place in np.arange(1, len(places)) - 0.5:
        axes.axhline(place, color="#ececec", lw=0.6, zorder=0)
    rows = frame.set_index([down, by])
    known = rows["estimate"].dropna()
    for place, one in enumerate(places):
        if one not in known.index.get_level_values(0):
            style.missing(axes, place, horizontal=True)
            continue
        shifts = style.offsets(len(names), span=0.72)
        for turn, (shift, name) in enumerate(zip(shifts, names, strict=True)):
            if (one, name) not in rows.index:
                colour = looks[name].colour
                style.missing(axes, place + shift, horizontal=True, colour=colour, aside=turn)
                continue
            cell = rows.loc[(one, name)]
            chance(axes, place + shift, cell, height=0.62 / len(names))
            style.interval(
                axes,
                place + shift,
                cell["estimate"],
                cell["ci_low"],
                cell["ci_high"],
                looks[name],
                horizontal=True,
                hollow=cell["verdict"] != FOUND,
                aside=turn,
            )


def chance(axes: Axes, position: float, cell: pd.Series, *, height: float) -> None:
    """Draw the band of gaps that come from chance alone, with their median, behind a gap."""
    low, median, high = cell[["null_low", "null_median", "null_high"]]
    if np.isfinite(high):
        axes.barh(position, high - low, height, left=low, color=CHANCE, lw=0, zorder=0.8)
        ends = [position - height / 2, position + height / 2]
        axes.plot([median, median], ends, color=CHANCE_EDGE, lw=0.8, zorder=0.9)


_SOFT = {"color": style.SOFT, "marker": "o", "ms": 4, "lw": 0}
# What the looks of a gap say, for a key.
FOUND_KEY = {
    f"{FOUND}, corrected for the number of gaps": Line2D([], [], mew=0, **_SOFT),
    "not found (there may still be one)": Line2D([], [], mfc="white", mew=0.8, **_SOFT),
}
MEANING = FOUND_KEY | {
    "gaps by chance alone": Patch(color=CHANCE, lw=0),
}


def people(frame: pd.DataFrame) -> str:
    """Say how many test subjects and samples stand behind a set of gaps."""
    subjects, samples = frame["n_subjects"].max(), frame["n_samples"].max()
    if frame["n_subjects"].nunique() > 1:
        return f"Up to {style.count(subjects, 'test subject')} in a pair of groups."
    return f"{style.count(subjects, 'test subject')}, {style.count(samples, 'sample')}."


def panels(
    frame: pd.DataFrame, *, places: int, names: int, top: float
) -> tuple[Figure, list[tuple[Axes, tuple[str, str], str]]]:
    """Lay out signed gaps: a panel per pair of groups and train split, around 0, with its heading.

    Train splits are columns and pairs are rows; with a single train split the pairs fill the
    columns. ``places`` rows of ``names`` gaps fit into a panel; ``top`` inches are for the key.

    Returns
    -------
    The figure, and the axes of every pair and train split.
    """
    pairs, trains = comparisons.pairs(frame), in_order(frame["train_split"])
    cells = [(pair, train) for pair in pairs for train in trains]
    several = len(trains) > 1
    columns = len(trains) if several else min(COLUMNS, len(pairs))
    rows = -(-len(cells) // columns)
    figure = style.blank(rows * (max(0.24, 0.1 * names) * places + 0.62) + top)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flatten()
    for axes in grid[len(cells) :]:
        axes.remove()
    wide, found = reach(frame), []
    for axes, (pair, train) in zip(grid, cells, strict=False):
        axes.axvline(0, color=style.INK, lw=0.8, zorder=1)
        axes.set_xlim(-wide, wide)
        axes.tick_params(labelbottom=True)
        if several and len(pairs) > 1:
            axes.set_title(f"{printed_pair(pair)}, trained on {train}", fontsize=style.TEXT)
        else:
            axes.set_title(style.trained_on(train, len(trains)) if several else printed_pair(pair))
        found.append((axes, pair, train))
    return figure, found


def reach(frame: pd.DataFrame) -> float:
    """Return the half width of the axis: the same for all panels, 0 in the middle."""
    columns = ["estimate", "ci_low", "ci_high", "null_low", "null_high"]
    drawn = frame[columns].to_numpy(dtype=float)
    return max(0.1, float(np.nanmax(np.abs(drawn), initial=0.0)) * 1.08)

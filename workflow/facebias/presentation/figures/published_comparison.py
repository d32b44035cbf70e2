"""Our results beside published ones, with the differences that our uncertainty cannot explain."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.published import lines
from facebias.presentation.figures.request import Request, in_order
from facebias.published import contracts
from facebias.tables import comparisons
from facebias.tables.comparisons import compared_groups

INPUTS = {"comparison": contracts.COMPARISON}
SERIES = ("ours", "published")
# What stands at the end of a row whose difference our interval does not explain.
MARKS = {"both": "†", "not ours": "†", "neither": "‡"}


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw one definition: a row of panels per criterion, a column per training split.

    Down the side stand architectures, or what is compared where it is more than one thing.

    Returns
    -------
    The figure, and a ``contracts.COMPARISON`` table of what it shows.
    """
    frame = request.rows(given["comparison"], "definition").reset_index(drop=True)
    definition = request.value("definition", given["comparison"])
    criteria, trains = in_order(frame["criterion"]), in_order(frame["train_split"])
    named = _named(frame)
    names = in_order(named)
    looks = style.series(SERIES, request.figures)
    wide = len(trains) > 1
    width = style.PAGE_WIDTH if wide else style.NARROW
    figure = style.blank(len(criteria) * max(0.24 * len(names) + 0.28, 1.1) + 1.4, width=width)
    panels = figure.subplots(len(criteria), len(trains), squeeze=False, sharex="row", sharey=True)
    places = style.offsets(len(SERIES), span=0.5)
    for (row, column), axes in np.ndenumerate(panels):
        of_criterion = frame["criterion"] == criteria[row]
        cells = frame[of_criterion & (frame["train_split"] == trains[column])]
        lines(axes, names)
        for cell in cells.assign(name=named).to_dict("records"):
            line = names.index(cell["name"])
            for shift, series in zip(places, SERIES, strict=True):
                numbers = (cell[series], cell[f"{series}_low"], cell[f"{series}_high"])
                style.interval(axes, line + shift, *numbers, looks[series], horizontal=True)
            axes.text(
                1.01,
                line,
                MARKS.get(cell["explained"], ""),
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=style.TITLE,
            )
        for name in set(names) - set(named[cells.index]):
            style.missing(axes, names.index(name), horizontal=True)
        _scale(axes, frame[of_criterion])
        if row == 0:
            axes.set_title(f"trained on {trains[column]}")
        if column == 0:
            axes.set_ylabel(textwrap.fill(printed(criteria[row]), 18), fontweight="bold")
    style.key(
        figure,
        _title(frame, definition),
        {name: style.dot(looks[name]) for name in SERIES},
    )
    style.note(figure, _note(frame))
    return figure, frame


def _named(frame: pd.DataFrame) -> pd.Series:
    """Name the rows of panels by what differs between them."""
    names = frame["architecture"].map(printed)
    if not _several(frame):
        return names
    groups = frame.apply(compared_groups, axis=1)
    return groups if frame["architecture"].nunique() == 1 else names + ", " + groups


def _several(frame: pd.DataFrame) -> bool:
    """Say whether more than one pair of groups or test split is compared."""
    return len(frame[[*comparisons.COMPARED]].drop_duplicates()) > 1


def _title(frame: pd.DataFrame, definition: str) -> str:
    words = {"value": "scores", "difference": "differences", "published": "gaps as published"}
    word = words.get(definition, f"gaps, {printed(definition)}")
    groups = "" if _several(frame) else f"; {compared_groups(frame.iloc[0], ' and ')}"
    return f"Ours beside published: {word}{groups}"


def _scale(axes: Axes, rows: pd.DataFrame) -> None:
    """Scale a row of panels: from 0, or around 0 where a number is below it."""
    ends = [f"{series}{end}" for series in SERIES for end in ("", "_low", "_high")]
    low, high = np.nanmin(rows[ends].to_numpy()), np.nanmax(rows[ends].to_numpy())
    reach = 1.04 * max(abs(low), high) or 1.0
    axes.set_xlim(-reach if low < 0 else 0, reach)
    if low < 0:
        axes.axvline(0, color=style.INK, lw=0.8, zorder=1)


def _note(frame: pd.DataFrame) -> str:
    outside = int(frame["explained"].isin(MARKS).sum())
    beyond = int((frame["explained"] == "neither").sum())
    parts = [
        f"† outside our interval ({outside} of {len(frame)} cells): our uncertainty cannot explain "
        "the difference. Even a repetition with as many other test subjects lies outside in about "
        "one cell in six."
    ]
    if frame["published_low"].notna().any():
        parts.append(
            f"‡ not explained by the published uncertainty either ({beyond}). Published bars "
            "assume that each person fared alike in all samples, the most that chance could do."
        )
    else:
        parts.append("The paper gives no uncertainty, and none can be computed from its tables.")
    notes = in_order(frame["note"])
    return " ".join([*(f"{note[0].upper()}{note[1:]}." for note in notes), *parts])

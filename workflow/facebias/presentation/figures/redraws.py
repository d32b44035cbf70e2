"""Redrawn test sets: how often a gap and its verdict are others with other test people."""

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
from facebias.presentation.figures.variance import WHAT, chosen, largest, lines
from facebias.tables import comparisons

INPUTS = {"redraws": tables.REDRAWS}


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the range of each signed gap over redrawn test sets, with the share of other verdicts.

    A column per train split; in each row one line per number of test subjects drawn. The tick is
    the gap of all tested subjects.

    Returns
    -------
    The figure, and the ``tables.REDRAWS`` rows that it shows.
    """
    frame = chosen(given["redraws"], request)
    title = f"Gaps by {printed(request.value('attribute', frame))} if the test people were others"
    known = frame.dropna(subset="low")
    if known.empty:
        notes = "; ".join(in_order(frame["note"]))
        return style.words(f"{title}: none can be estimated", f"{notes}."), frame
    pairs, left = largest(known, frame, "n_subjects")
    frame = comparisons.of_pairs(frame, *pairs)
    trains, architectures = in_order(frame["train_split"]), in_order(frame["architecture"])
    sizes = [int(size) for size in sorted(frame.loc[frame["n_drawn"] > 0, "n_drawn"].unique())]
    looks = style.series([str(size) for size in sizes], request.figures, start=2)
    step = max(0.2, 0.13 * len(sizes))
    figure = style.blank(len(pairs) * (step * len(architectures) + 0.62) + 0.95)
    panels = figure.subplots(len(pairs), len(trains), squeeze=False, sharex=True, sharey=True)
    reach = 1.05 * np.nanmax(np.abs(frame[["estimate", "low", "high"]].to_numpy(float)))
    for row, pair in enumerate(pairs):
        for column, train in enumerate(trains):
            axes = panels[row, column]
            cells = comparisons.of_pairs(frame[frame["train_split"] == train], pair)
            _panel(axes, cells, architectures, looks, edge=reach)
            axes.set_xlim(-reach, 1.4 * reach)
            axes.set_xticks([tick for tick in axes.get_xticks() if abs(tick) <= reach])
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(printed_pair(pair), color=style.SOFT)
            if row == 0:
                axes.set_title(style.trained_on(printed(train), len(trains)))
    entries = {f"{size} of each group": style.dot(look) for size, look in looks.items()}
    entries["all tested"] = Line2D([], [], color=style.INK, marker="|", ms=8, mew=1.6, lw=0)
    gap = printed(request.select.get("criterion", WHAT["criterion"]))
    style.key(figure, f"{title} ({gap})", entries, columns=6)
    n, redrawn = frame["n_subjects"].max(), frame["n_redraws"].max()
    style.note(
        figure,
        f"{style.count(n, 'test subject')}; {redrawn:,} test sets drawn from them per line: middle "
        "(marker) and 95 % of their gaps (bar). Flips: how often the verdict (interval above 0, "
        f"below 0, or including it) is another one than that of all tested subjects.{left}",
    )
    return figure, frame


def _panel(
    axes: Axes,
    frame: pd.DataFrame,
    architectures: list[str],
    looks: Mapping[str, style.Series],
    *,
    edge: float,
) -> None:
    lines(axes, architectures)
    axes.axvline(0, color=style.INK, lw=0.8, zorder=1)
    cells = frame.set_index(["architecture", "n_drawn"])
    shifts = style.offsets(len(looks), span=0.72)
    if cells["share_verdict_flipped"].notna().any():
        axes.set_title("flips", loc="right", fontsize=style.TEXT, color=style.SOFT)
    for place, architecture in enumerate(architectures):
        for turn, (shift, (size, look)) in enumerate(zip(shifts, looks.items(), strict=True)):
            if (architecture, int(size)) not in cells.index:
                style.missing(axes, place + shift, horizontal=True, aside=turn)
                continue
            cell = cells.loc[(architecture, int(size))]
            ends = cell["median"], cell["low"], cell["high"]
            style.interval(axes, place + shift, *ends, look, horizontal=True, aside=turn)
            if np.isfinite(cell["share_verdict_flipped"]):
                axes.text(
                    1.32 * edge,
                    place + shift,
                    f"{100 * cell['share_verdict_flipped']:.0f} %",
                    va="center_baseline",
                    ha="right",
                )
        own = frame.loc[frame["architecture"] == architecture, "estimate"].dropna()
        if len(own):
            axes.plot([own.iloc[0]] * 2, [place - 0.42, place + 0.42], color=style.INK, lw=1.6)

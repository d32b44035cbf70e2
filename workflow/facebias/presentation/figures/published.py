"""Gaps of a published study in three definitions, with what chance could have done to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order
from facebias.published import contracts
from facebias.tables.comparisons import compared_groups

INPUTS = {"intervals": contracts.INTERVALS}
PUBLISHED, SIGNED = "published", "signed"
WIDEST, NARROWEST = "alike_subjects", "independent_samples"
ENDS = ["ci_low", "ci_high"]
THICK = 2.6


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the sizes of published gaps: a row per criterion, a column per kind of model.

    Every gap has a thin bar for the widest and a thick one for the narrowest assumption. Criteria
    that the paper does not have (nothing published, or 0 by construction) are left out.

    Returns
    -------
    The figure, and a ``contracts.INTERVALS`` table of what it shows.
    """
    frame = request.rows(given["intervals"], "attribute")
    known = frame[(frame["definition"] == PUBLISHED) & frame["estimate"].notna()]
    frame = frame[
        frame["criterion"].isin(known["criterion"]) & (frame["definition"] != SIGNED)
    ].reset_index(drop=True)
    title = f"Published gaps by {printed(request.value('attribute', given['intervals']))}"
    if frame.empty:
        return style.words(f"{title}: none can be recomputed", ""), frame
    criteria, trains = in_order(frame["criterion"]), in_order(frame["train_split"])
    architectures, definitions = in_order(frame["architecture"]), in_order(frame["definition"])
    looks = style.series(definitions, request.figures, start=2)
    figure = style.blank(len(criteria) * max(0.24 * len(architectures) + 0.28, 1.1) + 1.3)
    panels = figure.subplots(len(criteria), len(trains), squeeze=False, sharex="row", sharey=True)
    for (row, column), axes in np.ndenumerate(panels):
        of_criterion = frame[frame["criterion"] == criteria[row]]
        cells = of_criterion[of_criterion["train_split"] == trains[column]]
        lines(axes, architectures)
        for name, cell in cells.groupby("assumption"):
            _bars(axes, cell, architectures, looks, thick=name == NARROWEST)
        reach = np.nanmax(of_criterion[["estimate", "ci_high"]].to_numpy())
        axes.set_xlim(0, 1.04 * reach if reach > 0 else 1)
        if row == 0:
            axes.set_title(f"{trains[column]} models")
        if column == 0:
            axes.set_ylabel(printed(criteria[row]).replace(" ", "\n", 1), fontweight="bold")
    panels[-1, len(trains) // 2].set_xlabel("size of the gap (0: none)")
    soft = {"color": style.SOFT, "solid_capstyle": "butt"}
    style.key(
        figure,
        f"{title}: {compared_groups(frame.iloc[0], ' and ')}",
        {printed(name): style.dot(looks[name]) for name in definitions}
        | {
            "independent samples": Line2D([], [], lw=THICK, **soft),
            "alike subjects": Line2D([], [], lw=1.0, **soft),
        },
        columns=3,
    )
    subjects, samples = frame["n_subjects"].max(), frame["n_samples"].max()
    style.note(
        figure,
        f"{style.count(subjects, 'test subject')}, {style.count(samples, 'sample')}; gaps "
        "recomputed from the printed rates. Bars: where chance could have put them, under two "
        "extremes of what was not published: samples that are independent, and people who fare "
        "alike in all their samples. Sizes cannot fall below 0, so they lie above 0 even where "
        "there is no bias.",
    )
    return figure, frame


def lines(axes: Axes, names: Sequence[str]) -> None:
    """Set up a panel with one row per name, from the top."""
    axes.set_yticks(range(len(names)), [printed(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    for place in np.arange(1, len(names)) - 0.5:
        axes.axhline(place, color="#ececec", lw=0.6, zorder=0)


def _bars(
    axes: Axes,
    cells: pd.DataFrame,
    architectures: list[str],
    looks: Mapping[str, style.Series],
    *,
    thick: bool,
) -> None:
    places = dict(zip(looks, style.offsets(len(looks), span=0.72), strict=True))
    for cell in cells.to_dict("records"):
        place = architectures.index(cell["architecture"]) + places[cell["definition"]]
        look = looks[cell["definition"]]
        if thick:
            axes.plot(
                [cell[end] for end in ENDS],
                [place, place],
                color=look.colour,
                lw=THICK,
                alpha=0.45,
                solid_capstyle="butt",
                clip_on=False,
                zorder=1.5,
            )
        else:
            ends = [cell[end] for end in ENDS]
            style.interval(axes, place, cell["estimate"], *ends, look, horizontal=True)

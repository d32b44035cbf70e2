"""Sources of variance: what of a gap's uncertainty comes from people, and what from training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

INPUTS = {"variance": tables.VARIANCE}
SOURCES = {"subjects": "", "folds": ".....", "seeds": "/////", "interaction": "xxxxx"}
INTERVALS = ("subjects", "seeds", "total")
WHAT = {"criterion": "equal_opportunity", "definition": "signed"}
MOST_PAIRS = 3


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw signed gaps with the intervals of each source, and below what each adds to the variance.

    A column per train split. With a single seed and a single fold nothing can be told apart: only
    the intervals over subjects are drawn, and the note says so. ``--select criterion=...
    definition=...`` draws another gap than signed equal opportunity.

    Returns
    -------
    The figure, and the ``tables.VARIANCE`` rows that it shows.
    """
    frame = chosen(given["variance"], request)
    title = f"Sources of variance of gaps by {printed(request.value('attribute', frame))}"
    known = frame.dropna(subset="estimate")
    if known.empty:
        notes = "; ".join(in_order(frame["note"]))
        return style.words(f"{title}: none can be estimated", f"{notes}."), frame
    pairs, left = largest(known, frame.loc[frame["source"] == "subjects"], "levels")
    frame = comparisons.of_pairs(frame, *pairs)
    trains, architectures = in_order(frame["train_split"]), in_order(frame["architecture"])
    apart = frame.loc[frame["source"].isin(["seeds", "folds"]), "variance"].notna().any()
    looks = style.series(list(SOURCES), request.figures, start=2)
    looks["total"] = style.Series(style.INK, "X", "-")
    names = INTERVALS if _several(frame, "seeds") else ("subjects",)
    rows = len(pairs) * (1 + apart)
    step = 0.3 if apart else 0.2
    figure = style.blank(rows * (step * len(architectures) + 0.5) + 1.0)
    panels = figure.subplots(rows, len(trains), squeeze=False, sharey=True)
    reach = 1.08 * np.nanmax(np.abs(frame[["estimate", "ci_low", "ci_high"]].to_numpy(float)))
    for row, pair in enumerate(pairs):
        for column, train in enumerate(trains):
            cells = comparisons.of_pairs(frame[frame["train_split"] == train], pair)
            axes = panels[row * (1 + apart), column]
            _intervals(axes, cells, architectures, looks, names)
            axes.set_xlim(-reach, reach)
            if row == 0:
                axes.set_title(style.trained_on(printed(train), len(trains)))
            axes.set_xlabel(printed_pair(pair), color=style.SOFT)
            if apart:
                _shares(panels[row * 2 + 1, column], cells, architectures, looks)
    gap = printed(request.select.get("criterion", WHAT["criterion"]))
    style.key(figure, f"{title} ({gap})", _entries(looks, frame, names, apart=apart), columns=7)
    style.note(figure, f"{_people(frame)} {_reading(frame, apart=apart)}{left}")
    return figure, frame


def chosen(table: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Choose the rows of one attribute and gap: signed equal opportunity, or what is selected."""
    frame = request.rows(table, "attribute")
    for name, usual in WHAT.items():
        frame = frame[frame[name] == request.select.get(name, usual)]
    return frame


def largest(
    known: pd.DataFrame, frame: pd.DataFrame, people: str
) -> tuple[list[tuple[str, str]], str]:
    """Choose the pairs of groups with most subjects, and say how many are left to the table."""
    pairs = comparisons.pairs(known)
    n = frame.groupby(["first", "second"])[people].max()
    kept = sorted(sorted(pairs, key=lambda pair: -n[pair])[:MOST_PAIRS], key=pairs.index)
    more = len(comparisons.pairs(frame)) - len(kept)
    left = f" Not drawn: {style.count(more, 'further pair')} of groups, see the table."
    return kept, left if more else ""


def _intervals(
    axes: Axes,
    frame: pd.DataFrame,
    architectures: list[str],
    looks: Mapping[str, style.Series],
    names: Sequence[str],
) -> None:
    lines(axes, architectures)
    axes.axvline(0, color=style.INK, lw=0.8, zorder=1)
    cells = frame.set_index(["architecture", "source"])
    for place, architecture in enumerate(architectures):
        for turn, (shift, name) in enumerate(
            zip(style.offsets(len(names), span=0.66), names, strict=True)
        ):
            cell = cells.loc[(architecture, name)]
            ends = cell["estimate"], cell["ci_low"], cell["ci_high"]
            style.interval(axes, place + shift, *ends, looks[name], horizontal=True, aside=turn)


def _shares(
    axes: Axes, frame: pd.DataFrame, architectures: list[str], looks: Mapping[str, style.Series]
) -> None:
    lines(axes, architectures)
    cells = frame.set_index(["architecture", "source"])
    for place, architecture in enumerate(architectures):
        start = 0.0
        for name, hatch in SOURCES.items():
            share = 100 * cells.loc[(architecture, name), "share_one_seed"]
            if not np.isfinite(share) or share == 0:
                continue
            colour = looks[name].colour
            axes.barh(
                place,
                share,
                left=start,
                height=0.62,
                facecolor="white" if hatch else colour,
                edgecolor=colour,
                hatch=hatch,
                lw=0.6,
            )
            start += share
        total = cells.loc[(architecture, "total"), "variance_one_seed"]
        if start:
            axes.text(102, place, f"SD {np.sqrt(total):.2f}", va="center_baseline")
        else:
            style.missing(axes, place, horizontal=True)
    axes.set_xlim(0, 128)
    axes.set_xticks([0, 50, 100])
    axes.set_xlabel("% of the variance with one seed", color=style.SOFT)


def lines(axes: Axes, architectures: list[str]) -> None:
    """Assign a row to every architecture."""
    axes.set_yticks(range(len(architectures)), [printed(name) for name in architectures])
    axes.set_ylim(len(architectures) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    for place in np.arange(1, len(architectures)) - 0.5:
        axes.axhline(place, color="#ececec", lw=0.6, zorder=0)


def _entries(
    looks: Mapping[str, style.Series], frame: pd.DataFrame, names: Sequence[str], *, apart: bool
) -> dict[str, Line2D | Patch]:
    entries: dict[str, Line2D | Patch] = {
        "both" if name == "total" else f"{name} drawn again": style.dot(looks[name])
        for name in names
    }
    if not apart:
        return entries
    found = frame[frame["variance_one_seed"].notna()]
    for name, hatch in SOURCES.items():
        if name in set(found["source"]):
            colour = looks[name].colour
            face = "white" if hatch else colour
            entries[name] = Patch(facecolor=face, edgecolor=colour, hatch=hatch, lw=0.6)
    return entries


def _people(frame: pd.DataFrame) -> str:
    levels = frame.groupby("source")["levels"].max()
    parts = [style.count(levels["subjects"], "test subject"), style.count(levels["seeds"], "seed")]
    if levels["folds"] > 1:
        parts.append(style.count(levels["folds"], "fold"))
    return f"{', '.join(parts)}."


def _reading(frame: pd.DataFrame, *, apart: bool) -> str:
    words = []
    if apart:
        words.append("SD: standard deviation of a gap from one training run.")
    if _several(frame, "seeds"):
        words.append("Interaction: of subjects and seeds.")
    else:
        words.append("With one seed, what another training would change cannot be told.")
    if not _several(frame, "folds"):
        words.append("With one hold-out, what other training subjects would change cannot be told.")
    return " ".join(words)


def _several(frame: pd.DataFrame, source: str) -> bool:
    return bool(frame.loc[frame["source"] == source, "levels"].max() > 1)

"""Samples left out, per group and reason: a detector that misses a group more is a finding."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order

ANY = "any"  # the reason under which the table counts all reasons together
INPUTS = {"exclusions": tables.EXCLUSIONS}
HATCHES = ("", "/////", ".....", "xxxxx", "-----", "\\\\\\\\\\")


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the samples given, used and left out in each group of every attribute.

    Where samples were left out, a second panel shows their share of the group by reason.

    Returns
    -------
    The figure, and the ``tables.EXCLUSIONS`` rows that it shows with ``n_used``.
    """
    frame = given["exclusions"]
    totals = frame[frame["reason"] == ANY]
    reasons = [name for name in in_order(frame["reason"]) if name != ANY and _occurs(frame, name)]
    lines = _lines(totals)
    figure = style.blank(0.2 * len(lines) + (0.95 if reasons else 0.8))
    if reasons:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1.25])
        _shares(right, frame, lines, reasons, request)
    else:
        left = figure.subplots()
    _used(left, totals, lines)
    all_given, all_out = _study_totals(totals)
    head = f"{style.count(all_out, 'sample')} of {all_given:,} left out"
    if reasons:
        entries = {
            printed(name): Patch(facecolor="white", edgecolor=colour, hatch=hatch * 2, lw=0.6)
            if hatch
            else Patch(facecolor=colour, edgecolor=colour, lw=0.6)
            for name, (colour, hatch) in _fills(reasons, request).items()
        }
        style.key(figure, head, entries, columns=3)
        style.note(figure, "Right of the bars: samples left out, and their share of the group.")
    else:
        style.heading(figure, f"None of {all_given:,} samples left out")
        style.note(figure, "Every sample that was given was used, in all groups.")
    shown = frame[frame["reason"].isin([ANY, *reasons])]
    return figure, _numbers(shown, totals)


def _occurs(frame: pd.DataFrame, reason: str) -> bool:
    return bool(frame.loc[frame["reason"] == reason, "n_excluded"].sum())


def _study_totals(totals: pd.DataFrame) -> tuple[int, int]:
    """Count the whole study: every attribute divides the same samples."""
    sums = totals.groupby("attribute", sort=False)[["n_samples", "n_excluded"]].sum()
    return int(sums["n_samples"].max()), int(sums["n_excluded"].max())


def _lines(totals: pd.DataFrame) -> list[tuple[str, str] | None]:
    """Put the groups under one another, a gap (``None``) between attributes."""
    lines: list[tuple[str, str] | None] = []
    for attribute in in_order(totals["attribute"]):
        groups = totals.loc[totals["attribute"] == attribute, "group"]
        lines += [*([None] if lines else []), *((attribute, group) for group in groups)]
    return lines


def _used(axes: Axes, totals: pd.DataFrame, lines: list[tuple[str, str] | None]) -> None:
    colour = "#c9ccd1"
    rows = totals.set_index(["attribute", "group"])
    for place, line in enumerate(lines):
        if line is None:
            continue
        given, out = (int(rows.loc[line, name]) for name in ("n_samples", "n_excluded"))
        axes.barh(place, given - out, height=0.72, color=colour)
        axes.text(0, place, f"  {given - out:,} of {given:,}", va="center_baseline")
    axes.set_yticks(
        [place for place, line in enumerate(lines) if line],
        [f"{printed(line[0])}: {printed(line[1])}" for line in lines if line],
    )
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_title("samples used, of those given")
    axes.set_xticks([])
    axes.spines[["bottom", "left"]].set_visible(False)


def _shares(
    axes: Axes,
    frame: pd.DataFrame,
    lines: list[tuple[str, str] | None],
    reasons: list[str],
    request: Request,
) -> None:
    fills = _fills(reasons, request)
    rows = frame.set_index(["attribute", "group", "reason"])
    ends = [0.0]
    for place, line in enumerate(lines):
        if line is None:
            continue
        start = 0.0
        for reason in reasons:
            share = 100 * rows["share"].get((*line, reason), 0.0)
            colour, hatch = fills[reason]
            axes.barh(
                place,
                share,
                left=start,
                height=0.72,
                facecolor="white" if hatch else colour,
                edgecolor=colour,
                hatch=hatch,
                lw=0.6,
            )
            start += share
        out, share = rows.loc[(*line, ANY), ["n_excluded", "share"]]
        axes.annotate(
            f"{int(out):,} ({100 * share:.1f} %)" if out else "none",
            (start, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center_baseline",
        )
        ends.append(start)
    axes.set_xlim(0, max(ends) * 1.25)
    axes.tick_params(axis="y", left=False)
    axes.spines["left"].set_color(style.FAINT)
    axes.set_title("left out, % of the group")


def _fills(reasons: list[str], request: Request) -> dict[str, tuple[str, str]]:
    colours = request.figures.colours
    return {
        reason: (colours[(position + 2) % len(colours)], HATCHES[position % len(HATCHES)])
        for position, reason in enumerate(reasons)
    }


def _numbers(frame: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    used = totals.assign(n_used=totals["n_samples"] - totals["n_excluded"])
    return frame.merge(used[["attribute", "group", "n_used"]], on=["attribute", "group"])

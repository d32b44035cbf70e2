"""Heatmaps over time: what speaks for and against a label in each frame of single clips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import heatmap_pictures, sanity, style
from facebias.presentation.figures.heatmap_samples import RIGHT, WRONG, pick, ticks, with_groups
from facebias.presentation.figures.heatmaps import colour_key, positions_of, write
from facebias.presentation.figures.request import FigureError, Request, in_order
from facebias.study import Labels

INPUTS = {
    "explanations": tables.EXPLANATIONS,
    "relevance": None,
    "manifest": tables.MANIFEST,
}
OPTIONAL = sanity.OPTIONAL
IN_A_LINE = 2  # strips
# Inches: left of the strips, between two of them and between frames; above the first line, above
# a line and below it; the side of a frame at most.
LEFT, BETWEEN, WITHIN, HEAD, ABOVE, BELOW, MOST_SIDE = 0.3, 0.24, 0.02, 0.42, 0.2, 0.2, 0.66


def draw(given: Mapping[str, Any], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw frames of one clip per label and group under their relevance: the median by score.

    ``relevance`` holds the arrays ``sample`` (n,), ``relevance`` (n, T, height, width), ``faces``
    uint8 (n, F, height, width, 3) and ``frames`` (F,), which of the T frames those are. The frames
    of a clip share a scale. People who may not be shown are drawn as an outline.

    Returns
    -------
    The figure, and a row per frame shown: its sample's row of the explanations, ``group``,
    ``column``, ``rank``, ``right``, ``key_frame`` (from 1), ``share`` (the frame's absolute
    relevance over that of all frames; missing without any) and ``scale`` (the relevance that is
    drawn strongest).
    """
    shown = _medians(given, request)
    arrays, position = given["relevance"], positions_of(given["relevance"])
    frames = arrays["frames"]
    lines = _lines(shown)
    columns = max(len(line) for line in lines)
    room = (style.PAGE_WIDTH - LEFT - (columns - 1) * BETWEEN) / columns
    side = min(room / len(frames) - WITHIN, MOST_SIDE)
    strip = len(frames) * (side + WITHIN)
    width = max(LEFT + columns * strip + (columns - 1) * BETWEEN, style.NARROW)
    step = ABOVE + side + BELOW
    cell = shown.iloc[0]
    words = sanity.warning(given, cell["architecture"], cell["method"])
    words += _words(shown, arrays["relevance"].shape[1], request.labels)
    words = style.wrapped(words, width)
    end = HEAD + step * len(lines) + 0.04
    height = end + 0.42 + 0.14 * (words.count("\n") + 1)
    figure = Figure(figsize=(width, height))
    sheet = figure.add_axes((0, 0, 1, 1))
    sheet.axis("off")
    numbers = []
    for row, line in enumerate(lines):
        top = HEAD + row * step + ABOVE
        label = printed(line[0]["column"])
        write(
            sheet, LEFT - 0.1, top + side / 2, label, rotation=90, ha="right", va="center",
            fontweight="bold",
        )  # fmt: skip
        for place, sample in enumerate(line):
            left = LEFT + place * (strip + BETWEEN)
            index = position.get(sample["sample"])
            if index is None:
                raise FigureError(
                    f"sample {sample['sample']} has no row in the relevance arrays; run the "
                    "target heatmaps again"
                )
            clip = (arrays["faces"][index], arrays["relevance"][index].astype(np.float64))
            numbers += _strip(sheet, (left, top, side), sample, clip, frames)
    sheet.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
    head = (
        f"{printed(cell['architecture'])} trained on {printed(cell['train_split'])}: "
        f"{printed(cell['method'])} over time"
    )
    write(sheet, 0.06, 0.18, head, fontweight="bold", fontsize=style.TITLE)
    colour_key(sheet, width / 2, end)
    write(sheet, 0.06, height - 0.06, words, color=style.SOFT, va="bottom", linespacing=1.3)
    return figure, pd.DataFrame(numbers)


def _medians(given: Mapping[str, Any], request: Request) -> pd.DataFrame:
    """Return the sample in the middle of every label and group (of two, the worse).

    Of a unit that of its first outcome: a hit where there is one.
    """
    attribute = request.value("attribute")
    facts = with_groups(given["explanations"], given["manifest"], attribute, request.labels)
    three = Request(
        figures=request.figures,
        labels=request.labels,
        select={**request.select, "per_group": "3"},
    )
    ranked = pick(facts, three)
    middle = [
        places[len(places) // 2 if request.labels.kind == "classes" else 0]
        for places in ranked.groupby(["column", "group"], sort=False).indices.values()
    ]
    return ranked.iloc[sorted(middle)].reset_index(drop=True)


def _lines(shown: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """Put the groups of a label side by side, so many in a line."""
    lines = []
    for label in in_order(shown["column"]):
        rows = shown[shown["column"] == label].to_dict("records")
        lines += [rows[start : start + IN_A_LINE] for start in range(0, len(rows), IN_A_LINE)]
    return lines


def _strip(
    sheet: Axes,
    place: tuple[float, float, float],
    sample: Mapping[str, Any],
    clip: tuple[np.ndarray, np.ndarray],
    frames: np.ndarray,
) -> list[dict[str, Any]]:
    """Draw one clip at (left, top, side of a frame); give a row per frame."""
    (left, top, side), (faces, relevance) = place, clip
    _, overlays, scale = heatmap_pictures.strip(
        faces, relevance[frames], publishable=bool(sample["publishable"])
    )
    mass = np.abs(relevance).sum(axis=(1, 2))
    shares = mass[frames] / mass.sum() if mass.sum() > 0 else np.full(len(frames), np.nan)
    rows = []
    for number, (overlay, frame, share) in enumerate(zip(overlays, frames, shares, strict=True)):
        start = left + number * (side + WITHIN)
        extent = (start, start + side, top + side, top)
        sheet.imshow(overlay, extent=extent, interpolation="nearest")
        said = style.NOT_AVAILABLE if np.isnan(share) else f"{100 * share:.0f} %"
        middle, below = start + side / 2, top + side + 0.12
        write(sheet, middle, below, f"{frame + 1}: {said}", ha="center", color=style.SOFT)
        rows.append({**sample, "key_frame": int(frame) + 1, "share": share, "scale": scale})
    mark = RIGHT if sample["right"] else WRONG
    above, end = top - 0.045, left + len(frames) * (side + WITHIN) - WITHIN
    write(sheet, left, above, f"{printed(sample['group'])}: {printed(sample['predicted'])} {mark}")
    other = "" if sample["explained"] == sample["column"] else f"{printed(sample['explained'])} "
    write(sheet, end, above, f"{other}{sample['score']:.2f}", ha="right")
    return rows


def _words(shown: pd.DataFrame, n_frames: int, labels: Labels) -> str:
    few = " (of two clips the worse)" if (shown["rank"] == "worst").any() else ""
    rows, of = ("true label", "label and group")
    if labels.kind == "units":
        rows, of = "explained unit", "unit and group, of hits where there are some"
    hidden = "" if shown["publishable"].all() else " Outline: the face is not publishable."
    return (
        f"Rows: {rows}. Above a clip: group, prediction and score of the explained label, the "
        f"median{few} of all explained samples of {of}. {ticks(labels)} Below a frame: its number "
        f"of {style.count(n_frames, 'key frame')}, and its share of the clip's absolute "
        f"relevance. The frames of a clip share a scale. {style.count(len(shown), 'sample')} of "
        f"{style.count(shown['subject'].nunique(), 'subject')}.{hidden}"
    )

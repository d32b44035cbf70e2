"""Heatmaps: what speaks for and against a label in pictures of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import heatmap_pictures, sanity, style
from facebias.presentation.figures.heatmap_pictures import AGAINST, FOR
from facebias.presentation.figures.heatmap_samples import RIGHT, WRONG, pick, ticks, with_groups
from facebias.presentation.figures.request import FigureError, Request, in_order

INPUTS = {
    "explanations": tables.EXPLANATIONS,
    "relevance": None,
    "located": tables.RELEVANCE,
    "manifest": tables.MANIFEST,
}
OPTIONAL = sanity.OPTIONAL
ARRAYS = ("sample", "relevance", "faces", "frames")
MOST_COLUMNS = 6
# Inches: left of the pictures, above a line of them, above the first of a block, between two
# samples, between the pictures of one, from one sample to the next at most.
LEFT, CAPTION, LABEL, BETWEEN, WITHIN, MOST_STEP = 0.42, 0.19, 0.2, 0.17, 0.03, 2.2


def draw(given: Mapping[str, Any], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw face and relevance of some samples per group and label, chosen by rule (``pick``).

    ``relevance`` holds the arrays ``sample`` (n,), ``relevance`` (n, frames, height, width) and
    ``faces`` uint8 (n, F, height, width, 3), some frames of each clip, of which ``frames`` (F,) are
    the positions. The one in the middle is shown.
    A sample that is not ``publishable`` is shown as a drawn outline: no pixel of the face, and its
    relevance smoothed so that it does not trace the face either. Boxes: where the explained
    label's Action Units show (``located``).

    Returns
    -------
    The figure, and one row per sample shown: its row of the explanations, ``group``, ``column``,
    ``rank``, ``right``, ``scale`` (the relevance that is drawn strongest) and ``boxes`` (left, top,
    right, bottom in shares of the picture's side, one after the other).
    """
    attribute = request.value("attribute")
    facts = with_groups(given["explanations"], given["manifest"], attribute, request.labels)
    shown = pick(facts, request)
    shown = shown.assign(boxes=boxes_of(given["located"], shown["sample"]))
    lines, columns = _layout(shown)
    step = min((style.PAGE_WIDTH - LEFT) / columns, MOST_STEP)
    side = (step - BETWEEN - WITHIN) / 2
    width = max(LEFT + columns * step, style.NARROW)
    cell = shown.iloc[0]
    words = sanity.warning(given, cell["architecture"], cell["method"])
    words += _words(shown, len(given["explanations"]), request) + fitted(given["located"])
    words = style.wrapped(words, width)
    tops = _tops(lines, side)
    end = tops[-1] + side + 0.12
    height = end + 0.42 + 0.14 * (words.count("\n") + 1)
    figure = Figure(figsize=(width, height))
    sheet = figure.add_axes((0, 0, 1, 1))
    sheet.axis("off")
    position = positions_of(given["relevance"])
    scales = {}
    for row, (block, group, rank) in enumerate(lines):
        top = tops[row]
        names = f"{printed(group)}\n{rank}"
        write(sheet, LEFT - 0.1, top + side / 2, names, rotation=90, ha="right", va="center")
        for place, column in enumerate(block):
            left = LEFT + place * step
            if row == 0 or lines[row - 1][0] != block:
                write(
                    sheet, left, top - 0.2, printed(column), fontweight="bold", fontsize=style.TITLE
                )
            chosen = (shown["group"] == group) & (shown["rank"] == rank)
            chosen = shown[chosen & (shown["column"] == column)]
            if chosen.empty:
                middle = (left + side / 2, top + side / 2)
                write(sheet, *middle, "no sample", ha="center", va="center", color=style.SOFT)
                continue
            sample = chosen.iloc[0]
            arrays = arrays_of(given["relevance"], position.get(sample["sample"]), sample["sample"])
            scales[chosen.index[0]] = _pair(sheet, (left, top, side), sample, arrays, request)
    # Pictures set the limits to their own edges, so the sheet is measured last.
    sheet.set(xlim=(0, width), ylim=(height, 0), aspect="auto")
    head = (
        f"{printed(cell['architecture'])} trained on {printed(cell['train_split'])}: "
        f"{printed(cell['method'])}"
    )
    write(sheet, 0.06, 0.18, head, fontweight="bold", fontsize=style.TITLE)
    colour_key(sheet, width / 2, end)
    write(sheet, 0.06, height - 0.06, words, color=style.SOFT, va="bottom", linespacing=1.3)
    return figure, shown.assign(scale=pd.Series(scales))


def _tops(lines: list[tuple[tuple[str, ...], str, str]], side: float) -> list[float]:
    """Return the top of each line of pictures in inches; a new block has room for its labels."""
    tops: list[float] = []
    for row, (block, _, _) in enumerate(lines):
        above = tops[-1] + side if tops else 0.26
        first = row == 0 or lines[row - 1][0] != block
        tops.append(above + CAPTION + (LABEL if first else 0.0))
    return tops


def positions_of(arrays: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Return the row of every sample in the relevance arrays."""
    absent = [name for name in ARRAYS if name not in arrays]
    if absent:
        raise FigureError(
            f"--input relevance=...: array {', '.join(absent)} is missing; found "
            f"{', '.join(arrays) or 'none'}; run the target heatmaps again"
        )
    return {str(name): row for row, name in enumerate(arrays["sample"])}


def arrays_of(
    arrays: Mapping[str, np.ndarray], row: int | None, sample: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the face in the middle of one sample's clip, and its relevance."""
    if row is None:
        raise FigureError(
            f"sample {sample} has no row in the relevance arrays; run the target heatmaps again"
        )
    faces = arrays["faces"][row]
    return faces[len(faces) // 2], arrays["relevance"][row]


def boxes_of(located: pd.DataFrame, samples: pd.Series) -> list[str]:
    """Write the boxes of each sample as text; none where its label's Action Units are not known."""
    own = located[located["region"] == "units"].set_index("sample")["boxes"]
    return [" ".join(map(str, own.get(sample, ()))) for sample in samples]


def fitted(located: pd.DataFrame) -> str:
    """Say of how many samples the regions are those of a template."""
    sources = located.drop_duplicates([*tables.MODEL, "sample"])["landmarks"]
    return style.fitted((sources == tables.FITTED).sum(), len(sources))


def _layout(shown: pd.DataFrame) -> tuple[list[tuple[tuple[str, ...], str, str]], int]:
    """Return a line of pictures per block of columns, group and rank; and the width of a block."""
    names = in_order(shown["column"])
    blocks = [tuple(names[i : i + MOST_COLUMNS]) for i in range(0, len(names), MOST_COLUMNS)]
    lines = []
    for block in blocks:
        inside = shown[shown["column"].isin(block)]
        for group in in_order(inside["group"]):
            rows = inside[inside["group"] == group]
            fullest = rows.groupby("column")["rank"].size().idxmax()
            ranks = [*rows.loc[rows["column"] == fullest, "rank"]]
            ranks += [name for name in in_order(rows["rank"]) if name not in ranks]
            lines += [(block, group, rank) for rank in ranks]
    return lines, min(len(names), MOST_COLUMNS)


def _words(shown: pd.DataFrame, n_explained: int, request: Request) -> str:
    hidden = "" if shown["publishable"].all() else " Outline: the face is not publishable."
    of_classes = request.labels.kind == "classes"
    columns, rows = (
        ("true label", "from the best to the worst by that score")
        if of_classes
        else ("explained unit", "of each outcome the sample in the middle by that score")
    )
    return (
        f"Columns: {columns}. Above the pictures: prediction and score of the explained label. "
        f"{ticks(request.labels)} Rows: {rows}, of "
        f"{style.count(n_explained, 'explained sample')}; shown: "
        f"{style.count(len(shown), 'sample')} of "
        f"{style.count(shown['subject'].nunique(), 'subject')}, the middle frame, each on its own "
        f"scale. Boxes: Action Units of the explained label.{hidden}"
    )


def _pair(
    sheet: Axes,
    place: tuple[float, float, float],
    sample: pd.Series,
    arrays: tuple[np.ndarray, np.ndarray],
    request: Request,
) -> float:
    """Draw one sample at (left, top, side of a picture); give the relevance drawn strongest."""
    left, top, side = place
    publishable = bool(sample["publishable"])
    face, overlay, scale = heatmap_pictures.pair(*arrays, publishable=publishable)
    middle = left + side + WITHIN
    for picture, start in ((face, left), (overlay, middle)):
        extent = (start, start + side, top + side, top)
        sheet.imshow(picture, extent=extent, interpolation="nearest")
    for box in np.reshape(np.fromstring(sample["boxes"], sep=" "), (-1, 4)).clip(0, 1) * side:
        corner, size = (middle + box[0], top + box[1]), (box[2] - box[0], box[3] - box[1])
        sheet.add_patch(Rectangle(corner, *size, fill=False, ec=style.INK, lw=0.5))
    if not publishable:
        text = "not publishable" if side > 0.85 else "not for\nprint"
        ground = {"facecolor": heatmap_pictures.GROUND, "edgecolor": "none", "pad": 0.5}
        at = (left + side / 2, top + side - 0.02)
        write(sheet, *at, text, ha="center", va="bottom", color=style.SOFT, bbox=ground)
    classes = request.labels.kind == "classes"
    found = classes or sample["explained"] in str(sample["predicted"]).split("+")
    said = printed(sample["predicted"]) if classes else "present" if found else "absent"
    above = top - 0.045
    write(sheet, left, above, f"{said} {RIGHT if sample['right'] else WRONG}")
    other = "" if sample["explained"] == sample["column"] else f"{printed(sample['explained'])} "
    write(sheet, middle + side, above, f"{other}{sample['score']:.2f}", ha="right")
    return scale


def write(sheet: Axes, left: float, top: float, text: str, **looks: Any) -> None:
    """Write on a sheet that is measured in inches from its top left."""
    sheet.text(left, top, text, **{"va": "baseline", "fontsize": style.TEXT, **looks})


def colour_key(sheet: Axes, middle: float, top: float) -> None:
    """Draw the colours from against to for, with their names at the ends."""
    colours = LinearSegmentedColormap.from_list("relevance", [AGAINST, "#f4f4f4", FOR])
    half = 1.2
    sheet.imshow(
        colours(np.linspace(0, 1, 256))[None, :, :3],
        extent=(middle - half, middle + half, top + 0.09, top),
        aspect="auto",
    )
    for shift, ha, name in (
        (-half, "left", "against"),
        (0, "center", "relevance"),
        (half, "right", "for"),
    ):
        write(sheet, middle + shift, top + 0.23, name, ha=ha)

"""Heatmaps: what speaks for and against a label in pictures of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from facebias import tables
from facebias.figures import heatmap_pictures, style
from facebias.figures.heatmap_pictures import AGAINST, FOR
from facebias.figures.heatmap_samples import pick, with_groups
from facebias.figures.request import FigureError, Request, in_order
from facebias.vocabulary import printed

INPUTS = {"explanations": tables.EXPLANATIONS, "relevance": None, "manifest": tables.MANIFEST}
MOST_COLUMNS = 6
GAP = 0.16  # between two samples, of the width of a picture
RIGHT, WRONG = "\u2713", "\u2717"


def draw(given: Mapping[str, Any], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw face and relevance of samples between the best and the worst scored, per group and label.

    ``relevance`` holds the arrays ``sample`` (n,), ``relevance`` (n, frames, height, width) and
    ``faces`` uint8 (n, frames, height, width, 3); the frame in the middle of the clip is shown.
    A sample that is not ``publishable`` is shown as a drawn outline: no pixel of the face, and its
    relevance smoothed so that it does not trace the face either.

    Returns
    -------
    The figure, and one row per sample shown: its row of the explanations, ``group``, ``column``,
    ``rank``, ``right`` and ``scale`` (the relevance that is drawn strongest).
    """
    attribute = request.value("attribute")
    shown = pick(with_groups(given["explanations"], given["manifest"], attribute), request)
    lines, columns = _layout(shown)
    side = min((style.PAGE_WIDTH - 0.5) / columns / (2 + GAP) - 0.02, 1.0)
    blocks = len({block for block, _, _ in lines})
    figure = style.blank(
        len(lines) * (side + 0.2) + 0.25 * blocks + 1.25,
        width=max(columns * (2 + GAP) * (side + 0.02) + 0.5, style.NARROW),
    )
    figure.get_layout_engine().set(wspace=0.0, w_pad=0.01, hspace=0.0, h_pad=0.085)
    grid = figure.add_gridspec(len(lines), 3 * columns, width_ratios=[1, 1, GAP] * columns)
    position = {str(name): row for row, name in enumerate(given["relevance"]["sample"])}
    scales, drawn = {}, []
    for row, (block, group, rank) in enumerate(lines):
        for place, column in enumerate(block):
            face, heat = (figure.add_subplot(grid[row, 3 * place + side]) for side in (0, 1))
            drawn += [face, heat]
            if row == 0 or lines[row - 1][0] != block:
                _caption(face, printed(column), lines=2, weight="bold", size=style.TITLE)
            if place == 0:
                face.set_ylabel(f"{printed(group)}\n{rank}", fontsize=style.TEXT)
            chosen = (shown["group"] == group) & (shown["rank"] == rank)
            chosen = shown[chosen & (shown["column"] == column)]
            if chosen.empty:
                _no_sample(face, heat)
                continue
            sample = chosen.iloc[0]
            row_of = position.get(sample["sample"])
            if row_of is None:
                raise FigureError(
                    f"sample {sample['sample']} has no row in the relevance arrays; "
                    "run the target heatmaps again"
                )
            faces, relevance = (given["relevance"][key][row_of] for key in ("faces", "relevance"))
            scales[chosen.index[0]] = _pair(face, heat, sample, faces, relevance, request)
    for axes in drawn:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    cell = shown.iloc[0]
    style.heading(
        figure,
        f"{printed(cell['architecture'])} trained on {printed(cell['train_split'])}, "
        f"tested on {printed(cell['test_split'])}",
    )
    _scale(figure, drawn)
    style.note(figure, _words(shown, len(given["explanations"]), request))
    return figure, shown.assign(scale=pd.Series(scales))


def _layout(shown: pd.DataFrame) -> tuple[list[tuple[tuple[str, ...], str, str]], int]:
    """Give a line of pictures per block of columns, group and rank; and the width of a block."""
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
    what = "true label" if request.labels.kind == "classes" else "unit that is present"
    hidden = "" if shown["publishable"].all() else " Outline: the face may not be published."
    return (
        f"Columns: {what}. Number: score of the explained label. Rows: from the best to the worst "
        f"by that score, of {style.count(n_explained, 'explained sample')}; shown: "
        f"{style.count(len(shown), 'sample')} of "
        f"{style.count(shown['subject'].nunique(), 'subject')}, the middle frame, each on its own "
        f"scale.{hidden}"
    )


def _pair(
    face: Axes,
    heat: Axes,
    sample: pd.Series,
    frames: np.ndarray,
    relevance: np.ndarray,
    request: Request,
) -> float:
    """Draw one sample; give the relevance that is drawn strongest."""
    publishable = bool(sample["publishable"])
    picture, overlay, scale = heatmap_pictures.pair(frames, relevance, publishable=publishable)
    face.imshow(picture, interpolation="nearest")
    heat.imshow(overlay, interpolation="nearest")
    if not publishable:
        face.text(
            0.5,
            0.03,
            "not\npublishable" if face.get_position().width < 0.1 else "not publishable",
            transform=face.transAxes,
            ha="center",
            va="bottom",
            color=style.SOFT,
            linespacing=1.0,
            bbox={"facecolor": heatmap_pictures.GROUND, "edgecolor": "none", "pad": 0.5},
        ).set_in_layout(False)
    classes = request.labels.kind == "classes"
    said = printed(sample["predicted"]) if classes else "present" if sample["right"] else "absent"
    _caption(face, f"said: {said} {RIGHT if sample['right'] else WRONG}")
    own = sample["explained"] == sample["column"]
    _caption(
        heat,
        f"{'' if own else printed(sample['explained']) + ' '}{sample['score']:.2f}",
        side="right",
    )
    return scale


def _caption(
    axes: Axes,
    text: str,
    *,
    lines: int = 1,
    side: str = "left",
    weight: str = "normal",
    size: float = style.TEXT,
) -> None:
    """Write a line above a picture, ``lines`` lines up."""
    caption = axes.annotate(
        text,
        (1 if side == "right" else 0, 1),
        xycoords="axes fraction",
        xytext=(0, 3 + 10.5 * (lines - 1)),
        textcoords="offset points",
        ha=side,
        va="baseline",
        fontsize=size,
        fontweight=weight,
    )
    # A long prediction would push the pictures apart; a column's label needs its room above.
    caption.set_in_layout(lines > 1)


def _no_sample(face: Axes, heat: Axes) -> None:
    heat.remove()
    face.text(
        0.5,
        0.5,
        "no sample",
        transform=face.transAxes,
        ha="center",
        va="center",
        color=style.SOFT,
        fontstyle="italic",
    )


def _scale(figure: Figure, drawn: list[Axes]) -> None:
    colours = LinearSegmentedColormap.from_list("relevance", [AGAINST, "#f4f4f4", FOR])
    live = [axes for axes in drawn if axes.figure is not None]
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), colours),
        ax=live,
        location="bottom",
        shrink=0.35,
        aspect=28,
        pad=0.01,
    )
    bar.set_ticks([-0.93, 0, 0.93], labels=["against", "relevance", "for"])
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)

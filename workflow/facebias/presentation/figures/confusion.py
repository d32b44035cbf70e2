"""Confusion matrices: one panel per architecture, shares of the true label."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order

INPUTS = {"confusion": tables.CONFUSION}
STATES = ("present", "absent")


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the confusion matrices of all architectures in one train split and test split.

    Rows are true labels and sum to 1; the number of samples stands beside each. A row without
    samples is marked "n/a". For units, a row shows how often the unit is predicted where it is
    present and where it is absent.

    Returns
    -------
    The figure, and a ``tables.CONFUSION`` table of what it shows.
    """
    frame = request.rows(given["confusion"], "train_split", "test_split")
    classes = request.labels.kind == "classes"
    labels = _labels(frame, request)
    across = labels if classes else list(STATES)
    architectures = in_order(frame["architecture"])
    columns = min(3 if len(across) <= 7 else 2 if len(across) <= 12 else 1, len(architectures))
    rows = -(-len(architectures) // columns)
    cell = min(((style.PAGE_WIDTH - 1.1) / columns - 0.45) / len(across), 0.5)
    figure = style.blank(
        rows * (cell * len(labels) + 0.42) + 1.1,
        width=columns * (cell * len(across) + 0.45) + 1.1,
    )
    panels = figure.subplots(rows, columns, squeeze=False)
    colours = LinearSegmentedColormap.from_list("share", ["#ffffff", request.figures.colours[0]])
    for position, axes in enumerate(panels.flat):
        if position >= len(architectures):
            axes.remove()
            continue
        name = architectures[position]
        square = _matrix if classes else _units
        shares, samples = square(frame[frame["architecture"] == name], labels)
        _panel(axes, shares, samples, colours, diagonal=classes)
        axes.set_title(printed(name))
        if position % columns == 0:
            axes.set_yticks(range(len(labels)), [printed(label) for label in labels])
            axes.set_ylabel("true")
        if position + columns >= len(architectures):
            axes.set_xticks(range(len(across)), [printed(label) for label in across])
            for text in axes.get_xticklabels():
                text.set(rotation=40, ha="right", rotation_mode="anchor")
            axes.set_xlabel("predicted" if classes else "predicted where")
    train, test = request.value("train_split", frame), request.value("test_split", frame)
    style.heading(figure, f"Trained on {train}, tested on {test}")
    style.note(
        figure,
        "Per cent of the samples with the true label (n)."
        if classes
        else "Per cent of the samples in which the unit is predicted; n: present / absent.",
    )
    return figure, frame


def _labels(frame: pd.DataFrame, request: Request) -> list[str]:
    found = in_order(frame["true"])
    known = [name for name in request.labels.evaluated if name in found]
    if request.labels.kind == "units":
        return known
    return known + [name for name in found if name not in known]


def _matrix(frame: pd.DataFrame, labels: list[str]) -> tuple[np.ndarray, list[str]]:
    """Return shares, true labels x predicted labels, and the samples of each row as text."""
    wide = {
        column: frame.pivot(index="true", columns="predicted", values=column)
        .reindex(index=labels, columns=labels)
        .to_numpy(dtype=float)
        for column in ("share", "n_samples")
    }
    return wide["share"], [f"{np.nansum(row):,.0f}" for row in wide["n_samples"]]


def _units(frame: pd.DataFrame, labels: list[str]) -> tuple[np.ndarray, list[str]]:
    """Return shares predicted, units x (present, absent), and the samples of each row as text."""
    cells = frame.set_index(["true", "predicted"])
    shares, samples = [], []
    for name in labels:
        states = (name, f"not {name}")
        shares.append([cells.loc[(true, name), "share"] for true in states])
        totals = [sum(cells.loc[(true, said), "n_samples"] for said in states) for true in states]
        samples.append(" / ".join(f"{n:,.0f}" for n in totals))
    return np.array(shares), samples


def _panel(
    axes: Axes,
    shares: np.ndarray,
    samples: list[str],
    colours: LinearSegmentedColormap,
    *,
    diagonal: bool,
) -> None:
    rows, columns = shares.shape
    axes.imshow(np.nan_to_num(shares), cmap=colours, vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for edge in np.arange(1, rows) - 0.5:
        axes.axhline(edge, color="white", lw=1)
    for edge in np.arange(1, columns) - 0.5:
        axes.axvline(edge, color="white", lw=1)
    for row, column in np.ndindex(rows, columns):
        share = shares[row, column]
        if not np.isfinite(share):
            _missing(axes, row, column)
            continue
        axes.text(
            column,
            row,
            f"{100 * share:.0f}",
            ha="center",
            va="center_baseline",
            color="white" if share > 0.55 else style.INK if share >= 0.005 else style.SOFT,
            fontweight="bold" if diagonal and row == column else "normal",
        )
    for row, text in enumerate(samples):
        axes.text(columns - 0.4, row, text, va="center_baseline", color=style.SOFT)
    axes.annotate(
        "n",
        (columns - 0.4, -0.5),
        xytext=(0, 4),
        textcoords="offset points",
        annotation_clip=False,
        color=style.SOFT,
    )


def _missing(axes: Axes, row: int, column: int) -> None:
    axes.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            1,
            1,
            facecolor="#f2f2f2",
            edgecolor="#cfcfcf",
            hatch="////",
            lw=0,
        )
    )
    axes.text(
        column,
        row,
        style.NOT_AVAILABLE,
        ha="center",
        va="center_baseline",
        fontstyle="italic",
        bbox={"facecolor": "#f2f2f2", "edgecolor": "none", "pad": 1},
    )

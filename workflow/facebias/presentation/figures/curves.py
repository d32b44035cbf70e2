"""Training curves: loss and accuracy per epoch, one pair of panels per architecture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order

INPUTS = {"*": tables.HISTORY}
MODEL = ["architecture", "train_split", "fold", "seed"]
COLUMNS = 3
QUANTITIES = ("loss", "accuracy")


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the histories of many models, in one table per architecture and train split.

    Lines are means over folds and seeds, bands their range, markers the median of the epochs whose
    weights were kept.

    Returns
    -------
    The figure, and one row per point drawn: ``architecture, train_split, subjects`` (train or
    validation), ``quantity, epoch, mean, low, high, n_models, n_best`` (models whose best epoch
    it is), ``marked``.
    """
    numbers = _summarise(given)
    architectures, trains = in_order(numbers["architecture"]), in_order(numbers["train_split"])
    looks = style.series(trains, request.figures, whole=True)
    columns = min(COLUMNS, len(architectures))
    blocks = -(-len(architectures) // columns)
    figure = style.blank(blocks * 2.25 + 0.75)
    panels = figure.subplots(2 * blocks, columns, squeeze=False, sharex=True)
    top = _top_loss(numbers)
    for position in range(blocks * columns):
        block, column = divmod(position, columns)
        pair = panels[2 * block : 2 * block + 2, column]
        if position >= len(architectures):
            for axes in pair:
                axes.remove()
            continue
        name = architectures[position]
        for axes, quantity in zip(pair, QUANTITIES, strict=True):
            chosen = (numbers["architecture"] == name) & (numbers["quantity"] == quantity)
            _panel(axes, numbers[chosen], looks)
            axes.set_ylim(0, top if quantity == "loss" else 1)
            if column == 0:
                axes.set_ylabel(quantity)
            else:
                axes.tick_params(labelleft=False)
        pair[0].set_title(printed(name))
        last = position + columns >= len(architectures)
        pair[1].tick_params(labelbottom=last)
        if last:
            pair[1].set_xlabel("epoch")
    entries = {name: style.dot(look) for name, look in looks.items()}
    entries["validation"] = Line2D([], [], color=style.SOFT, lw=1.3)
    entries["training"] = Line2D([], [], color=style.SOFT, lw=0.8, ls=(0, (2, 1.5)))
    style.key(figure, "Training by train split", entries, columns=6)
    models = sum(len(histories[MODEL].drop_duplicates()) for histories in given.values())
    highest = numbers["n_models"].max()
    note = "Marker: the best epoch, whose weights are kept."
    if highest > 1:
        note = (
            "Lines: means over folds and seeds; bands: range of validation; marker: the median of "
            "the best epochs, whose weights are kept."
        )
    style.note(figure, f"{style.count(models, 'model')}. {note}")
    return figure, numbers


def _summarise(given: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    parts = []
    for histories in given.values():
        for quantity in QUANTITIES:
            for subjects in ("train", "validation"):
                part = histories[["architecture", "train_split", "epoch", "best"]]
                value = histories[f"{subjects}_{quantity}"]
                parts.append(part.assign(subjects=subjects, quantity=quantity, value=value))
    long = pd.concat(parts, ignore_index=True)
    by = ["architecture", "train_split", "subjects", "quantity", "epoch"]
    grouped = long.groupby(by, sort=False)
    numbers = grouped.agg(
        mean=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        n_models=("value", "size"),
        n_best=("best", "sum"),
    ).reset_index()
    best = long[long["best"]].groupby(by[:2])["epoch"].median().round()
    middle = pd.MultiIndex.from_frame(numbers[by[:2]]).map(best)
    marked = (numbers["epoch"] == middle) & (numbers["subjects"] == "validation")
    return numbers.assign(marked=marked.to_numpy())


def _panel(axes: Axes, numbers: pd.DataFrame, looks: Mapping[str, style.Series]) -> None:
    axes.grid(axis="y")
    axes.margins(x=0.02)
    for name, look in looks.items():
        for subjects in ("train", "validation"):
            chosen = (numbers["train_split"] == name) & (numbers["subjects"] == subjects)
            rows = numbers[chosen].sort_values("epoch")
            if not np.isfinite(rows["mean"]).any():
                continue
            if subjects == "train":
                axes.plot(rows["epoch"], rows["mean"], color=look.colour, lw=0.8, ls=(0, (2, 1.5)))
                continue
            axes.plot(rows["epoch"], rows["mean"], color=look.colour, lw=1.3)
            if (rows["n_models"] > 1).any():
                axes.fill_between(
                    rows["epoch"], rows["low"], rows["high"], color=look.colour, alpha=0.12, lw=0
                )
            best = rows[rows["marked"]]
            axes.plot(
                best["epoch"],
                best["mean"],
                color=look.colour,
                marker=look.marker,
                ms=5,
                mec="white",
                mew=0.6,
                lw=0,
                zorder=4,
                clip_on=False,
            )


def _top_loss(numbers: pd.DataFrame) -> float:
    """End the loss axis above nearly all of it: a bad first epoch must not flatten every curve."""
    losses = numbers.loc[numbers["quantity"] == "loss", "mean"].dropna()
    return float(np.quantile(losses, 0.98)) * 1.1 if len(losses) else 1.0

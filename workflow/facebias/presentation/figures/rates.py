"""Rates per label: a row per architecture, a column per train split, test splits side by side.

Or the other way round: a column per test split, train splits side by side.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import MEANS, printed
from facebias.evaluation import baselines
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order

INPUTS = {"metrics": tables.METRICS}
OVERALL = "overall"
TRAIN, TEST = "train_split", "test_split"
CONSTANT = "accuracy_constant"
MOST_ABOVE = 3  # architectures, one above the other, where there is one column
MOST_BESIDE, MANY_LABELS = 3, 12  # columns beside one another that have room for that many labels


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw one metric (``--select metric=tpr``) per label and split, with its intervals.

    ``--select series=train_split`` puts train splits side by side; without it, test splits.

    Returns
    -------
    The figure, and a ``tables.METRICS`` table of what it shows. Beside ``accuracy`` stands
    ``accuracy_constant``: that of the best constant answer.
    """
    return panels(given["metrics"], request)


def panels(
    metrics: pd.DataFrame, request: Request, *, groups: str | None = None
) -> tuple[Figure, pd.DataFrame]:
    """Draw what ``draw`` draws; ``groups``: the attribute whose groups stand for test splits."""
    metric = request.value("metric", metrics)
    means = MEANS.get(metric, metric)
    named = metrics.replace({"metric": {means: metric}})
    frame = request.rows(named, "metric")
    by = request.select.get("series", TEST)
    across = TRAIN if by == TEST else TEST
    architectures, columns = in_order(frame["architecture"]), in_order(frame[across])
    names, labels = in_order(frame[by]), _labels(frame, request)
    looks = style.series(names, request.figures, whole=True)
    chance = baselines.mean_over_labels(metric, request.labels)
    constant = _constant(named) if metric == "accuracy" else named.iloc[:0]
    top = _top(frame, metric)
    # Of one column, architectures stand beside one another.
    wide = 2 if len(columns) == 1 and len(architectures) > MOST_ABOVE else len(columns)
    if len(columns) > MOST_BESIDE and len(labels) > MANY_LABELS:
        wide = 2
    cells = list(itertools.product(architectures, columns))
    rows = -(-len(cells) // wide)
    turned = sum(map(len, map(printed, labels))) * wide > 105
    width = style.PAGE_WIDTH if wide > 1 else style.NARROW
    figure = style.blank(0.92 * rows + (1.5 if turned else 1.1), width=width)
    panels = figure.subplots(rows, wide, squeeze=False, sharex=True, sharey=True)
    for axes in panels.flat[len(cells) :]:
        axes.remove()
    for place, (architecture, split) in enumerate(cells):
        axes = panels.flat[place]
        chosen = (frame["architecture"] == architecture) & (frame[across] == split)
        # With several hold-outs, one panel has not the test splits of another.
        there = set(frame.loc[chosen, by])
        own = {name: look for name, look in looks.items() if name in there}
        _panel(axes, frame[chosen], labels, own, by)
        beside = (constant["architecture"] == architecture) & (constant[across] == split)
        _ticks(axes, constant[beside], labels, own, by)
        if place < len(columns):
            title = style.trained_on(split, len(columns))
            axes.set_title(title if across == TRAIN else f"tested on {split}")
        if split == columns[0]:
            axes.set_ylabel(printed(architecture), fontweight="bold")
        if chance:
            axes.axhline(chance, color=style.SOFT, lw=0.7, ls=":")
        axes.set_ylim(0, top)
        if top == 1.0:
            axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
        if place + wide >= len(cells):
            _name(axes, labels, turned=turned)
    words = {name: f"{name}: {_counts(frame[frame[TEST] == name])}" for name in names}
    if by == TRAIN:
        words = {name: f"trained on {name}" for name in names}
    entries = {words[name]: style.dot(looks[name]) for name in names}
    title = printed(metric)
    head = f"{title[0].upper()}{title[1:]} by {printed(groups or by)}"
    in_a_line = 3 if len(entries) <= 3 or by == TRAIN else 2  # those of test splits are long
    style.key(figure, head, entries, columns=in_a_line if wide > 1 or by == TRAIN else 1)
    guess = " Dotted: guessing, as a mean over labels." if chance else ""
    if not constant.empty:
        guess = " Dotted: the best constant answer."
    absent = " n/a: no sample to estimate it from." if frame["value"].isna().any() else ""
    tested = f"{_counts(frame)}. " if by == TRAIN else ""
    style.note(figure, f"{tested}Bars: intervals over test subjects.{guess}{absent}")
    return figure, frame if constant.empty else pd.concat([frame, constant], ignore_index=True)


def _constant(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracy of the best constant prediction beside every accuracy, as rows."""
    parts = []
    for _, cell in metrics.groupby(["architecture", TRAIN, TEST], sort=False):
        rows = cell[cell["metric"] == "accuracy"]
        value = rows["label"].map(baselines.accuracy(cell))
        parts.append(rows.assign(metric=CONSTANT, value=value, ci_low=np.nan, ci_high=np.nan))
    return pd.concat(parts).dropna(subset="value")


def _name(axes: Axes, labels: list[str], *, turned: bool) -> None:
    """Write the labels under a panel."""
    axes.set_xticks(range(len(labels)), [printed(label) for label in labels])
    axes.tick_params(axis="x", labelbottom=True)
    if turned:
        axes.tick_params(axis="x", rotation=40)
        for text in axes.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")


def _panel(
    axes: Axes,
    frame: pd.DataFrame,
    labels: list[str],
    looks: Mapping[str, style.Series],
    by: str,
) -> None:
    axes.grid(axis="y")
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.tick_params(axis="x", length=0)
    rows = frame.set_index(["label", by])
    for place, label in enumerate(labels):
        if label == OVERALL and place:
            axes.axvline(place - 0.5, color=style.FAINT, lw=0.6)
        for shift, name in zip(style.offsets(len(looks), span=0.66), looks, strict=True):
            if (label, name) not in rows.index:
                style.missing(axes, place + shift, horizontal=False, colour=looks[name].colour)
                continue
            cell = rows.loc[(label, name)]
            style.interval(
                axes,
                place + shift,
                cell["value"],
                cell["ci_low"],
                cell["ci_high"],
                looks[name],
                horizontal=False,
            )


def _ticks(
    axes: Axes,
    rows: pd.DataFrame,
    labels: list[str],
    looks: Mapping[str, style.Series],
    by: str,
) -> None:
    """Mark what a constant answer reaches beside each rate."""
    shifts = dict(zip(looks, style.offsets(len(looks), span=0.66), strict=True))
    half = 0.33 / len(looks)
    for row in rows.itertuples():
        middle = labels.index(row.label) + shifts[getattr(row, by)]
        ends = [middle - half, middle + half]
        axes.plot(ends, [row.value] * 2, color=style.SOFT, lw=0.9, ls=":", zorder=1.5)


def _labels(frame: pd.DataFrame, request: Request) -> list[str]:
    found = set(frame["label"])
    known = [name for name in (*request.labels.evaluated, OVERALL) if name in found]
    return known + [name for name in in_order(frame["label"]) if name not in known]


def _top(frame: pd.DataFrame, metric: str) -> float:
    """End the axis at 1; false positive rates are small, so theirs ends above the highest."""
    if metric != "fpr":
        return 1.0
    highest = np.nanmax(frame[["value", "ci_high"]].to_numpy(dtype=float), initial=0.1)
    return min(1.0, np.ceil(highest * 10) / 10)


def _counts(rows: pd.DataFrame) -> str:
    subjects = rows["n_subjects"].max()
    samples = rows.loc[rows["label"] != OVERALL, "n_samples"]
    samples = rows["n_samples"] if samples.empty else samples
    least, most = samples.min(), samples.max()
    many = f"{most:,}" if least == most else f"{least:,}\u2013{most:,}"
    return f"{style.count(subjects, 'subject')}, {many} samples a rate"

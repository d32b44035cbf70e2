"""Rates per label: a row per architecture, a column per train split, test splits side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facebias import tables
from facebias.figures import style
from facebias.figures.request import Request, in_order
from facebias.vocabulary import MEANS, printed

INPUTS = {"metrics": tables.METRICS}
OVERALL = "overall"


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw one metric (``--select metric=tpr``) per label and test split, with its intervals.

    Returns
    -------
    The figure, and a ``tables.METRICS`` table of what it shows.
    """
    metric = request.value("metric", given["metrics"])
    means = MEANS.get(metric, metric)
    named = given["metrics"].replace({"metric": {means: metric}})
    frame = request.rows(named, "metric")
    architectures, trains = in_order(frame["architecture"]), in_order(frame["train_split"])
    tests, labels = in_order(frame["test_split"]), _labels(frame, request)
    looks = style.series(tests, request.figures, whole=True)
    chance = _guessing(metric, request)
    top = _top(frame, metric)
    turned = sum(map(len, map(printed, labels))) * len(trains) > 105
    width = style.PAGE_WIDTH if len(trains) > 1 else style.NARROW
    figure = style.blank(0.92 * len(architectures) + (1.5 if turned else 1.1), width=width)
    panels = figure.subplots(
        len(architectures), len(trains), squeeze=False, sharex=True, sharey=True
    )
    for row, architecture in enumerate(architectures):
        for column, train in enumerate(trains):
            axes = panels[row, column]
            chosen = (frame["architecture"] == architecture) & (frame["train_split"] == train)
            _panel(axes, frame[chosen], labels, tests, looks)
            if row == 0:
                axes.set_title(style.trained_on(train, len(trains)))
            if column == 0:
                axes.set_ylabel(printed(architecture), fontweight="bold")
            if chance:
                axes.axhline(chance[0], color=style.SOFT, lw=0.7, ls=":")
            axes.set_ylim(0, top)
            if top == 1.0:
                axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    names = [printed(label) for label in labels]
    for axes in panels[-1]:
        axes.set_xticks(range(len(labels)), names)
        if turned:
            axes.tick_params(axis="x", rotation=40)
            for text in axes.get_xticklabels():
                text.set(ha="right", rotation_mode="anchor")
    entries = {_entry(frame, test): style.dot(looks[test]) for test in tests}
    title = printed(metric)
    head = f"{title[0].upper()}{title[1:]} by test split"
    style.key(figure, head, entries, columns=3 if len(trains) > 1 else 1)
    guess = f" Dotted: {chance[1]}." if chance else ""
    absent = " n/a: no sample to estimate it from." if frame["value"].isna().any() else ""
    style.note(figure, f"Bars: intervals over test subjects.{guess}{absent}")
    return figure, frame


def _guessing(metric: str, request: Request) -> tuple[float, str] | None:
    """Give what guessing would reach, and in which way; None where that hangs on base rates."""
    n = len(request.labels.evaluated)
    if metric == "auc":
        return 0.5, "guessing"
    if request.labels.kind == "classes" and metric in ("tpr", "fpr"):
        return 1 / n, f"guessing evenly among {n} labels"
    return None


def _panel(
    axes: Axes,
    frame: pd.DataFrame,
    labels: list[str],
    tests: list[str],
    looks: Mapping[str, style.Series],
) -> None:
    axes.grid(axis="y")
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.tick_params(axis="x", length=0)
    rows = frame.set_index(["label", "test_split"])
    for place, label in enumerate(labels):
        if label == OVERALL and place:
            axes.axvline(place - 0.5, color=style.FAINT, lw=0.6)
        for shift, test in zip(style.offsets(len(tests), span=0.66), tests, strict=True):
            if (label, test) not in rows.index:
                style.missing(axes, place + shift, horizontal=False, colour=looks[test].colour)
                continue
            cell = rows.loc[(label, test)]
            style.interval(
                axes,
                place + shift,
                cell["value"],
                cell["ci_low"],
                cell["ci_high"],
                looks[test],
                horizontal=False,
            )


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


def _entry(frame: pd.DataFrame, test: str) -> str:
    rows = frame[frame["test_split"] == test]
    subjects = rows["n_subjects"].max()
    samples = rows.loc[rows["label"] != OVERALL, "n_samples"]
    samples = rows["n_samples"] if samples.empty else samples
    least, most = samples.min(), samples.max()
    many = f"{most:,}" if least == most else f"{least:,}\u2013{most:,}"
    return f"{test}: {style.count(subjects, 'subject')}, {many} samples a rate"

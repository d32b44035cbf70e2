"""Box plots of a metric over architectures: a box per label and test split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.rates import OVERALL
from facebias.presentation.figures.request import Request, in_order

INPUTS = {"metrics": tables.METRICS}
SPAN = 0.72  # of the boxes of a label
QUARTILES = {"low": 0.0, "first": 0.25, "median": 0.5, "third": 0.75, "high": 1.0}


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw one metric of one train split: a box over architectures, and a dot for each of them.

    Returns
    -------
    The figure, and a row per box: ``train_split``, ``test_split``, ``label``, ``metric``,
    ``n_architectures``, the ends of the whiskers ``low`` and ``high``, the quartiles ``first`` and
    ``third``, the ``median``, and the value of every architecture under its name.
    """
    frame = request.rows(given["metrics"], "metric", "train_split")
    found = in_order(frame["label"])
    labels = [name for name in (*request.labels.evaluated, OVERALL) if name in found]
    tests = in_order(frame["test_split"])
    looks = style.series(tests, request.figures, whole=True)
    numbers = _numbers(frame, labels, tests)
    figure = style.blank(2.6, width=style.PAGE_WIDTH if len(labels) > 3 else style.NARROW)
    axes = figure.subplots()
    axes.grid(axis="y")
    for place, label in enumerate(labels):
        for shift, test in zip(style.offsets(len(tests), span=SPAN), tests, strict=True):
            of_box = (frame["label"] == label) & (frame["test_split"] == test)
            values = frame.loc[of_box, "value"].dropna()
            if values.empty:
                style.missing(axes, place + shift, horizontal=False, colour=looks[test].colour)
                continue
            _box(axes, place + shift, values, looks[test], width=0.78 * SPAN / len(tests))
    metric = printed(request.value("metric", frame))
    axes.set_xlim(-0.55, len(labels) - 0.45)
    low = numbers["low"].min()
    axes.set_ylim(min(0.5, np.floor(10 * low) / 10) if np.isfinite(low) else 0, 1)
    axes.set_xticks(range(len(labels)), [printed(label) for label in labels])
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel(metric)
    style.key(
        figure,
        f"{metric[0].upper()}{metric[1:]} over architectures, trained on "
        f"{request.value('train_split', frame)}",
        {
            f"{test}: {style.count(rows['n_subjects'].max(), 'subject')}": style.dot(looks[test])
            for test, rows in frame.groupby("test_split", sort=False)
        },
    )
    style.note(
        figure,
        "Boxes: middle half and median of "
        f"{style.count(numbers['n_architectures'].max(), 'architecture')}; whiskers: lowest and "
        "highest; markers: one architecture each. Architectures were tested on the same subjects: "
        "a box says how they differ, not how sure their mean is.",
    )
    return figure, numbers


def _numbers(frame: pd.DataFrame, labels: list[str], tests: list[str]) -> pd.DataFrame:
    keys = ["train_split", "test_split", "label", "metric"]
    wide = frame.pivot(index=keys, columns="architecture", values="value")
    wide = wide[in_order(frame["architecture"])]
    boxes = pd.DataFrame({name: wide.quantile(at, axis=1) for name, at in QUARTILES.items()})
    boxes.insert(0, "n_architectures", wide.notna().sum(axis=1))
    order = pd.MultiIndex.from_tuples(
        [(*wide.index[0][:1], test, label, wide.index[0][3]) for label in labels for test in tests],
        names=keys,
    )
    return boxes.join(wide).reindex(order).reset_index()


def _box(axes: Axes, place: float, values: pd.Series, look: style.Series, *, width: float) -> None:
    low, first, median, third, high = values.quantile(list(QUARTILES.values()))
    line = {"color": look.colour, "lw": 0.9}
    axes.bar(
        place, third - first, width, bottom=first, fc="white", ec=look.colour, lw=0.9, zorder=2
    )
    axes.plot([place - width / 2, place + width / 2], [median, median], lw=1.8, color=look.colour)
    for start, end in ((first, low), (third, high)):
        axes.plot([place, place], [start, end], solid_capstyle="butt", **line)
        axes.plot([place - width / 4, place + width / 4], [end, end], **line)
    # Equal values stand side by side.
    turn = values.groupby(values).cumcount() - (values.groupby(values).transform("size") - 1) / 2
    axes.plot(
        place + turn * width / 6, values, marker=look.marker, ms=2.6, mew=0, lw=0, alpha=0.75,
        color=look.colour, clip_on=False, zorder=4,
    )  # fmt: skip

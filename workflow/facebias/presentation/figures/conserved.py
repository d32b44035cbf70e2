"""How much of an explained output arrives at the pixels, by architecture and train split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order

INPUTS = {"explanations": tables.EXPLANATIONS}
TITLE = "Share of the explained output that arrives at the pixels"
CELL = ["method", "architecture", "train_split"]
QUANTILES = {
    "low": 0.05,
    "lower_quartile": 0.25,
    "median": 0.5,
    "upper_quartile": 0.75,
    "high": 0.95,
}
# Where an output is near 0, its share may be anything: the axis shows these at least and at most.
LEAST, MOST = (-0.1, 1.1), (-1.0, 2.0)


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw median, quartiles and the middle 90 % of ``conserved``, one panel per method.

    Returns
    -------
    The figure, and one row per method, architecture and train split: ``n_samples`` and the
    quantiles.
    """
    table = given["explanations"].dropna(subset=["conserved"])
    if table.empty:
        return style.words(TITLE, "No method used here promises a sum."), table[CELL]
    grouped = table.groupby(CELL, sort=False)["conserved"]
    numbers = grouped.size().rename("n_samples").reset_index()
    for name, quantile in QUANTILES.items():
        numbers[name] = grouped.quantile(quantile).to_numpy()
    methods, trains = in_order(numbers["method"]), in_order(numbers["train_split"])
    architectures = in_order(numbers["architecture"])
    looks = style.series(trains, request.figures, whole=True)
    figure = style.blank(1.35 + 0.32 * len(architectures))
    panels = figure.subplots(1, len(methods), squeeze=False, sharex=True, sharey=True)[0]
    shifts = dict(zip(trains, style.offsets(len(trains), span=0.6), strict=True))
    ends = numbers[["low", "high"]].to_numpy()
    edges = np.clip([ends.min(), ends.max()], *MOST)
    for axes, method in zip(panels, methods, strict=True):
        axes.grid(axis="x")
        axes.set_title(printed(method))
        axes.axvline(1, color=style.SOFT, lw=0.8)
        axes.axvline(0, color=style.FAINT, lw=0.8)
        for row in numbers[numbers["method"] == method].itertuples():
            place = architectures.index(row.architecture) + shifts[row.train_split]
            look = looks[row.train_split]
            axes.plot([row.low, row.high], [place, place], color=look.colour, lw=0.8)
            axes.plot(
                [row.lower_quartile, row.upper_quartile], [place, place], color=look.colour, lw=2.6
            )
            axes.plot(row.median, place, color=look.colour, marker=look.marker, ms=4, mec="white")
        axes.set(
            yticks=range(len(architectures)),
            yticklabels=[printed(name) for name in architectures],
            xlim=(min(edges[0], LEAST[0]), max(edges[1], LEAST[1])),
            xlabel="relevance of all pixels / explained output",
        )
    panels[0].set_ylim(len(architectures) - 0.5, -0.5)
    style.key(figure, TITLE, {printed(name): style.dot(look) for name, look in looks.items()})
    style.note(
        figure,
        f"{style.count(len(table), 'explanation')}. Marker: median; thick: middle half; thin: "
        "middle 90 %. What lies outside the panel is cut off.",
    )
    return figure, numbers

"""Whether heatmaps change when a model is re-initialised layer by layer from its top."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order

INPUTS = {"randomisation": tables.RANDOMISATION}
TITLE = "Heatmaps of models re-initialised from the top"
MEASURES = {
    "rank_correlation": "rank correlation with the\ntrained model's heatmap",
    "structural_similarity": "structural similarity to the\ntrained model's heatmap",
}


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw both measures of likeness over the share of layers drawn anew, a row per method.

    Returns
    -------
    The figure, and one row per ``method, architecture, layers, share, layer, measure``: ``mean``,
    ``low`` and ``high`` over samples, ``n_samples``.
    """
    long = given["randomisation"].melt(
        id_vars=["method", "architecture", "layers", "share", "layer"],
        value_vars=list(MEASURES),
        var_name="measure",
    )
    by = ["method", "architecture", "layers", "share", "layer", "measure"]
    numbers = (
        long.groupby(by, sort=False)["value"]
        .agg(mean="mean", low="min", high="max", n_samples="count")
        .reset_index()
    )
    methods = in_order(numbers["method"])
    looks = style.series(in_order(numbers["architecture"]), request.figures)
    figure = style.blank(0.9 + 2.0 * len(methods))
    panels = figure.subplots(len(methods), len(MEASURES), squeeze=False, sharex=True, sharey=True)
    shifts = dict(zip(looks, style.offsets(len(looks), span=0.05), strict=True))
    for row, method in zip(panels, methods, strict=True):
        for axes, (measure, words) in zip(row, MEASURES.items(), strict=True):
            chosen = (numbers["method"] == method) & (numbers["measure"] == measure)
            for name, look in looks.items():
                rows = numbers[chosen & (numbers["architecture"] == name)]
                places = rows["share"] + shifts[name]
                axes.vlines(places, rows["low"], rows["high"], color=look.colour, lw=0.7)
                axes.plot(
                    places,
                    rows["mean"],
                    color=look.colour,
                    marker=look.marker,
                    ls=look.line,
                    ms=4,
                    mew=0,
                )
            axes.grid(axis="y")
            axes.axhline(0, color=style.SOFT, lw=0.6)
            axes.set(xlim=(-0.05, 1.06), ylim=(min(0.0, numbers["low"].min()) - 0.03, 1.02))
            axes.set_ylabel(words if len(methods) == 1 else f"{printed(method)}\n{words}")
    for axes in panels[-1]:
        axes.set_xlabel("share of layers drawn anew")
    entries = {printed(name): style.dot(look) for name, look in looks.items()}
    style.key(figure, TITLE, entries, columns=6)
    samples = given["randomisation"].groupby(["method", "architecture"])["sample"].nunique().max()
    style.note(
        figure,
        f"At most {style.count(samples, 'sample')} per architecture. Lines: means over samples; "
        "bars: their range. First point: the output layer alone; last: every layer. 1: the "
        "heatmap is as before.",
    )
    return figure, numbers

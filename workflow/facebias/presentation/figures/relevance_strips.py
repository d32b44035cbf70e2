"""Relevance over time: where it lies in each key frame of the clips, by group."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.heatmap_pictures import FOR
from facebias.presentation.figures.heatmaps import fitted
from facebias.presentation.figures.request import FigureError, Request, in_order

INPUTS = {"*": tables.RELEVANCE, "manifest": tables.MANIFEST}
COLOURS = LinearSegmentedColormap.from_list("share", ["#ffffff", FOR])
MOST_WRITTEN = 6  # frames; of more, colours alone are shown


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw regions by key frames: a row of panels per architecture, a column per group.

    Every subject of a group counts once.

    Returns
    -------
    The figure, and a row per architecture, group, region and frame (from 1): ``positive``, the
    mean share of the frame's positive relevance, and ``n_subjects``.
    """
    attribute = request.value("attribute")
    located = pd.concat([rows for name, rows in given.items() if name != "manifest"])
    numbers = _over_time(located, given["manifest"], attribute)
    architectures, groups = in_order(numbers["architecture"]), in_order(numbers["group"])
    regions, frames = in_order(numbers["region"]), int(numbers["frame"].max())
    figure = style.blank((0.15 * len(regions) + 0.3) * len(architectures) + 0.75)
    panels = figure.subplots(len(architectures), len(groups), squeeze=False, sharex=True)
    strongest = float(np.nanmax(numbers["positive"], initial=0.01))
    for row, architecture in enumerate(architectures):
        for column, group in enumerate(groups):
            axes = panels[row, column]
            here = (numbers["architecture"] == architecture) & (numbers["group"] == group)
            strip = numbers[here].pivot(index="region", columns="frame", values="positive")
            strip = strip.reindex(index=regions, columns=range(1, frames + 1)).to_numpy()
            shades = axes.imshow(strip, cmap=COLOURS, vmin=0, vmax=strongest, aspect="auto")
            if frames <= MOST_WRITTEN:
                for (y, x), value in np.ndenumerate(strip):
                    text = style.NOT_AVAILABLE if np.isnan(value) else f"{100 * value:.0f}"
                    # Ink would not be read on the darkest cells.
                    colour = "white" if value > 0.7 * strongest else style.INK
                    look = {"color": colour, "fontsize": style.TEXT}
                    axes.text(x, y, text, ha="center", va="center", **look)
            axes.set_title(f"{printed(architecture)}, {printed(group)}", fontsize=style.TEXT)
            axes.set_yticks(range(len(regions)), [printed(name) for name in regions])
            axes.tick_params(labelleft=column == 0, length=0)
            axes.set_xticks(range(frames), [str(frame) for frame in range(1, frames + 1)])
            if row == len(architectures) - 1:
                axes.set_xlabel("key frame")
    if frames > MOST_WRITTEN:
        bar = figure.colorbar(shades, ax=panels, location="bottom", shrink=0.5, aspect=45, pad=0.01)
        bar.set_label("share of the frame's positive relevance")
        bar.ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        bar.outline.set_visible(False)
        figure.set_figheight(figure.get_figheight() + 0.4)
    style.heading(
        figure,
        f"Where positive relevance lies over time, in %: trained on "
        f"{printed(in_order(located['train_split'])[0])}",
    )
    style.note(
        figure,
        "Share of each frame's positive relevance in a region, mean over subjects; the regions of "
        "the face, hair and background add up to 100 %, those of the label's Action Units are "
        f"among them. {style.count(numbers['n_subjects'].max(), 'subject')} of a group at most."
        f"{fitted(located)}",
    )
    return figure, numbers


def _over_time(located: pd.DataFrame, manifest: pd.DataFrame, attribute: str) -> pd.DataFrame:
    if attribute not in manifest.columns:
        raise FigureError(f"--select attribute={attribute}: no such column in the manifest")
    groups = manifest.drop_duplicates("subject").set_index("subject")[attribute]
    key = ["architecture", "group", "region"]
    # Clips of several variants may differ in length; what a clip does not have is missing.
    shares = pd.DataFrame(list(located["frames"]), index=located.index, dtype=float)
    shares.columns = range(1, shares.shape[1] + 1)
    facts = located[["architecture", "subject", "region"]].assign(
        group=groups.reindex(located["subject"]).fillna("not recorded").astype(str).to_numpy()
    )
    long = pd.concat([facts, shares], axis=1).melt(
        id_vars=list(facts.columns), var_name="frame", value_name="positive"
    )
    own = long.groupby([*key, "subject", "frame"], sort=False)["positive"].mean().reset_index()
    found = own.groupby([*key, "frame"], sort=False)["positive"].agg(["mean", "count"])
    found.columns = ["positive", "n_subjects"]
    return found.reset_index().sort_values("group", kind="stable", ignore_index=True)

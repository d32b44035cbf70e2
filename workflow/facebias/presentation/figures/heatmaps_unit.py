"""Heatmaps of one label in one group: the group's mean on a drawn face, and people in print.

As figures 9 and 10 of Deuschel, Finzel & Rieger 2020, whose samples were picked by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import heatmap_pictures, sanity, style
from facebias.presentation.figures.heatmap_samples import RIGHT, WRONG, pick, ticks, with_groups
from facebias.presentation.figures.heatmaps import arrays_of, boxes_of, positions_of
from facebias.presentation.figures.relevance_maps import draw_map, group_means, pixel_rows, scale_of
from facebias.presentation.figures.request import FigureError, Request
from facebias.study import Labels

INPUTS = {
    "explanations": tables.EXPLANATIONS,
    "relevance": None,
    "located": tables.RELEVANCE,
    "maps": None,
    "manifest": tables.MANIFEST,
}
OPTIONAL = sanity.OPTIONAL
SIDE = 1.72  # inches


def draw(given: Mapping[str, Any], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the heatmaps of one ``label`` in one ``group`` of an ``attribute``.

    First the mean over all explained subjects of the group, on nobody's face. Then subjects who
    may be shown: of a unit a hit, a miss, a false alarm and a correct rejection, each the one in
    the middle by score; of a class the best, the median and the worst by the score of their best
    sample that has it. Boxes: the Action Units of the label.

    Returns
    -------
    The figure, and the rows of both parts: a row per line of pixels of the mean (``shown`` is
    ``mean``, then ``n_subjects``, ``y``, ``x0`` and so on), and a row per sample (``shown`` is its
    rank, then ``sample``, ``subject``, ``score``, ``predicted``, ``scale``, ``boxes``).

    Raises
    ------
    FigureError
        If no sample of the group was explained.
    """
    attribute, group, label = (request.value(name) for name in ("attribute", "group", "label"))
    means, counts = group_means(given, attribute)
    mean, n_subjects = means.get((label, group)), counts.get((label, group), 0)
    if mean is None:
        found = ", ".join(f"{one} of {other}" for one, other in means)
        raise FigureError(
            f"--select group={group} label={label}: no subject has a heatmap; there are {found}"
        )
    people = _people(given, request)
    side = min(SIDE, style.PAGE_WIDTH / (1 + len(people)))
    figure = style.blank(SIDE + 0.75, width=max(side * (1 + len(people)), style.NARROW))
    figure.set_layout_engine("compressed")
    panels = figure.subplots(1, 1 + len(people), squeeze=False)[0]
    scale = scale_of([mean])
    draw_map(panels[0], mean, scale, given["maps"]["landmarks"])
    where = given["maps"]["boxes"][given["maps"]["label"].astype(str) == label][0]
    _boxes(panels[0], str(where))
    panels[0].set_title(f"mean of {style.count(n_subjects, 'subject')}")
    rows = [pixel_rows(label, "mean", n_subjects, mean)]
    positions = positions_of(given["relevance"])
    for axes, person in zip(panels[1:], people.to_dict("records"), strict=True):
        arrays = arrays_of(given["relevance"], positions.get(person["sample"]), person["sample"])
        _, overlay, strongest = heatmap_pictures.pair(*arrays, publishable=True)
        axes.imshow(overlay, extent=(0, 1, 1, 0), interpolation="nearest")
        _boxes(axes, person["boxes"])
        axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
        axes.spines[:].set_visible(False)
        axes.set_title(f"{person['rank']}\n{person['score']:.2f} {_mark(person)}")
        shown = {"label": label, "shown": person["rank"], "scale": strongest}
        kept = ("sample", "subject", "score", "predicted", "boxes")
        rows.append(pd.DataFrame([{**shown, **{name: person[name] for name in kept}}]))
    cell = given["explanations"].iloc[0]
    style.heading(
        figure,
        f"{printed(cell['architecture'])} trained on {printed(cell['train_split'])}: "
        f"{label}, {printed(attribute)} {printed(group)}",
    )
    failed = sanity.warning(given, cell["architecture"], cell["method"])
    style.note(figure, failed + _words(scale, len(people), request.labels))
    return figure, pd.concat(rows, ignore_index=True)


def _people(given: Mapping[str, Any], request: Request) -> pd.DataFrame:
    """Choose the samples to show, of publishable subjects of the group."""
    label, labels = request.value("label"), request.labels
    attribute = request.value("attribute")
    facts = with_groups(given["explanations"], given["manifest"], attribute, labels)
    facts = facts[
        facts["publishable"]
        & (facts["group"] == request.value("group"))
        & (facts["explained"] == label)
        & facts["score"].notna()
    ]
    if labels.kind == "classes":
        facts = facts[facts["label"] == label].sort_values(
            ["score", "sample"], ascending=[False, True]
        )
        facts = facts.drop_duplicates("subject")
    if facts.empty:
        return facts.assign(rank=[], right=[], boxes=[])
    chosen = pick(facts, request)
    return chosen.assign(boxes=boxes_of(given["located"], chosen["sample"]))


def _boxes(axes: Axes, text: str) -> None:
    for left, top, right, bottom in np.fromstring(text, sep=" ").reshape(-1, 4):
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, lw=0.9))


def _mark(person: Mapping[str, Any]) -> str:
    return RIGHT if person["right"] else WRONG


def _words(scale: float, n: int, labels: Labels) -> str:
    chosen = (
        "of each outcome the sample in the middle by score"
        if labels.kind == "units"
        else "the best, median and worst by the score of their best sample"
    )
    shown = (
        f"Then single subjects who may be shown, {chosen}, each on its own scale. {ticks(labels)}"
        if n
        else "No subject with the label may be shown in print."
    )
    return (
        "Red: for the label, blue: against. Boxes: where its Action Unit shows. Mean over "
        f"subjects, on a drawn face, up to \u00b1{scale:.2g} times the mean of absolute relevance. "
        f"{shown}"
    )

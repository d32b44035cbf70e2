"""Mean heatmaps of groups on one drawn face, and what they differ in."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import sanity, style
from facebias.presentation.figures.heatmap_pictures import AGAINST, FOR
from facebias.presentation.figures.request import FigureError, Request

INPUTS = {"maps": None, "manifest": tables.MANIFEST}
OPTIONAL = sanity.OPTIONAL
ARRAYS = ("subject", "label", "n_samples", "relevance", "landmarks")
COLOURS = LinearSegmentedColormap.from_list("relevance", [AGAINST, "#ffffff", FOR])
# The drawn face: landmarks (0-based iBUG) joined by lines, the last six of them closed.
LINES = [range(17), range(17, 22), range(22, 27), range(27, 31), range(31, 36)]
RINGS = [range(36, 42), range(42, 48), range(48, 60), range(60, 68)]
STRONGEST = 0.995  # of a row's pixels; what is stronger has the last colour
MOST_PAIRS = 3
SIDE = 1.05  # inches


def draw(given: Mapping[str, Any], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw a row per label: the mean map of each group, and the differences of up to three.

    ``maps`` holds the arrays ``subject``, ``label`` and ``n_samples`` (k,), ``relevance``
    (k, height, width) and ``landmarks`` (68, 2) of the face that all maps lie on. Every subject of
    a group counts once.

    Returns
    -------
    The figure, and a row per line of pixels: ``label``, ``shown`` (group or difference),
    ``n_subjects``, ``y`` and the pixels ``x0``, ``x1`` and so on.
    """
    means, counts = group_means(given, request.value("attribute"))
    labels = [name for name in request.labels.names if any(name == key[0] for key in means)]
    groups = sorted({group for _, group in means})
    pairs = list(itertools.combinations(groups, 2))
    pairs = pairs if len(pairs) <= MOST_PAIRS else []
    names = [*groups, *(f"{first} \u2212 {second}" for first, second in pairs)]
    figure = style.blank(SIDE * len(labels) + 1.15, width=max(SIDE * len(names), style.NARROW))
    figure.set_layout_engine("compressed")  # square panels stand close
    panels = figure.subplots(len(labels), len(names), squeeze=False)
    numbers = []
    for row, label in enumerate(labels):
        found = [means.get((label, group)) for group in groups]
        differences = [_difference(means, label, pair) for pair in pairs]
        for shown, scale in ((found, scale_of(found)), (differences, scale_of(differences))):
            start = 0 if shown is found else len(groups)
            for column, picture in enumerate(shown, start):
                axes = panels[row, column]
                draw_map(axes, picture, scale, given["maps"]["landmarks"])
                if row == 0:
                    axes.set_title(printed(names[column]), fontsize=style.TEXT, loc="center")
                if column in (0, len(groups)):
                    axes.text(
                        0.02, 0.02, f"\u00b1{scale:.2g}", transform=axes.transAxes, color=style.SOFT
                    )
                if picture is not None:
                    of = counts.get((label, names[column]), 0)
                    numbers.append(pixel_rows(label, names[column], of, picture))
        panels[row, 0].set_ylabel(printed(label))
    colours = ScalarMappable(Normalize(-1, 1), COLOURS)
    bar = figure.colorbar(colours, ax=panels, location="bottom", shrink=0.5, aspect=45, pad=0.01)
    bar.set_ticks([-1, 0, 1], labels=["against", "relevance", "for"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    cell = request.select
    style.heading(
        figure,
        f"{printed(cell.get('architecture', ''))} trained on {printed(cell.get('train_split', ''))}"
        f": mean heatmaps by {printed(request.value('attribute'))}",
    )
    failed = sanity.warning(given, cell.get("architecture", ""), cell.get("method", ""))
    people = {group: max(n for key, n in counts.items() if key[1] == group) for group in groups}
    who = ", ".join(f"{style.count(n, 'subject')} {printed(name)}" for name, n in people.items())
    style.note(
        figure,
        f"{failed}{who}. Heatmaps moved, turned and scaled onto one drawn face; 1: the mean of "
        "absolute relevance. Groups of a row share a scale, differences have their own; the corner "
        "says where it ends. Differences are red where the first group has more, blue where the "
        "second has.",
    )
    return figure, pd.concat(numbers, ignore_index=True)


def group_means(
    given: Mapping[str, Any], attribute: str
) -> tuple[dict[tuple[str, str], np.ndarray], dict[tuple[str, str], int]]:
    """Return the mean map of every label and group, and how many subjects it is of."""
    arrays, manifest = given["maps"], given["manifest"]
    absent = [name for name in ARRAYS if name not in arrays]
    if absent:
        raise FigureError(f"--input maps=...: array {', '.join(absent)} is missing")
    if attribute not in manifest.columns:
        raise FigureError(f"--select attribute={attribute}: no such column in the manifest")
    group_of = manifest.drop_duplicates("subject").set_index("subject")[attribute]
    groups = group_of.reindex(arrays["subject"]).fillna("not recorded").astype(str).to_numpy()
    keys = pd.DataFrame({"label": arrays["label"].astype(str), "group": groups})
    places = keys.groupby(["label", "group"]).indices
    if not places:
        raise FigureError("no explained sample has relevance; there is nothing to draw")
    maps = arrays["relevance"].astype(np.float64)
    return (
        {key: maps[rows].mean(axis=0) for key, rows in places.items()},
        {key: len(rows) for key, rows in places.items()},
    )


def _difference(
    means: Mapping[tuple[str, str], np.ndarray], label: str, pair: tuple[str, str]
) -> np.ndarray | None:
    first, second = (means.get((label, group)) for group in pair)
    return None if first is None or second is None else first - second


def scale_of(pictures: list[np.ndarray | None]) -> float:
    """Return the relevance that has the last colour in all of some pictures."""
    values = [np.abs(picture).ravel() for picture in pictures if picture is not None]
    return float(np.quantile(np.concatenate(values), STRONGEST)) or 1.0 if values else 1.0


def draw_map(axes: Axes, picture: np.ndarray | None, scale: float, face: np.ndarray) -> None:
    """Draw a mean map (side, side) under the lines of a face with these landmarks (68, 2)."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if picture is None:
        axes.text(0.5, 0.5, style.NOT_AVAILABLE, transform=axes.transAxes, color=style.SOFT)
        return
    side = len(picture)
    axes.imshow(
        picture, extent=(0, side, side, 0), cmap=COLOURS, vmin=-scale, vmax=scale,
        interpolation="nearest",
    )  # fmt: skip
    for line in [*LINES, *([*ring, ring[0]] for ring in RINGS)]:
        axes.plot(*face[list(line)].T, color=style.INK, lw=0.5, alpha=0.75)
    axes.set(xlim=(0, side), ylim=(side, 0))


def pixel_rows(label: str, shown: str, n_subjects: int, picture: np.ndarray) -> pd.DataFrame:
    """Return a row per line of pixels of one picture."""
    columns = [f"x{place}" for place in range(picture.shape[1])]
    table = pd.DataFrame(picture.round(4), columns=columns)
    facts = {"label": label, "shown": shown, "n_subjects": n_subjects or None}
    table.insert(0, "y", np.arange(len(picture)))
    for place, (name, value) in enumerate(facts.items()):
        table.insert(place, name, value)
    return table

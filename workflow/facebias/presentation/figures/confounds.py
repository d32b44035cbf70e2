"""Confounds: labels, training subjects, lost samples and picture quality by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import Request, in_order
from facebias.tables.comparisons import GROUP, PAIR

INPUTS = {"confounds": tables.CONFOUNDS}
ALL = "all"
LABELS, ASSOCIATION, TRAINING = "label_share", "cramers_v", "subjects"
ABOUT_LABELS = (LABELS, ASSOCIATION)
RATIOS = ("subject_ratio", "split_ratio")
UNDRAWN = ("normalised_mutual_information", "samples", *RATIOS)
ROLES = {"test": "test subjects", ALL: "all subjects"}
BAND = "#e3e3e3"
COLUMNS = 4


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw what differs between the groups of one attribute, a panel per measure.

    Above: shares of labels by group, and how strongly labels and groups are associated. Below:
    samples left out, picture quality, training subjects. What is the same in all groups is not
    drawn. A panel with a warning has a filled square before its title.

    Returns
    -------
    The figure, and the ``tables.CONFOUNDS`` rows that it shows.
    """
    frame = request.rows(given["confounds"], "attribute")
    attribute = printed(request.value("attribute", given["confounds"]))
    groups = in_order(frame.loc[frame["measure"] == TRAINING, "first"])
    looks = style.series(groups, request.figures)
    panels, absent = _panels(frame)
    tall = max(0.21, 0.11 * len(looks))
    labels = in_order(frame.loc[frame["measure"] == "label_share", "label"])
    heights = [tall * len(labels) + 0.45] if LABELS in panels else []
    rest = [name for name in panels if name not in ABOUT_LABELS]
    lines = max(len(ROLES), frame.loc[frame["role"] == "train", "train_split"].nunique())
    heights += [-(-len(rest) // COLUMNS) * (tall * lines + 0.5)]
    figure = style.blank(sum(heights) + 0.95)
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    shown = []
    if LABELS in panels:
        above = grid[0].subgridspec(1, 2)
        shown += [
            _labels(figure.add_subplot(above[0]), frame, labels, looks),
            _association(figure.add_subplot(above[1]), frame, labels),
        ]
    below = grid[-1].subgridspec(-(-len(rest) // COLUMNS), min(COLUMNS, len(rest)))
    for position, measure in enumerate(rest):
        axes = figure.add_subplot(below[divmod(position, COLUMNS)])
        if measure == TRAINING:
            shown.append(_training(axes, frame, looks))
        else:
            named = position % COLUMNS == 0
            shown.append(_measure(axes, frame, measure, looks, named=named))
    entries: dict[str, Line2D | Patch] = {
        printed(name): style.dot(look) for name, look in looks.items()
    }
    if LABELS in panels:
        entries["what chance alone gives"] = Patch(facecolor=BAND, lw=0)
    entries["warning"] = Line2D([], [], color=style.INK, marker="s", ms=4, lw=0)
    style.key(figure, f"What else differs by {attribute}", entries, columns=6)
    n = int(frame.loc[frame["role"] == ALL, "n_subjects"].max())
    style.note(
        figure,
        f"{style.count(n, 'subject')}. Bars: intervals over subjects. A warning says that a gap by "
        f"{attribute} can come from this as well, not that it does."
        + (f" The same in all groups: {', '.join(absent)}." if absent else ""),
    )
    return figure, pd.concat(shown, ignore_index=True)


def _panels(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """List the panels to draw, and in print what is the same in all groups and so not drawn.

    The panel of training subjects opens the second row, beside names of its own.
    """
    panels, absent = [], []
    for name in in_order(frame["measure"]):
        if name in (ASSOCIATION, *UNDRAWN):
            continue
        about = ASSOCIATION if name == LABELS else name
        of_groups = (frame["measure"] == about) & (frame["comparison"] != PAIR)
        ends = frame.loc[of_groups, ["estimate", "ci_low", "ci_high"]].dropna()
        alike = ends.empty or np.ptp(ends.to_numpy(dtype=float)) < 1e-12
        if name == TRAINING or not alike:
            panels.append(name)
        else:
            absent.append("labels" if name == LABELS else printed(name))
    panels.remove(TRAINING)
    panels.insert(COLUMNS + (LABELS in panels), TRAINING)
    return panels, absent


def _labels(
    axes: Axes, frame: pd.DataFrame, labels: Sequence[str], looks: Mapping[str, style.Series]
) -> pd.DataFrame:
    rows = frame[(frame["measure"] == LABELS) & (frame["role"] == ALL)]
    cells = rows.set_index(["label", "first"])
    _lines(axes, [printed(label) for label in labels])
    for place, label in enumerate(labels):
        _dots(axes, place, cells.loc[label], looks)
    highest = np.nanmax(rows[["estimate", "ci_high"]].to_numpy(dtype=float), initial=0.0)
    axes.set_xlim(0, min(1.0, 1.15 * highest) or 1)
    axes.set_title("share of each label")
    return rows


def _association(axes: Axes, frame: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    rows = frame[frame["measure"] == ASSOCIATION]
    if (rows["label"] == ALL).all():
        names = {(split, role): _scope(split, role) for split, role in _scopes(rows)}
        cells = rows.set_index(["train_split", "role"])
    else:
        rows = rows[rows["role"] == ALL]
        names = {label: printed(label) for label in labels}
        cells = rows.set_index("label")
    _lines(axes, list(names.values()))
    look = style.Series(style.INK, "o", "-")
    for place, scope in enumerate(names):
        cell = cells.loc[scope]
        axes.barh(place, cell["null_high"], height=0.7, color=BAND, lw=0, zorder=0)
        style.interval(axes, place, *_three(cell), look, horizontal=True)
    drawn = rows[["estimate", "ci_high", "null_high"]].to_numpy(dtype=float)
    axes.set_xlim(0, max(0.1, min(1.0, 1.1 * np.nanmax(drawn, initial=0.0))))
    _title(axes, "labels by group, Cramer's V", rows)
    return rows


def _training(axes: Axes, frame: pd.DataFrame, looks: Mapping[str, style.Series]) -> pd.DataFrame:
    rows = frame[(frame["measure"] == TRAINING) & (frame["role"] == "train")]
    splits = in_order(rows["train_split"])
    cells = rows.set_index(["train_split", "first"])
    _lines(axes, [f"on {printed(split)}" for split in splits])
    for place, split in enumerate(splits):
        _dots(axes, place, cells.loc[split], looks)
    axes.set_xlim(0, 1.15 * rows["estimate"].max() or 1)
    warned = frame[frame["measure"].isin(RATIOS)]
    _title(axes, "training subjects", warned)
    return pd.concat([rows, warned])


def _measure(
    axes: Axes,
    frame: pd.DataFrame,
    measure: str,
    looks: Mapping[str, style.Series],
    *,
    named: bool,
) -> pd.DataFrame:
    rows = frame[frame["measure"] == measure]
    _lines(axes, list(ROLES.values()) if named else [""] * len(ROLES))
    cells = rows[rows["comparison"] == GROUP].set_index(["role", "first"])
    for place, role in enumerate(ROLES):
        _dots(axes, place, cells.loc[role], looks)
    axes.margins(x=0.08)
    axes.locator_params(axis="x", nbins=3)
    _title(axes, style.wrapped(printed(measure), 1.3), rows)
    return rows


def _scopes(rows: pd.DataFrame) -> list[tuple[str, str]]:
    found = list(rows[["train_split", "role"]].drop_duplicates().itertuples(index=False, name=None))
    return sorted(found, key=lambda scope: (scope[1] not in ROLES, scope[1] != ALL))


def _scope(split: str, role: str) -> str:
    return ROLES.get(role, f"trained on {printed(split)}")


def _lines(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    for place in np.arange(1, len(names)) - 0.5:
        axes.axhline(place, color="#ececec", lw=0.6, zorder=0)


def _dots(axes: Axes, place: int, cells: pd.DataFrame, looks: Mapping[str, style.Series]) -> None:
    shifts = style.offsets(len(looks), span=0.62)
    for turn, (shift, (name, look)) in enumerate(zip(shifts, looks.items(), strict=True)):
        cell = cells.loc[name]
        style.interval(axes, place + shift, *_three(cell), look, horizontal=True, aside=turn)


def _three(cell: pd.Series) -> tuple[float, float, float]:
    return cell["estimate"], cell["ci_low"], cell["ci_high"]


def _title(axes: Axes, text: str, rows: pd.DataFrame) -> None:
    warned = rows["warning"].notna().any()
    axes.set_title(f"\u25a0 {text}" if warned else text, fontweight="bold" if warned else "normal")

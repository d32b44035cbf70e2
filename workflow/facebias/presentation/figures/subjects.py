"""Who trains, validates and tests: subjects and samples per role and group in each train split."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.presentation.figures import style
from facebias.presentation.figures.request import FigureError, Request, in_order

INPUTS = {"splits": tables.SPLITS, "manifest": tables.MANIFEST}
ROLES = ("train", "validation", "test", "unused")
NOT_RECORDED = "not recorded"


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the numbers of subjects (bars, numbers) and of their samples (in brackets).

    Over several folds and seeds the bars are means and the numbers give the range. Of several
    attributes (``--select attribute=gender,skin``) each has a row of panels.

    Returns
    -------
    The figure, and one row per bar: ``train_split, role, <attribute>, subjects, subjects_low,
    subjects_high, samples, samples_low, samples_high`` (means and ranges over folds and seeds). Of
    several attributes a row has the group of one, the others are empty.
    """
    attributes = request.value("attribute").split(",")
    counted = {name: _counts(given["splits"], given["manifest"], name) for name in attributes}
    groups = {name: in_order(numbers[name]) for name, numbers in counted.items()}
    numbers = pd.concat(counted.values(), ignore_index=True)
    trains = in_order(numbers["train_split"])
    totals = numbers.groupby("role")["subjects"].sum()
    roles = [role for role in ROLES if totals.get(role, 0) > 0]
    every = list(dict.fromkeys(group for found in groups.values() for group in found))
    looks = style.series(every, request.figures)
    hatches = dict(zip(every, _hatches(len(every)), strict=True))
    heights = [len(roles) * (0.16 * len(found) + 0.12) for found in groups.values()]
    figure = style.blank(sum(heights) + 1.0)
    panels = figure.subplots(
        *(len(attributes), len(trains)),
        squeeze=False,
        sharex=True,
        sharey="row",
        gridspec_kw={"height_ratios": heights},
    )
    for row, attribute in zip(panels, attributes, strict=True):
        for axes, train in zip(row, trains, strict=True):
            rows = counted[attribute]
            rows = rows[rows["train_split"] == train]
            _panel(axes, rows, roles, groups[attribute], looks, hatches, attribute)
        if len(attributes) > 1:
            row[0].set_ylabel(printed(attribute), fontweight="bold")
    for axes, train in zip(panels[0], trains, strict=True):
        axes.set_title(style.trained_on(train, len(trains)))
    panels[0, 0].set_xlim(0, numbers["subjects"].max() * (1.32 + 0.16 * len(trains)))
    people = given["splits"]["subject"].nunique()
    models = given["splits"][["fold", "seed"]].drop_duplicates()
    entries = {
        group: Patch(facecolor=look.colour, hatch=hatches[group], edgecolor="white", lw=0)
        for group, look in looks.items()
    }
    head = f"Subjects (samples) by role and {' or '.join(attributes)}"
    style.key(figure, head, entries, columns=6)
    many = ""
    if len(models) > 1:
        many = (
            f" Bars: means over {style.count(models['fold'].nunique(), 'fold')} and "
            f"{style.count(models['seed'].nunique(), 'seed')}; numbers: their range."
        )
    samples = given["manifest"]["sample"].nunique()
    style.note(
        figure,
        f"{style.count(people, 'subject')}, {style.count(samples, 'sample')}. "
        f"No subject has two roles in a model.{many}",
    )
    return figure, numbers


def _counts(splits: pd.DataFrame, manifest: pd.DataFrame, attribute: str) -> pd.DataFrame:
    if attribute not in manifest.columns:
        raise FigureError(
            f"--select attribute={attribute}: no such column in the manifest; "
            f"it has {', '.join(manifest.columns)}"
        )
    people = manifest.groupby("subject", sort=False).agg(
        samples=("sample", "size"), **{attribute: (attribute, "first")}
    )
    people[attribute] = (
        people[attribute].astype(object).where(people[attribute].notna(), NOT_RECORDED)
    )
    joined = splits.join(people, on="subject", how="inner")
    trains, groups = in_order(splits["train_split"]), sorted(in_order(people[attribute]))
    models = list(splits[["fold", "seed"]].drop_duplicates().itertuples(index=False, name=None))
    per_model = joined.groupby(["train_split", "role", attribute, "fold", "seed"]).agg(
        subjects=("subject", "size"), samples=("samples", "sum")
    )
    every = pd.MultiIndex.from_tuples(
        [(t, r, g, *m) for t in trains for r in ROLES for g in groups for m in models],
        names=per_model.index.names,
    )
    per_model = per_model.reindex(every, fill_value=0)
    grouped = per_model.groupby(level=["train_split", "role", attribute], sort=False)
    return pd.concat(
        [
            grouped.agg(
                **{
                    name: (name, "mean"),
                    f"{name}_low": (name, "min"),
                    f"{name}_high": (name, "max"),
                }
            )
            for name in ("subjects", "samples")
        ],
        axis=1,
    ).reset_index()


def _panel(
    axes: Axes,
    numbers: pd.DataFrame,
    roles: list[str],
    groups: list[str],
    looks: Mapping[str, style.Series],
    hatches: Mapping[str, str],
    attribute: str,
) -> None:
    rows = numbers.set_index(["role", attribute])
    height = 0.78 / len(groups)
    for place, role in enumerate(roles):
        for shift, group in zip(style.offsets(len(groups), span=0.78), groups, strict=True):
            cell = rows.loc[(role, group)]
            axes.barh(
                place + shift,
                cell["subjects"],
                height=height * 0.9,
                color=looks[group].colour,
                edgecolor="white",
                hatch=hatches[group],
                lw=0,
            )
            none = cell["subjects_high"] == 0
            text = "0" if none else f"{_range(cell, 'subjects')} ({_range(cell, 'samples')})"
            axes.annotate(
                text,
                (cell["subjects"], place + shift),
                xytext=(3, 0),
                textcoords="offset points",
                va="center_baseline",
                color=style.SOFT if none else style.INK,
            )
    axes.set_yticks(range(len(roles)), roles)
    axes.set_ylim(len(roles) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def _range(cell: pd.Series, name: str) -> str:
    low, high = cell[f"{name}_low"], cell[f"{name}_high"]
    return f"{low:.0f}" if low == high else f"{low:.0f}\u2013{high:.0f}"


def _hatches(n: int) -> list[str]:
    """Assign a hatching beside its colour to every group; the first is plain."""
    return [("", "////", "....", "xxxx", "----", "\\\\\\\\")[i % 6] for i in range(n)]

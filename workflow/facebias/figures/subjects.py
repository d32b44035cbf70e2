"""Who trains, validates and tests: subjects and samples per role and group in each train split."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from facebias import tables
from facebias.figures import style
from facebias.figures.request import FigureError, Request, in_order

INPUTS = {"splits": tables.SPLITS, "manifest": tables.MANIFEST}
ROLES = ("train", "validation", "test", "unused")
NOT_RECORDED = "not recorded"


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the numbers of subjects (bars, numbers) and of their samples (in brackets).

    Over several folds and seeds the bars are means and the numbers give the range.

    Returns
    -------
    The figure, and one row per bar: ``train_split, role, <attribute>, subjects, subjects_low,
    subjects_high, samples, samples_low, samples_high`` (means and ranges over folds and seeds).
    """
    attribute = request.value("attribute")
    numbers = _counts(given["splits"], given["manifest"], attribute)
    trains, groups = in_order(numbers["train_split"]), in_order(numbers[attribute])
    totals = numbers.groupby("role")["subjects"].sum()
    roles = [role for role in ROLES if totals.get(role, 0) > 0]
    looks = style.series(groups, request.figures)
    figure = style.blank(len(roles) * (0.16 * len(groups) + 0.12) + 1.0)
    panels = figure.subplots(1, len(trains), squeeze=False, sharex=True, sharey=True)[0]
    for axes, train in zip(panels, trains, strict=True):
        _panel(axes, numbers[numbers["train_split"] == train], roles, groups, looks, attribute)
        axes.set_title(style.trained_on(train, len(trains)))
    panels[0].set_xlim(0, numbers["subjects"].max() * (1.32 + 0.16 * len(trains)))
    people = given["splits"]["subject"].nunique()
    models = given["splits"][["fold", "seed"]].drop_duplicates()
    entries = {
        group: Patch(facecolor=look.colour, hatch=hatch, edgecolor="white", lw=0)
        for (group, look), hatch in zip(looks.items(), _hatches(len(groups)), strict=True)
    }
    style.key(figure, f"Subjects (samples) by role and {attribute}", entries, columns=6)
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
    attribute: str,
) -> None:
    rows = numbers.set_index(["role", attribute])
    hatches = _hatches(len(groups))
    height = 0.78 / len(groups)
    for place, role in enumerate(roles):
        for shift, group, hatch in zip(
            style.offsets(len(groups), span=0.78), groups, hatches, strict=True
        ):
            cell = rows.loc[(role, group)]
            axes.barh(
                place + shift,
                cell["subjects"],
                height=height * 0.9,
                color=looks[group].colour,
                edgecolor="white",
                hatch=hatch,
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
    """Give every group a hatching beside its colour; the first is plain."""
    return [("", "////", "....", "xxxx", "----", "\\\\\\\\")[i % 6] for i in range(n)]

"""Sensitivity to the preprocessing: how accuracy and gaps move when faces are cut in other ways."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import MEANS, printed, printed_pair
from facebias.presentation.figures import style
from facebias.presentation.figures.request import FigureError, Request, in_order
from facebias.presentation.figures.variance import WHAT, chosen, largest, lines
from facebias.tables import comparisons

INPUTS = {"metrics": tables.METRICS, "fairness": tables.FAIRNESS}
OVERALL = "overall"
COLUMNS = (
    *("network", "clips", "margin", "key_frames", "architecture", "train_split"),
    *("measure", "test_split", *tables.GROUPS, "estimate", "ci_low", "ci_high", "n_subjects"),
)


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy (of units: F1) and signed gaps of every network by variant of its clips.

    A row of panels per network, a line per variant, a dot per train split that is compared by the
    attribute. The accuracy is that on the first test split of these. ``--select variants=...`` says
    in JSON what each architecture is: ``network``, ``clips`` (the name of its variant, or null),
    ``margin`` in pixels of the crop and ``key_frames``. Networks with a single variant are not
    drawn.

    Returns
    -------
    The figure, and a row per architecture, train split and ``measure``, a metric on a
    ``test_split`` or the criterion of a pair of groups: ``estimate``, ``ci_low``, ``ci_high``,
    ``n_subjects``.
    """
    variants = _variants(request.value("variants"))
    gaps = chosen(given["fairness"], request)
    known = gaps.dropna(subset="estimate")
    pairs, left = largest(known, gaps, "n_subjects") if len(known) else ([], "")
    accuracy, gap = _metric(request), request.select.get("criterion", WHAT["criterion"])
    metrics = given["metrics"]
    metrics = metrics[metrics["train_split"].isin(gaps["train_split"])]
    test = in_order(metrics["test_split"])[0]
    numbers = pd.concat(
        [
            _of_metrics(metrics, variants, accuracy, test),
            _of_gaps(comparisons.of_pairs(gaps, *pairs), variants, gap),
        ],
        ignore_index=True,
    )
    networks, trains = in_order(numbers["network"]), in_order(numbers["train_split"])
    looks = style.series(trains, request.figures, start=2)
    step = max(0.2, 0.11 * len(trains))
    counted = [
        numbers.loc[numbers["network"] == name, "architecture"].nunique() for name in networks
    ]
    figure = style.blank(sum(step * n + 0.55 for n in counted) + 1.0)
    panels = figure.subplots(
        *(len(networks), 1 + len(pairs)),
        squeeze=False,
        sharex="col",
        gridspec_kw={"height_ratios": counted},
    )
    for row, network in enumerate(networks):
        own = numbers[numbers["network"] == network]
        for column, pair in enumerate([None, *pairs]):
            axes = panels[row, column]
            cells = comparisons.of_pairs(own, pair) if pair else own[own["measure"] == accuracy]
            _panel(axes, cells, variants, network, looks, named=column == 0)
            axes.tick_params(labelbottom=True)
            if column:
                axes.axvline(0, color=style.INK, lw=0.8, zorder=1)
            axes.set_title(printed(network) if column == 0 else "", fontweight="bold")
            what = printed_pair(pair) if pair else printed(accuracy)
            axes.set_xlabel(what, color=style.SOFT)
    _limits(panels, numbers, gap)
    attribute = printed(request.value("attribute", given["fairness"]))
    title = f"How {printed(accuracy)} and gaps by {attribute} move with the clips"
    entries = {f"trained on {printed(train)}": style.dot(looks[train]) for train in trains}
    style.key(figure, title, entries if len(trains) > 1 else {}, columns=3)
    n = style.count(numbers["n_subjects"].max(), "test subject")
    none = "" if pairs else f" No gap can be estimated: {'; '.join(in_order(gaps['note']))}."
    style.note(
        figure,
        f"{n} at most. Bars: intervals over test subjects; K: key frames of a clip. Each variant "
        "is another model, so part of what moves is training, which the intervals do not hold. "
        f"{printed(accuracy)[0].upper()}{printed(accuracy)[1:]} on the test split {test}; gaps: "
        f"signed {printed(gap)}.{none}{left}",
    )
    return figure, numbers


def _variants(text: str) -> pd.DataFrame:
    """Read what each architecture is, indexed by its name; only networks with several variants."""
    found = pd.DataFrame.from_dict(json.loads(text), orient="index")
    found["clips"] = found["clips"].fillna("")
    found = found[found.groupby("network")["network"].transform("size") > 1]
    if found.empty:
        raise FigureError("--select variants=...: no network stands there with several variants")
    return found


def _metric(request: Request) -> str:
    return "accuracy" if request.labels.kind == "classes" else MEANS["f1"]


def _of_metrics(
    metrics: pd.DataFrame, variants: pd.DataFrame, metric: str, test: str
) -> pd.DataFrame:
    rows = metrics[
        (metrics["metric"] == metric)
        & (metrics["label"] == OVERALL)
        & (metrics["test_split"] == test)
    ].rename(columns={"value": "estimate"})
    return _beside(rows.assign(measure=metric), variants)


def _of_gaps(gaps: pd.DataFrame, variants: pd.DataFrame, criterion: str) -> pd.DataFrame:
    return _beside(gaps.assign(measure=criterion), variants)


def _beside(rows: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """Write beside each row what its architecture is, in the order of ``variants``."""
    joined = rows.merge(variants, left_on="architecture", right_index=True)
    order = {name: place for place, name in enumerate(variants.index)}
    joined = joined.sort_values("architecture", key=lambda names: names.map(order), kind="stable")
    return joined.reindex(columns=list(COLUMNS))


def _panel(
    axes: Axes,
    frame: pd.DataFrame,
    variants: pd.DataFrame,
    network: str,
    looks: Mapping[str, style.Series],
    *,
    named: bool,
) -> None:
    """Draw a line per variant of one network, a dot with its interval per train split."""
    own = variants[variants["network"] == network]
    lines(axes, list(own.index))
    axes.set_yticklabels([_called(variant) for _, variant in own.iterrows()] if named else [])
    cells = frame.set_index(["architecture", "train_split"])
    for place, architecture in enumerate(own.index):
        for turn, (shift, (train, look)) in enumerate(
            zip(style.offsets(len(looks), span=0.7), looks.items(), strict=True)
        ):
            if (architecture, train) not in cells.index:
                style.missing(axes, place + shift, horizontal=True, colour=look.colour, aside=turn)
                continue
            cell = cells.loc[(architecture, train)]
            ends = cell["estimate"], cell["ci_low"], cell["ci_high"]
            style.interval(axes, place + shift, *ends, look, horizontal=True, aside=turn)


def _called(variant: pd.Series) -> str:
    return f"{variant['clips'] or 'clips'}: margin {variant['margin']}, K {variant['key_frames']}"


def _limits(panels: Sequence[Sequence[Axes]], numbers: pd.DataFrame, gap: str) -> None:
    """Scale gaps alike, with 0 in the middle, and shares that from 0 to 1."""
    ends = numbers.loc[numbers["measure"] == gap, ["estimate", "ci_low", "ci_high"]]
    reach = max(0.1, 1.08 * float(np.nanmax(np.abs(ends.to_numpy(dtype=float)), initial=0.0)))
    for first, *others in panels:
        first.set_xlim(0, 1)
        for axes in others:
            axes.set_xlim(-reach, reach)
            axes.locator_params(axis="x", nbins=4)

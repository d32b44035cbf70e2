"""Gaps of single labels: in which expression or unit a model treats two groups differently."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import printed, printed_pair
from facebias.presentation.figures import style
from facebias.presentation.figures.gaps import (
    FOUND_KEY,
    PER_LABEL,
    across,
    panels,
    people,
    without_empty,
)
from facebias.presentation.figures.request import Request, in_order
from facebias.tables import comparisons

INPUTS = {"fairness": tables.FAIRNESS}
CRITERION = "equal_opportunity"


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the gap of every label in the rate at which it is recognised: first minus second group.

    A panel per pair of groups and train split; labels down the side, and of each all architectures.
    ``--select criterion=...`` draws another criterion that has gaps of labels.

    Returns
    -------
    The figure, and a ``tables.FAIRNESS`` table of what it shows.
    """
    frame = request.rows(given["fairness"], "attribute")
    criterion = request.select.get("criterion", CRITERION)
    frame = frame[(frame["definition"] == PER_LABEL) & (frame["criterion"] == criterion)]
    frame, empty = without_empty(frame)
    title = f"Gaps of labels by {printed(request.value('attribute', given['fairness']))}"
    if frame.empty:
        return style.words(f"{title}: none can be estimated", empty), frame
    pairs, trains = comparisons.pairs(frame), in_order(frame["train_split"])
    labels, architectures = in_order(frame["label"]), in_order(frame["architecture"])
    looks = style.series(architectures, request.figures)
    figure, cells = panels(frame, places=len(labels), names=len(architectures), top=0.95)
    for axes, pair, train in cells:
        chosen = comparisons.of_pairs(frame[frame["train_split"] == train], pair)
        across(axes, chosen, labels, architectures, looks, down="label", by="architecture")
        first, second = map(printed, pair)
        axes.set_xlabel(f"\u2190 {second}    {first} \u2192", color=style.SOFT)
    alone = f", trained on {trains[0]}" if len(trains) == 1 else ""
    between = f": {printed_pair(pairs[0])}" if len(pairs) == 1 else ""
    style.key(
        figure,
        f"{title} ({printed(criterion)}){between}{alone}",
        {printed(name): style.dot(looks[name]) for name in architectures} | FOUND_KEY,
        columns=4,
    )
    missing = frame.loc[frame["estimate"].isna(), "note"]
    few = f" n/a: {'; '.join(dict.fromkeys(missing))}." if len(missing) else ""
    style.note(
        figure,
        f"{people(frame)} Bars: intervals over test subjects that hold for all labels of a model "
        f"at once, and so do the tests. An interval that includes 0 is no evidence that groups are "
        f"treated alike.{few} {empty}",
    )
    return figure, frame

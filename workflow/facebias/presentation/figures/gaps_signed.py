"""Signed gaps between pairs of groups: whom a model favours, and by how much."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from facebias import tables
from facebias.core.vocabulary import printed, printed_pair
from facebias.presentation.figures import style
from facebias.presentation.figures.gaps import (
    MEANING,
    SIGNED,
    across,
    panels,
    people,
    without_empty,
)
from facebias.presentation.figures.request import Request, in_order
from facebias.tables import comparisons

INPUTS = {"fairness": tables.FAIRNESS}
# More of these is better for a group; of the others it is only more.
FAVOURS = {
    "equal_opportunity",
    "accuracy_gap",
    "balanced_accuracy_gap",
    "accuracy",
    "f1_gap",
    "f1_skew_normalised_gap",
    "auc_gap",
}


def draw(given: Mapping[str, pd.DataFrame], request: Request) -> tuple[Figure, pd.DataFrame]:
    """Draw the signed gaps of one attribute: a panel per pair of groups and train split.

    Train splits are columns and pairs are rows; with a single train split the pairs fill the
    columns. Behind every gap lies the band of those that come from chance alone.

    Returns
    -------
    The figure, and a ``tables.FAIRNESS`` table of what it shows.
    """
    frame = request.rows(given["fairness"], "attribute")
    frame = frame[frame["definition"] == SIGNED]
    for name in ("criterion", "first", "second"):
        if name in request.select:
            frame = request.rows(frame, name)
    frame, empty = without_empty(frame)
    frame, same = _once(frame)
    title = f"Signed gaps by {printed(request.value('attribute', given['fairness']))}"
    if frame.empty:
        return style.words(f"{title}: none can be estimated", empty), frame
    pairs, trains = comparisons.pairs(frame), in_order(frame["train_split"])
    architectures, criteria = in_order(frame["architecture"]), in_order(frame["criterion"])
    looks = style.series(criteria, request.figures, start=2)
    figure, cells = panels(frame, places=len(architectures), names=len(criteria), top=0.85)
    for axes, pair, train in cells:
        chosen = comparisons.of_pairs(frame[frame["train_split"] == train], pair)
        across(axes, chosen, architectures, criteria, looks, by="criterion")
        first, second = map(printed, pair)
        word = "favours" if set(criteria) <= FAVOURS else "higher for"
        word = "" if len(trains) > style.MOST_WITH_WORDS else f"{word} "
        axes.set_xlabel(f"\u2190 {word}{second}    {word}{first} \u2192", color=style.SOFT)
    entries = {printed(name): style.dot(looks[name]) for name in criteria}
    if len(criteria) == 1:
        entries = {}
    entries |= MEANING
    what = f" ({printed(criteria[0])})" if len(criteria) == 1 else ""
    alone = f", trained on {trains[0]}" if len(trains) == 1 else ""
    between = f": {printed_pair(pairs[0])}" if len(pairs) == 1 else ""
    style.key(figure, f"{title}{what}{between}{alone}", entries, columns=3)
    style.note(
        figure,
        f"{people(frame)} Bars: intervals over test subjects. Bands: where the gap would lie if "
        "subjects were permuted across groups. An interval that includes 0 is no evidence that "
        f"groups are treated alike. {same}{empty}",
    )
    return figure, frame


def _once(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Leave out balanced accuracy where it is equal opportunity by another name; say so."""
    values = frame.pivot_table(
        index=["architecture", "train_split", *comparisons.COMPARED],
        columns="criterion",
        values="estimate",
    )
    recall, balanced = "equal_opportunity", "balanced_accuracy_gap"
    if not {recall, balanced} <= set(values) or not values[recall].equals(values[balanced]):
        return frame, ""
    frame = frame[frame["criterion"] != balanced]
    return frame, "Of classes, the gap of balanced accuracy is that of equal opportunity. "

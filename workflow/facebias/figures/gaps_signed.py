"""Signed gaps between pairs of groups: whom a model favours, and by how much."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from facebias import tables
from facebias.figures import style
from facebias.figures.gaps import MEANING, SIGNED, across, people, reach, without_empty
from facebias.figures.request import Request, in_order
from facebias.tables import comparisons
from facebias.vocabulary import printed, printed_pair

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
COLUMNS = 3


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
    title = f"Signed gaps by {printed(request.value('attribute', given['fairness']))}"
    if frame.empty:
        return style.words(f"{title}: none can be estimated", empty), frame
    pairs, trains = comparisons.pairs(frame), in_order(frame["train_split"])
    architectures, criteria = in_order(frame["architecture"]), in_order(frame["criterion"])
    looks = style.series(criteria, request.figures, start=2)
    cells = [(pair, train) for pair in pairs for train in trains]
    columns = len(trains) if len(trains) > 1 else min(COLUMNS, len(pairs))
    rows = -(-len(cells) // columns)
    step = max(0.24, 0.1 * len(criteria))
    figure = style.blank(rows * (step * len(architectures) + 0.62) + 0.85)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    wide = reach(frame)
    for position, axes in enumerate(panels.flat):
        if position >= len(cells):
            axes.remove()
            continue
        pair, train = cells[position]
        chosen = comparisons.of_pairs(frame[frame["train_split"] == train], pair)
        across(axes, chosen, architectures, criteria, looks, by="criterion")
        axes.axvline(0, color=style.INK, lw=0.8, zorder=1)
        axes.set_xlim(-wide, wide)
        axes.tick_params(labelbottom=True)
        first, second = map(printed, pair)
        compared = printed_pair(pair)
        word = "favours" if set(criteria) <= FAVOURS else "higher for"
        word = "" if len(trains) > style.MOST_WITH_WORDS else f"{word} "
        axes.set_xlabel(f"\u2190 {word}{second}    {word}{first} \u2192", color=style.SOFT)
        if len(trains) > 1 and len(pairs) > 1:
            axes.set_title(f"{compared}, trained on {train}", fontsize=style.TEXT)
        else:
            several = len(trains) > 1
            axes.set_title(style.trained_on(train, len(trains)) if several else compared)
    entries = {printed(name): style.dot(looks[name]) for name in criteria}
    if len(criteria) == 1:
        entries = {}
    entries |= MEANING
    what = f" ({printed(criteria[0])})" if len(criteria) == 1 else ""
    alone = f", trained on {trains[0]}" if len(trains) == 1 else ""
    between = f": {compared}" if len(pairs) == 1 else ""
    style.key(figure, f"{title}{what}{between}{alone}", entries, columns=3)
    style.note(
        figure,
        f"{people(frame)} Bars: intervals over test subjects. Bands: where the gap would lie if "
        "subjects were dealt to groups at random. An interval that includes 0 is no evidence that "
        f"groups are treated alike. {empty}",
    )
    return figure, frame

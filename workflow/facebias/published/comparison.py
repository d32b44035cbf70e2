"""Our results beside published ones: which differences can uncertainty explain?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from facebias import tables
from facebias.published import contracts
from facebias.published.fairness import ROUNDING, WIDEST
from facebias.published.papers import Paper
from facebias.study import StudyError
from facebias.tables import comparisons

# Whose uncertainty explains a difference. NOT_OURS: the paper's is not known.
OURS, BOTH, NEITHER, NOT_OURS, UNKNOWN = "ours", "both", "neither", "not ours", "unknown"
VALUE, DIFFERENCE = "value", "difference"
DRAWN = "drawn faces: a trial of the comparison, no replication"
NUMBERS = ("estimate", "ci_low", "ci_high")


def gaps(fairness: pd.DataFrame, assumed: pd.DataFrame, *, drawn: bool) -> pd.DataFrame:
    """Place the gaps of a study beside those of a paper.

    Parameters
    ----------
    fairness
        A ``tables.FAIRNESS`` table of the study.
    assumed
        From ``fairness.intervals``, at the study's confidence.
    drawn
        Whether the study's people are drawn.

    Returns
    -------
    A ``contracts.COMPARISON`` table of what both have.

    Raises
    ------
    StudyError
        If they have nothing in common.
    """
    key = list(tables.GAP_KEY)
    pairs = fairness[fairness["comparison"] == comparisons.PAIR]
    ours = pairs.dropna(subset="estimate").set_index(key)[["groups", *NUMBERS]]
    theirs = assumed[assumed["assumption"] == WIDEST].dropna(subset="estimate")
    both = ours.join(theirs.set_index(key)[list(NUMBERS)].add_suffix("_published"), how="inner")
    if both.empty:
        raise StudyError("published: no gap of this study is also one of the paper's")
    return judge(both.reset_index().drop(columns="attribute"), drawn=drawn)


def scores(
    metrics: pd.DataFrame, values: pd.DataFrame, paper: Paper, *, drawn: bool
) -> pd.DataFrame:
    """Place overall scores of a study's test sets, and their differences, beside those of a paper.

    The interval of a difference of ours is made of those of its two parts, which were tested on
    different people. The paper's numbers have no interval.

    Parameters
    ----------
    metrics
        A ``tables.METRICS`` table of the study.
    values
        From ``papers.values``.
    paper
        The paper.
    drawn
        Whether the study's people are drawn.

    Returns
    -------
    A ``contracts.COMPARISON`` table; ``definition`` is ``value`` or ``difference``.

    Raises
    ------
    StudyError
        If they have nothing in common.
    """
    key = ["architecture", "train_split", "test_split", "label", "metric"]
    ours = metrics.dropna(subset="value").set_index(key)[["value", "ci_low", "ci_high"]]
    theirs = values.set_index(key)["printed"]
    both = ours.join(theirs, how="inner").rename(
        columns={"value": "estimate", "printed": "estimate_published"}
    )
    if both.empty:
        raise StudyError("published: no score of this study is also one of the paper's")
    both = both.droplevel("label").assign(ci_low_published=np.nan, ci_high_published=np.nan)
    both.index = both.index.rename({"metric": "criterion"})
    single = both.reset_index()
    alone = pd.DataFrame([*map(comparisons.group, single.pop("test_split"))])
    parts = [single.join(alone).assign(definition=VALUE)]
    tests = both.index.get_level_values("test_split")
    for pair in paper.pairs.values():
        first, second = (both[tests == name].droplevel("test_split") for name in pair)
        first, second = first.align(second, join="inner", axis=0)
        low, high = apart(first, second)
        difference = (first - second).assign(ci_low=low, ci_high=high).reset_index()
        parts.append(difference.assign(**comparisons.pair(*pair), definition=DIFFERENCE))
    return judge(pd.concat(parts, ignore_index=True), drawn=drawn)


def apart(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return an interval of a - b from the intervals of two independent estimates.

    The method of variance estimates recovery (Zou & Donner 2008): squared distances of the ends
    from the estimates add up.

    Parameters
    ----------
    a, b
        Tables with ``estimate``, ``ci_low``, ``ci_high`` and the same index.

    Examples
    --------
    >>> a = pd.DataFrame({"estimate": [0.5], "ci_low": [0.2], "ci_high": [0.9]})
    >>> b = pd.DataFrame({"estimate": [0.1], "ci_low": [0.0], "ci_high": [0.5]})
    >>> [round(float(end[0]), 3) for end in apart(a, b)]
    [-0.1, 0.812]
    """
    difference = a["estimate"] - b["estimate"]
    # An end on the wrong side of its estimate (sizes of gaps are pushed up) is at no distance.
    below = [(part["estimate"] - part["ci_low"]).clip(lower=0) for part in (a, b)]
    above = [(part["ci_high"] - part["estimate"]).clip(lower=0) for part in (a, b)]
    return difference - np.hypot(below[0], above[1]), difference + np.hypot(above[0], below[1])


def judge(both: pd.DataFrame, *, drawn: bool) -> pd.DataFrame:
    """Say whose uncertainty explains the difference of every pair of numbers.

    Parameters
    ----------
    both
        What is compared, our ``NUMBERS``, and the paper's with ``_published`` behind their names.
    drawn
        Whether the study's people are drawn.

    Returns
    -------
    A ``contracts.COMPARISON`` table.
    """
    ours = both[list(NUMBERS)]
    theirs = both[[f"{name}_published" for name in NUMBERS]].set_axis(NUMBERS, axis=1)
    low, high = apart(ours, theirs)
    difference = (ours["estimate"] - theirs["estimate"]).round(ROUNDING)
    inside = (ours["ci_low"].round(ROUNDING) <= theirs["estimate"].round(ROUNDING)) & (
        theirs["estimate"].round(ROUNDING) <= ours["ci_high"].round(ROUNDING)
    )
    explained = np.select(
        [ours["ci_low"].isna(), inside, low.isna(), (low <= 0) & (high >= 0)],
        [UNKNOWN, OURS, NOT_OURS, BOTH],
        NEITHER,
    )
    named = {"estimate": "{}", "ci_low": "{}_low", "ci_high": "{}_high"}
    table = both.drop(columns=[*ours, *(f"{name}_published" for name in NUMBERS)]).assign(
        **{named[name].format("ours"): ours[name] for name in NUMBERS},
        **{named[name].format("published"): theirs[name] for name in NUMBERS},
        difference=difference,
        low=low,
        high=high,
        explained=explained,
        note=DRAWN if drawn else None,
    )
    return tables.check(table, contracts.COMPARISON)

"""Who is compared with whom: how tables hold it, and how rows are chosen by it.

A name may be any text, so columns hold names and never text made of them. ``groups`` and
``train_splits`` say the same in words: for people who open a table, never to be taken apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facebias.core.vocabulary import printed, printed_pair

# Two groups, first minus second; all groups at once; all people by a number; a single group.
PAIR, RANGE, TREND, GROUP = "pair", "range", "trend", "group"

# `first` and `second` name groups: both of a pair, `first` alone of a single group.
COMPARED = ("comparison", "first", "second")
GROUPS = dict.fromkeys((*COMPARED, "groups"), "text")

# Two training splits, one instead of the other.
CHANGED = ("after", "before")
TRAIN_SPLITS = dict.fromkeys((*CHANGED, "train_splits"), "text")

Row = dict[str, str | None]


def pair(first: str, second: str) -> Row:
    """Compare two groups, the first minus the second."""
    return _row(PAIR, f"{first} - {second}", first, second)


def over(names: Sequence[str]) -> Row:
    """Compare all groups at once."""
    return _row(RANGE, f"range over {', '.join(names)}")


def trend(attribute: str) -> Row:
    """Follow an attribute of numbers."""
    return _row(TREND, f"trend in {attribute}")


def group(name: str | None) -> Row:
    """Look at one group, or at none where there is no other to compare it with."""
    return _row(GROUP, "no group" if name is None else name, name)


def change(after: str, before: str) -> Row:
    """Train on one split instead of another."""
    return {"after": after, "before": before, "train_splits": f"{after} - {before}"}


def _row(comparison: str, words: str, first: str | None = None, second: str | None = None) -> Row:
    return {"comparison": comparison, "first": first, "second": second, "groups": words}


def pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """List the pairs of groups of a table in the order in which they first appear."""
    return list(dict.fromkeys(_names(frame[frame["comparison"] == PAIR])))


def of_pairs(frame: pd.DataFrame, *wanted: tuple[str, str]) -> pd.DataFrame:
    """Choose the rows of some pairs of groups."""
    return frame.loc[np.array([names in wanted for names in _names(frame)], dtype=bool)]


def _names(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["first"], frame["second"], strict=True))


def of_all_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows of all groups at once; where there is no range, all rows."""
    ranges = frame["comparison"] == RANGE
    return frame[ranges] if ranges.any() else frame


def compared_groups(row: Mapping[str, object], between: str = " \u2212 ") -> str:
    """Name in print whom a row of a table compares."""
    if row["comparison"] == PAIR:
        return printed_pair((str(row["first"]), str(row["second"])), between)
    return printed(row["groups"])

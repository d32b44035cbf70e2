"""From recorded attributes to groups of subjects: values, crossed attributes, bins of numbers."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facebias.study import StudyError, crossed

MOST_NUMERIC_VALUES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grouping:
    """Which subjects belong to which group.

    Attributes
    ----------
    members
        Names of the subjects by group, in the order of groups.
    missing
        Subjects without a recorded value.
    values
        The number recorded for each subject where groups are bins, else None.
    """

    attribute: str
    members: Mapping[str, np.ndarray]
    missing: np.ndarray
    values: Mapping[str, float] | None = None


def grouping(
    frame: pd.DataFrame, attribute: str, *, bins: Mapping[str, Sequence[float]] | None = None
) -> Grouping:
    """Put the subjects of a table into the groups of ``attribute``.

    Parameters
    ----------
    frame
        Rows with ``subject`` and the attributes; a subject may have many.
    attribute
        Name of a column, or of two or more crossed ones (``gender_x_skin``). Numbers may be
        groups if there are at most 8 different ones.
    bins
        Edges by attribute of numbers: a group holds its lower edge, not its upper one.

    Returns
    -------
    Groups sorted by name, bins from low to high. Of crossed attributes every combination of their
    groups is there, also one without subjects.

    Raises
    ------
    StudyError
        If a column is missing, numeric with more values, outside its bins, or puts a subject in
        two groups.
    """
    bins = bins or {}
    names = [attribute] if attribute in frame.columns else crossed(attribute)
    sorts = [_sorted(frame, name, bins.get(name)) for name in names]
    people = pd.concat([column for column, _ in sorts], axis=1)
    known = people.dropna()
    members = {}
    for groups in itertools.product(*(order for _, order in sorts)):
        inside = (known == list(groups)).all(axis=1)
        members[" x ".join(groups)] = np.sort(known.index[inside].to_numpy(dtype=str))
    values = None
    if len(names) == 1 and attribute in bins:
        numbers = frame.astype({"subject": str}).groupby("subject")[attribute].first()
        values = pd.to_numeric(numbers).dropna().to_dict()
    return Grouping(
        attribute=attribute,
        members=members,
        missing=people.index[people.isna().any(axis=1)].to_numpy(dtype=str),
        values=values,
    )


def _sorted(
    frame: pd.DataFrame, attribute: str, edges: Sequence[float] | None
) -> tuple[pd.Series, list[str]]:
    """Return group of every subject (missing where none is recorded) and the groups in order."""
    if attribute not in frame.columns:
        raise StudyError(
            f"evaluation.attributes: no attribute {attribute}; there are {', '.join(frame.columns)}"
        )
    pairs = frame[["subject", attribute]].drop_duplicates().astype({"subject": str})
    twice = pairs["subject"].duplicated(keep=False)
    if twice.any():
        subject = pairs.loc[twice, "subject"].iloc[0]
        found = pairs.loc[pairs["subject"] == subject, attribute]
        raise StudyError(
            f"{attribute}: subject {subject} is in two groups, {' and '.join(map(str, found))}; "
            "an attribute belongs to the person and must be the same in every row"
        )
    column = pairs.set_index("subject")[attribute]
    if edges is not None:
        return _binned(column, attribute, edges)
    numbers = pd.to_numeric(column.dropna(), errors="coerce")
    if numbers.notna().all() and numbers.nunique() > MOST_NUMERIC_VALUES:
        raise StudyError(
            f"evaluation.attributes: {attribute} has {numbers.nunique()} different numbers, at "
            f"most {MOST_NUMERIC_VALUES} can be groups; cut it with evaluation.bins, such as "
            f"{attribute}: [0, 30, 50, 100] (`facebias evaluate`: --bins {attribute}=0,30,50,100), "
            "or add a text column with bands"
        )
    named = column.map(_name, na_action="ignore")
    return named, sorted(named.dropna().unique())


def _binned(
    column: pd.Series, attribute: str, edges: Sequence[float]
) -> tuple[pd.Series, list[str]]:
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    wrong = column.notna() & ~((numbers >= edges[0]) & (numbers < edges[-1]))
    if wrong.any():
        raise StudyError(
            f"evaluation.bins.{attribute}: subject {column.index[wrong][0]} has "
            f"{column[wrong].iloc[0]}, expected a number from {edges[0]:g} to under {edges[-1]:g}"
        )
    names = [f"{low:g} to under {high:g}" for low, high in itertools.pairwise(edges)]
    return pd.cut(numbers, list(edges), right=False, labels=names).astype(object), names


def _name(value: object) -> str:
    """Name a group; whole numbers that a CSV with gaps turned into 1.0 are 1 again."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

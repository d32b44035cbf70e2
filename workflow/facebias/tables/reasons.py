"""Reasons for leaving a sample out: "kind: detail". Kinds are counted, details are for people."""

from __future__ import annotations

import pandas as pd

# Of a sample that is no part of the study: it is neither used nor counted as left out.
NOT_STUDIED = "label not studied"


def kinds(reasons: pd.Series) -> pd.Series:
    """Kind of each reason: what stands before its colon."""
    return reasons.str.partition(":")[0]


def commonest(excluded: pd.DataFrame, *, top: int = 5) -> str:
    """Say which kinds of reasons are most frequent, a line each, with an example.

    Parameters
    ----------
    excluded
        Columns ``path`` and ``reason``.
    top
        Number of kinds.
    """
    kind = kinds(excluded["reason"])
    counts = kind.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    examples = excluded.assign(kind=kind).drop_duplicates("kind").set_index("kind")
    return "\n".join(
        f"  {count} x {name}, such as {examples.at[name, 'path']}: {examples.at[name, 'reason']}"
        for name, count in counts.head(top).items()
    )

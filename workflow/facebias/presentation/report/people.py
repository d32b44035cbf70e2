"""Whose samples could be used, and who trained and tested which models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from facebias.evaluation.attributes import grouping
from facebias.study import Labels, crossed


def usable(manifest: pd.DataFrame, excluded: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Choose the samples that models can see and be right about: only their people take part.

    ``tables.MANIFEST`` also lists samples of which no clip could be cut (``tables.EXCLUDED``), and
    those of which no unit is annotated.
    """
    rows = manifest[~manifest["sample"].isin(excluded["sample"])]
    if labels.kind == "units":
        known = labels.among(rows.columns).names
        rows = rows[rows[[f"label_{name}" for name in known]].notna().any(axis=1)]
    return rows


def taking_part(splits: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows of a ``tables.SPLITS`` table of people who have a sample among ``rows``."""
    return splits[splits["subject"].isin(rows["subject"])]


def tested(
    splits: pd.DataFrame,
    manifest: pd.DataFrame,
    attribute: str,
    *,
    bins: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, int]:
    """Count the test subjects of every group of an attribute, over all folds."""
    people = splits.loc[splits["role"] == "test", "subject"].unique()
    rows = manifest[manifest["subject"].isin(people)]
    if not {attribute, *crossed(attribute)} & set(manifest.columns):
        return {}
    found = grouping(rows, attribute, bins=bins)
    counted = {name: len(members) for name, members in found.members.items()}
    return counted | ({"not recorded": len(found.missing)} if len(found.missing) else {})


def roles(splits: pd.DataFrame) -> pd.DataFrame:
    """Count subjects per train split and role: text, a range where folds or seeds differ."""
    counts = splits.groupby(["train_split", "fold", "seed", "role"], sort=False).size()
    counts = counts.unstack("role", fill_value=0).groupby(level="train_split", sort=False)
    low, high = counts.min(), counts.max()
    return low.astype(str).where(low == high, low.astype(str) + "\u2013" + high.astype(str))


def experiments(
    metrics: pd.DataFrame, trains: Sequence[str], tests: Sequence[str]
) -> list[dict[str, list[str]]]:
    """Put the train splits together that are tested on the same test splits, in order.

    One entry per hold-out, with the names of its ``trains`` and ``tests``.
    """
    cells = set(
        metrics[["train_split", "test_split"]].drop_duplicates().itertuples(index=False, name=None)
    )
    found: dict[tuple[str, ...], list[str]] = {}
    for train in trains:
        own = tuple(test for test in tests if (train, test) in cells)
        found.setdefault(own, []).append(train)
    return [{"trains": names, "tests": list(own)} for own, names in found.items() if own]

"""Gaps that coincide with a confound: what else could explain them, in plain words."""

from __future__ import annotations

import dataclasses

import pandas as pd

from facebias.tables import COMPARED, verdicts

ALL = "all"
BETWEEN_SPLITS = "split_ratio"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coincidence:
    """Gaps by one attribute, and what else differs between its groups.

    ``found`` are the architectures with a gap, by train split; ``warnings`` are sentences without a
    full stop, the same for all these train splits.
    """

    attribute: str
    found: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]


def warnings(confounds: pd.DataFrame, fairness: pd.DataFrame) -> list[Coincidence]:
    """Join the warnings of ``tables.CONFOUNDS`` to the gaps of ``tables.FAIRNESS`` that were found.

    A warning counts for a gap if it is about the same attribute and about the train split of the
    gap, its test subjects or everybody. Where one measure differs both among the test subjects and
    among all, the test subjects are named. Gaps without a warning give no entry.
    """
    found = verdicts.found(fairness)
    about_groups = confounds[confounds["measure"] != BETWEEN_SPLITS].dropna(subset="warning")
    # A training split may be called `all` as well.
    of_everybody = (about_groups["train_split"] == ALL) & (about_groups["role"] != "train")
    joined: dict[tuple[str, tuple[str, ...]], dict[str, tuple[str, ...]]] = {}
    for (attribute, train_split), gaps in found.groupby(["attribute", "train_split"], sort=False):
        rows = about_groups[
            (about_groups["attribute"] == attribute)
            & (of_everybody | (about_groups["train_split"] == train_split))
        ]
        if said := _once(rows):
            architectures = tuple(gaps["architecture"].unique())
            joined.setdefault((attribute, said), {})[train_split] = architectures
    return [
        Coincidence(attribute=attribute, found=by_split, warnings=said)
        for (attribute, said), by_split in joined.items()
    ]


def between_splits(confounds: pd.DataFrame) -> list[str]:
    """List the warnings about differences between train splits, each once."""
    rows = confounds[confounds["measure"] == BETWEEN_SPLITS]
    return list(dict.fromkeys(rows["warning"].dropna()))


def _once(rows: pd.DataFrame) -> tuple[str, ...]:
    """Leave out what is said of all subjects where the same is said of the test subjects."""
    key = ["measure", *COMPARED, "label"]
    tested = set(rows.loc[rows["role"] == "test", key].itertuples(index=False, name=None))
    kept = [
        warning
        for role, warning, *same in rows[["role", "warning", *key]].itertuples(
            index=False, name=None
        )
        if role != ALL or tuple(same) not in tested
    ]
    return tuple(dict.fromkeys(kept))

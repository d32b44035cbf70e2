"""What a table is: its columns, their types, what identifies a row; and columns of many tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


class TableError(ValueError):
    """A table that breaks its contract: names the file, the column, what was found and expected."""


@dataclasses.dataclass(frozen=True)
class Table:
    """A contract: ``columns`` maps name to type, ``key`` names what identifies a row.

    ``optional`` columns follow these where a study has them; ``open`` tables may carry further
    columns (labels, attributes) after the named ones.
    Types: ``text`` (missing allowed, as NaN), ``whole``, ``number`` (missing allowed), ``truth``,
    ``numbers`` (a list of numbers per row; Parquet only).
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    open: bool = False
    optional: Mapping[str, str] = dataclasses.field(default_factory=dict)


MODEL = {"architecture": "text", "train_split": "text", "fold": "whole", "seed": "whole"}

CELL = {"architecture": "text", "train_split": "text", "test_split": "text"}

INTERVAL = {
    "estimate": "number",
    "ci_low": "number",
    "ci_high": "number",
    "n_subjects": "whole",
    "n_samples": "whole",
}

# What comes from chance alone beside an estimate, and the smallest true one that would be found in
# 80 of 100 such studies: of gaps at the level divided by the number of declared gaps, of effects
# and of relevance before any correction.
CHANCE = {
    "p_value": "number",
    "p_floor": "number",
    "null_median": "number",
    "null_low": "number",
    "null_high": "number",
    "detectable": "number",
}

# What all rows of a study together make of a p-value. `family` is primary or exploratory.
# `p_reachable` is the smallest corrected p-value that the design could have given.
JUDGED = {
    "family": "text",
    "p_holm": "number",
    "q_bh": "number",
    "p_reachable": "number",
    "verdict": "text",
}

"""Which rows a condition on attributes selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from facebias.study import Selection


def selects(where: Mapping[str, Any], frame: pd.DataFrame) -> np.ndarray:
    """Tell which rows of ``frame`` fulfil the condition ``where``.

    A condition maps an attribute to a value (equal), to a list (any of them), or to
    ``{min: a, max: b}`` (a <= value <= b). Several keys must all hold. The keys ``all`` and ``any``
    take a list of conditions. A missing attribute fulfils nothing. The empty condition holds
    for every row.

    Returns
    -------
    Boolean array, one entry per row.

    Raises
    ------
    KeyError
        If the frame has no column of a name used.
    """
    chosen = np.ones(len(frame), dtype=bool)
    for name, wanted in where.items():
        if name == "all":
            chosen &= np.all([selects(part, frame) for part in wanted], axis=0)
        elif name == "any":
            chosen &= np.any([selects(part, frame) for part in wanted], axis=0)
        elif isinstance(wanted, Mapping):
            values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
            chosen &= (values >= wanted.get("min", -np.inf)) & (values <= wanted.get("max", np.inf))
        else:
            allowed = (
                wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]
            )
            chosen &= frame[name].isin(list(allowed)).to_numpy()
    return chosen


def attributes_in(where: Mapping[str, Any]) -> set[str]:
    """Name the attributes that a condition asks for."""
    names: set[str] = set()
    for name, wanted in where.items():
        names |= (
            set().union(*(attributes_in(part) for part in wanted))
            if name in ("all", "any")
            else {name}
        )
    return names


def selected(split: Selection, frame: pd.DataFrame) -> np.ndarray:
    """Tell which rows of ``frame`` (with ``subject`` and attributes) belong to a split."""
    chosen = selects(split.where, frame)
    if split.subjects is not None:
        chosen &= frame["subject"].isin(split.subjects).to_numpy()
    return chosen

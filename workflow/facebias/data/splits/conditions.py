"""Which rows a condition on attributes selects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


# Key of a split to which rows it selects; not asked where the key is null.
SELECTS: dict[str, Callable[[Any, pd.DataFrame], np.ndarray]] = {
    "where": selects,
    "subjects": lambda names, frame: frame["subject"].isin(names).to_numpy(),
}


def selected(split: Selection, frame: pd.DataFrame) -> np.ndarray:
    """Tell which rows of ``frame`` (with ``subject`` and attributes) belong to a split."""
    asked = {name: getattr(split, name) for name in SELECTS}
    chosen = [SELECTS[name](one, frame) for name, one in asked.items() if one is not None]
    return np.logical_and.reduce(chosen)

"""Numbers, conditions and lists as text for readers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from facebias.core.vocabulary import printed


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number with its interval; NaN where it cannot be estimated."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is a number at all."""
        return bool(np.isfinite(self.value))

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low * self.high > 0

    def __str__(self) -> str:
        """Write it for a reader: ``0.31 [0.12, 0.50]`` or ``n/a``."""
        if not self.known:
            return "n/a"
        ends = f" [{number(self.low)}, {number(self.high)}]" if np.isfinite(self.low) else ""
        return f"{number(self.value)}{ends}"


def number(value: float) -> str:
    """Write a number with two decimals and a real minus sign."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "\u2212")


def probability(value: float) -> str:
    """Write a p-value: two digits that count, and never 0."""
    if not np.isfinite(value):
        return "n/a"
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def estimate(row: pd.Series) -> Estimate:
    """Read a row of ``tables.METRICS`` or ``tables.FAIRNESS``."""
    value = row["estimate"] if "estimate" in row else row["value"]
    return Estimate(float(value), float(row["ci_low"]), float(row["ci_high"]))


def condition(where: Mapping[str, Any]) -> str:
    """Put a condition on attributes into words: ``gender female and age at least 60``."""
    parts = []
    for name, wanted in where.items():
        if name in ("all", "any"):
            joined = f" {'and' if name == 'all' else 'or'} ".join(map(condition, wanted))
            parts.append(f"({joined})")
        elif isinstance(wanted, Mapping):
            ends = [("min", "at least"), ("max", "at most")]
            limits = " and ".join(f"{word} {wanted[end]}" for end, word in ends if end in wanted)
            parts.append(f"{printed(name)} {limits}")
        elif isinstance(wanted, list | tuple):
            parts.append(f"{printed(name)} {' or '.join(map(printed, wanted))}")
        else:
            parts.append(f"{printed(name)} {printed(wanted)}")
    return " and ".join(parts) or "everybody"


def listed(items: Sequence[object]) -> str:
    """Join words as in a sentence: ``a, b and c``."""
    words = [printed(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def counted(n: int, one: str, many: str = "") -> str:
    """Write a number with what it counts.

    >>> counted(1, "person", "people"), counted(1200, "sample")
    ('1 person', '1,200 samples')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"

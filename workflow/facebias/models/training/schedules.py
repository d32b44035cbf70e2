"""Learning rate over the steps of a training, as a share of the configured one."""

from __future__ import annotations

import math
from collections.abc import Callable

WARM_UP = 0.3
START = 1 / 25
END = START / 1e4


def constant(step: int, total: int) -> float:
    """Stay at 1."""
    return 1.0


def cosine(step: int, total: int) -> float:
    """Fall from 1 along half a cosine, to 0 after the last step (Loshchilov & Hutter 2017)."""
    return _between(1.0, 0.0, step / total)


def one_cycle(step: int, total: int) -> float:
    """Rise from 1/25 to 1 over 30 % of the steps, then fall to 1/250000 (Smith & Topin 2019)."""
    peak = WARM_UP * total - 1
    if step <= peak:
        return _between(START, 1.0, step / max(peak, 1.0))
    return _between(1.0, END, (step - peak) / (total - 1 - peak)) if total > 1 else 1.0


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


# Each maps a step (from 0) and the number of steps to a factor on the learning rate.
SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "constant": constant,
    "cosine": cosine,
    "one_cycle": one_cycle,
}

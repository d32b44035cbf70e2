"""When a training is saved: so seldom that saving takes little of its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor

# Largest share of the time of a training that is spent on saving it.
SHARE = 0.02


class Place(Protocol):
    """Where a state is kept (``checkpoint.Checkpoint``)."""

    def load(self) -> dict[str, Any] | None:
        """Read the state that was saved last."""

    def save(self, state: dict[str, Any]) -> None:
        """Write a state."""


class Saver:
    """Saves at once, or when that takes at most ``SHARE`` of the time so far.

    Parameters
    ----------
    place
        Where to.
    clock
        Seconds since any moment.
    """

    def __init__(self, place: Place, *, clock: Callable[[], float]):
        self._place, self._clock = place, clock
        self._start = clock()
        self._spent = 0.0
        self._seconds_per_byte = 0.0

    def load(self) -> dict[str, Any] | None:
        """Read the state that was saved last; what that takes is a first guess for saving."""
        begun = self._clock()
        state = self._place.load()
        if state is not None:
            self._spend(self._clock() - begun, nbytes(state))
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Save now: at the start, and when a signal has come."""
        begun = self._clock()
        self._place.save(state)
        self._spend(self._clock() - begun, nbytes(state))

    def save_if_due(self, state: dict[str, Any]) -> None:
        """Save if there has been time enough for it."""
        allowed = SHARE * (self._clock() - self._start)
        if self._spent + self._seconds_per_byte * nbytes(state) <= allowed:
            self.save(state)

    def _spend(self, seconds: float, size: int) -> None:
        self._spent += seconds
        self._seconds_per_byte = seconds / max(size, 1)


def nbytes(values: Any) -> int:
    """Add up the bytes of all tensors in dictionaries and lists."""
    if isinstance(values, Tensor):
        return values.nbytes
    if isinstance(values, dict):
        return sum(map(nbytes, values.values()))
    return sum(map(nbytes, values)) if isinstance(values, list | tuple) else 0

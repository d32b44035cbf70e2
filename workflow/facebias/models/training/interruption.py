"""Signals that ask a training to stop: it goes on to the next step, saves and stops by itself."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import TypeVar

Item = TypeVar("Item")

# A time limit, a preemption or `scancel`; Ctrl-C; a closed terminal; a warning before a limit.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Interrupted(Exception):
    """A training that stopped because a signal asked it to; its text names the signal."""


class Interruption:
    """Whether a signal has come, and which came first."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def note(self, number: int, frame: FrameType | None = None) -> None:
        """Take down a signal. Those after the first change nothing."""
        if self.signal is None:
            self.signal = signal.Signals(number)

    def before(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield ``items`` until a signal has come.

        Raises
        ------
        Interrupted
            Before the next item.
        """
        for item in items:
            if self.signal is not None:
                raise Interrupted(self.signal.name)
            yield item


@contextlib.contextmanager
def noting() -> Iterator[Interruption]:
    """Note signals while the block runs, in place of what they did before.

    A signal that the process was told to ignore (``nohup``) stays ignored.
    """
    # oneDNN, with which torch computes on a CPU, takes the stack pointer for its own memory in a
    # matrix product (AVX-512): a signal that came then would be handled in the middle of the heap.
    # With faulthandler, signals have a stack of their own.
    if not faulthandler.is_enabled():
        faulthandler.enable(file=sys.__stderr__)
    interruption = Interruption()
    earlier = {number: signal.getsignal(number) for number in SIGNALS}
    earlier = {number: action for number, action in earlier.items() if action != signal.SIG_IGN}
    try:
        for number in earlier:
            signal.signal(number, interruption.note)
        yield interruption
    finally:
        for number, action in earlier.items():
            signal.signal(number, action)

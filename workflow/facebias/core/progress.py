"""Progress of a long stage: a bar on a terminal, plain periodic lines in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
SECONDS_BETWEEN_LINES = 10.0


def track(items: Iterable[Item], *, total: int, what: str, unit: str) -> Iterator[Item]:
    """Yield ``items`` and report progress on standard error.

    ``what`` names the work ("extract faces"), ``unit`` what is counted ("samples").
    """
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=what, unit=f" {unit}")
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES or done == total:
            last, rate = now, done / max(now - start, 1e-9)
            left = (total - done) / rate
            print(
                f"{what}: {done} of {total} {unit}, {rate:.3g} per second, {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

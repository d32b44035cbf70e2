"""One table of all results: printed at the end and, with ``--results FILE``, written as a page."""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
from pathlib import Path

import pytest

HEAD = ("what", "facebias", "beside", "ratio", "goal", "limit, share of it")


@dataclasses.dataclass(frozen=True)
class Result:
    """One line: ``ours`` and ``peer`` in words with units, their ``ratio``, and the goal.

    ``limit``: what is reached, the most that can be, in one unit, and what that most is.
    """

    what: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    goal: str = ""
    limit: tuple[float, float, str] | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}"
        limit = ""
        if self.limit is not None:
            reached, most, what = self.limit
            limit = f"{most:.3g} {what}: {reached / most:.0%}"
        return self.what, self.ours, self.peer, ratio, self.goal, limit


class Results:
    """What the benchmarks of a session found, in their order; ``figures`` lie beside the page."""

    def __init__(self) -> None:
        self.rows: list[Result] = []
        self.figures: dict[str, str] = {}

    def add(self, what: str, ours: str, **more: object) -> None:
        """Add one line; see ``Result``."""
        self.rows.append(Result(what, ours, **more))


RESULTS = pytest.StashKey[Results]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", type=Path, help="page (.md) for the table of results")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = Results()


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> Results:
    """Collect results for the table at the end."""
    return request.config.stash[RESULTS]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    rows = [result.cells for result in config.stash[RESULTS].rows]
    if not rows:
        return
    widths = [max(len(row[column]) for row in [HEAD, *rows]) for column in range(len(HEAD))]
    terminalreporter.section("results")
    for row in [HEAD, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line("  ".join(cells).rstrip())
    if path := config.getoption("--results"):
        path.write_text(page(rows, config.stash[RESULTS].figures))


def page(rows: list[tuple[str, ...]], figures: dict[str, str]) -> str:
    """Write the results as Markdown, with the machine they were measured on."""
    lines = ["| " + " | ".join(row) + " |" for row in [HEAD, ("---",) * len(HEAD), *rows]]
    return "\n".join(
        [
            "# How fast it is",
            "",
            "Written by `make bench`. What stands side by side was measured in one run; a ratio",
            "above 1 is in favour of facebias. A shared machine is noisy: trust the ratios alone.",
            "",
            f"Machine: {processor()}, {os.cpu_count()} cores, {platform.system()}, Python "
            f"{platform.python_version()}, {datetime.date.today():%Y-%m-%d}.",
            "",
            *lines,
            "",
            *(f"![{caption}]({name})\n" for name, caption in figures.items()),
        ]
    )


def processor() -> str:
    """Name the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line[:10] == "model name")
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()

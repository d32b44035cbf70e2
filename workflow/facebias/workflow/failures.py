"""Why a job failed, written where the person who started the run reads it.

Every job sends its errors to a log file. Snakemake shows that file only with
``--show-failed-logs``, never when it is told to be quiet about rules, and then below the whole
command with its settings.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from snakemake.logging import LogEvent, get_event, logger

# How a stage begins its last words (see ``facebias.__main__``), and Python its own.
LAST_WORDS = ("facebias ", "Traceback (most recent call last)")
# Of a log, which has more.
LAST_LINES = 20


class FailureHandler(logging.Handler):
    """Follows every failed job with the reason from its log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the reason, to the terminal and to Snakemake's own log, if a job failed."""
        if get_event(record) != LogEvent.JOB_ERROR:
            return
        reason = describe(record.rule_name, record.log, sure=not record.indent)
        if reason is not None:
            logger.error(reason)


def show_reasons() -> None:
    """Show why jobs fail, from now on, in this run of Snakemake."""
    logger.addHandler(FailureHandler(logging.ERROR))


def describe(rule: str, logs: Sequence[str], *, sure: bool = True) -> str | None:
    """Return why a job failed, in the words of its logs.

    Parameters
    ----------
    rule
        Name of its rule.
    logs
        Its own log, then those of the cluster; some may be missing or empty.
    sure
        Whether this job failed. One of a group that failed as a whole may have gone well.

    Returns
    -------
    str or None
        The error of its stage, else the last lines of every log. None if the job is not sure to
        have failed and no log says that it did.
    """
    written = {path: lines for path in logs if (lines := _lines(path))}
    for path, lines in written.items():
        said = [number for number, line in enumerate(lines) if line.startswith(LAST_WORDS)]
        if said:
            return _block(f"Why {rule} failed ({path}):", lines[said[-1] :])
    if not sure:
        return None
    if not written:
        names = ", ".join(map(str, logs)) or "it has none"
        return f"Why {rule} failed is not known: nothing was written to its log ({names})."
    parts = [_block(f"Last lines of {path}:", lines) for path, lines in written.items()]
    return "\n".join([f"{rule} failed and did not say why.", *parts])


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    except OSError:
        return []


def _block(head: str, lines: Sequence[str]) -> str:
    return "\n".join([head, *(f"    {line}" for line in lines[-LAST_LINES:])])

"""What a run would do, why, and for how long: said before it is started.

Snakemake plans the run as for a dry run; nothing of the results is written.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import functools
import gc
import logging
import re
import shlex
import shutil
import statistics
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from snakemake.api import SnakemakeApi
from snakemake.jobs import Job
from snakemake.rules import Rule
from snakemake.settings.enums import Quietness
from snakemake.settings.types import OutputSettings
from snakemake.utils import listfiles
from snakemake.workflow import Workflow

from facebias.study import StudyError
from facebias.workflow import estimates
from facebias.workflow.causes import causes
from facebias.workflow.engine import planned
from facebias.workflow.estimates import Estimates

# Exactly this makes Snakemake stop when it has planned; warnings and errors are still said.
OUTPUT = OutputSettings(
    dryrun=True,
    quiet={Quietness.RULES, Quietness.PROGRESS},
    log_level_override=logging.WARNING,
)
UNKNOWN = "unknown"
NOTES = (
    "time: as long as such jobs took before, one after another; side by side they need less.",
    "GPU h: hours of GPUs, - where none is asked for.",
)
ROUGH_NOTE = (
    f"~: never measured here, so only roughly ({estimates.FACTOR} times more or less), from "
    f"clips, frames and operations of the networks, at {estimates.CORE / 1e9:.0f} billion of "
    f"them a second on a core and {estimates.GPU / 1e12:.0f} trillion on a GPU."
)
UNKNOWN_NOTE = f"{UNKNOWN}: never measured, and the data set that would tell cannot be listed."
HEAD = ("stage", "jobs", "time", "GPU h", ["why"])
MOST_CAUSES = 3
WIDEST = 100
_ARCHITECTURE = re.compile(r"^architectures\.[\w-]+\.")
_ANY_ARCHITECTURE = "architectures.*."


@dataclass(frozen=True)
class Stage:
    """The jobs of one rule that would run.

    Attributes
    ----------
    rule, jobs
        Name of the rule and number of its jobs.
    seconds
        Time that all jobs take, one after another; None: it is not known.
    gpu_seconds
        Time of GPUs that they take; None: it is not known, 0: no job asks for a GPU.
    asked
        Time of GPUs, in seconds, that they ask for: what they may take at the first attempt.
    causes
        Why, and of how many jobs.
    rough
        Whether the times are estimates: no job of the rule was measured before.
    """

    rule: str
    jobs: int
    seconds: float | None
    gpu_seconds: float | None
    asked: float
    causes: Mapping[str, int]
    rough: bool = False


def main(arguments: list[str]) -> None:
    """Say what a run would do, why, and how long it takes. Nothing is run."""
    parser = argparse.ArgumentParser(
        prog="facebias plan",
        usage="facebias plan --configfile FILE [any other option or target of snakemake]",
        description=main.__doc__,
        allow_abbrev=False,
    )
    _, words = parser.parse_known_args(arguments)
    # Nearly all is freed by counting references: looking for cycles took a seventh of the time.
    gc.disable()
    with SnakemakeApi(OUTPUT) as api:
        try:
            workflow = planned(api, words)
        except Exception as error:
            # In Snakemake's own words, as a run with the same mistake says them.
            api.print_exception(error)
            raise SystemExit(1) from None
        width = min(shutil.get_terminal_size((80, 24)).columns, WIDEST)
        found = stages(workflow)
        print(describe(found, n_jobs(workflow), width))
    if found:
        print(f"Nothing was run. To run it: snakemake {shlex.join(words)}")


def stages(workflow: Workflow) -> list[Stage]:
    """Put the jobs that would run together by rule, in the order in which data flow."""
    jobs = defaultdict(list)
    for job in workflow.dag.needrun_jobs():
        if job.output:
            jobs[job.rule].append(job)
    rough = functools.cache(lambda: _estimates(workflow))
    return [_stage(rule, jobs[rule], workflow, rough) for rule in workflow.rules if rule in jobs]


def n_jobs(workflow: Workflow) -> int:
    """Count the jobs of the whole study; a target such as ``all`` is none."""
    return sum(bool(job.output) for job in workflow.dag.jobs)


def _estimates(workflow: Workflow) -> Estimates | None:
    """Estimate times from the study's size; None where its data set cannot be listed."""
    with contextlib.suppress(StudyError, OSError):
        return Estimates(workflow.globals["PREPARED"])
    return None


def _stage(
    rule: Rule,
    jobs: Sequence[Job],
    workflow: Workflow,
    rough: Callable[[], Estimates | None],
) -> Stage:
    measured, alike = earlier(rule), defaultdict(list)
    for job in jobs:
        alike[job.wildcards.get("architecture")].append(job)
    seconds, gpu_seconds, asked = [], [], 0.0
    for architecture, group in alike.items():
        # Asked of one job: to evaluate the resources of all takes as long as the rest of the plan.
        gpus = int(group[0].resources.get("gpu") or 0)
        time = expected(measured, architecture)
        total = None if time is None else time * len(group)
        if total is None and (study := rough()) is not None:
            total = sum(_estimated(study, job, gpus) for job in group)
        seconds.append(total)
        if gpus:
            gpu_seconds.append(None if total is None else total * gpus)
            asked += 60.0 * int(group[0].resources.get("runtime") or 0) * len(group) * gpus
    return Stage(
        rule=rule.name,
        jobs=len(jobs),
        seconds=_sum(seconds),
        gpu_seconds=_sum(gpu_seconds),
        asked=asked,
        causes=count([causes(job, workflow) for job in jobs]),
        rough=not measured,
    )


def _estimated(study: Estimates, job: Job, gpus: int) -> float:
    located = bool(job.input.get("located"))
    return study.seconds(job.rule.name, job.wildcards, gpus=gpus, located=located)


def _sum(values: Sequence[float | None]) -> float | None:
    return None if None in values else sum(values)


def earlier(rule: Rule) -> dict[str | None, list[float]]:
    """Read how many seconds earlier jobs of a rule took, by architecture (None: any).

    A training that was killed and resumed counts from where it was resumed.
    """
    measured = defaultdict(list)
    for path, wildcards in listfiles(rule.benchmark) if rule.benchmark else ():
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        if rows:
            for name in {None, wildcards.get("architecture")}:
                measured[name].append(float(rows[-1]["s"]))
    return measured


def expected(
    measured: Mapping[str | None, Sequence[float]], architecture: str | None
) -> float | None:
    """Return the seconds that a job may take: the median of its architecture, else of its rule."""
    times = measured.get(architecture) or measured.get(None)
    return statistics.median(times) if times else None


def count(found: Sequence[Collection[str]]) -> Counter[str]:
    """Count the jobs that each cause makes run, given the causes of every job.

    A change that several architectures share is one cause: `training` is a part of each.
    """
    shared = Counter(_any(cause) for cause in set().union(*found))
    return Counter(
        cause
        for texts in found
        for cause in {_any(text) if shared[_any(text)] > 1 else text for text in texts}
    )


def _any(cause: str) -> str:
    return _ARCHITECTURE.sub(_ANY_ARCHITECTURE, cause)


# ------------------------------------------------------------------------------------ as text


def describe(planned: Sequence[Stage], n_all: int, width: int) -> str:
    """Write a plan as a table of at most ``width`` characters: a line per stage, then the sum."""
    if not planned:
        return f"Nothing to run: all {n_all} jobs are done, and nothing they depend on has changed."
    rows = [
        (
            stage.rule,
            str(stage.jobs),
            _marked(_duration, stage.seconds, stage.rough),
            _marked(_gpu_hours, stage.gpu_seconds, stage.rough),
            _why(stage),
        )
        for stage in planned
    ]
    total = (
        "together",
        str(sum(stage.jobs for stage in planned)),
        _total(_duration, [(stage.seconds, stage.rough) for stage in planned]),
        _total(_gpu_hours, [(stage.gpu_seconds, stage.rough) for stage in planned]),
        [],
    )
    rows = [HEAD, *rows, total]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"{total[1]} of {n_all} jobs would run.", ""]
    for name, *numbers, why in rows:
        cells = [text.rjust(size) for text, size in zip(numbers, widths[1:], strict=True)]
        lines += _beside("  ".join([name.ljust(widths[0]), *cells]), why, width)
    said = [*_asked(planned), *NOTES]
    said += [ROUGH_NOTE] if any(stage.rough and stage.seconds for stage in planned) else []
    said += [UNKNOWN_NOTE] if any(stage.seconds is None for stage in planned) else []
    notes = [line for note in said for line in textwrap.wrap(note, width)]
    return "\n".join([*lines, "", *notes])


def _asked(planned: Sequence[Stage]) -> list[str]:
    """Write the hours of GPUs that jobs ask for, if any does: what a queue reserves for them."""
    asking = [stage for stage in planned if stage.asked]
    each = ", ".join(
        f"{stage.rule} {stage.jobs} x {stage.asked / stage.jobs / 3600:.3g} h" for stage in asking
    )
    total = sum(stage.asked for stage in asking) / 3600
    return (
        [
            f"GPU hours asked for, at most: {total:.4g} ({each}); a second try asks again. Jobs "
            "that end earlier take less."
        ]
        if asking
        else []
    )


def _why(stage: Stage) -> list[str]:
    """Write the causes, the most frequent first, with the number of jobs where not all have it."""
    ordered = sorted(stage.causes.items(), key=lambda item: -item[1])
    shown = [
        cause if n == stage.jobs else f"{cause} ({n} of {stage.jobs} jobs)"
        for cause, n in ordered[:MOST_CAUSES]
    ]
    more = len(ordered) - len(shown)
    return [*shown, f"and {more} more"] if more else shown


def _beside(left: str, texts: Sequence[str], width: int) -> list[str]:
    """Write texts one below the other, to the right of ``left``."""
    room = max(width - len(left) - 2, 30)
    wrapper = textwrap.TextWrapper(room, subsequent_indent="  ", break_on_hyphens=False)
    # Keys and paths are long: they may break behind a dot or a slash.
    wrapper.wordsep_simple_re = re.compile(r"(\s+)|(?<=[./])(?=[^\W\d])")
    lines = [line for text in texts for line in wrapper.wrap(text)] or [""]
    starts = [left, *[" " * len(left)] * (len(lines) - 1)]
    return [f"{start}  {line}".rstrip() for start, line in zip(starts, lines, strict=True)]


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 1 else "< 1 s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _gpu_hours(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    if seconds == 0:
        return "-"
    return f"{seconds / 3600:.1f}" if seconds >= 180 else "< 0.1"


def _marked(write: Callable[[float | None], str], value: float | None, rough: bool) -> str:
    """Write a number, marked where it is an estimate."""
    return f"~ {write(value)}" if rough and value else write(value)


def _total(
    write: Callable[[float | None], str], values: Sequence[tuple[float | None, bool]]
) -> str:
    """Write the sum of what is known, and that there is more where something is not."""
    known = [value for value, _ in values if value is not None]
    if not known or (not any(known) and len(known) < len(values)):
        return UNKNOWN
    said = _marked(write, sum(known), any(rough for value, rough in values if value))
    return said if len(known) == len(values) else f"> {said.removeprefix('~ ')}"

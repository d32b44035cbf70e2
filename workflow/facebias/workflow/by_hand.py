"""One job of a study by hand: ``facebias train --study results/demo --architecture vgg16 ...``.

Files and settings are those of the job that the workflow would run; what is typed tells it from
the others of its stage, or takes the place of what the workflow says. ``--set KEY=VALUE`` lays a
value over the study's configuration; what the job then writes is no part of the study.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import shlex
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import OutputSettings

from facebias import stages
from facebias.stages.job import Job, is_choice, is_written, option
from facebias.study import StudyError, settings
from facebias.workflow import engine as workflow
from facebias.workflow import lock

CONFIG = "config.yaml"
# With these, every job of a study is planned.
TARGETS = ("all", "published")
OUTPUT = OutputSettings(
    dryrun=True, quiet={Quietness.RULES, Quietness.PROGRESS}, log_level_override=logging.ERROR
)
Words = tuple[str, ...]


def completed(stage: str, arguments: Sequence[str]) -> list[str]:
    """Return all arguments of the job of a study that some arguments of a stage mean.

    Raises
    ------
    StudyError
        If they mean no job of the study or several, if a run of the study goes on, or if the job
        has other settings than the study and would write where the study does.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--set", type=change, action="append", default=[], dest="changes")
    asked, others = parser.parse_known_args(arguments)
    if not stages.STAGES[stage].jobs:
        raise StudyError("no job of a study runs it; leave out --study")
    kind: type[Job] = stages.job_class(stage)
    typed = kind.typed(others)
    missing = [_called(each) for each in dataclasses.fields(kind) if is_written(each)]
    missing = [name for name in missing if asked.changes and name not in others]
    if missing:
        raise StudyError(f"--set: not to write over the study's results, give {', '.join(missing)}")
    found = choose(dict(jobs(asked.study, kind, asked.changes)), typed)
    lock.hold(asked.study)
    # Of the settings there are pages.
    at = found.index("--settings") if "--settings" in found else len(found)
    shown = shlex.join([*found[:at], *found[at + 2 :]])
    print(f"facebias {stage} {shown}", file=sys.stderr)
    # The last of two words for one option holds.
    return [*found, *(word for name in typed for word in _words(kind, name, typed[name]))]


def change(text: str) -> str:
    """Turn ``a.b=3`` into the value of ``--config`` that says the same: ``a={"b": "3"}``.

    Text that should be a number, list or other value is read as one with the configuration.
    """
    path, equals, value = text.partition("=")
    first, *inner = path.split(".")
    if not equals or not all([first, *inner]):
        raise argparse.ArgumentTypeError(f"found {text}, expected KEY=VALUE as training.epochs=3")
    whole: Any = value
    for part in reversed(inner):
        whole = {part: whole}
    return f"{first}={json.dumps(whole) if inner else value}"


def jobs(study: Path, kind: type[Job], changes: Sequence[str] = ()) -> Iterator[tuple[Words, Job]]:
    """Yield the jobs of a stage in a study: the arguments of its command, and what they ask.

    Raises
    ------
    StudyError
        If there is no study, or it was run from another folder.
    """
    if not (study / CONFIG).is_file():
        raise StudyError(
            f"--study {study}: found no {CONFIG} there; expected the folder of a study's results"
        )
    with SnakemakeApi(OUTPUT) as api:
        words = ["--configfile", str(study / CONFIG), "--forceall"]
        words += ["--config", *changes] if changes else []
        words += ["--", *TARGETS]
        try:
            planned = workflow.planned(api, words)
        except Exception as error:
            api.print_exception(error)
            raise SystemExit(1) from None
    out = planned.globals["OUT"]
    if Path(out).resolve() != study.resolve():
        raise StudyError(
            f"--study {study}: its configuration puts its results into {out}; change to the "
            "folder from which that is so"
        )
    commands = {job.shellcmd for job in planned.dag.jobs if job.shellcmd}
    for command in sorted(commands):
        _, _, given = command.partition(f"python -m facebias {kind.stage()} ")
        if given:
            read = shlex.split(given)
            arguments = read[: read.index("2>")]
            yield tuple(arguments), kind.of(arguments)


def choose(jobs: Mapping[Words, Job], typed: Mapping[str, Any]) -> Words:
    """Choose the job that typed values mean, and return its arguments.

    Values that some jobs have tell these from the others. A file or parameter that none has takes
    the place of that of the job, whichever it is.

    Raises
    ------
    StudyError
        If there is no such job, or several; says what tells them apart.
    """
    if not jobs:
        raise StudyError("the study has no such job")
    fields = {field.name: field for field in dataclasses.fields(next(iter(jobs.values())))}
    chosen = dict(jobs)
    for name, value in typed.items():
        alike = {words: job for words, job in chosen.items() if getattr(job, name) == value}
        if not alike and is_choice(fields[name]):
            there = ", ".join(_values(chosen.values(), name))
            raise StudyError(f"{_called(fields[name])} is {_text(value)}; the study has {there}")
        chosen = alike or chosen
    if len(chosen) > 1:
        told = {name: _values(chosen.values(), name) for name in fields if is_choice(fields[name])}
        apart = [
            f"{_called(fields[name])} {', '.join(values)}"
            for name, values in told.items()
            if len(values) > 1
        ]
        raise StudyError(f"{len(chosen)} jobs are meant; say which: {'; '.join(apart)}")
    (words,) = chosen
    return words


def _called(field: dataclasses.Field[Any]) -> str:
    return option(field) or field.name


def _values(jobs: Collection[Job], name: str) -> list[str]:
    return sorted({_text(getattr(job, name)) for job in jobs})


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _words(kind: type[Job], name: str, value: Any) -> list[str]:
    """Write a typed value as words of a command; one without a name has only told jobs apart."""
    (field,) = (each for each in dataclasses.fields(kind) if each.name == name)
    named = option(field)
    if named is None:
        return []
    if isinstance(value, tuple):
        return [named, *map(str, value)]
    return [named, settings(value) if dataclasses.is_dataclass(value) else str(value)]

"""Why a job would run: what changed since it ran last, by name.

Snakemake keeps, for every output, the inputs, parameters and command of the job that made it. It
says the first reason it finds for the first job of a chain. Here every job is compared, so that
one sees which key of the configuration or which file a stage runs for.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snakemake.jobs import Job
    from snakemake.workflow import Workflow

# Where parts of the settings of a job stand in the configuration, if not under their own name.
PLACES = {
    "architecture": "architectures.{architecture}",
    "test": "splits.test.{test_split}",
    "train_splits": "splits.train",
    "test_splits": "splits.test",
    "drawn": "data.drawn",
    "explaining": "explanation",
    "study": "",  # of the rule that writes the whole configuration
}
# Parameters that are digests, and of what.
DIGESTS = {"files": "names or sizes of the data set's files"}
MOST_NAMES = 3
LONGEST_VALUE = 30


def causes(job: Job, workflow: Workflow) -> list[str]:
    """Say why ``job`` would run: one text per cause, the same for all jobs that share it."""
    reason, records = workflow.dag.reason(job), workflow.persistence
    before = records.metadata(job.output[0])
    found = []
    if reason.forced:
        stopped = workflow.async_run(records.incomplete(job))
        found.append("stopped before it was finished" if stopped else "asked for")
    if reason.missing_output:
        found.append(
            "not made yet" if before is None else f"missing: {_some(reason.missing_output)}"
        )
    if reason.updated_input:
        found.append(f"edited: {_some(reason.updated_input)}")
    if before is not None:
        found += _inputs(set(before.input or ()), job, workflow)
        changed = records.params_changed(job)
        if changed:
            old = [_value(text) for text in changed.only_old]
            names = [name for name, value in job.params.items() if repr(value) in changed.only_new]
            found += parameters(old, {name: job.params[name] for name in names}, job.wildcards)
        if any(records.code_changed(job)):
            found.append(f"edited: the command in {os.path.relpath(job.rule.snakefile)}")
        if any(records.software_stack_changed(job)):
            found.append("another software environment")
    return found or [f"after {_some(_rules_before(job, workflow))}"]


def parameters(
    before: Collection[Any], now: Mapping[str, Any], wildcards: Mapping[str, str]
) -> Iterator[str]:
    """Say which parameters changed.

    Parameters
    ----------
    before
        Values that the last run had and this one has not. Snakemake keeps no names.
    now
        Values that this run has and the last one had not, by name.
    wildcards
        Of the job.

    Yields
    ------
    A text for each key of the configuration, one for all source files.
    """
    settings = [values for value in before if (values := _settings(value)) is not None]
    sources = [value for value in before if isinstance(value, Mapping)]
    for name, value in now.items():
        values = _settings(value)
        if isinstance(value, Mapping) and sources:
            yield _edited(sources[0], value)
        elif values is not None and settings:
            for part in values:
                place = PLACES.get(part, part).format_map(wildcards)
                yield from _differences(place, settings[0].get(part), values[part])
        elif name in DIGESTS:
            yield DIGESTS[name]
        elif len(before) == len(now) == 1:
            yield from _differences(name, next(iter(before)), value)
        else:
            yield f"{name}: changed"


def _inputs(before: set[str], job: Job, workflow: Workflow) -> Iterator[str]:
    """Say which inputs a job has now and had not, or the other way round."""
    now = {str(file) for file in job.input}
    makers = {
        str(file): other.rule.name
        for other, files in workflow.dag.dependencies[job].items()
        for file in files
    }
    new = now - before
    yield from (f"new input from {rule}" for rule in {makers[file] for file in new & makers.keys()})
    if given := new - makers.keys():
        yield f"new input: {_some(given)}"
    if less := before - now:
        yield f"{len(less)} {'inputs' if len(less) > 1 else 'input'} less"


def _edited(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say which source files differ, given their digests."""
    edited = [file for file, digest in now.items() if before.get(file) != digest]
    return f"edited: {_some(edited)}" if edited else f"dropped: {_some(before.keys() - now.keys())}"


def _differences(place: str, before: Any, now: Any) -> Iterator[str]:
    """Say which keys at or under ``place`` differ."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in (*before, *(key for key in now if key not in before)):
            inner = f"{place}.{key}".removeprefix(".")
            if key not in now:
                yield f"{inner}: gone"
            elif key not in before:
                yield f"{inner}: new"
            else:
                yield from _differences(inner, before[key], now[key])
    elif before != now:
        texts = [json.dumps(value, ensure_ascii=False, default=str) for value in (before, now)]
        short = max(map(len, texts)) <= LONGEST_VALUE
        yield f"{place}: {' -> '.join(texts) if short else 'changed'}"


def _settings(value: Any) -> dict[str, Any] | None:
    """Read the settings of a job, JSON with keys and values; None: something else."""
    try:
        values = json.loads(value)
    except (TypeError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _value(text: str) -> Any:
    """Read a value as Snakemake wrote it down."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def _rules_before(job: Job, workflow: Workflow) -> list[str]:
    """Name the rules that run and give ``job`` new inputs, in the order of the workflow."""
    dag = workflow.dag
    names = {other.rule.name for other in dag.dependencies[job] if dag.needrun(other)}
    return [rule.name for rule in workflow.rules if rule.name in names]


def _some(names: Collection[str]) -> str:
    """Write a few names; of more, the first one and how many others."""
    ordered = list(names) if isinstance(names, Sequence) else sorted(map(str, names))
    if len(ordered) <= MOST_NAMES:
        return ", ".join(ordered)
    return f"{ordered[0]} and {len(ordered) - 1} more"

"""How long the jobs of a study took, from the benchmark file that Snakemake writes for each."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from facebias.data.cohort import Model
from facebias.presentation.record import layout
from facebias.study import StudyError

MODEL = tuple(field.name for field in dataclasses.fields(Model))
COLUMNS = {"s": "wall_s", "cpu_time": "cpu_s", "max_rss": "memory_mb"}


@dataclasses.dataclass(frozen=True)
class Job:
    """One job: its stage, its wildcards, and what was measured; NaN where nothing was.

    ``on_device`` says whether it runs a network, and so takes the GPU that this was trained on.
    ``wall_s`` and ``cpu_s`` are seconds, ``memory_mb`` the largest resident memory, ``end`` seconds
    since 1970.
    """

    stage: str
    wildcards: Mapping[str, str]
    on_device: bool
    wall_s: float
    cpu_s: float
    memory_mb: float
    end: float


def jobs(folder: Path, patterns: Mapping[str, bool], names: layout.Names) -> list[Job]:
    """Read the benchmark files that belong to the study as it is configured now.

    Parameters
    ----------
    folder
        Where the benchmarks are. Files of jobs that the configuration no longer has are passed
        over.
    patterns
        Of the benchmark files, under ``folder``, and whether their jobs run a network. The first
        part of each names the stage.
    names
        Values of the wildcards; a wildcard without values may be anything.
    """
    matchers = {
        layout.matcher(pattern, names): on_device for pattern, on_device in patterns.items()
    }
    found = []
    for path in sorted(folder.rglob("*.tsv")):
        name = path.relative_to(folder).as_posix()
        for matcher, on_device in matchers.items():
            if match := matcher.fullmatch(name):
                stage = name.removesuffix(".tsv").partition("/")[0]
                measured = _measured(path)
                found.append(Job(stage, match.groupdict(), on_device, **measured))
                break
    return found


def _measured(path: Path) -> dict[str, float]:
    header, *rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    if not rows or len(rows[-1]) != len(header) or not set(COLUMNS) <= set(header):
        raise StudyError(
            f"{path}: not a benchmark file of Snakemake (expected the columns "
            f"{', '.join(COLUMNS)} and a row); remove it"
        )
    row = dict(zip(header, rows[-1], strict=True))
    measured = {ours: _number(row[theirs]) for theirs, ours in COLUMNS.items()}
    return measured | {"end": path.stat().st_mtime}


def _number(text: str) -> float:
    """Read a measurement; a job shorter than a sample of the meter has ``NA`` or ``-``."""
    return float(text) if re.fullmatch(r"[\d.]+(e[+-]?\d+)?", text) else math.nan


def by_stage(measured: Iterable[Job], gpu_models: Sequence[Model]) -> pd.DataFrame:
    """Sum what jobs took, by stage, the longest first.

    Parameters
    ----------
    measured
        From ``jobs``.
    gpu_models
        The models that were trained on a GPU.

    Returns
    -------
    Columns ``stage``, ``jobs`` (number), ``wall_s``, ``cpu_s``, ``gpu_s`` (sums; ``gpu_s`` is the
    wall time of jobs that ran a network trained on a GPU), ``memory_mb`` (the largest).
    """
    on_gpu = _OnGpu(gpu_models)
    rows = [
        {
            "stage": job.stage,
            "wall_s": job.wall_s,
            "cpu_s": job.cpu_s,
            "gpu_s": job.wall_s if job.on_device and on_gpu(job) else 0.0,
            "memory_mb": job.memory_mb,
        }
        for job in measured
    ]
    table = pd.DataFrame(rows, columns=["stage", "wall_s", "cpu_s", "gpu_s", "memory_mb"])
    summed = table.groupby("stage").agg(
        jobs=("stage", "size"),
        wall_s=("wall_s", "sum"),
        cpu_s=("cpu_s", "sum"),
        gpu_s=("gpu_s", "sum"),
        memory_mb=("memory_mb", "max"),
    )
    return summed.sort_values("wall_s", ascending=False).reset_index()


class _OnGpu:
    """Tells whether a job's model, or one of its models, was trained on a GPU."""

    def __init__(self, gpu_models: Sequence[Model]):
        self._models = gpu_models
        self._known: dict[tuple[str, ...], set[tuple[str, ...]]] = {}

    def __call__(self, job: Job) -> bool:
        # A job names as much of its model as its files do: heatmap figures name no fold, no seed.
        fields = tuple(name for name in MODEL if name in job.wildcards)
        if fields not in self._known:
            self._known[fields] = {
                tuple(str(getattr(model, name)) for name in fields) for model in self._models
            }
        return tuple(job.wildcards[name] for name in fields) in self._known[fields]


def span(measured: Sequence[Job]) -> tuple[str, str] | None:
    """Return start of the first and the end of the last job, ISO 8601 in UTC; None without jobs.

    A benchmark file is written when its job ends.
    """
    if not measured:
        return None
    start = min(job.end - (0.0 if math.isnan(job.wall_s) else job.wall_s) for job in measured)
    return moment(start), moment(max(job.end for job in measured))


def moment(seconds: float) -> str:
    """Write seconds since 1970 as ISO 8601 in UTC, to the second.

    >>> moment(0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds")


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Return the sums over all stages."""
    return {
        "jobs": int(table["jobs"].sum()),
        **{name: round(float(table[name].sum()), 2) for name in ("wall_s", "cpu_s", "gpu_s")},
    }

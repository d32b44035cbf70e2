"""What the jobs are asked that draw, print and record a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facebias.stages.job import Job, input_file, output_file, parameter, wildcard
from facebias.study import (
    Architecture,
    Data,
    Evaluation,
    Figures,
    Labels,
    Question,
    Splits,
    section,
)


class Figure(Job):
    """``input``: what is drawn; of its tables the rows of ``keep``, and ``select`` within them."""

    @section
    class Settings:
        figures: Figures
        labels: Labels

    name: str = parameter("kind of the figure", of="kind", unnamed=True, chosen=True)
    settings: Settings = parameter()
    input: tuple[str, ...] = parameter("KEY=PATH", of="read")
    select: tuple[str, ...] = parameter("KEY=VALUE", chosen=True, default=())
    keep: tuple[str, ...] = parameter("COLUMN=VALUES, rows to draw; commas part", default=())
    note: str | None = parameter("what to say first under the panels")
    out: Path = parameter("path without an ending", of="stem")


class PrintTable(Job):
    name: str = parameter("kind of the table", of="kind", unnamed=True, chosen=True)
    input: Path = input_file("the tidy table, CSV", of="table")
    select: tuple[str, ...] = parameter("COLUMN=VALUE", chosen=True, default=())
    out: Path = output_file("FILE.tex; FILE.csv is written beside it", of="tex")


class NumberedTables(Job):
    """``settings``: numbers of the paper's tables, architecture to how it was trained."""

    @section
    class Settings:
        numbers: tuple[int, ...]
        trainings: Mapping[str, Mapping[str, float]]

    replication: Path = parameter("folder of the published study")
    settings: Settings = parameter()
    metrics: Path = input_file("tables/metrics.csv")
    out: Path = parameter("folder of the tables", of="folder")


class Published(Job):
    replication: Path = parameter("folder of the published study", unnamed=True, chosen=True)
    out: Path = parameter("folder of the tables and page", of="folder")


class PublishedComparison(Job):
    @section
    class Settings:
        drawn: bool
        confidence: float

    replication: Path = parameter("folder of the published study")
    settings: Settings = parameter()
    ours: Path = input_file("fairness.csv of classes, metrics.csv of units")
    out: Path = output_file()


class StartPage(Job):
    """``settings``: names in the order of the configuration.

    ``matched`` maps a train split to one of the size of the smallest; empty without
    ``splits.match_sizes``.
    """

    @section
    class Settings:
        study: str
        title: str
        data: Data
        labels: Labels
        evaluation: Evaluation
        seeds: tuple[int, ...]
        folds: int
        architectures: tuple[str, ...]
        train_splits: tuple[str, ...]
        test_splits: tuple[str, ...]
        matched: Mapping[str, str]
        questions: tuple[Question, ...]

    settings: Settings = parameter()
    metrics: Path = input_file("metrics.csv")
    by_group: Path = input_file("metrics_by_group.csv")
    fairness: Path = input_file("fairness.csv")
    effects: Path | None = input_file("effects.csv; none with one train split")
    confounds: Path = input_file("confounds.csv")
    exclusions: Path = input_file("exclusions.csv")
    excluded: Path = input_file("excluded.csv")
    splits: Path = input_file("splits.csv")
    manifest: Path = input_file("manifest.csv")
    out: Path = output_file("start_page.html")


class ModelCard(Job):
    """``settings.compared_by``: train split to attributes.

    ``settings.provenance``: pattern of the files that training wrote.
    """

    @section
    class Settings:
        study: str
        title: str
        architecture: Architecture
        data: Data
        labels: Labels
        splits: Splits
        evaluation: Evaluation
        seeds: tuple[int, ...]
        train_splits: tuple[str, ...]
        test_splits: tuple[str, ...]
        compared_by: Mapping[str, tuple[str, ...]]
        provenance: str

    settings: Settings = parameter()
    architecture: str = wildcard()
    metrics: Path = input_file("metrics.csv")
    by_group: Path = input_file("metrics_by_group.csv")
    fairness: Path = input_file("fairness.csv")
    splits: Path = input_file("splits.csv")
    manifest: Path = input_file("manifest.csv")
    excluded: Path = input_file("excluded.csv")
    out: Path = parameter(".md, .html and .csv are added", of="stem")


class Checksums(Job):
    """``settings``: patterns of files, and the names to put into them."""

    @section
    class Settings:
        files: tuple[str, ...]
        names: Mapping[str, tuple[str | int, ...]]

    settings: Settings = parameter()
    root: Path = parameter("what the patterns are under")
    out: Path = output_file()


class Record(Job):
    """``settings``: what else a record tells.

    ``provenance`` and ``model_files`` are patterns, under the folder of the study, ``benchmarks``
    patterns under that of the benchmarks and whether their jobs run a network; ``files`` is a
    digest of the names and sizes of the data set.
    """

    @section
    class Settings:
        provenance: str
        model_files: tuple[str, ...]
        benchmarks: Mapping[str, bool]
        train_splits: tuple[str, ...]
        files: str

    settings: Settings = parameter()
    config: Path = input_file("resolved configuration")
    manifest: Path = input_file()
    excluded: Path = input_file()
    checksums: tuple[Path, ...] = input_file("in the crate already")
    tables: tuple[Path, ...] = input_file("copied to the crate")
    cards: tuple[Path, ...] = input_file("in the crate already")
    benchmarks: Path = parameter("folder")
    out: Path = parameter("folder of the crate", of="folder")

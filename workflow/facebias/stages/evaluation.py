"""What the jobs are asked that measure models and compare groups of people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facebias.stages.job import Job, input_file, output_file, parameter, wildcard
from facebias.study import (
    Evaluation,
    GroupComparison,
    Labels,
    Question,
    Resampling,
    Selection,
    section,
)


class Gather(Job):
    table: str = parameter("kind of the tables", unnamed=True, chosen=True)
    out: Path = output_file()
    inputs: tuple[Path, ...] = input_file(of="cells", unnamed=True)


class OfPredictions(Job):
    """Of predictions and the people that they are of."""

    manifest: Path = input_file()
    predictions: tuple[Path, ...] = input_file()


class OfCell(OfPredictions):
    """Of one architecture and train split, all folds and seeds."""

    architecture: str = wildcard()
    train_split: str = wildcard()


class Metrics(OfCell):
    @section
    class Settings:
        labels: Labels
        evaluation: Resampling
        test: Selection

    settings: Settings = parameter()
    test_split: str = wildcard()
    out: Path = output_file("metrics", of="metrics")
    confusion: Path = output_file()


class MetricsByGroup(OfCell):
    @section
    class Settings:
        labels: Labels
        evaluation: Resampling
        attributes: tuple[str, ...]

    settings: Settings = parameter()
    out: Path = output_file()


class Fairness(OfCell):
    """``settings.tests``: how many declared gaps are tested."""

    @section
    class Settings:
        labels: Labels
        evaluation: Resampling
        tests: int

    settings: Settings = parameter()
    attribute: str = wildcard()
    out: Path = output_file()


class Effects(OfPredictions):
    """``settings.together``: lists of train splits that are tested on the same subjects."""

    @section
    class Settings:
        labels: Labels
        evaluation: Resampling
        together: tuple[tuple[str, ...], ...]

    settings: Settings = parameter()
    architecture: str = wildcard()
    attribute: str = wildcard()
    out: Path = output_file()


class Judge(Job):
    """``settings``: how to judge, and the questions and architectures of the primary family."""

    @section
    class Settings:
        evaluation: Evaluation
        questions: tuple[Question, ...]
        architectures: tuple[str, ...]

    table: str = parameter("kind of the tables", unnamed=True, chosen=True)
    settings: Settings = parameter()
    by_group: Path = input_file("metrics_by_group.csv")
    out: Path = output_file()
    inputs: tuple[Path, ...] = input_file(of="cells", unnamed=True)


class Confounds(Job):
    """``settings.compared_by``: train split to attributes."""

    @section
    class Settings:
        labels: Labels
        evaluation: GroupComparison
        attributes: tuple[str, ...]
        compared_by: Mapping[str, tuple[str, ...]]

    settings: Settings = parameter()
    manifest: Path = input_file()
    excluded: Path = input_file()
    quality: Path = input_file()
    splits: Path = input_file()
    out: Path = output_file()


class OfArchitectures(OfPredictions):
    """Of all architectures on one train split, by one attribute."""

    @section
    class Settings:
        labels: Labels
        evaluation: Resampling

    settings: Settings = parameter()
    train_split: str = wildcard()
    attribute: str = wildcard()
    out: Path = output_file()


class Variance(OfArchitectures):
    pass


class Redraws(OfArchitectures):
    pass


class RelevanceGaps(Job):
    """``settings``: train split to attributes, and what the primary family is of."""

    @section
    class Settings:
        labels: Labels
        evaluation: Evaluation
        compared_by: Mapping[str, tuple[str, ...]]
        questions: tuple[Question, ...]
        architectures: tuple[str, ...]
        method: str

    settings: Settings = parameter()
    manifest: Path = input_file()
    explanations: Path = input_file("of all models")
    relevance: tuple[Path, ...] = input_file("of each model")
    means: Path = output_file()
    gaps: Path = output_file()
    joint: Path = output_file()


class Relevance(Job):
    @section
    class Settings:
        units: Mapping[str, tuple[int, ...]]

    settings: Settings = parameter()
    explanations: Path = input_file("table of heatmaps (.csv)", of="table")
    relevance: Path = input_file("heatmaps (.npz)")
    index: Path = input_file("clips/index.parquet")
    landmarks: tuple[Path, ...] = parameter("68 landmarks (.parquet), if any", default=())
    maps: Path = output_file("maps on one face (.npz)")
    out: Path = output_file("table (.parquet)", of="table")

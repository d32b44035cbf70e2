"""What the jobs are asked that list a data set, its clips and its people, and fetch weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facebias.stages.job import Job, input_file, output_file, parameter, wildcard
from facebias.study import Data, Labels, TrainSplits, section


class Resolve(Job):
    """``settings``: the configuration, under ``study``."""

    settings: dict[str, Any] = parameter()
    out: Path = output_file()


class Manifest(Job):
    @section
    class Settings:
        data: Data
        labels: Labels

    settings: Settings = parameter()
    root: Path = parameter("folder of the data set")
    out: Path = output_file("manifest.csv", of="manifest")
    excluded: Path = output_file("CSV of the samples left out")
    units: Path | None = parameter("CSV of the occurrences of units, where there are units")


class Landmarks(Job):
    @section
    class Settings:
        data: Data

    settings: Settings = parameter()
    root: Path = parameter("folder of the data set")
    out: Path = output_file("landmarks.parquet")


class Split(Job):
    """``settings``: the train split, and those whose size it takes."""

    @section
    class Settings:
        splits: TrainSplits
        seeds: tuple[int, ...]

    settings: Settings = parameter()
    train_split: str = wildcard()
    manifest: Path = input_file()
    out: Path = output_file()


class Index(Job):
    @section
    class Settings:
        data: Data

    settings: Settings = parameter()
    manifest: Path = input_file("manifest.csv")
    excluded: Path = input_file("CSV of what the manifest left out")
    shards: tuple[Path, ...] = input_file("shard-III.parquet of all shards")
    out: Path = output_file("clips/index.parquet", of="index")
    excluded_out: Path = output_file("data/excluded.csv", of="excluded")
    summary: Path = output_file("tables/exclusions.csv")


class Fetch(Job):
    url: str = parameter()
    sha256: str | None = parameter("checksum, or its first digits")
    partial: Path = parameter("where the file grows")
    out: Path = output_file()

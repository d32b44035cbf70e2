"""What the jobs are asked that film drawn people, find faces and cut clips."""

from __future__ import annotations

from pathlib import Path

from facebias.stages.job import Job, input_file, output_file, parameter, wildcard
from facebias.study import Drawn, Locating, Preprocessing, section


class OfShard(Job):
    """Of every ``shards``-th sample of the manifest, from the one with this number."""

    manifest: Path = input_file("manifest.csv")
    shard: int = wildcard("number of the shard, from 0")


class Locate(OfShard):
    @section
    class Settings:
        locating: Locating

    settings: Settings = parameter()
    out: Path = output_file("faces-III.parquet")


class Extract(OfShard):
    @section
    class Settings:
        clips: Preprocessing

    settings: Settings = parameter()
    faces: Path | None = input_file("faces-III.parquet, where they are found already", of="located")
    out: Path = output_file("shard-III.npy", of="faces")
    index: Path = output_file("shard-III.parquet")


class Quality(Job):
    index: Path = input_file("clips/index.parquet")
    out: Path = output_file()


class Draw(Job):
    @section
    class Settings:
        drawn: Drawn
        labels: tuple[str, ...]

    settings: Settings = parameter()
    shard: int = wildcard("number of the shard, from 0", of="drawn_shard")
    out: Path = output_file("folder for the films")

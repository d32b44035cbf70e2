"""What the jobs are asked that train networks, score with them and explain them."""

from __future__ import annotations

from pathlib import Path

from facebias.stages.job import Job, input_file, output_file, parameter, threads, wildcard
from facebias.study import Architecture, Backbone, Explaining, Labels, Weights, section


class Convert(Job):
    @section
    class Settings:
        backbone: Backbone
        weights: Weights

    settings: Settings = parameter()
    architecture: str = wildcard()
    file: Path = input_file("as it was published")
    out: Path = output_file()


class Features(Job):
    @section
    class Settings:
        backbone: Backbone
        device: str

    settings: Settings = parameter()
    architecture: str = wildcard()
    pretrained: Path = input_file("converted weights")
    index: Path = input_file("of the clips")
    array: Path = output_file(".npy")
    out: Path = output_file("its index (.parquet)", of="index")
    threads: int = threads(default=1)


class OfModel(Job):
    """Of one model and its clips."""

    architecture: str = wildcard()
    train_split: str = wildcard()
    fold: int = wildcard()
    seed: int = wildcard()
    manifest: Path = input_file()
    splits: Path = input_file()
    index: Path = input_file("of the clips")
    threads: int = threads(default=1)


@section
class Network:
    """What a network is, how it trains, and what it is to tell apart."""

    architecture: Architecture
    labels: Labels


class Train(OfModel):
    settings: Network = parameter()
    pretrained: Path | None = input_file("weights to start from, if any")
    features: Path | None = input_file("index of what the frozen part gives, if any")
    out: Path = parameter("folder of the model")
    checkpoints: Path = parameter("folder that a killed job goes on from")


class OfTrained(OfModel):
    """Of one trained model."""

    model: Path = parameter("folder of the model")


class Predict(OfTrained):
    settings: Network = parameter()
    features: Path | None = input_file("index of what the frozen part gives, if any")
    out: Path = output_file()


class Decide(OfTrained):
    settings: Network = parameter()
    features: Path | None = input_file("index of what the frozen part gives, if any")
    predictions: Path = input_file("of the test samples")
    thresholds: Path = output_file("table to write (.csv)")
    out: Path = output_file("predictions with thresholds", of="predictions")


class OfExplained(OfTrained):
    """Of the heatmaps of one trained model."""

    @section
    class Settings:
        architecture: Architecture
        labels: Labels
        explaining: Explaining

    settings: Settings = parameter()
    method: str = wildcard()


class Explain(OfExplained):
    thresholds: Path | None = input_file("from which score units are found, if chosen")
    relevance: Path = output_file("heatmaps (.npz)")
    out: Path = output_file("table (.csv)", of="table")


class Randomise(OfExplained):
    samples: int = parameter("how many of the model's samples are compared")
    out: Path = output_file("table (.csv)")

"""Times of jobs that were never measured, from the size of a study."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from facebias.stages import STAGES
from facebias.study import configuration
from facebias.workflow import estimates, prepared
from facebias.workflow.estimates import Estimates

CONFIG = Path(__file__).parents[2] / "config"
DEMO = yaml.safe_load((CONFIG / "demo.yaml").read_text())
MODEL = {"architecture": "vgg16", "train_split": "regular", "fold": "0", "seed": "1"}


def study(**changes: object) -> Estimates:
    return Estimates(prepared.prepare(configuration.merge(DEMO, changes)))


def seconds(given: Estimates, rule: str, *, gpus: int = 0, located: bool = False, **more: str):
    wildcards = MODEL | {"variant": "", "method": "lrp"} | more
    return given.seconds(rule, wildcards, gpus=gpus, located=located)


def operations(name: str, *, frames: int = 1, **changes: object) -> float:
    plain = {"width": 1, "input_size": 224, "head": {"kind": "mean"}}
    resolved = {**DEMO, "architectures": {name: plain | changes}}
    architecture = configuration.load(resolved).architectures[name]
    return estimates.operations(name, architecture, frames)


# Multiplications of one picture of 224 x 224 pixels, in billions, as their authors count them.
@pytest.mark.parametrize(("name", "published"), [("vgg16", 15.3), ("resnet50", 4.1)])
def test_operations_are_those_of_the_published_networks(name, published):
    assert operations(name) == pytest.approx(2e9 * published, rel=0.06)
    assert operations(name, frames=3) == pytest.approx(3 * operations(name), rel=0.01)


@pytest.mark.parametrize("name", ["cnn3d", "resnet3d", "senet50", "vggface"])
def test_operations_of_every_network_are_counted_without_computing(name):
    few, many = (operations(name, frames=4, input_size=size) for size in (112, 224))
    assert few > 1e8
    assert many > 3 * few


@pytest.mark.parametrize("name", estimates._WORK)
def test_every_rule_has_a_time(name):
    assert seconds(study(), name) >= estimates.LIGHT


def test_a_job_that_makes_a_table_takes_seconds():
    assert seconds(study(), "gather_metrics") == estimates.LIGHT
    assert "figure" in STAGES
    assert seconds(study(), "figure_gaps") == estimates.LIGHT


def test_training_grows_with_its_epochs_and_clips():
    def work(given, **more):
        return seconds(given, "train_model", **more) - estimates.HEAVY

    epochs = configuration.load(DEMO).architectures["vgg16"].training.epochs
    longer = {"architectures": {"vgg16": {"training": {"epochs": 4 * epochs}}}}
    assert work(study(**longer)) == pytest.approx(4 * work(study()))
    halves = work(study(), train_split="female") + work(study(), train_split="male")
    assert halves == pytest.approx(work(study()), rel=0.2)
    assert work(study(), gpus=1) == pytest.approx(work(study()) * estimates.CORE / estimates.GPU)


def test_explaining_fewer_samples_of_a_person_takes_less():
    all_of_them = seconds(study(), "explain") - estimates.HEAVY
    one = seconds(study(explanation={"per_subject": 1}), "explain") - estimates.HEAVY
    labels, repetitions = len(DEMO["labels"]["names"]), DEMO["data"]["drawn"]["repetitions"]
    assert one * labels * repetitions == pytest.approx(all_of_them)


def test_faces_that_are_found_are_only_cut():
    assert seconds(study(), "extract", located=True) < seconds(study(), "extract")


def test_demo_takes_an_hour_of_one_core():
    """Its jobs took 72 minutes together on a shared machine, 42 of them computing."""
    trainings = sum(
        seconds(study(), "train_model", architecture=name, train_split=split)
        for name in DEMO["architectures"]
        for split in DEMO["splits"]["train"]
    )
    assert 1161 / estimates.FACTOR < trainings < 1986 * estimates.FACTOR

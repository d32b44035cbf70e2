"""Nodes whose GPUs do not compute, and clusters whose GPUs are asked for by gres."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import profiled
import pytest
import studies
import torch
import yaml
from profiled import Study

pytestmark = pytest.mark.slow
PAGE = studies.ROOT / "profiles" / "README.md"
WEIGHTS = "results/small/models/cnn3d/regular/fold-0/seed-1/weights.safetensors"


@pytest.fixture
def untrained(finished: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The finished study without its models."""
    study = finished.copy(tmp_path_factory.mktemp("untrained"))
    for part in ("models", "predictions", "logs"):
        shutil.rmtree(study.results / part)
    return study


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, and it computes")
def test_a_gpu_that_does_not_compute_ends_each_attempt_before_it_trains(untrained: Study):
    """Never hours on a CPU; and every attempt asks for more time and memory than the one before."""
    config = studies.changed(profiled.CONFIG, {"training.device": "auto"})
    studies.write(config, untrained.folder)
    with untrained.start(WEIGHTS) as process:
        assert process.wait(profiled.PATIENCE) == 1
    log = untrained.results / "logs/train/cnn3d/regular/fold-0/seed-1.log"
    said = log.read_text()
    assert re.search(r"device: found auto and this job was given a GPU \(SLURM_\w+_GPUS=", said)
    assert "finds no working GPU" in said
    assert "set training.device to cpu" in said
    assert not (untrained.folder / WEIGHTS).exists()
    jobs = untrained.jobs()
    assert {job.name for job in jobs} == {"train_model"}
    assert len(jobs) == 1 + profiled.SETTINGS["retries"]
    # None of them began to train, which writes a checkpoint first of all.
    assert not (untrained.results / "checkpoints").exists()
    days = [job.fields["TimeLimit"] for job in jobs]
    assert days == ["1-00:00:00", "2-00:00:00", "3-00:00:00", "3-00:00:00"]
    memory = [job.fields["MinMemoryNode"] for job in jobs]
    assert memory == ["8000M", "16000M", "24000M", "32000M"]


def test_gpus_by_gres_as_the_page_says(untrained: Study, tmp_path: Path):
    block = re.search(r"```yaml\n(  gpu: 0\n.*?)```", PAGE.read_text(), re.S)[1]
    first, _, last = block.partition("...\n")
    gpu, resources = yaml.safe_load(first), yaml.safe_load(last)["resources"]
    settings = yaml.safe_load((studies.ROOT / profiled.PROFILE / "config.yaml").read_text())
    for name, asked in settings["set-resources"].items():
        others = {key: value for key, value in asked.items() if key not in ("gpu", "gpu_model")}
        settings["set-resources"][name] = others | gpu
    settings["resources"] = resources
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    studies.write(profiled.CONFIG, untrained.folder)
    untrained.profile = str(tmp_path)
    untrained.run("predictions")
    asked = {
        (job.name, job.fields["Partition"], job.fields.get("TresPerNode", ""))
        for job in untrained.jobs()
        if job.name in settings["set-resources"]
    }
    assert asked == {(name, "gpu", "gres:gpu:v100:1") for name in ("train_model", "predict")}
    assert not any(job.gpus for job in untrained.jobs())

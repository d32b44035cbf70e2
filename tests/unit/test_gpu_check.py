"""The script that tries a GPU: here on the CPU, where it shows that it works and can fail."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import bench
import check_gpu
import numpy as np
import pytest
import torch
import yaml
from bench import NETWORKS, Bench, Shape
from torch import nn

from facebias.models import determinism
from facebias.models.training.precision import Precision
from facebias.study import configuration

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def as_it_was():
    yield
    determinism.configure(deterministic=False)
    torch.backends.cudnn.benchmark = False


def test_networks_are_those_of_study_a():
    given = yaml.safe_load((ROOT / "config" / "domnich2021.yaml").read_text())
    study = configuration.load(given)
    assert {
        name: Shape(each.input_size, each.frames or study.clips.frames, each.head.kind)
        for name, each in study.architectures.items()
    } == NETWORKS
    assert study.clips.crop_size == bench.CROP
    for name, each in study.architectures.items():
        tried = Bench(CPU, Precision("fp32", CPU), small=False).architecture(name)
        assert tried.width == each.width
        assert tried.options == each.options
        assert tried.training.batch_size == each.training.batch_size
        assert tried.training.augmentation == each.training.augmentation
        # Dropout, which study A leaves out, has random numbers to go on from.
        recurrent = dataclasses.replace(each.head, dropout=tried.head.dropout)
        assert each.head.kind == "mean" or tried.head == recurrent
    assert len(study.labels.names) == bench.CLASSES


def test_runs_on_a_cpu_from_anywhere(tmp_path):
    """Nothing of ours is on the path."""
    script = str(ROOT / "tests" / "gpu" / "check_gpu.py")
    done = subprocess.run(
        [sys.executable, script, "--device", "cpu", "--networks", "cnn3d"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(check_gpu.CHECKS)} of {len(check_gpu.CHECKS)} checks hold" in done.stdout
    assert "small, so nothing is shown of a GPU" in done.stdout


def test_a_network_that_is_never_the_same_fails(monkeypatch, capsys):
    build = Bench.build

    def restless(self, name, **given):
        def shaken(module, given, output):
            return output * (1 + float(np.random.default_rng().normal(scale=0.1)))

        network = build(self, name, **given)
        network.head.register_forward_hook(shaken)
        return network

    monkeypatch.setattr(Bench, "build", restless)
    small = Bench(CPU, Precision("fp32", CPU), small=True)
    failed = check_gpu.run(small, ["cnn3d"])
    said = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    outcomes = {line[1]: line[2] for line in said if line[0] == "| cnn3d"}
    assert failed == list(outcomes.values()).count("FAILS")
    bits = "trains to the same bits", "resumes to the same bits", "explains to the same bits"
    assert {outcomes[name] for name in (*bits, "agrees with 64 bits on a cpu")} == {"FAILS"}
    assert outcomes["speed"] == "holds"


def rounded_as_tf32(x):
    """Round 32-bit numbers to 10 bits of mantissa."""
    if x.dtype != torch.float32:
        return x
    bits = (x.contiguous().view(torch.int32) + 0x1000) & ~0x1FFF
    return x + (bits.view(torch.float32) - x).detach()


def test_tf32_is_noticed(monkeypatch):
    plain = nn.Conv3d._conv_forward

    def convolved(layer, x, weight, bias):
        return plain(layer, rounded_as_tf32(x), rounded_as_tf32(weight), bias)

    subject = check_gpu.Subject("cnn3d", Bench(CPU, Precision("fp32", CPU), small=True))
    assert "input the same bits" in check_gpu.agrees_with_64_bits_on_a_cpu(subject)
    monkeypatch.setattr(nn.Conv3d, "_conv_forward", convolved)
    with pytest.raises(AssertionError, match=r"^off by scores"):
        check_gpu.agrees_with_64_bits_on_a_cpu(subject)


def test_goals_are_of_one_gpu_each(monkeypatch):
    small = Bench(CPU, Precision("fp32", CPU), small=True)
    assert check_gpu.goal_of("vgg16", small) is None
    for name, expected in (("NVIDIA H200", 0.09), ("Tesla V100-SXM2-32GB", 0.20), ("T4", None)):
        monkeypatch.setattr(check_gpu, "named", lambda place, name=name: name)
        assert check_gpu.goal_of("resnet50", small) == expected

"""The same numbers everywhere: 32 bits are 32 bits, in every stage that computes with a network."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import pytest
import torch
from explaining import build, clips, first

import source
from facebias import determinism
from facebias.explanation import methods
from facebias.stages import STAGES

IEEE = {"matmul": "ieee", "convolution": "ieee", "recurrence": "ieee"}
CHOOSE, CONFIGURE = "facebias.device.choose", "facebias.determinism.configure"


@pytest.fixture(autouse=True)
def as_it_was():
    yield
    determinism.configure(deterministic=False)
    torch.backends.cudnn.benchmark = False


@pytest.mark.parametrize("deterministic", [True, False])
def test_32_bits_are_no_tf32(deterministic):
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    assert set(determinism.float32_products().values()) == {"tf32"}
    determinism.configure(deterministic=deterministic)
    assert determinism.float32_products() == IEEE
    # torch raises here where its two interfaces are at odds, and some libraries ask by the old one.
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize("method", methods.METHODS)
def test_explaining_leaves_32_bits_alone(method):
    determinism.configure(deterministic=True)
    network = build(head="lstm")
    explain = methods.METHODS[method](network, "epsilon")
    explain(network, network.prepare(clips(1)), first)
    assert determinism.float32_products() == IEEE
    assert torch.backends.cudnn.enabled


@functools.cache
def called(name: str) -> frozenset[str]:
    """Name what a function of the package names, directly or through others of the package."""
    found, waiting = set(), [name]
    while waiting:
        module, _, definition = waiting.pop().rpartition(".")
        try:
            file = importlib.util.find_spec(module).origin
        except (ImportError, AttributeError):
            continue  # an attribute of something that is no module
        read = source.python(Path(file).read_text(encoding="utf-8"))
        if definition not in read.definitions:
            continue
        for chain in read.definitions[definition].names:
            head, *rest = chain.split(".")
            full = ".".join([read.bindings.get(head, f"{module}.{head}"), *rest])
            if full.startswith("facebias.") and full not in found:
                found.add(full)
                waiting.append(full)
    return frozenset(found)


COMPUTING = sorted(
    name for name, stage in STAGES.items() if CHOOSE in called(f"{stage.module}.{stage.function}")
)


def test_stages_that_compute_are_found():
    """The next test would pass of nothing."""
    assert {"train", "features", "predict", "decide", "explain", "randomise"} <= set(COMPUTING)


@pytest.mark.parametrize("name", COMPUTING)
def test_a_stage_that_chooses_a_device_holds_torch_to_its_numbers(name):
    stage = STAGES[name]
    assert CONFIGURE in called(f"{stage.module}.{stage.function}"), (
        f"{stage.module} computes on a device that it chose, and calls no determinism.configure"
    )

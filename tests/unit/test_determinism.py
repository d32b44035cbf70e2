"""The same numbers everywhere: 32 bits are 32 bits, in every stage that computes with a network."""

from __future__ import annotations

import pytest
import torch
from explaining import build, clips, first

from facebias.explanation import methods
from facebias.models import determinism
from facebias.stages import STAGES, closure

IEEE = {"matmul": "ieee", "convolution": "ieee", "recurrence": "ieee"}
CHOOSE, CONFIGURE = (
    ("facebias.models.device", "choose"),
    ("facebias.models.determinism", "configure"),
)


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


def called(name: str) -> set[closure.Node]:
    return closure.PACKAGE.reached(STAGES[name].run)


COMPUTING = sorted(name for name in STAGES if CHOOSE in called(name))


def test_stages_that_compute_are_found():
    """The next test would pass of nothing."""
    assert {"train", "features", "predict", "decide", "explain", "randomise"} <= set(COMPUTING)


@pytest.mark.parametrize("name", COMPUTING)
def test_a_stage_that_chooses_a_device_holds_torch_to_its_numbers(name):
    assert CONFIGURE in called(name), (
        f"{STAGES[name].module} computes on a device that it chose, and calls no "
        "determinism.configure"
    )

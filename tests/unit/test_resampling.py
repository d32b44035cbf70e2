"""Bytes of pictures at another size: on every device those of torch's kernel for a CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from facebias.models.architectures import inputs, resampling

SIZES = [
    *((256, 256, 224), (256, 256, 112), (224, 224, 223), (100, 61, 33), (7, 5, 3), (500, 300, 48)),
    *((32, 32, 48), (33, 47, 224), (1, 1, 8), (2, 3, 112)),
    # One side as it is; a side of 1; weights of more bits than 32-bit sums hold.
    *((64, 32, 64), (32, 64, 64), (17, 17, 1), (1000, 999, 10), (2000, 40, 31)),
]


def pixels(kind, height, width):
    random = np.random.default_rng(height + width)
    shape = (2, height, width, 3)
    values = {
        "random": lambda: random.integers(0, 256, shape),
        "extreme": lambda: random.choice([0, 255], shape),
        "board": lambda: np.broadcast_to(np.indices(shape[1:3]).sum(0)[..., None] % 2 * 255, shape),
        "white": lambda: np.full(shape, 255),
    }
    return torch.from_numpy(values[kind]().astype(np.uint8)).permute(0, 3, 1, 2)


@pytest.mark.parametrize("kind", ["random", "extreme", "board", "white"])
@pytest.mark.parametrize(("height", "width", "size"), SIZES)
def test_matrices_give_the_bytes_of_the_kernel(height, width, size, kind):
    frames = pixels(kind, height, width)
    found = resampling.by_matrices(frames, size)
    assert torch.equal(found.double(), resampling.resample(frames, size).double())


def test_any_size_gives_the_bytes_of_the_kernel():
    random = np.random.default_rng(0)
    for _ in range(150):
        height, width, size = (int(random.integers(1, 150)) for _ in range(3))
        frames = pixels("random", height, width)
        found, expected = (
            resample(frames, size).double()
            for resample in (resampling.by_matrices, resampling.resample)
        )
        assert torch.equal(found, expected), (height, width, size)


@pytest.mark.parametrize(("n", "size"), [(256, 224), (224, 112), (900, 224), (1000, 10), (3, 500)])
def test_no_sum_is_larger_than_its_floats_hold(n, size):
    weights = resampling.weights(n, size, torch.device("cpu"))
    assert (weights.matrix == weights.matrix.round()).all()
    assert weights.matrix.min() >= 0
    largest = 255 * weights.matrix.double().sum(1).max() + 2 ** (weights.bits - 1)
    assert largest < {torch.float32: 2**24, torch.float64: 2**53}[weights.matrix.dtype]


def test_usual_sizes_are_done_in_32_bits():
    kinds = [
        resampling.weights(n, size, torch.device("cpu")).matrix.dtype
        for n, size in ((256, 224), (256, 112), (112, 224), (288, 256), (480, 224))
    ]
    assert set(kinds) == {torch.float32}
    assert resampling.weights(1200, 112, torch.device("cpu")).matrix.dtype == torch.float64


def test_number_formats_of_validation_leave_pixels_alone():
    frames = pixels("random", 40, 50)
    with torch.autocast("cpu", torch.bfloat16):
        found = resampling.by_matrices(frames, 32)
    assert torch.equal(found, resampling.by_matrices(frames, 32))


class Called(TorchDispatchMode):
    """Note the operations that are run."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func._schema.name)
        return func(*args, **(kwargs or {}))


def test_a_gpu_gets_the_matrices():
    with FakeTensorMode(), Called() as called:
        clips = torch.zeros(2, 3, 40, 50, 3, dtype=torch.uint8)
        found = inputs.images(clips, 32, "cuda")
    resampling.weights.cache_clear()  # of tensors without values
    assert found.shape == (2, 3, 3, 32, 32)
    assert not any("upsample" in name for name in called.names)
    assert any(name.startswith(("aten::mm", "aten::bmm")) for name in called.names)
    with Called() as called:
        inputs.images(torch.zeros(2, 3, 40, 50, 3, dtype=torch.uint8), 32, "cpu")
    assert any("upsample" in name for name in called.names)


def test_both_ways_give_the_same_network_input(monkeypatch):
    clips = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (2, 3, 40, 50, 3), np.uint8))
    expected = inputs.images(clips, 32, "cpu")
    monkeypatch.setattr(resampling, "resample", resampling.by_matrices)
    assert torch.equal(inputs.images(clips, 32, "cpu"), expected)

"""Bytes of pictures at another size, the same bytes on every device.

torch resamples bytes on a CPU alone, in fixed point as Pillow does: weights are whole numbers of
2**-bits, and the rows are rounded to bytes before the columns are made. Other devices get the same
whole numbers by two matrix products. Sums stay below what a float holds exactly, so that neither
the order of the terms nor the device makes a difference.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

# torch keeps weights in 16 bits with a sign, and takes as many bits of fraction as fit, at most 22.
LARGEST_WEIGHT, MOST_BITS = 2**15, 22
# Whole numbers below this are exact in 32-bit floats.
EXACT_IN_32 = 2**24


@dataclasses.dataclass(frozen=True)
class Weights:
    """What one side of a picture is multiplied with.

    ``matrix`` (size, n), whole numbers of 2**-``bits``; of 32 bits where every sum is exact in
    them, else of 64.
    """

    matrix: Tensor
    bits: int


def resample(frames: Tensor, size: int) -> Tensor:
    """Resample uint8 frames (N, C, H, W) to (N, C, size, size): bilinear, with antialiasing.

    Returns
    -------
    Whole numbers from 0 to 255, uint8 on a CPU, floats elsewhere.
    """
    if frames.device.type == "cpu":
        # Ten times faster than floats there.
        return functional.interpolate(frames, (size, size), mode="bilinear", antialias=True)
    return by_matrices(frames, size)


def by_matrices(frames: Tensor, size: int) -> Tensor:
    """Resample uint8 frames (N, C, H, W) on any device; see ``resample``."""
    device = frames.device
    height, width = frames.shape[-2:]
    pixels = frames
    # Validation runs in 16 bits, its pixels must not.
    with torch.autocast(device.type, enabled=False):
        if width != size:
            rows = weights(width, size, device)
            pixels = _rounded(pixels.to(rows.matrix.dtype) @ rows.matrix.T, rows.bits)
        if height != size:
            columns = weights(height, size, device)
            pixels = _rounded(columns.matrix @ pixels.to(columns.matrix.dtype), columns.bits)
    return pixels


def _rounded(sums: Tensor, bits: int) -> Tensor:
    return sums.add_(2 ** (bits - 1)).div_(2**bits).floor_().clamp_(0, 255)


@functools.lru_cache(maxsize=16)
def weights(n: int, size: int, device: torch.device) -> Weights:
    """Return the weights that make ``size`` pixels in a row of ``n``: triangles, as torch has them.

    A triangle reaches one pixel to either side, of the larger of the two grids.
    """
    scale = n / size
    reach = max(scale, 1.0)
    real = np.zeros((size, n))
    for place in range(size):
        centre = scale * (place + 0.5)
        first, end = max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), n)
        row = np.maximum(1 - np.abs(np.arange(first, end) - centre + 0.5) / reach, 0)
        real[place, first:end] = row / row.sum()
    bits = _bits(float(real.max()))
    whole = np.floor(real * 2**bits + 0.5)
    largest = 255 * whole.sum(axis=1).max() + 2 ** (bits - 1)
    kind = torch.float32 if largest < EXACT_IN_32 else torch.float64
    return Weights(torch.from_numpy(whole).to(device, kind), bits)


def _bits(largest: float) -> int:
    """Return the most bits of fraction with which the largest weight still fits in 16."""
    return min(MOST_BITS, math.ceil(math.log2((LARGEST_WEIGHT - 0.5) / largest)) - 1)

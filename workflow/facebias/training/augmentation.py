"""Random changes of training clips, on the device that trains.

A change is drawn per clip and done alike to all its frames; the parameters are drawn by NumPy, so
that the same clips are changed the same way on every device.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facebias.study import Augmentation


@dataclasses.dataclass(frozen=True)
class Changes:
    """What is done to each of n clips.

    ``flip``: bool (n,). ``degrees``: counter-clockwise rotation (n,), 0 = none. ``brightness``:
    factor (n,), 1 = none.
    """

    flip: np.ndarray
    degrees: np.ndarray
    brightness: np.ndarray


def draw(n: int, settings: Augmentation, random: np.random.Generator) -> Changes:
    """Draw the changes of ``n`` clips, each kind independently with its own probability."""
    chance = random.random((3, n))
    amount = random.uniform(-1, 1, (2, n))
    return Changes(
        flip=chance[0] < settings.flip,
        degrees=np.where(chance[1] < settings.rotate, amount[0] * settings.degrees, 0.0),
        brightness=1
        + np.where(chance[2] < settings.brighten, amount[1] * settings.brightness, 0.0),
    )


def apply(images: Tensor, changes: Changes) -> Tensor:
    """Change clips (N, T, 3, H, W) with values from 0 to 1; the result keeps that range."""
    changed = images.clone()
    flipped = torch.from_numpy(np.flatnonzero(changes.flip)).to(images.device)
    changed.index_copy_(0, flipped, images[flipped].flip(-1))
    turned = np.flatnonzero(changes.degrees)
    if len(turned):
        chosen = torch.from_numpy(turned).to(images.device)
        changed.index_copy_(0, chosen, _rotate(changed[chosen], changes.degrees[turned]))
    factor = torch.from_numpy(changes.brightness).to(images.device, images.dtype)
    return changed.mul_(factor[:, None, None, None, None]).clamp_(0, 1)


def _rotate(clips: Tensor, degrees: np.ndarray) -> Tensor:
    """Rotate clips about their centre; what comes in from outside repeats the border."""
    angles = [math.radians(angle) for angle in degrees]
    matrices = clips.new_tensor(
        [[[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0]] for a in angles]
    )
    # The frames become channels: one grid per clip serves them all.
    stacked = clips.flatten(1, 2)
    grid = functional.affine_grid(matrices, list(stacked.shape), align_corners=False)
    turned = functional.grid_sample(stacked, grid, padding_mode="border", align_corners=False)
    return turned.unflatten(1, clips.shape[1:3])

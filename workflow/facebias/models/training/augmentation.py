"""Random changes of training clips, on the device that trains.

A change is drawn per clip and done alike to all its frames; the parameters are drawn by NumPy, so
that the same clips are changed the same way on every device.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
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

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the arguments of ``apply``, to be brought to the device."""
        turned = np.flatnonzero(self.degrees)
        angles = [math.radians(degrees) for degrees in self.degrees[turned]]
        matrices = [[[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0]] for a in angles]
        return {
            "flipped": np.flatnonzero(self.flip),
            "turned": turned,
            "matrices": np.array(matrices, np.float32).reshape(-1, 2, 3),
            "factors": self.brightness.astype(np.float32),
        }


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


def apply(
    images: Tensor, *, flipped: Tensor, turned: Tensor, matrices: Tensor, factors: Tensor
) -> Tensor:
    """Change clips with values from 0 to 1; the result keeps that range.

    All arguments are on one device, and nothing that is computed is waited for.

    Parameters
    ----------
    images
        Clips (N, T, 3, H, W).
    flipped, turned
        Positions of the clips that are mirrored and of those that are rotated, int64.
    matrices
        Rotations (turned, 2, 3), as ``affine_grid`` takes them.
    factors
        Brightness (N,).
    """
    changed = images.clone()
    changed.index_copy_(0, flipped, images[flipped].flip(-1))
    if len(turned):
        changed.index_copy_(0, turned, _rotate(changed[turned], matrices))
    return changed.mul_(factors[:, None, None, None, None]).clamp_(0, 1)


def _rotate(clips: Tensor, matrices: Tensor) -> Tensor:
    """Rotate clips about their centre; what comes in from outside repeats the border."""
    # The frames become channels: one grid per clip serves them all.
    stacked = clips.flatten(1, 2)
    grid = functional.affine_grid(matrices, list(stacked.shape), align_corners=False)
    turned = functional.grid_sample(stacked, grid, padding_mode="border", align_corners=False)
    return turned.unflatten(1, clips.shape[1:3])

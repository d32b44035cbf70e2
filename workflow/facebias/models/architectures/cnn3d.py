"""A plain 3-D convolutional network, after Haddad, Lezoray & Hamel 2020.

The layer table of that paper is not at hand; this one is ours. Every layer is a 3x3x3 convolution,
batch norm, ReLU and a max-pool. The paper's fully connected layers depend on its input size; here
the mean over the grid takes their place.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from facebias.models.architectures import network
from facebias.models.architectures.sizes import scaled
from facebias.study import StudyError

OPTIONS: dict[str, Any] = {
    # One row per layer: channels before `width`, frames pooled into one, side of the pooled square.
    "layers": ((32, 1, 2), (64, 2, 2), (128, 2, 2), (256, 2, 2), (512, 1, 2)),
    "batch_norm": True,
}


class Pool(nn.Module):
    """Max-pool over ``frames`` x ``side`` x ``side``; a remainder makes a smaller cell.

    Done over space, then over time: the gradient of torch's own is not deterministic on a GPU.
    """

    def __init__(self, frames: int, side: int):
        super().__init__()
        self.frames = frames
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, T, H, W) to (N, C, T', H', W')."""
        frames = x.transpose(1, 2)
        pooled = functional.max_pool2d(frames.flatten(0, 1), self.side, ceil_mode=True)
        x = pooled.unflatten(0, frames.shape[:2]).transpose(1, 2)
        if self.frames == 1:
            return x
        # Stacked with the channels last, as the next convolution wants them.
        parts = x.permute(0, 2, 3, 4, 1).split(self.frames, dim=1)
        return torch.stack([part.amax(1) for part in parts], dim=1).permute(0, 4, 1, 2, 3)


class Backbone(network.Backbone):
    """Layers as the option ``layers`` lists them, then the mean over the grid of every frame."""

    volumes = True

    def __init__(self, *, width: float, input_size: int, layers: Any, batch_norm: bool):
        super().__init__(width=width, input_size=input_size)
        stack: list[nn.Module] = []
        channels = 3
        for number, row in enumerate(layers):
            outputs, frames, side = _row(number, row)
            outputs = scaled(outputs, width)
            stack.append(nn.Conv3d(channels, outputs, 3, padding=1, bias=not batch_norm))
            stack += [nn.BatchNorm3d(outputs)] if batch_norm else []
            stack += [nn.ReLU(inplace=True), Pool(frames, side)]
            channels = outputs
        self.layers = nn.Sequential(*stack)
        self.n_features = channels
        network.initialise(self)

    def forward(self, clips: Tensor) -> Tensor:
        """Map clips (N, 3, T, H, W) to features (N, F, T')."""
        return self.layers(clips).mean((3, 4))


def _row(number: int, row: Any) -> tuple[int, int, int]:
    if len(row) != 3 or not all(isinstance(value, int) and value > 0 for value in row):
        raise StudyError(
            f"architectures.cnn3d.options.layers[{number}]: found {row!r}; expected three whole "
            "numbers above 0: channels, frames pooled, side of the pooled square"
        )
    return tuple(row)

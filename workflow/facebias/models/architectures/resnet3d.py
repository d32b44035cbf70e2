"""R(2+1)D-18 (Tran et al. 2018), built from torchvision's blocks.

Parameter names equal those of torchvision's ``r2plus1d_18``, without ``fc``.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.video.resnet import BasicBlock

from facebias.models.architectures import network
from facebias.models.architectures.sizes import scaled

# Channels of the four layers, two blocks each.
LAYERS = (64, 128, 256, 512)
# The stem's spatial convolution has as many channels as keep the weights of a 3-D one.
STEM = 45

OPTIONS: dict[str, Any] = {}


class Spatial(nn.Conv3d):
    """A 1 x k x k convolution, run as a 2-D one on the frames.

    The frames are folded into the batch without a copy. On a CPU torch has no fast 3-D convolution
    of such kernels: this halves the time of a training step.
    """

    def __init__(self, channels: int, outputs: int, side: int, stride: tuple[int, int] = (1, 1)):
        super().__init__(
            channels,
            outputs,
            (1, side, side),
            stride=(stride[0], stride[1], stride[1]),
            padding=(0, side // 2, side // 2),
            bias=False,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, T, H, W) to (N, C', T', H', W')."""
        frames = x[:, :, :: self.stride[0]].permute(0, 2, 3, 4, 1)
        weight = self.weight.squeeze(2)
        # Only where frames are left out this copies, with the channels last.
        images = frames.flatten(0, 1).contiguous().permute(0, 3, 1, 2)
        out = functional.conv2d(images, weight, stride=self.stride[1:], padding=self.padding[1:])
        return out.unflatten(0, frames.shape[:2]).transpose(1, 2)


class Temporal(nn.Conv3d):
    """A 3 x 1 x 1 convolution, run as a 2-D one over time and the flattened grid."""

    def __init__(self, channels: int, outputs: int, stride: int = 1):
        super().__init__(
            channels, outputs, (3, 1, 1), stride=(stride, 1, 1), padding=(1, 0, 0), bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, T, H, W) to (N, C', T', H, W)."""
        out = functional.conv2d(
            x.flatten(3, 4), self.weight.squeeze(4), stride=(self.stride[0], 1), padding=(1, 0)
        )
        return out.unflatten(3, x.shape[3:])


class Factored(nn.Sequential):
    """A 3-D convolution as one over space and one over time, with batch norm and ReLU between."""

    def __init__(self, channels: int, outputs: int, middle: int, stride: int = 1):
        super().__init__(
            Spatial(channels, middle, 3, (1, stride)),
            nn.BatchNorm3d(middle),
            nn.ReLU(inplace=True),
            Temporal(middle, outputs, stride),
        )


class Backbone(network.Backbone):
    """Stem, four layers of two blocks, mean over the grid of each frame left: 512 features."""

    volumes = True

    def __init__(self, *, width: float, input_size: int):
        super().__init__(width=width, input_size=input_size)
        channels = scaled(LAYERS[0], width)
        self.stem = _stem(scaled(STEM, width), channels)
        for number, planes in enumerate(LAYERS, start=1):
            planes = scaled(planes, width)
            self.add_module(f"layer{number}", _layer(channels, planes, 1 if number == 1 else 2))
            channels = planes
        self.n_features = channels
        network.initialise(self)

    def forward(self, clips: Tensor) -> Tensor:
        """Map clips (N, 3, T, H, W) to features (N, F, T')."""
        out = self.stem(clips)
        out = self.layer4(self.layer3(self.layer2(self.layer1(out))))
        return out.mean((3, 4))


def _stem(middle: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        Spatial(3, middle, 7, (1, 2)),
        nn.BatchNorm3d(middle),
        nn.ReLU(inplace=True),
        Temporal(middle, channels),
        nn.BatchNorm3d(channels),
        nn.ReLU(inplace=True),
    )


def _layer(channels: int, planes: int, stride: int) -> nn.Sequential:
    downsample = None
    if stride != 1:
        downsample = nn.Sequential(
            Spatial(channels, planes, 1, (stride, stride)), nn.BatchNorm3d(planes)
        )
    return nn.Sequential(
        BasicBlock(channels, planes, Factored, stride, downsample),
        BasicBlock(planes, planes, Factored),
    )

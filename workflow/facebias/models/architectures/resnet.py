"""ResNet50 (He et al. 2016) up to its average pool, built from torchvision's blocks.

Parameter names equal torchvision's, without ``fc``. The variant ``caffe`` is that of the VGGFace2
weights (Cao et al. 2018): the stride sits in a block's first convolution, as published, and the
stem's max-pool pads nothing and keeps the last odd row. Both variants have the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck

from facebias.models.architectures import network
from facebias.models.architectures.sizes import scaled
from facebias.study import StudyError

# Blocks and channels (before the four-fold expansion) of the four layers.
LAYERS = ((3, 64), (4, 128), (6, 256), (3, 512))

OPTIONS: dict[str, Any] = {
    "variant": "torchvision",  # or "caffe": where the stride sits, and how the stem pools
}


class CaffeBottleneck(Bottleneck):
    """A bottleneck with its stride in the first convolution."""

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None
    ):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv1.stride, self.conv2.stride = (stride, stride), (1, 1)


def padded_pool() -> nn.Module:
    """Return the max-pool of torchvision's stem."""
    return nn.MaxPool2d(3, stride=2, padding=1)


def caffe_pool() -> nn.Module:
    """Return the max-pool of Caffe's stem."""
    return nn.MaxPool2d(3, stride=2, padding=0, ceil_mode=True)


VARIANTS = {"torchvision": (Bottleneck, padded_pool), "caffe": (CaffeBottleneck, caffe_pool)}


class Residual(network.Backbone):
    """Stem, four layers of blocks of the kind ``block``, mean over the grid: 2048 features."""

    def __init__(
        self,
        *,
        width: float,
        input_size: int,
        block: type[nn.Module],
        pool: Callable[[], nn.Module],
    ):
        super().__init__(width=width, input_size=input_size)
        self.block = block
        channels = scaled(64, width)
        self.conv1 = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = pool()
        for number, (blocks, planes) in enumerate(LAYERS, start=1):
            planes = scaled(planes, width)
            stride = 1 if number == 1 else 2
            self.add_module(f"layer{number}", self._layer(channels, planes, blocks, stride))
            channels = planes * 4
        self.n_features = channels
        network.initialise(self)
        # Every block starts as the identity: the depth does not stand in the way of small data.
        for part in self.modules():
            if isinstance(part, block):
                nn.init.zeros_(part.bn3.weight)

    def _layer(self, channels: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
        downsample = nn.Sequential(
            nn.Conv2d(channels, planes * 4, 1, stride=stride, bias=False),
            nn.BatchNorm2d(planes * 4),
        )
        first = self.block(channels, planes, stride, downsample)
        return nn.Sequential(first, *(self.block(planes * 4, planes) for _ in range(blocks - 1)))

    def forward(self, frames: Tensor) -> Tensor:
        """Map frames (N, 3, H, W) to features (N, F)."""
        out = self.maxpool(self.relu(self.bn1(self.conv1(frames))))
        out = self.layer4(self.layer3(self.layer2(self.layer1(out))))
        return out.mean((2, 3))


class Backbone(Residual):
    """ResNet50 in one of its ``VARIANTS``."""

    def __init__(self, *, width: float, input_size: int, variant: str):
        if variant not in VARIANTS:
            raise StudyError(
                f"architectures.resnet50.options.variant: found {variant!r}; "
                f"expected one of {', '.join(VARIANTS)}"
            )
        block, pool = VARIANTS[variant]
        super().__init__(width=width, input_size=input_size, block=block, pool=pool)

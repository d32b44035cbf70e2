"""ResNet50 (He et al. 2016) up to its average pool, built from torchvision's blocks.

Parameter names equal torchvision's, without ``fc``.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck

from facebias.architectures import network
from facebias.architectures.sizes import scaled

# Blocks and channels (before the four-fold expansion) of the four layers.
LAYERS = ((3, 64), (4, 128), (6, 256), (3, 512))

OPTIONS: dict[str, Any] = {}


class Backbone(network.Backbone):
    """Stem, four layers of bottleneck blocks, mean over the grid: 2048 features at width 1."""

    block: type[nn.Module] = Bottleneck

    def __init__(self, *, width: float, input_size: int):
        super().__init__(width=width, input_size=input_size)
        channels = scaled(64, width)
        self.conv1 = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = self.stem_pool()
        for number, (blocks, planes) in enumerate(LAYERS, start=1):
            planes = scaled(planes, width)
            stride = 1 if number == 1 else 2
            self.add_module(f"layer{number}", self._layer(channels, planes, blocks, stride))
            channels = planes * 4
        self.n_features = channels
        network.initialise(self)
        # Every block starts as the identity: the depth does not stand in the way of small data.
        for part in self.modules():
            if isinstance(part, self.block):
                nn.init.zeros_(part.bn3.weight)

    @staticmethod
    def stem_pool() -> nn.Module:
        """Give the max-pool of the stem."""
        return nn.MaxPool2d(3, stride=2, padding=1)

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

"""SE-ResNet50 (Hu et al. 2018) as the VGGFace2 weights have it (Cao et al. 2018).

Against torchvision's ResNet50: a gate on the channels of every block, the stride in a block's
first convolution, and a stem whose max-pool pads nothing and keeps the last odd row. Parameter
names are torchvision's; the gate is ``conv4`` and ``conv5``, as in the converted weights.

The study of Domnich & Anbarjafari gives 8096 features, which fits no SENet50; its pooled feature
has 2048.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from facebias.models.architectures import resnet

REDUCTION = 16

OPTIONS: dict[str, Any] = {}


class Block(resnet.CaffeBottleneck):
    """A bottleneck whose channels are weighted by a gate before the shortcut is added."""

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None
    ):
        super().__init__(inplanes, planes, stride, downsample)
        channels = planes * self.expansion
        self.conv4 = nn.Conv2d(channels, max(1, channels // REDUCTION), 1)
        self.conv5 = nn.Conv2d(max(1, channels // REDUCTION), channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, 4 planes, H', W')."""
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        gate = self.conv5(self.relu(self.conv4(out.mean((2, 3), keepdim=True)))).sigmoid()
        return self.relu(gate * out + shortcut)


class Backbone(resnet.Residual):
    """Stem, four layers of gated bottlenecks, mean over the grid: 2048 features at width 1."""

    def __init__(self, *, width: float, input_size: int):
        super().__init__(width=width, input_size=input_size, block=Block, pool=resnet.caffe_pool)

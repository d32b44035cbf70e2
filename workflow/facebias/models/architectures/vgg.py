"""VGG16 (Simonyan & Zisserman 2015) up to its second fully connected layer.

``vgg16`` and ``vggface`` share the layers; they differ in the weights they can start from.
Parameter names equal torchvision's, without the classifier's last layer (``classifier.6``).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from facebias.models.architectures import network
from facebias.models.architectures.sizes import scaled

# Channels of the 3x3 convolutions between max-pools.
STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))

OPTIONS = {
    "pool": None,  # side of the grid the fully connected layers see; None: 7, or what a crop gives
    "features": 4096,  # units of the fully connected layers, before `width`
    "dropout": 0.5,  # after each fully connected layer
    "batch_norm": False,  # after each convolution; not in the published network
}


class Pool(nn.AdaptiveAvgPool2d):
    """Adaptive average pooling of one grid, as a product with a fixed matrix.

    torch's own has no deterministic gradient on a GPU and raises there.
    """

    def __init__(self, grid: int, side: int):
        super().__init__(side)
        along = np.zeros((side, grid))
        for place in range(side):
            cells = slice(place * grid // side, -(-(place + 1) * grid // side))
            along[place, cells] = 1 / (cells.stop - cells.start)
        # Of 64 bits, for networks of any; no weights of a file, where published networks have none.
        weights = torch.from_numpy(np.kron(along, along))
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, grid, grid) to (N, C, side, side)."""
        pooled = functional.linear(x.flatten(2), self.weights.to(x))
        return pooled.unflatten(2, (self.output_size, self.output_size))


class Backbone(network.Backbone):
    """Five stages of convolutions, then two fully connected layers.

    ``pool`` is the side of the grid between the two. Repeating the few cells that a small crop
    leaves until there are 7 x 7 of them adds weights but nothing to see, so it is at most what
    the crop gives unless it is set.
    """

    def __init__(
        self,
        *,
        width: float,
        input_size: int,
        pool: int | None,
        features: int,
        dropout: float,
        batch_norm: bool,
    ):
        super().__init__(width=width, input_size=input_size)
        layers: list[nn.Module] = []
        channels = 3
        for stage in STAGES:
            for convolution in stage:
                layers += _convolution(channels, scaled(convolution, width), batch_norm=batch_norm)
                channels = scaled(convolution, width)
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        grid = max(1, input_size // 2 ** len(STAGES))
        side = min(7, grid) if pool is None else pool
        self.avgpool = nn.Identity() if side == grid else Pool(grid, side)
        self.n_features = scaled(features, width)
        self.classifier = nn.Sequential(
            nn.Linear(channels * side**2, self.n_features),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(self.n_features, self.n_features),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
        )
        self.apply(_initialise)

    def cuts(self) -> dict[str, network.Cut]:
        """As every backbone, and ``convolutions``: only the fully connected layers are trained."""
        cut = network.Cut(parts=(self.features,), before=self.grid, after=self.classifier)
        return {**super().cuts(), "convolutions": cut}

    def grid(self, frames: Tensor) -> Tensor:
        """Map frames (N, 3, H, W) to what the fully connected layers see (N, cells)."""
        return self.avgpool(self.features(frames)).flatten(1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map frames (N, 3, H, W) to features (N, F)."""
        return self.classifier(self.grid(frames))


def _convolution(channels: int, outputs: int, *, batch_norm: bool) -> list[nn.Module]:
    norm = [nn.BatchNorm2d(outputs)] if batch_norm else []
    return [nn.Conv2d(channels, outputs, 3, padding=1), *norm, nn.ReLU(inplace=True)]


@torch.no_grad()
def _initialise(layer: nn.Module) -> None:
    """Draw weights of the scale of He et al. (2015), every filter with a mean of zero.

    After 15 plain layers of ReLU all inputs look alike: their features share one large mean (cosine
    0.98 between two faces), and what tells them apart is lost in it, so that small data stays at
    chance. Filters of mean zero do not pass that mean on (Brock et al. 2021).
    """
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.normal_(layer.weight)
        filters = layer.weight.flatten(1)
        filters = filters - filters.mean(1, keepdim=True)
        filters = filters * math.sqrt(2) / filters.norm(dim=1, keepdim=True)
        layer.weight.copy_(filters.view_as(layer.weight))
        nn.init.zeros_(layer.bias)

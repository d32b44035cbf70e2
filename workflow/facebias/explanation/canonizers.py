"""What a network becomes while it is explained: batch norms merged, steps turned into layers.

zennit undoes all of it when its context ends. Every forward pass here repeats one of the network's
own with layers that rules can hook onto; a test holds the outputs equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.resnet import Bottleneck
from torchvision.models.video.resnet import BasicBlock
from zennit.canonizers import AttributeCanonizer, Canonizer, SequentialMergeBatchNorm

from facebias.explanation import recurrence
from facebias.explanation.steps import Addition, Gate, Mean
from facebias.models.architectures import cnn3d, heads, resnet, resnet3d, senet


class MergedBatchNorm(SequentialMergeBatchNorm):
    """zennit's merging of a batch norm into the layer before it, exactly.

    zennit leaves a norm with statistics 0 and 1, which still divides by the root of 1 + epsilon:
    over the 53 norms of a ResNet50, 3e-4 of the output. Here the norm is left out.
    """

    def register(self, linears: Any, batch_norm: nn.Module) -> None:
        """Merge."""
        super().register(linears, batch_norm)
        batch_norm.forward = _same

    def remove(self) -> None:
        """Undo the merge."""
        del self.batch_norm.forward
        super().remove()


def _same(x: Tensor) -> Tensor:
    return x


def _bottleneck(block: Bottleneck, x: Tensor) -> Tensor:
    shortcut = x if block.downsample is None else block.downsample(x)
    out = block.relu(block.bn1(block.conv1(x)))
    out = block.relu(block.bn2(block.conv2(out)))
    return block.relu(block.canonizer_sum(block.bn3(block.conv3(out)), shortcut))


def _gated_bottleneck(block: senet.Block, x: Tensor) -> Tensor:
    shortcut = x if block.downsample is None else block.downsample(x)
    out = block.relu(block.bn1(block.conv1(x)))
    out = block.relu(block.bn2(block.conv2(out)))
    out = block.bn3(block.conv3(out))
    with torch.no_grad():
        squeezed = block.relu(block.conv4(out.mean((2, 3), keepdim=True)))
        gate = block.conv5(squeezed).sigmoid()
    return block.relu(block.canonizer_sum(block.canonizer_gate(out, gate), shortcut))


def _factored_block(block: BasicBlock, x: Tensor) -> Tensor:
    shortcut = x if block.downsample is None else block.downsample(x)
    return block.relu(block.canonizer_sum(block.conv2(block.conv1(x)), shortcut))


def _biased(layer: nn.Conv3d, x: Tensor) -> Tensor:
    """Run a layer that has no bias of its own with the one that merging gave it."""
    out = type(layer).forward(layer, x)
    return out if layer.bias is None else out + layer.bias[:, None, None, None]


def _beside(layer: nn.ReLU, x: Tensor) -> Tensor:
    """Run without writing into the input, which rules may still need."""
    return functional.relu(x)


def _images(backbone: resnet.Residual, frames: Tensor) -> Tensor:
    out = backbone.maxpool(backbone.relu(backbone.bn1(backbone.conv1(frames))))
    out = backbone.layer4(backbone.layer3(backbone.layer2(backbone.layer1(out))))
    return backbone.canonizer_mean(out)


def _factored_volumes(backbone: resnet3d.Backbone, clips: Tensor) -> Tensor:
    out = backbone.stem(clips)
    out = backbone.layer4(backbone.layer3(backbone.layer2(backbone.layer1(out))))
    return backbone.canonizer_mean(out)


def _volumes(backbone: cnn3d.Backbone, clips: Tensor) -> Tensor:
    return backbone.canonizer_mean(backbone.layers(clips))


def _mean_head(head: heads.Mean, features: Tensor) -> Tensor:
    return head.linear(head.dropout(head.canonizer_mean(features)))


# By type of a part, most special first: its forward pass and the layers that this needs.
FORWARDS: dict[
    type[nn.Module], tuple[Callable[..., Tensor], dict[str, Callable[[], nn.Module]]]
] = {
    senet.Block: (_gated_bottleneck, {"canonizer_sum": Addition, "canonizer_gate": Gate}),
    Bottleneck: (_bottleneck, {"canonizer_sum": Addition}),
    BasicBlock: (_factored_block, {"canonizer_sum": Addition}),
    resnet3d.Spatial: (_biased, {}),
    resnet3d.Temporal: (_biased, {}),
    resnet.Residual: (_images, {"canonizer_mean": lambda: Mean(2, 3)}),
    resnet3d.Backbone: (_factored_volumes, {"canonizer_mean": lambda: Mean(3, 4)}),
    cnn3d.Backbone: (_volumes, {"canonizer_mean": lambda: Mean(3, 4)}),
    heads.Mean: (_mean_head, {"canonizer_mean": lambda: Mean(1)}),
    nn.ReLU: (_beside, {}),
    nn.LSTM: (recurrence.without_cudnn, {}),
}


def canonizers() -> list[Canonizer]:
    """Return what rewrites any of the networks before it is explained."""
    return [MergedBatchNorm(), AttributeCanonizer(attributes)]


def attributes(name: str, module: nn.Module) -> dict[str, Any] | None:
    """Return the attributes that a part of the network has while it is explained."""
    for kind, (forward, layers) in FORWARDS.items():
        if isinstance(module, kind):
            made = {key: make() for key, make in layers.items()}
            return {**made, "forward": forward.__get__(module)}
    return None

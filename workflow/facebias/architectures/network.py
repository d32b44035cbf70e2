"""A network: a backbone turns frames into features, and a head turns those into scores."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from facebias import architectures
from facebias.architectures import heads, inputs, sizes
from facebias.architectures.inputs import InputConvention
from facebias.study import Architecture, StudyError


class Backbone(nn.Module):
    """What every architecture's module defines under this name.

    A backbone of images maps frames (N, 3, H, W) to features (N, ``n_features``). A backbone of
    volumes maps clips (N, 3, T, H, W) to (N, ``n_features``, T'), T' frames being left.
    """

    volumes: bool = False
    n_features: int

    def __init__(self, *, width: float, input_size: int, **options: object):
        super().__init__()

    def frozen_parts(self) -> dict[str, Iterable[nn.Module]]:
        """Name the parts that can be kept as they are: ``frozen`` in the configuration."""
        return {"none": (), "backbone": (self,)}


class Network(nn.Module):
    """A backbone with its head.

    Parameters
    ----------
    backbone, head
        The two parts; ``head`` maps features (N, T', F) to scores (N, outputs).
    input_size
        Side of the input, pixels.
    frames
        Frames of a clip.
    convention
        What the backbone's weights expect of pixels.
    frozen
        Parts that stay as they are: not trained, and always in evaluation mode, so that their
        batch statistics stay too.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        *,
        input_size: int,
        frames: int,
        convention: InputConvention,
        frozen: Iterable[nn.Module] = (),
    ):
        super().__init__()
        # Channels last: measured a quarter to a third faster than torch's default on a CPU, and
        # what tensor cores want.
        layout = torch.channels_last_3d if backbone.volumes else torch.channels_last
        self.backbone = backbone.to(memory_format=layout)
        self.head = head
        self.input_size = input_size
        self.frames = frames
        self.convention = convention
        self._frozen = tuple(frozen)
        for part in self._frozen:
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> Network:
        """Set training mode, except for the frozen parts."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    def prepare(self, clips: Tensor) -> Tensor:
        """Turn uint8 clips (N, T, H, W, 3) into normalised float input (N, T, 3, size, size)."""
        device = next(self.parameters()).device
        return self.convention.normalise(inputs.images(clips, self.input_size, device))

    def features(self, clips: Tensor) -> Tensor:
        """Map normalised clips (N, T, 3, H, W) to features (N, T', F).

        Raises
        ------
        StudyError
            If the clips have another number of frames or another size than the network is for.
        """
        size = self.input_size
        if clips.dim() != 5 or clips.shape[1:] != (self.frames, 3, size, size):
            raise StudyError(
                f"clips of shape {tuple(clips.shape)}; this network takes "
                f"(N, {self.frames}, 3, {size}, {size})"
            )
        if self.backbone.volumes:
            volumes = clips.transpose(1, 2).contiguous(memory_format=torch.channels_last_3d)
            return self.backbone(volumes).transpose(1, 2)
        images = clips.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return self.backbone(images).unflatten(0, clips.shape[:2])

    def forward(self, clips: Tensor) -> Tensor:
        """Map normalised clips (N, T, 3, H, W) to scores before softmax or sigmoid (N, outputs)."""
        return self.head(self.features(clips))


def build(name: str, architecture: Architecture, outputs: int, frames: int) -> Network:
    """Make the network ``name`` with freshly drawn weights (torch's random state decides them).

    Parameters
    ----------
    name
        A key of ``ARCHITECTURES``.
    architecture
        Its settings; ``width`` 1 is the published network.
    outputs
        Number of trained labels.
    frames
        Frames of a clip.

    Raises
    ------
    StudyError
        If the architecture, one of its options or a value of ``frozen`` does not exist.
    """
    module = architectures.module(name)
    options = sizes.options(name, architecture.options, module.OPTIONS)
    backbone = module.Backbone(
        width=architecture.width, input_size=architecture.input_size, **options
    )
    parts = backbone.frozen_parts()
    if architecture.frozen not in parts:
        raise StudyError(
            f"architectures.{name}.frozen: found {architecture.frozen!r}; "
            f"{name} allows {', '.join(parts)}"
        )
    return Network(
        backbone,
        heads.build(backbone.n_features, outputs, head=architecture.head),
        input_size=architecture.input_size,
        frames=frames,
        convention=inputs.CONVENTIONS["imagenet"],
        frozen=parts[architecture.frozen],
    )


def initialise(module: nn.Module) -> None:
    """Draw the weights of convolutions (He et al. 2015) and set batch norms to the identity."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)

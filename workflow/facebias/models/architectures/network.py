"""A network: a backbone turns frames into features, and a head turns those into scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor, nn

from facebias.models import architectures
from facebias.models.architectures import heads, inputs, sizes
from facebias.models.architectures.inputs import InputConvention
from facebias.study import Architecture, StudyError
from facebias.study import Backbone as Settings


@dataclasses.dataclass(frozen=True)
class Cut:
    """Where a backbone is cut in two: what is frozen, and what is trained.

    Attributes
    ----------
    parts
        The frozen modules.
    before
        Maps what the backbone gets to what its trained part gets.
    after
        Maps that (N, T', F') to features (N, T', F).
    """

    parts: tuple[nn.Module, ...]
    before: Callable[[Tensor], Tensor]
    after: Callable[[Tensor], Tensor]


class Backbone(nn.Module):
    """What every architecture's module defines under this name.

    A backbone of images maps frames (N, 3, H, W) to features (N, ``n_features``). A backbone of
    volumes maps clips (N, 3, T, H, W) to (N, ``n_features``, T'), T' frames being left.
    """

    volumes: bool = False
    n_features: int

    def __init__(self, *, width: float, input_size: int, **options: object):
        super().__init__()

    def cuts(self) -> dict[str, Cut]:
        """Name the ways to keep a part as it is: ``frozen`` in the configuration, but ``none``."""
        return {"backbone": Cut(parts=(self,), before=self, after=nn.Identity())}


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
    cut
        Its parts stay as they are: not trained, and always in evaluation mode, so that their
        batch statistics stay too. None: everything is trained.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        *,
        input_size: int,
        frames: int,
        convention: InputConvention,
        cut: Cut | None = None,
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
        self.cut = cut
        for part in self._frozen:
            part.requires_grad_(False)

    @property
    def _frozen(self) -> tuple[nn.Module, ...]:
        return () if self.cut is None else self.cut.parts

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
        return self._of_clips(self.backbone, clips)

    def frozen_features(self, clips: Tensor) -> Tensor:
        """Map normalised clips (N, T, 3, H, W) to what the frozen part gives (N, T', F').

        Raises
        ------
        StudyError
            As ``features``.
        """
        return self._of_clips(self.cut.before, clips)

    def _of_clips(self, part: Callable[[Tensor], Tensor], clips: Tensor) -> Tensor:
        size = self.input_size
        if clips.dim() != 5 or clips.shape[1:] != (self.frames, 3, size, size):
            raise StudyError(
                f"clips of shape {tuple(clips.shape)}; this network takes "
                f"(N, {self.frames}, 3, {size}, {size})"
            )
        if self.backbone.volumes:
            volumes = clips.transpose(1, 2).contiguous(memory_format=torch.channels_last_3d)
            return part(volumes).transpose(1, 2)
        images = clips.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return part(images).unflatten(0, clips.shape[:2])

    def forward(self, clips: Tensor) -> Tensor:
        """Map normalised clips (N, T, 3, H, W) to scores before softmax or sigmoid (N, outputs)."""
        return self.head(self.features(clips))


class Tail(nn.Module):
    """What follows the frozen part of a network, whose weights it shares.

    Raises
    ------
    StudyError
        If nothing of the network is frozen.
    """

    def __init__(self, network: Network):
        super().__init__()
        if network.cut is None:
            raise StudyError("frozen: found none; features stand for a frozen part of the network")
        self.network = network

    def prepare(self, features: Tensor) -> Tensor:
        """Bring what the frozen part gave (N, T', F') to the device of the network."""
        return features.to(next(self.network.parameters()).device, non_blocking=True)

    def forward(self, features: Tensor) -> Tensor:
        """Map what the frozen part gave (N, T', F') to scores (N, outputs)."""
        return self.network.head(self.network.cut.after(features))


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
    backbone = build_backbone(name, architecture)
    return Network(
        backbone,
        heads.build(backbone.n_features, outputs, head=architecture.head),
        input_size=architecture.input_size,
        frames=frames,
        convention=inputs.CONVENTIONS["imagenet"],
        cut=cut(name, backbone, architecture.frozen),
    )


def build_backbone(name: str, settings: Settings) -> Backbone:
    """Make the backbone of ``name`` with freshly drawn weights.

    Raises
    ------
    StudyError
        If the architecture or one of its options does not exist.
    """
    module = architectures.module(name)
    options = sizes.options(name, settings.options, module.OPTIONS)
    return module.Backbone(width=settings.width, input_size=settings.input_size, **options)


def cut(name: str, backbone: Backbone, frozen: str) -> Cut | None:
    """Return the cut that ``frozen`` names; None for ``none``.

    Raises
    ------
    StudyError
        If the backbone has no such cut.
    """
    cuts = {"none": None, **backbone.cuts()}
    if frozen not in cuts:
        raise StudyError(
            f"architectures.{name}.frozen: found {frozen!r}; {name} allows {', '.join(cuts)}"
        )
    return cuts[frozen]


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

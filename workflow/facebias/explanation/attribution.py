"""From an output of a network back to its pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor
from zennit.canonizers import Canonizer
from zennit.core import Composite
from zennit.torchvision import VGGCanonizer

from facebias.architectures.network import Network
from facebias.study import StudyError

# Which networks can be explained, and what rewrites them first (batch norms into convolutions).
CANONIZERS: dict[str, tuple[Callable[[], Canonizer], ...]] = {
    "vgg16": (VGGCanonizer,),
    "vggface": (VGGCanonizer,),
}

# Rules hold several copies of every activation: so many frames go through the backbone at once.
FRAMES_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class Attribution:
    """Relevance of one output per clip.

    ``scores``: (n, outputs) before softmax or sigmoid. ``pixels``: relevance (n, T, H, W), summed
    over colours. ``features``: the relevance that entered the backbone, summed per clip (n,).
    """

    scores: Tensor
    pixels: Tensor
    features: Tensor

    @property
    def conserved(self) -> Tensor:
        """Share of the features' relevance that reached the pixels (n,); biases took the rest."""
        return self.pixels.flatten(1).sum(1) / self.features


def canonizers(architecture: str) -> tuple[Canonizer, ...]:
    """Give what rewrites a network before it is explained.

    Raises
    ------
    StudyError
        If the architecture cannot be explained.
    """
    if architecture not in CANONIZERS:
        raise StudyError(
            f"explanation.architectures: found {architecture!r}, whose backbone has no rules yet; "
            f"expected any of {', '.join(CANONIZERS)}"
        )
    return tuple(make() for make in CANONIZERS[architecture])


def attribute(
    network: Network, clips: Tensor, choose: Callable[[Tensor], Tensor], composite: Composite
) -> Attribution:
    """Explain one output per clip.

    The head (an LSTM or a mean, then a linear layer) is passed by gradient x input: every frame's
    features get relevance feature x d output / d feature. From there relevance is propagated
    frame by frame through the backbone by the rules of ``composite`` (Bach et al. 2015).

    Parameters
    ----------
    network
        In evaluation mode, with a backbone of images.
    clips
        Normalised clips (n, T, 3, H, W).
    choose
        Given the scores (n, outputs), says which output of each clip is explained: (n,) int64.
    composite
        The rules.

    Returns
    -------
    The relevance, in the precision of the network.
    """
    with torch.no_grad():
        features = torch.cat([network.features(part) for part in _parts(clips)])
    scores, entering = _through_head(network, features, choose)
    images = clips.flatten(0, 1)
    relevance = []
    with composite.context(network.backbone) as backbone:
        for frames, arriving in zip(
            images.split(FRAMES_AT_ONCE), entering.flatten(0, 1).split(FRAMES_AT_ONCE), strict=True
        ):
            frames = frames.contiguous(memory_format=torch.channels_last).requires_grad_()
            (found,) = torch.autograd.grad(backbone(frames), frames, arriving)
            relevance.append(found.sum(1))
    return Attribution(
        scores=scores,
        pixels=torch.cat(relevance).unflatten(0, clips.shape[:2]),
        features=entering.flatten(1).sum(1),
    )


def _parts(clips: Tensor) -> tuple[Tensor, ...]:
    return clips.split(max(1, FRAMES_AT_ONCE // clips.shape[1]))


def _through_head(
    network: Network, features: Tensor, choose: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Give the scores (n, outputs) and the relevance of the features (n, T, F)."""
    features = features.detach().requires_grad_()
    # cuDNN keeps nothing for the gradient of an LSTM in evaluation mode.
    with torch.backends.cudnn.flags(enabled=False):
        scores = network.head(features)
        explained = scores.gather(1, choose(scores.detach())[:, None])
        (gradient,) = torch.autograd.grad(explained.sum(), features)
    return scores.detach(), (features * gradient).detach()

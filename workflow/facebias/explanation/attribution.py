"""From an output of a network back to its pixels, by layer-wise relevance propagation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor
from zennit.core import Composite

from facebias.models.architectures.network import Network

# Given the scores (n, outputs), says which output of each clip is explained: (n,) int64.
Choose = Callable[[Tensor], Tensor]

# Rules hold several copies of every activation: so many pixels go through a network at once, a
# clip at least (20 frames of 224 x 224; 450 frames of 48 x 48).
PIXELS_AT_ONCE = 2**20


@dataclasses.dataclass(frozen=True)
class Attribution:
    """Relevance of one output per clip.

    ``scores``: (n, outputs) before softmax or sigmoid. ``pixels``: relevance (n, T, H, W), summed
    over colours. ``whole``: what the relevance of a clip should add up to (n,); NaN where the
    method promises no sum.
    """

    scores: Tensor
    pixels: Tensor
    whole: Tensor

    @property
    def conserved(self) -> Tensor:
        """Share of ``whole`` that reached the pixels (n,)."""
        return self.pixels.flatten(1).sum(1) / self.whole


def clips_at_once(clip: torch.Size, most: int) -> int:
    """Return how many clips of shape (T, 3, H, W) to explain at once, ``most`` at most."""
    return max(1, min(most, PIXELS_AT_ONCE // (clip[0] * clip[2] * clip[3])))


def propagate(network: Network, clips: Tensor, choose: Choose, composite: Composite) -> Attribution:
    """Explain one output per clip by the rules of ``composite`` (Bach et al. 2015).

    One pass forward and one back, through head and backbone alike. The network is afterwards as it
    was.

    Parameters
    ----------
    network
        In evaluation mode.
    clips
        Normalised clips (n, T, 3, H, W).
    choose
        Says which output of each clip is explained.
    composite
        The rules; see ``composites``.

    Returns
    -------
    The relevance, in the precision of the network.
    """
    clips = clips.detach().requires_grad_()
    with composite.context(network):
        scores = network(clips)
        chosen = choose(scores.detach())[:, None]
        outputs = scores.detach().gather(1, chosen)
        start = torch.zeros_like(outputs.expand_as(scores)).scatter(1, chosen, outputs)
        (relevance,) = torch.autograd.grad(scores, clips, start)
    return Attribution(scores.detach(), relevance.sum(2), outputs[:, 0])

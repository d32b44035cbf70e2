"""Every way to explain an output, under one interface: LRP, and captum's for second opinions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from zennit.canonizers import AttributeCanonizer
from zennit.core import Composite

from facebias.explanation import canonizers, composites
from facebias.explanation.attribution import Attribution, Choose, propagate
from facebias.models.architectures.network import Network

# Points on the way from the baseline to the clip, and draws of a baseline and such a point.
STEPS, DRAWS = 32, 32
# Occluded squares in a row of the picture; each is moved by half its side.
SQUARES = 6

Method = Callable[[Network, Tensor, Choose], Attribution]


def lrp(network: Network, composite: str) -> Method:
    """Layer-wise relevance propagation by the composite of that name."""
    rules = composites.composite(composite, network)
    return lambda network, clips, choose: propagate(network, clips, choose, rules)


def lrp_alpha2_beta1(network: Network, composite: str) -> Method:
    """Layer-wise relevance propagation by alpha 2, beta 1, whatever composite is configured.

    A second opinion on the rules: it tells what speaks for an output from what speaks against it.
    """
    return lrp(network, "epsilon_alpha2_beta1_flat")


def integrated_gradients(network: Network, composite: str) -> Method:
    """Integrated gradients (Sundararajan et al. 2017) from a clip of the mean colour."""
    return _integrated


def gradient_shap(network: Network, composite: str) -> Method:
    """Gradient SHAP (Lundberg & Lee 2017) from black, mean-coloured and white clips."""
    return _shap


def occlusion(network: Network, composite: str) -> Method:
    """Occlusion (Zeiler & Fergus 2014): what the output loses when a square is covered.

    The square has the mean colour and covers the same place in all frames.
    """
    return _occluded


METHODS: dict[str, Callable[[Network, str], Method]] = {
    "lrp": lrp,
    "lrp_alpha2_beta1": lrp_alpha2_beta1,
    "integrated_gradients": integrated_gradients,
    "gradient_shap": gradient_shap,
    "occlusion": occlusion,
}


def _integrated(network: Network, clips: Tensor, choose: Choose) -> Attribution:
    from captum.attr import IntegratedGradients  # a second to import, which LRP need not wait

    scores, chosen, outputs = _explained(network, clips, choose)
    with _differentiable(network):
        # The points of one clip are one batch, so that memory does not grow with the clips.
        pixels = IntegratedGradients(network).attribute(
            clips, target=chosen, n_steps=STEPS, internal_batch_size=len(clips)
        )
    return Attribution(
        scores, _summed(pixels, clips), outputs - _from(network, torch.zeros_like(clips), chosen)
    )


def _shap(network: Network, clips: Tensor, choose: Choose) -> Attribution:
    from captum.attr import GradientShap

    scores, chosen, outputs = _explained(network, clips, choose)
    levels = clips.new_tensor([*network.convention.bounds(), (0.0, 0.0, 0.0)])
    baselines = levels[:, None, :, None, None].expand(-1, *clips.shape[1:])
    pixels = []
    with _differentiable(network):
        for clip, label in zip(clips, chosen, strict=True):
            # One clip at a time and the same draws for all: neighbours change nothing.
            with _drawing(seed=0):
                pixels.append(
                    GradientShap(network).attribute(
                        clip[None], baselines=baselines, target=int(label), n_samples=DRAWS
                    )
                )
    missing = torch.stack(
        [_from(network, level[None].expand_as(clips), chosen) for level in baselines]
    ).mean(0)
    return Attribution(scores, _summed(torch.cat(pixels), clips), outputs - missing)


def _occluded(network: Network, clips: Tensor, choose: Choose) -> Attribution:
    from captum.attr import Occlusion

    scores, chosen, outputs = _explained(network, clips, choose)
    frames, colours, size = clips.shape[1:4]
    side = max(2, size // SQUARES)
    pixels = Occlusion(network).attribute(
        clips,
        sliding_window_shapes=(frames, colours, side, side),
        strides=(frames, colours, side // 2, side // 2),
        target=chosen,
    )
    # captum gives the loss to each of the three colours, which are covered together.
    return Attribution(
        scores, _summed(pixels, clips) / colours, torch.full_like(outputs, torch.nan)
    )


def _summed(pixels: Tensor, clips: Tensor) -> Tensor:
    return pixels.detach().to(clips).sum(2)


@torch.no_grad()
def _explained(network: Network, clips: Tensor, choose: Choose) -> tuple[Tensor, Tensor, Tensor]:
    """Return the scores (n, outputs), the chosen positions (n,) and the outputs there (n,)."""
    scores = network(clips)
    chosen = choose(scores)
    return scores, chosen, scores.gather(1, chosen[:, None])[:, 0]


@torch.no_grad()
def _from(network: Network, clips: Tensor, chosen: Tensor) -> Tensor:
    return network(clips).gather(1, chosen[:, None])[:, 0]


@contextmanager
def _differentiable(network: Network) -> Iterator[None]:
    """Run every LSTM of a network without cuDNN, which keeps no gradient in evaluation mode."""

    def attributes(name: str, module: nn.Module) -> dict[str, object] | None:
        return canonizers.attributes(name, module) if isinstance(module, nn.LSTM) else None

    with Composite(canonizers=[AttributeCanonizer(attributes)]).context(network):
        yield


@contextmanager
def _drawing(*, seed: int) -> Iterator[None]:
    """Fix the random states that captum draws from, and give them back as they were."""
    before = np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002

"""Do heatmaps depend on what a model has learned? Re-initialise it and see (Adebayo et al. 2018).

Layer by layer from the top, a trained network gets the weights of an untrained one. A heatmap that
stays as it was shows the picture, not the model.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from scipy import stats
from scipy.ndimage import gaussian_filter
from torch import nn

from facebias import tables
from facebias.explanation.attribution import Choose
from facebias.explanation.methods import Method
from facebias.explanation.stage import Trained, evenly, opened
from facebias.models import determinism
from facebias.models.architectures import network as networks
from facebias.models.architectures.network import Network
from facebias.stages.models import Randomise

STEPS = 6
# Structural similarity (Wang et al. 2004): standard deviation of the window in pixels; constants.
WINDOW, MEANS, SPREADS = 1.5, 0.01**2, 0.03**2


def main(arguments: list[str]) -> None:
    """Compare heatmaps of one model with those of the same model re-initialised from its top."""
    given = Randomise.of(arguments)
    trained = opened(given)
    chosen = evenly(len(trained.rows), given.samples)
    table = compare(trained, trained.method(given.method), chosen)
    table = table.assign(method=given.method, **vars(trained.model))
    tables.write(table, given.out, tables.RANDOMISATION)


def compare(trained: Trained, method: Method, chosen: np.ndarray) -> pd.DataFrame:
    """Compare the heatmaps of the samples at ``chosen`` at every step.

    The label that the trained model is asked about is asked of the others too.

    Returns
    -------
    ``tables.RANDOMISATION`` without the columns of method and model.
    """
    original, labels = _heatmaps(trained, trained.network, method, chosen)
    untrained = _untrained(trained)
    parts = []
    for layers, share, layer, network in cascade(trained.network, untrained):
        found, _ = _heatmaps(trained, network, method, chosen, labels)
        facts = trained.rows.iloc[chosen][["sample", "subject"]].reset_index(drop=True)
        pairs = list(zip(np.abs(original), np.abs(found), strict=True))
        parts.append(
            facts.assign(
                layers=layers,
                share=share,
                layer=layer,
                rank_correlation=[rank_correlation(*pair) for pair in pairs],
                structural_similarity=[structural_similarity(*pair) for pair in pairs],
            )
        )
    return pd.concat(parts, ignore_index=True)


def cascade(
    trained: Network, untrained: Network, steps: int = STEPS
) -> Iterator[tuple[int, float, str, Network]]:
    """Re-initialise a copy of ``trained`` from the top, in ``steps`` even steps.

    Yields
    ------
    Number of layers drawn anew (the first step: the output layer alone; the last: all), their
    share, the name of the last of them, and the network, which the next step changes.
    """
    network = copy.deepcopy(trained)
    names = [name for name, part in reversed(list(network.named_modules())) if _has_weights(part)]
    done = 0
    for layers in evenly(len(names), steps) + 1:
        for name in names[done:layers]:
            state = untrained.get_submodule(name).state_dict()
            network.get_submodule(name).load_state_dict(state)
        done = int(layers)
        yield done, done / len(names), names[done - 1], network


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two maps; NaN if one is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(stats.spearmanr(first, second, axis=None).statistic)


def structural_similarity(first: np.ndarray, second: np.ndarray) -> float:
    """Mean structural similarity of two maps (T, H, W), each on a scale from 0 to its maximum.

    Eq. 13 of Wang et al. 2004, with a Gaussian window over each frame; NaN if a map is zero.
    """
    if first.max() <= 0 or second.max() <= 0:
        return float("nan")
    x, y = first.astype(float) / first.max(), second.astype(float) / second.max()

    def mean(map_: np.ndarray) -> np.ndarray:
        return gaussian_filter(map_, (0, WINDOW, WINDOW))

    of_x, of_y = mean(x), mean(y)
    spread = mean(x * x) - of_x**2 + mean(y * y) - of_y**2
    together = mean(x * y) - of_x * of_y
    alike = (2 * of_x * of_y + MEANS) / (of_x**2 + of_y**2 + MEANS)
    return float((alike * (2 * together + SPREADS) / (spread + SPREADS)).mean())


def _has_weights(part: nn.Module) -> bool:
    return any(True for _ in part.parameters(recurse=False))


def _untrained(trained: Trained) -> Network:
    """Build the model's network with weights drawn anew."""
    key = determinism.entropy(trained.model.seed, "randomisation", trained.model.architecture)
    with torch.random.fork_rng():
        torch.manual_seed(determinism.torch_seed(key))
        network = networks.build(
            trained.architecture.called(trained.model.architecture),
            trained.architecture,
            len(trained.labels.names),
            trained.network.frames,
        )
    return network.to(next(trained.network.parameters()).device)


def _heatmaps(
    trained: Trained,
    network: Network,
    method: Method,
    chosen: np.ndarray,
    labels: torch.Tensor | None = None,
) -> tuple[np.ndarray, torch.Tensor]:
    """Return relevance (n, T, H, W) and the positions of the labels that were explained (n,)."""
    maps, explained = [], []
    for start in range(0, len(chosen), trained.at_once()):
        here = slice(start, start + trained.at_once())
        clips = network.prepare(torch.from_numpy(trained.clips[chosen[here]]))
        choose = trained.choose(chosen[here]) if labels is None else _fixed(labels[here])
        found = method(network, clips, choose)
        maps.append(found.pixels.cpu().numpy())
        explained.append(choose(found.scores).cpu())
    return np.concatenate(maps), torch.cat(explained)


def _fixed(labels: torch.Tensor) -> Choose:
    return lambda scores: labels.to(scores.device)

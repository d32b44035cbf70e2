"""Scores of many clips by a trained network."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from facebias.models.architectures.network import Network, Tail


@torch.inference_mode()
def scores(network: Network | Tail, batches: Iterable[np.ndarray | Tensor]) -> Tensor:
    """Score uint8 clips (n, T, H, W, 3), batch by batch, with the network in evaluation mode.

    The tail of a network gets what its frozen part gave instead, float32 (n, T', F').

    Returns
    -------
    Scores before softmax or sigmoid, float32 (n, outputs), on the CPU.
    """
    network.eval()
    return torch.cat(
        [network(network.prepare(torch.as_tensor(clips))).float().cpu() for clips in batches]
    )


def probabilities(scores: Tensor, kind: str) -> Tensor:
    """Turn scores (n, outputs) into probabilities: softmax of ``classes``, sigmoid of ``units``."""
    return scores.softmax(1) if kind == "classes" else scores.sigmoid()

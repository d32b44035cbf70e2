"""What training makes small, and how right a network is, for classes and for units."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def loss(scores: Tensor, targets: Tensor, *, kind: str, smoothing: float = 0.0) -> Tensor:
    """Mean loss of a batch.

    Parameters
    ----------
    scores
        (N, outputs), before softmax or sigmoid.
    targets
        Classes: int64 (N,). Units: float (N, outputs), NaN where a unit was not annotated: such
        entries count neither for nor against.
    kind
        ``classes``: softmax cross-entropy, labels smoothed by ``smoothing``. ``units``: binary
        cross-entropy of the sigmoid, mean over the entries that are annotated.

    Returns
    -------
    A scalar; 0 if nothing in the batch is annotated.
    """
    if kind == "classes":
        return functional.cross_entropy(scores, targets, label_smoothing=smoothing)
    known = ~targets.isnan()
    every = functional.binary_cross_entropy_with_logits(
        scores, targets.nan_to_num(), reduction="none"
    )
    return (every * known).sum() / known.sum().clamp(min=1)


def correct(scores: Tensor, targets: Tensor, *, kind: str) -> tuple[Tensor, Tensor]:
    """Count right decisions and all decisions: one per sample, or per annotated unit."""
    if kind == "classes":
        return (scores.argmax(1) == targets).sum(), torch.tensor(len(targets))
    known = ~targets.isnan()
    return (((scores > 0) == (targets > 0.5)) & known).sum(), known.sum()

"""What training makes small, and how right a network is, for classes and for units."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def loss(
    scores: Tensor,
    targets: Tensor,
    *,
    kind: str,
    smoothing: float = 0.0,
    average: str = "entries",
) -> Tensor:
    """Mean loss of a batch.

    Parameters
    ----------
    scores
        (N, outputs), before softmax or sigmoid.
    targets
        Classes: int64 (N,). Units: float (N, outputs), NaN where a unit was not annotated: such
        entries count neither for nor against, and their gradient is 0.
    kind
        ``classes``: softmax cross-entropy, labels smoothed by ``smoothing``. ``units``: binary
        cross-entropy of the sigmoid, averaged over the entries that are annotated.
    average
        How the entries of units are averaged, one of ``AVERAGES``.

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
    return AVERAGES[average](every * known, known)


def over_entries(every: Tensor, known: Tensor) -> Tensor:
    """Average over all annotated entries: a unit annotated more often weighs more."""
    return every.sum() / known.sum().clamp(min=1)


def over_units(every: Tensor, known: Tensor) -> Tensor:
    """Average over the annotated entries of each unit, then over the units that have any."""
    annotated = known.sum(0)
    return (every.sum(0) / annotated.clamp(min=1)).sum() / (annotated > 0).sum().clamp(min=1)


# Learning under missing labels without inferring them: entries that are not annotated are 0 in
# `every` and False in `known`, both (N, units).
AVERAGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "entries": over_entries,
    "units": over_units,
}


def correct(scores: Tensor, targets: Tensor, *, kind: str) -> tuple[Tensor, Tensor]:
    """Count right decisions and all decisions: one per sample, or per annotated unit."""
    if kind == "classes":
        return (scores.argmax(1) == targets).sum(), torch.tensor(len(targets))
    known = ~targets.isnan()
    return (((scores > 0) == (targets > 0.5)) & known).sum(), known.sum()

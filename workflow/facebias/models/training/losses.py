"""What training makes small, and how right a network is, for classes and for units."""

from __future__ import annotations

import math
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
    batch: Tensor | None = None,
) -> Tensor:
    """Mean loss of a batch, or what a part of it adds to that.

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
    batch
        Targets of the whole batch, where ``scores`` and ``targets`` are a part of it: the losses of
        all parts add up to that of the batch. None: they are the batch.

    Returns
    -------
    A scalar; 0 if nothing is annotated.
    """
    whole = targets if batch is None else batch
    if kind == "classes":
        mean = functional.cross_entropy(scores, targets, label_smoothing=smoothing)
        return mean * (len(targets) / len(whole))
    known = ~targets.isnan()
    every = functional.binary_cross_entropy_with_logits(
        scores, targets.nan_to_num(), reduction="none"
    )
    return AVERAGES[average](every * known, ~whole.isnan())


def over_entries(every: Tensor, known: Tensor) -> Tensor:
    """Average over all annotated entries: a unit annotated more often weighs more."""
    return every.sum() / known.sum().clamp(min=1)


def over_units(every: Tensor, known: Tensor) -> Tensor:
    """Average over the annotated entries of each unit, then over the units that have any."""
    annotated = known.sum(0)
    return (every.sum(0) / annotated.clamp(min=1)).sum() / (annotated > 0).sum().clamp(min=1)


# Learning under missing labels without inferring them: `every` (n, units) is 0 and `known`
# (N, units) False where an entry is not annotated; `every` may be a part of the batch, `known` is
# that of all of it.
AVERAGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "entries": over_entries,
    "units": over_units,
}


def correct(scores: Tensor, targets: Tensor, *, kind: str) -> tuple[Tensor, Tensor]:
    """Count right decisions and all decisions: one per sample, or per annotated unit."""
    if kind == "classes":
        return (right := (scores.argmax(1) == targets).sum()), torch.full_like(right, len(targets))
    known = ~targets.isnan()
    return (((scores > 0) == (targets > 0.5)) & known).sum(), known.sum()


def macro(scores: Tensor, targets: Tensor, *, kind: str) -> dict[str, float]:
    """Return recall and F1 as means over labels, each of which weighs the same however rare it is.

    Of classes the mean goes over those that any sample has. Recall of a unit is the mean of that of
    samples with it and of samples without it (to find it everywhere would be perfect else), over
    the units of which both are known; F1 goes over the units that any sample has.

    Returns
    -------
    ``macro_recall`` and ``macro_f1``; NaN where there is no such label.
    """
    if kind == "classes":
        known = torch.ones_like(scores, dtype=torch.bool)
        truth = functional.one_hot(targets, scores.shape[1]) > 0
        said = functional.one_hot(scores.argmax(1), scores.shape[1]) > 0
    else:
        known = ~targets.isnan()
        truth, said = targets > 0.5, scores > 0
    cells = (truth & said, truth & ~said, ~truth & said, ~truth & ~said)
    hit, missed, wrong, rest = ((cell & known).sum(0).double() for cell in cells)
    recall = hit / (hit + missed)
    if kind == "units":
        recall = (recall + rest / (rest + wrong)) / 2
    f1 = torch.where(hit + missed > 0, 2 * hit / (2 * hit + missed + wrong), math.nan)
    # Rounded, so that epochs that are equally right are ties.
    return {
        name: round(float(values.nanmean()), 12)
        for name, values in (("macro_recall", recall), ("macro_f1", f1))
    }

"""Trainings that have run away: what is looked at after every epoch, and what to do."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facebias.models.training.precision import Precision
from facebias.study import StudyError

REMEDY = "lower training.learning_rate or set training.gradient_clip (such as 1.0)"


def check_steps(
    losses: Tensor, skipped: Tensor, rates: list[float], *, epoch: int, precision: Precision
) -> None:
    """Look at the steps of an epoch.

    Parameters
    ----------
    losses
        Loss of every step (steps,).
    skipped
        Whether its gradients had overflowed, so that no step was made (steps,).
    rates
        Its learning rate.
    epoch
        Number of the epoch, from 1.
    precision
        Number format of the steps.

    Raises
    ------
    StudyError
        If every step was skipped, or the loss of one that was made is not finite.
    """
    if skipped.all():
        raise StudyError(
            f"training: in epoch {epoch} all {len(losses)} steps overflowed in {precision.name} "
            "and were skipped; set training.precision: fp32 (or bf16, where the GPU has it)"
        )
    lost = (~losses.isfinite() & ~skipped).nonzero()
    if len(lost):
        step = int(lost[0])
        raise StudyError(
            f"training: the loss is {losses[step]:g} in epoch {epoch}, step {step + 1} of "
            f"{len(losses)}, at learning rate {rates[step]:.3g}; {_remedy(precision)}"
        )


def check_weights(network: nn.Module, *, epoch: int, precision: Precision) -> None:
    """Look at weights and batch statistics after an epoch.

    Raises
    ------
    StudyError
        If one of them is not finite.
    """
    values = {
        name: value for name, value in network.state_dict().items() if value.is_floating_point()
    }
    # One look for all of them: each would make a GPU wait.
    finite = torch.stack([value.isfinite().all() for value in values.values()]).tolist()
    if not all(finite):
        raise StudyError(
            f"training: {list(values)[finite.index(False)]} is not finite after epoch {epoch}; "
            f"{_remedy(precision)}"
        )


def _remedy(precision: Precision) -> str:
    return f"set training.precision: fp32, or {REMEDY}" if precision.scaled else REMEDY

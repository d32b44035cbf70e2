"""The training loop. It reads from top to bottom: ``fit``, an epoch, the choice of the best."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from facebias import progress
from facebias.architectures import inference, inputs
from facebias.architectures.network import Network, Tail
from facebias.cohort import Reader
from facebias.study import StudyError, Training
from facebias.training import augmentation, losses
from facebias.training.checkpoint import Checkpoint
from facebias.training.interruption import Interrupted, Interruption
from facebias.training.precision import Precision
from facebias.training.schedules import SCHEDULES
from facebias.training.state import Epoch, State

# What is known of the validation samples after every epoch, by the names of ``tables.HISTORY``.
VALIDATED = tuple(f"validation_{name}" for name in ("loss", "accuracy", "macro_recall", "macro_f1"))


@dataclasses.dataclass(frozen=True)
class Examples:
    """Clips and what is to be learned of them (``cohort.targets``).

    ``frozen``: instead of pixels, ``clips`` gives what the frozen part of the network makes of them
    (``features.store``).
    """

    clips: Reader
    targets: np.ndarray
    frozen: bool = False


def fit(
    network: Network,
    train: Examples,
    validation: Examples,
    *,
    training: Training,
    kind: str,
    precision: Precision,
    key: list[int],
    checkpoint: Checkpoint,
    interruption: Interruption,
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train ``network`` by stochastic gradient descent and pick its best epoch.

    Parameters
    ----------
    network
        On the device that trains; left with the weights of the last epoch.
    train, validation
        The examples. Without validation examples the last epoch is taken.
    training
        The settings.
    kind
        ``classes`` or ``units``.
    precision
        Number format of the forward and backward pass; validation runs in the same one.
    key
        Entropy of the random stream: order of the clips, augmentation, dropout.
    checkpoint
        Where training goes on from, if it stopped on the way; written after every epoch.
    interruption
        Looked at before every step and every batch of validation clips.

    Returns
    -------
    The weights of the best epoch, and the rows of a ``tables.HISTORY`` table.

    Raises
    ------
    StudyError
        If the loss is not finite, or there are fewer than two clips to train on.
    Interrupted
        If a signal has come; the checkpoint then holds all steps done.
    """
    if len(train.clips) < 2:
        raise StudyError(f"training: {len(train.clips)} clips to train on; at least 2 are needed")
    trained = [weights for weights in network.parameters() if weights.requires_grad]
    optimiser = torch.optim.SGD(
        trained,
        lr=training.learning_rate,
        momentum=training.momentum,
        weight_decay=training.weight_decay,
        nesterov=training.nesterov,
    )
    state = State(network, optimiser, precision.scaler())
    saved = checkpoint.load()
    if saved is None:
        # A disk that cannot be written to is to be known now, not after the first epoch.
        checkpoint.save(state.plain())
    else:
        state.resume(saved)
    epochs = range(len(state.history), training.epochs)
    try:
        for number in progress.track(epochs, total=len(epochs), what="train", unit="epochs"):
            if state.epoch is None:
                state.epoch = Epoch.begin(len(train.clips), number=number, key=key)
            row = {"epoch": number + 1}
            row |= _train(state, train, training, kind, precision, interruption)
            row |= _validate(network, validation, training, kind, precision, interruption)
            row["best"] = _better(row, state.history, training.select)
            if row["best"]:
                for earlier in state.history:
                    earlier["best"] = False
                state.best = copy.deepcopy(network.state_dict())
            state.history.append(row)
            state.epoch = None
            checkpoint.save(state.plain())
    except Interrupted as stop:
        checkpoint.save(state.plain())
        raise Interrupted(f"stopped by {stop} in {_place(state, training)}") from None
    return state.best, pd.DataFrame(state.history)


def _place(state: State, training: Training) -> str:
    """Say how far the epoch under way has come."""
    steps = len(even_batches(state.epoch.order, training.batch_size))
    return f"epoch {len(state.history) + 1}, step {len(state.epoch.record)} of {steps}"


def _train(
    state: State,
    train: Examples,
    training: Training,
    kind: str,
    precision: Precision,
    interruption: Interruption,
) -> dict[str, float]:
    """Go through the training clips once, or through those of the epoch that are left."""
    network, optimiser, scaler = state.network, state.optimiser, state.scaler
    device = precision.device
    epoch, record = state.epoch, state.epoch.record
    batches = even_batches(epoch.order, training.batch_size)
    first, total = len(state.history) * len(batches), training.epochs * len(batches)
    rates = [
        training.learning_rate * SCHEDULES[training.schedule](first + step, total)
        for step in range(len(batches))
    ]
    model = _model(network, train)
    model.train()
    for batch in interruption.before(batches[len(record) :]):
        for group in optimiser.param_groups:
            group["lr"] = rates[len(record)]
        clips = torch.from_numpy(train.clips[batch])
        if train.frozen:
            clips = model.prepare(clips)
        else:
            clips = inputs.images(clips, network.input_size, device)
            changes = augmentation.draw(len(batch), training.augmentation, epoch.random)
            clips = network.convention.normalise(augmentation.apply(clips, changes))
        targets = torch.from_numpy(train.targets[batch]).to(device)
        with precision.autocast():
            scores = model(clips)
        scores = scores.float()
        loss = losses.loss(
            scores,
            targets,
            kind=kind,
            smoothing=training.label_smoothing,
            average=training.loss_average,
        )
        optimiser.zero_grad()
        scaler.scale(loss).backward()
        if training.gradient_clip is not None:
            scaler.unscale_(optimiser)
            torch.nn.utils.clip_grad_norm_(network.parameters(), training.gradient_clip)
        scaler.step(optimiser)
        scaler.update()
        record.append(_count(scores.detach(), targets, loss.detach(), kind))
    # Looked at once per epoch: asking every step would make a GPU wait.
    counted = torch.stack(record).cpu()
    lost = counted[:, 0].isfinite().logical_not().nonzero()
    if len(lost):
        step = int(lost[0])
        raise StudyError(
            f"training: the loss is {counted[step, 0]:g} in epoch {len(state.history) + 1}, step "
            f"{step + 1} of {len(batches)}, at learning rate {rates[step]:.3g}; lower "
            "training.learning_rate or set training.gradient_clip (such as 1.0)"
        )
    return {"learning_rate": rates[-1], **_means(counted, "train")}


def _model(network: Network, examples: Examples) -> Network | Tail:
    """Give what turns the clips of ``examples`` into scores."""
    return Tail(network) if examples.frozen else network


def _validate(
    network: Network,
    examples: Examples,
    training: Training,
    kind: str,
    precision: Precision,
    interruption: Interruption,
) -> dict[str, float]:
    """Score the validation clips; NaN where there are none."""
    if not len(examples.clips):
        return dict.fromkeys(VALIDATED, math.nan)
    batches = interruption.before(examples.clips.batches(training.batch_size))
    with precision.autocast():
        scores = inference.scores(_model(network, examples), batches)
    targets = torch.from_numpy(examples.targets)
    loss = losses.loss(scores, targets, kind=kind, average=training.loss_average)
    found = losses.macro(scores, targets, kind=kind)
    counted = _count(scores, targets, loss, kind)[None]
    return _means(counted, "validation") | {f"validation_{name}": found[name] for name in found}


def _count(scores: Tensor, targets: Tensor, loss: Tensor, kind: str) -> Tensor:
    """Give loss, number of clips, right decisions and decisions of a batch as one small tensor."""
    right, decisions = losses.correct(scores, targets, kind=kind)
    values = (loss, torch.tensor(len(scores)), right, decisions)
    return torch.stack([value.to(scores.device, torch.float64) for value in values])


def _means(counted: Tensor, part: str) -> dict[str, float]:
    loss, clips, right, decisions = counted.T
    return {
        f"{part}_loss": float((loss * clips).sum() / clips.sum()),
        f"{part}_accuracy": float(right.sum() / decisions.sum()),
    }


def even_batches(order: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut ``order`` into as few batches of ``size`` as there can be, as even as they can be.

    No clip is dropped, and no small batch is left at the end: batch norms would learn from it as
    much as from a full one, and fail on a single clip. (In pairs, the odd clip makes a three.)
    """
    number = math.ceil(len(order) / size)
    if size > 1:
        number = min(number, max(1, len(order) // 2))
    return np.array_split(order, number)


def _better(row: dict[str, Any], history: list[dict[str, Any]], select: str) -> bool:
    """Tell whether an epoch beats all before it; ties go to the lower loss, then to the earlier."""
    if not history:
        return True
    best = next(earlier for earlier in history if earlier["best"])
    if math.isnan(best["validation_loss"]):
        return True
    # Scores that overflowed say nothing for an epoch.
    if math.isnan(row["validation_loss"]):
        return False
    return _rank(row, select) > _rank(best, select)


def _rank(row: dict[str, Any], select: str) -> tuple[float, ...]:
    loss = -row["validation_loss"]
    if select == "loss":
        return (loss,)
    value = row[f"validation_{select}"]
    # Of validation samples without any label there is none, in no epoch: the loss decides.
    return (-math.inf if math.isnan(value) else value, loss)

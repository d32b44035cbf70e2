"""The training loop. It reads from top to bottom: ``fit``, an epoch, the choice of the best."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from facebias.core import progress
from facebias.data.cohort import Reader
from facebias.models.architectures import inference, inputs
from facebias.models.architectures.network import Network, Tail
from facebias.models.training import augmentation, divergence, feeding, losses
from facebias.models.training.interruption import Interrupted, Interruption
from facebias.models.training.precision import Precision, overflowed
from facebias.models.training.saving import Place, Saver
from facebias.models.training.schedules import SCHEDULES
from facebias.models.training.state import Epoch, State, ended
from facebias.study import StudyError, Training

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


@dataclasses.dataclass(frozen=True)
class Task:
    """What is learned, and how. ``kind`` is ``classes`` or ``units``."""

    train: Examples
    training: Training
    kind: str
    precision: Precision


def fit(
    network: Network,
    train: Examples,
    validation: Examples,
    *,
    training: Training,
    kind: str,
    precision: Precision,
    key: list[int],
    checkpoint: Place,
    interruption: Interruption,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train ``network`` by stochastic gradient descent and pick its best epoch.

    Parameters
    ----------
    network
        On the device that trains, where it is changed.
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
        Where training goes on from, if it stopped on the way; written at the start, for a
        signal, and after an epoch if time enough has passed (``saving``).
    interruption
        Looked at before every step and every batch of validation clips.
    clock
        Seconds, which decide when the checkpoint is written and nothing else.

    Returns
    -------
    The weights of the best epoch, and the rows of a ``tables.HISTORY`` table.

    Raises
    ------
    StudyError
        If the loss or the weights are not finite, every step of an epoch overflowed, or there are
        fewer than two clips to train on.
    Interrupted
        If a signal has come; the checkpoint then holds all steps done.
    """
    if len(train.clips) < 2:
        raise StudyError(f"training: {len(train.clips)} clips to train on; at least 2 are needed")
    weights = [each for each in network.parameters() if each.requires_grad]
    task = Task(train, training, kind, precision)
    state = State(network, precision.optimiser(weights, training), precision.scaler())
    saver = Saver(checkpoint, clock=clock)
    saved = saver.load()
    if saved is None:
        # A disk that cannot be written to is to be known now, not after the first epoch.
        saver.save(state.plain())
    else:
        state.resume(saved)
    epochs = range(len(state.history), training.epochs)
    try:
        for number in progress.track(epochs, total=len(epochs), what="train", unit="epochs"):
            if state.epoch is None:
                state.epoch = Epoch.begin(len(train.clips), number=number, key=key)
            row = {"epoch": number + 1}
            row |= _train(state, task, interruption)
            row |= _validate(network, validation, training, kind, precision, interruption)
            row["best"] = _better(row, state.history, training.select)
            if row["best"]:
                for earlier in state.history:
                    earlier["best"] = False
                state.best = copy.deepcopy(network.state_dict())
            state.history.append(row)
            state.epoch = None
            if len(state.history) < training.epochs:
                saver.save_if_due(state.plain())
    except Interrupted as stop:
        saver.save(state.plain())
        raise Interrupted(f"stopped by {stop} in {_place(state, training)}") from None
    saver.save_if_due(ended(state.history, state.best))
    return state.best, pd.DataFrame(state.history)


def _place(state: State, training: Training) -> str:
    """Say how far the epoch under way has come."""
    steps = len(even_batches(state.epoch.order, training.batch_size))
    return f"epoch {len(state.history) + 1}, step {len(state.epoch.record)} of {steps}"


def _train(state: State, task: Task, interruption: Interruption) -> dict[str, float]:
    """Go through the training clips once, or through those of the epoch that are left."""
    training, record, epoch = task.training, state.epoch.record, len(state.history)
    batches = even_batches(state.epoch.order, training.batch_size)
    first, total = epoch * len(batches), training.epochs * len(batches)
    rates = [
        training.learning_rate * SCHEDULES[training.schedule](first + step, total)
        for step in range(len(batches))
    ]
    _model(state.network, task.train).train()
    left = batches[len(record) :]
    arrays = (task.train.clips[batch] for batch in left)
    with feeding.ahead(arrays, task.precision.device) as read:
        for batch, clips in interruption.before(zip(left, read, strict=True)):
            for group in state.optimiser.param_groups:
                group["lr"] = rates[len(record)]
            record.append(_step(state, task, batch, clips))
    # Looked at once per epoch: asking every step would make a GPU wait.
    counted, skipped = torch.stack(record).cpu().split([4, 1], dim=1)
    skipped = skipped[:, 0] > 0
    found = {"epoch": epoch + 1, "precision": task.precision}
    divergence.check_steps(counted[:, 0], skipped, rates, **found)
    divergence.check_weights(state.network, **found)
    means = _means(counted[~skipped], "train")
    return {"learning_rate": rates[-1], "skipped_steps": int(skipped.sum()), **means}


def _step(state: State, task: Task, batch: np.ndarray, clips: Tensor) -> Tensor:
    """Take a step and count it (loss, clips, right decisions, decisions, skipped or not).

    Nothing here waits for the device: it has work all the time.
    """
    clips, targets = _on_device(state, task, batch, clips)
    state.optimiser.zero_grad()
    statistics = list(state.network.buffers()) if state.scaler.is_enabled() else []
    before = [each.clone() for each in statistics]
    scores, loss = _backward(state, task, clips, targets)
    skipped = _update(state, task.training)
    # What overflows on the way forward would stay in the statistics of batch norms for ever.
    for now, earlier in zip(statistics, before, strict=True):
        now.copy_(torch.where(skipped > 0, earlier, now))
    counted = _count(scores, targets, loss, task.kind)
    return torch.cat([counted, skipped.double()[None]])


def _on_device(state: State, task: Task, batch: np.ndarray, clips: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the model gets of a batch, changed at random, and what it is to learn of it."""
    network, device = state.network, task.precision.device
    small = {"targets": task.train.targets[batch]}
    if task.train.frozen:
        return Tail(network).prepare(clips), feeding.send(small, device)["targets"]
    changes = augmentation.draw(len(batch), task.training.augmentation, state.epoch.random)
    sent = feeding.send(small | changes.parameters(), device)
    targets = sent.pop("targets")
    images = inputs.images(clips, network.input_size, device)
    return network.convention.normalise(augmentation.apply(images, **sent)), targets


def _backward(state: State, task: Task, clips: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Add up the gradients of a batch, ``micro_batch`` clips at a time; return scores and loss."""
    model, training = _model(state.network, task.train), task.training
    scores, parts = [], []
    for part in even_batches(np.arange(len(clips)), training.micro_batch or len(clips)):
        here = slice(part[0], part[-1] + 1)
        with task.precision.autocast():
            found = model(clips[here])
        found = found.float()
        loss = losses.loss(
            found,
            targets[here],
            kind=task.kind,
            smoothing=training.label_smoothing,
            average=training.loss_average,
            batch=targets,
        )
        state.scaler.scale(loss).backward()
        scores.append(found.detach())
        parts.append(loss.detach())
    return torch.cat(scores), torch.stack(parts).sum()


def _update(state: State, training: Training) -> Tensor:
    """Take a step along the gradients; tell whether it was skipped (1) or not (0)."""
    if training.gradient_clip is not None:
        state.scaler.unscale_(state.optimiser)
        torch.nn.utils.clip_grad_norm_(state.network.parameters(), training.gradient_clip)
    state.scaler.step(state.optimiser)
    skipped = overflowed(state.scaler, state.optimiser)
    state.scaler.update()
    return skipped


def _model(network: Network, examples: Examples) -> Network | Tail:
    """Return what turns the clips of ``examples`` into scores."""
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
    batches = examples.clips.batches(training.batch_size)
    with feeding.ahead(batches, precision.device) as read, precision.autocast():
        scores = inference.scores(_model(network, examples), interruption.before(read))
    targets = torch.from_numpy(examples.targets)
    loss = losses.loss(scores, targets, kind=kind, average=training.loss_average)
    found = losses.macro(scores, targets, kind=kind)
    counted = _count(scores, targets, loss, kind)[None]
    return _means(counted, "validation") | {f"validation_{name}": found[name] for name in found}


def _count(scores: Tensor, targets: Tensor, loss: Tensor, kind: str) -> Tensor:
    """Return loss, clips, right decisions and decisions of a batch as one small tensor."""
    right, decisions = losses.correct(scores, targets, kind=kind)
    values = (loss, loss.new_full((), len(scores)), right, decisions)
    return torch.stack([value.double() for value in values])


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

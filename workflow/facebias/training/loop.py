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

from facebias import determinism, progress, tables
from facebias.architectures import inference, inputs
from facebias.architectures.network import Network
from facebias.cohort import Reader
from facebias.study import StudyError, Training
from facebias.training import augmentation, losses
from facebias.training.checkpoint import Checkpoint
from facebias.training.precision import Precision
from facebias.training.schedules import SCHEDULES


@dataclasses.dataclass(frozen=True)
class Examples:
    """Clips and what is to be learned of them (``cohort.targets``)."""

    clips: Reader
    targets: np.ndarray


@dataclasses.dataclass
class Fit:
    """A training under way."""

    network: Network
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    history: list[dict[str, Any]]
    best: dict[str, Tensor]

    def state(self) -> dict[str, Any]:
        """Everything that the next epoch depends on; its random numbers follow from its number."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "history": self.history,
            "best": self.best,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.history, self.best = state["history"], state["best"]


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
        Where training goes on from, if it stopped on the way.

    Returns
    -------
    The weights of the best epoch, and a ``tables.HISTORY`` table.

    Raises
    ------
    StudyError
        If the loss is not finite, or there are fewer than two clips to train on.
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
    state = Fit(network, optimiser, precision.scaler(), history=[], best={})
    saved = checkpoint.load()
    if saved is not None:
        state.resume(saved)
    epochs = range(len(state.history), training.epochs)
    for epoch in progress.track(epochs, total=len(epochs), what="train", unit="epochs"):
        row = {"epoch": epoch + 1}
        row |= _train(state, train, epoch, training, kind, precision, key)
        row |= _validate(network, validation, training, kind, precision)
        if _better(row, state.history, training.select):
            for earlier in state.history:
                earlier["best"] = False
            row["best"] = True
            state.best = copy.deepcopy(network.state_dict())
        else:
            row["best"] = False
        state.history.append(row)
        checkpoint.save(state.state())
    return state.best, tables.check(pd.DataFrame(state.history), tables.HISTORY)


def _train(
    state: Fit,
    train: Examples,
    epoch: int,
    training: Training,
    kind: str,
    precision: Precision,
    key: list[int],
) -> dict[str, float]:
    """Go through the training clips once."""
    network, optimiser, scaler = state.network, state.optimiser, state.scaler
    device = precision.device
    random = np.random.default_rng(np.random.SeedSequence(key, spawn_key=(epoch,)))
    torch.manual_seed(determinism.torch_seed(key, epoch, 0))
    batches = even_batches(random.permutation(len(train.clips)), training.batch_size)
    first, total = epoch * len(batches), training.epochs * len(batches)
    record = []
    network.train()
    for step, batch in enumerate(batches):
        rate = training.learning_rate * SCHEDULES[training.schedule](first + step, total)
        for group in optimiser.param_groups:
            group["lr"] = rate
        clips = inputs.images(torch.from_numpy(train.clips[batch]), network.input_size, device)
        changes = augmentation.draw(len(batch), training.augmentation, random)
        clips = network.convention.normalise(augmentation.apply(clips, changes))
        targets = torch.from_numpy(train.targets[batch]).to(device)
        with precision.autocast():
            scores = network(clips)
        scores = scores.float()
        loss = losses.loss(scores, targets, kind=kind, smoothing=training.label_smoothing)
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
        rate = training.learning_rate * SCHEDULES[training.schedule](first + step, total)
        raise StudyError(
            f"training: the loss is {counted[step, 0]:g} in epoch {epoch + 1}, step {step + 1} of "
            f"{len(batches)}, at learning rate {rate:.3g}; lower training.learning_rate or set "
            "training.gradient_clip (such as 1.0)"
        )
    return {"learning_rate": rate, **_means(counted, "train")}


def _validate(
    network: Network, examples: Examples, training: Training, kind: str, precision: Precision
) -> dict[str, float]:
    """Score the validation clips; NaN where there are none."""
    if not len(examples.clips):
        return {"validation_loss": math.nan, "validation_accuracy": math.nan}
    with precision.autocast():
        scores = inference.scores(network, examples.clips.batches(training.batch_size))
    targets = torch.from_numpy(examples.targets)
    loss = losses.loss(scores, targets, kind=kind)
    return _means(_count(scores, targets, loss, kind)[None], "validation")


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
    if not history or math.isnan(row["validation_loss"]):
        return True
    best = next(earlier for earlier in history if earlier["best"])
    return _rank(row, select) > _rank(best, select)


def _rank(row: dict[str, Any], select: str) -> tuple[float, ...]:
    loss = -row["validation_loss"]
    return (row["validation_accuracy"], loss) if select == "accuracy" else (loss,)

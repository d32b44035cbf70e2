"""Everything that the next step of a training depends on, as one thing.

The position of the learning rate's schedule is the number of steps done: those of the epochs in
``history`` and those in ``record``.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facebias.models import determinism
from facebias.models.architectures.network import Network


@dataclasses.dataclass
class Epoch:
    """One way through the training clips.

    Attributes
    ----------
    order
        Positions of the clips, in the order in which they are taken.
    random
        Draws the augmentation.
    record
        What was counted in each step done, on the device that trains.
    """

    order: np.ndarray
    random: np.random.Generator
    record: list[Tensor]

    @classmethod
    def begin(cls, n: int, *, number: int, key: list[int]) -> Epoch:
        """Shuffle ``n`` clips and start the random streams of epoch ``number`` (from 0)."""
        random = np.random.default_rng(np.random.SeedSequence(key, spawn_key=(number,)))
        torch.manual_seed(determinism.torch_seed(key, number, 0))
        return cls(order=random.permutation(n), random=random, record=[])


@dataclasses.dataclass
class State:
    """A training under way.

    Attributes
    ----------
    network, optimiser, scaler
        What is trained and what trains it.
    history
        Rows of ``tables.HISTORY``, one per epoch done.
    best
        The weights of the best of these epochs.
    epoch
        The one under way; None between two.
    """

    network: Network
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    best: dict[str, Tensor] = dataclasses.field(default_factory=dict)
    epoch: Epoch | None = None

    def plain(self) -> dict[str, Any]:
        """Return the state, random numbers included, as tensors and plain values."""
        return ended(self.history, self.best) | {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "epoch": None if self.epoch is None else _plain(self.epoch),
            "random": {"cpu": torch.get_rng_state()} | self._random_of_gpu(),
        }

    def resume(self, plain: dict[str, Any]) -> None:
        """Go on from what ``plain`` gave, or ``ended``."""
        self.history, self.best = plain["history"], plain["best"]
        if "network" not in plain:
            return
        self.network.load_state_dict(plain["network"])
        self.optimiser.load_state_dict(plain["optimiser"])
        self.scaler.load_state_dict(plain["scaler"])
        self.epoch = None if plain["epoch"] is None else _epoch(plain["epoch"], self._device)
        torch.set_rng_state(plain["random"]["cpu"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(plain["random"]["cuda"], self._device)

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device

    def _random_of_gpu(self) -> dict[str, Tensor]:
        on_gpu = self._device.type == "cuda"
        return {"cuda": torch.cuda.get_rng_state(self._device)} if on_gpu else {}


def ended(history: list[dict[str, Any]], best: dict[str, Tensor]) -> dict[str, Any]:
    """Return the state of a training that no step follows; ``best_epoch`` is that of ``best``."""
    epoch = next((row["epoch"] for row in history if row["best"]), None)
    return {"history": history, "best": best, "best_epoch": epoch}


def _plain(epoch: Epoch) -> dict[str, Any]:
    return {
        "order": torch.from_numpy(epoch.order),
        "random": epoch.random.bit_generator.state,
        "record": torch.stack(epoch.record) if epoch.record else torch.empty(0),
    }


def _epoch(plain: dict[str, Any], device: torch.device) -> Epoch:
    random = np.random.default_rng()
    random.bit_generator.state = plain["random"]
    return Epoch(plain["order"].numpy(), random, list(plain["record"].to(device)))

"""Trainings of a second on a made study, for the tests of training."""

from __future__ import annotations

from typing import Any

import pandas as pd
import synthetic
import torch
from torch import Tensor

from facebias import study, tables
from facebias.clips.store import open_clips
from facebias.data import cohort, splits
from facebias.data.cohort import Model
from facebias.models.architectures import network as networks
from facebias.models.architectures.network import Network
from facebias.models.training import loop, precision
from facebias.models.training.interruption import Interruption
from facebias.models.training.loop import Examples
from facebias.models.training.precision import Precision


class Nowhere:
    """A checkpoint that keeps nothing."""

    def load(self) -> None:
        """Find nothing."""

    def save(self, state: dict[str, Any]) -> None:
        """Forget ``state``."""


def small(**changes: Any) -> study.Architecture:
    """Return the settings of the smallest network."""
    return synthetic.architecture(**({"width": 0.25, "head": "mean"} | changes))


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Tell whether two state dicts hold the same bits."""
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def examples(
    made: synthetic.Made, architecture: study.Architecture, role: str, *, most: int | None = None
) -> Examples:
    """Return the examples of one role, or the first ones."""
    store = open_clips(made.index)
    rows = cohort.members(
        tables.read(made.manifest, tables.MANIFEST),
        splits.read(made.splits),
        store,
        model=Model("cnn3d", "regular", 0, 1),
        role=role,
    )
    rows = rows.head(most or len(rows))
    reader = cohort.Reader(store, rows["sample"].tolist(), frames=architecture.frames)
    return Examples(reader, cohort.targets(rows, synthetic.labels()))


def unvalidated(
    network: Network,
    train: Examples,
    training: study.Training,
    precise: Precision | None = None,
) -> None:
    """Train a network where it is, in 32 bits if no format is given, without validation."""
    loop.fit(
        network,
        train,
        Examples(cohort.Reader(None, [], frames=None), train.targets[:0], train.frozen),
        training=training,
        kind="classes",
        precision=precise or precision.choose("fp32", torch.device("cpu")),
        key=[1, 0],
        checkpoint=Nowhere(),
        interruption=Interruption(),
    )


def fit(
    made: synthetic.Made,
    architecture: study.Architecture,
    *,
    seed: int = 1,
    name: str = "cnn3d",
    validated: bool = True,
    checkpoint: Any = None,
    interruption: Interruption | None = None,
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train a fresh network."""
    torch.manual_seed(seed)
    network = networks.build(name, architecture, 4, 2)
    validation = examples(made, architecture, "validation")
    if not validated:
        nobody = cohort.Reader(open_clips(made.index), [], frames=None)
        validation = Examples(nobody, validation.targets[:0])
    return loop.fit(
        network,
        examples(made, architecture, "train"),
        validation,
        training=architecture.training,
        kind="classes",
        precision=precision.choose("fp32", torch.device("cpu")),
        key=[seed, 0],
        checkpoint=checkpoint or Nowhere(),
        interruption=interruption or Interruption(),
    )

"""Who takes part in one model, in which role, and what is true of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pandas as pd

from facebias.data import splits
from facebias.stages.models import OfModel
from facebias.study import Backbone, Labels, StudyError

# For each of the clips that train and that validate: with the pictures of a batch, as numbers of 32
# bits, a training of study A stays under 2 GB beside its network.
HELD_IN_MEMORY = 256 * 1024**2


class Clips(Protocol):
    """What is asked of a store of clips (``clips.store``)."""

    samples: list[str]

    def read(self, samples: list[str], frames: int | None = None) -> np.ndarray:
        """Return uint8 clips (n, T, H, W, 3)."""


@dataclasses.dataclass(frozen=True)
class Model:
    """One trained model: an architecture on one train split, fold and seed."""

    architecture: str
    train_split: str
    fold: int
    seed: int

    @classmethod
    def of(cls, given: OfModel) -> Model:
        """Take the model that a job is of."""
        return cls(given.architecture, given.train_split, given.fold, given.seed)


def members(
    manifest: pd.DataFrame, roles: pd.DataFrame, store: Clips, *, model: Model, role: str
) -> pd.DataFrame:
    """List the samples that ``role`` gives to a model, in the manifest's order.

    Parameters
    ----------
    manifest
        A ``tables.MANIFEST`` table.
    roles
        A ``tables.SPLITS`` table.
    store
        The clips; samples without one (left out) are skipped.
    model
        Whose role: its train split, fold and seed.
    role
        ``train``, ``validation`` or ``test``.

    Returns
    -------
    Those rows of the manifest.

    Raises
    ------
    StudyError
        If the splits do not know the model's train split, fold and seed.
    """
    subjects = splits.subjects_of(
        roles, train_split=model.train_split, fold=model.fold, seed=model.seed, role=role
    )
    known = roles[["train_split", "fold", "seed"]].drop_duplicates()
    if (model.train_split, model.fold, model.seed) not in set(
        known.itertuples(index=False, name=None)
    ):
        raise StudyError(
            f"splits: nothing for train split {model.train_split!r}, fold {model.fold}, "
            f"seed {model.seed}; there are {', '.join(sorted(set(known['train_split'])))}, "
            f"folds {sorted(set(known['fold']))}, seeds {sorted(set(known['seed']))}"
        )
    chosen = manifest["subject"].isin(subjects) & manifest["sample"].isin(set(store.samples))
    return manifest[chosen].reset_index(drop=True)


def targets(rows: pd.DataFrame, labels: Labels) -> np.ndarray:
    """Return what is to be learned of every row of a manifest.

    Returns
    -------
    Classes: int64 (n,), positions in ``labels.names``. Units: float32 (n, units), 1, 0 or NaN
    where a unit was not annotated.

    Raises
    ------
    StudyError
        If a label column is missing, or a sample carries a label that is not trained.
    """
    if labels.kind == "units":
        columns = [f"label_{name}" for name in labels.names]
        missing = [column for column in columns if column not in rows.columns]
        if missing:
            raise StudyError(
                f"manifest: column {', '.join(missing)} is missing; labels.names asks for it"
            )
        # A copy: torch takes no array that only views a table.
        return rows[columns].to_numpy(dtype=np.float32, copy=True)
    if "label" not in rows.columns:
        raise StudyError("manifest: column label is missing; labels.kind classes needs it")
    codes = pd.Index(labels.names).get_indexer(rows["label"])
    if (codes < 0).any():
        row = rows.iloc[int(np.argmax(codes < 0))]
        raise StudyError(
            f"manifest: sample {row['sample']} has label {row['label']!r}; "
            f"labels.names has {', '.join(labels.names)}"
        )
    return codes.astype(np.int64)


def frames(store: Clips, backbone: Backbone) -> int:
    """Return how many frames of a clip an architecture sees."""
    return Reader(store, store.samples[:1], frames=backbone.frames).shape[0]


class Reader:
    """The clips of some samples: held in memory if they are small, else read batch by batch."""

    def __init__(
        self, store: Clips, samples: list[str], *, frames: int | None, limit: int = HELD_IN_MEMORY
    ):
        self._store, self._samples, self._frames = store, samples, frames
        self._held: np.ndarray | None = None
        if samples:
            one = store.read(samples[:1], frames)
            self.shape = one.shape[1:]
            if one.nbytes * len(samples) <= limit:
                self._held = store.read(samples, frames)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        """Return the uint8 clips (n, T, H, W, 3) at the given positions, in that order."""
        if self._held is not None:
            return self._held[positions]
        return self._store.read([self._samples[position] for position in positions], self._frames)

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """Yield all clips in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self[np.arange(start, min(start + size, len(self)))]

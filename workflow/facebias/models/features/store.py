"""Features on disk: one memory-mapped array and one index.

``features/{architecture}.parquet`` (``tables.FEATURES``) says for every sample which row of
``features/{architecture}.npy`` is its own: float32 (samples, frames left, values).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import tables
from facebias.study import StudyError


class FeatureStore:
    """What the frozen part of a network makes of each clip.

    It is read like a ``clips.store.ClipStore``, so that training and prediction see no difference.

    Attributes
    ----------
    samples
        Samples that have features, in the order of the rows.
    """

    def __init__(self, index: pd.DataFrame, array: np.ndarray):
        self.samples: list[str] = index["sample"].tolist()
        self._rows = index.set_index("sample")["row"]
        self._array = array

    def read(self, samples: Sequence[str], frames: int | None = None) -> np.ndarray:
        """Read features, float32 (samples, frames left, values), in the order asked for.

        Parameters
        ----------
        samples
            Which; in any order.
        frames
            None: the frames were chosen when the features were computed.

        Raises
        ------
        StudyError
            If a sample has none.
        """
        unknown = [sample for sample in samples if sample not in self._rows.index]
        if unknown:
            raise StudyError(
                f"features: none of sample {unknown[0]!r} (and {len(unknown) - 1} more); "
                "compute them again"
            )
        return np.array(self._array[self._rows.loc[list(samples)].to_numpy()])


def open_features(index: Path) -> FeatureStore:
    """Open the features beside their index, ``features/{architecture}.parquet``.

    Raises
    ------
    StudyError
        If there is no array, or it has another number of rows than the index.
    """
    table, path = tables.read(index, tables.FEATURES), index.with_suffix(".npy")
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise StudyError(f"{path}: no readable features ({error}); compute them again") from None
    if len(array) != len(table):
        raise StudyError(
            f"{path}: {len(array)} rows, {index} has {len(table)}; compute the features again"
        )
    return FeatureStore(table, array)

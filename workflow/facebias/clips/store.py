"""Clips on disk: one large uint8 array per shard, memory-mapped, and one index.

``clips/index.parquet`` (``tables.CLIPS``) says for every sample in which shard and row its clip is.
``clips/shard-III.npy`` holds (clips, frames, side, side, 3), RGB, 0 to 255.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from facebias import tables
from facebias.core.replacement import replacing
from facebias.study import StudyError


def shard_name(shard: int) -> str:
    """File name of the array of a shard, without its ending."""
    return f"shard-{shard:03d}"


class ShardWriter:
    """Appends clips to a shard's array, so that the whole never sits in memory."""

    def __init__(self, file: BinaryIO, shape: tuple[int, ...]):
        self.rows = 0
        self._file = file
        self._shape = shape
        self._write_header()

    def append(self, clip: np.ndarray) -> int:
        """Write one clip, uint8 of the shard's shape; return its row."""
        if clip.shape != self._shape or clip.dtype != np.uint8:
            raise ValueError(f"clip is {clip.dtype} {clip.shape}, expected uint8 {self._shape}")
        self._file.write(np.ascontiguousarray(clip).data)
        self.rows += 1
        return self.rows - 1

    def finish(self) -> None:
        """Write the number of rows into the head of the file."""
        end = self._file.tell()
        self._file.seek(0)
        # NumPy pads the head so that the first axis can grow in place.
        self._write_header()
        self._file.seek(end)

    def _write_header(self) -> None:
        np.lib.format.write_array_header_1_0(
            self._file,
            {"descr": "|u1", "fortran_order": False, "shape": (self.rows, *self._shape)},
        )


@contextlib.contextmanager
def writing(path: Path | str, *, frames: int, side: int) -> Iterator[ShardWriter]:
    """Open a shard for writing; the file appears under its name only when all went well."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        writer = ShardWriter(file, (frames, side, side, 3))
        yield writer
        writer.finish()


class ClipStore:
    """The clips of a study, read from the memory-mapped shards beside the index.

    Attributes
    ----------
    index
        ``tables.CLIPS``, indexed by sample.
    samples
        Samples that have a clip, in the order of the index.
    """

    def __init__(self, index: pd.DataFrame, folder: Path):
        self.index = index
        self.samples: list[str] = list(index.index[index["row"] >= 0])
        self._folder = folder
        self._shards: dict[int, np.ndarray] = {}

    def read(self, samples: Sequence[str], frames: int | None = None) -> np.ndarray:
        """Read clips.

        Parameters
        ----------
        samples
            Which; in any order, over any shards.
        frames
            Take so many evenly spaced key frames of each clip; None takes all.

        Returns
        -------
        uint8 array (samples, frames, side, side, 3), RGB, in the order asked for.

        Raises
        ------
        StudyError
            If a sample has no clip, or its clip has fewer frames.
        """
        rows = self._rows(samples)
        shards, positions = rows["shard"].to_numpy(), rows["row"].to_numpy()
        clips: np.ndarray | None = None
        for shard in np.unique(shards):
            array = self._shard(int(shard))
            taken = evenly(array.shape[1], frames)
            here = np.flatnonzero(shards == shard)
            if clips is None:
                clips = np.empty((len(samples), len(taken), *array.shape[2:]), np.uint8)
            # In the order of the file, which disks like best.
            for place in here[np.argsort(positions[here], kind="stable")]:
                clips[place] = array[positions[place]][taken]
        if clips is None:
            raise StudyError("clips: no sample was asked for")
        return clips

    def _rows(self, samples: Sequence[str]) -> pd.DataFrame:
        unknown = [sample for sample in samples if sample not in self.index.index]
        if unknown:
            raise StudyError(
                f"clips: no sample {unknown[0]!r} in the index (and {len(unknown) - 1} more); "
                "run the target clips again"
            )
        rows = self.index.loc[list(samples)]
        out = rows["row"] < 0
        if out.any():
            sample, reason = rows.index[out][0], rows["reason"][out].iloc[0]
            raise StudyError(f"clips: sample {sample!r} has no clip, it was left out ({reason})")
        return rows

    def _shard(self, shard: int) -> np.ndarray:
        if shard not in self._shards:
            path = self._folder / f"{shard_name(shard)}.npy"
            if not path.is_file():
                raise StudyError(f"clips: {path} does not exist; run the target clips again")
            self._shards[shard] = np.load(path, mmap_mode="r")
        return self._shards[shard]


def open_clips(index_path: Path | str) -> ClipStore:
    """Open the clips of a study by their index, ``clips/index.parquet``."""
    path = Path(index_path)
    return ClipStore(tables.read(path, tables.CLIPS).set_index("sample", drop=False), path.parent)


def evenly(available: int, wanted: int | None) -> np.ndarray:
    """Numbers of ``wanted`` frames: the middles of equal stretches, all if None."""
    wanted = available if wanted is None else wanted
    if not 1 <= wanted <= available:
        raise StudyError(f"clips: {wanted} frames asked for, a clip has {available}")
    return (2 * np.arange(wanted) + 1) * available // (2 * wanted)

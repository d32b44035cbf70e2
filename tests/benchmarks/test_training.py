"""Clips on their way to a training step, beside a DataLoader over JPEG files.

The naive side is what one writes in an afternoon: a JPEG file per frame, PIL, torchvision's
transforms on every frame, a DataLoader. Everything runs on one core; a device with a GPU converts
and augments by itself, so there only the reading counts.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import host_memory
import jpegs
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from facebias import tables
from facebias.clips import store
from facebias.data import cohort
from facebias.models.architectures import inputs
from facebias.models.training import augmentation, feeding
from facebias.study import Augmentation

CLIPS, FRAMES, SIDE, SIZE, BATCH = 36, 20, 256, 224, 12
# As in study A: each change with probability 0.5.
CHANGES = Augmentation(flip=0.5, rotate=0.5, degrees=15.0, brighten=0.5, brightness=0.3)
TRIES = 3
# Clips: as many as are held in memory, and more.
STORED = (64, 300)
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """Smooth pictures, which compress as faces do: uint8 (clips, frames, side, side, 3)."""
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (CLIPS * FRAMES, 16, 16, 3), dtype=np.uint8)
    fine = [np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.BICUBIC)) for one in coarse]
    return np.stack(fine).reshape(CLIPS, FRAMES, SIDE, SIDE, 3)


@pytest.fixture(scope="module")
def reader(clips: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> cohort.Reader:
    """Clips as the project stores them, read batch by batch from the file."""
    folder = tmp_path_factory.mktemp("clips")
    with store.writing(folder / f"{store.shard_name(0)}.npy", frames=FRAMES, side=SIDE) as writer:
        rows = [writer.append(clip) for clip in clips]
    samples = [f"s{row:03d}" for row in rows]
    empty = [[0.0]] * CLIPS
    table = pd.DataFrame({"sample": samples, "shard": 0, "row": rows, "reason": None}).assign(
        faces=1, probability=1.0, key_frames=empty, boxes=empty, landmarks=empty
    )
    tables.write(table, folder / "index.parquet", tables.CLIPS)
    return cohort.Reader(store.open_clips(folder / "index.parquet"), samples, frames=None, limit=0)


@pytest.fixture(scope="module")
def loader(clips: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> DataLoader:
    folder = tmp_path_factory.mktemp("frames")
    return jpegs.loader(clips, np.zeros(CLIPS, int), folder, size=SIZE, batch=BATCH)


def per_second(work: Callable[[], None]) -> float:
    """Return the clips per second of processor time, the median of some tries."""
    taken = []
    for _ in range(TRIES):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return CLIPS / statistics.median(taken)


def test_clips_to_the_training_step(results, reader, loader):
    torch.set_num_threads(1)
    random = np.random.default_rng(1)

    def batches():
        order = random.permutation(CLIPS)
        for start in range(0, CLIPS, BATCH):
            yield torch.from_numpy(reader[order[start : start + BATCH]])

    def read():
        for _ in batches():
            pass

    def read_and_convert():
        for batch in batches():
            pictures = inputs.images(batch, SIZE, "cpu")
            changes = augmentation.draw(len(batch), CHANGES, random).parameters()
            changed = augmentation.apply(pictures, **feeding.send(changes, pictures.device))
            jpegs.CONVENTION.normalise(changed)

    def load():
        for _ in loader:
            pass

    held = np.concatenate([reader[np.arange(CLIPS)]])

    def copy():
        for start in range(0, CLIPS, BATCH):
            held[start : start + BATCH].copy()

    reading, converting, loading = map(per_second, (read, read_and_convert, load))
    shape = f"clips of {FRAMES} frames, {SIZE} px"
    results.add(
        f"{shape}, to a device that converts them: clips per CPU s",
        f"{reading:.0f}",
        peer=f"{loading:.1f} (DataLoader over JPEG files)",
        ratio=reading / loading,
        goal="10 times",
        limit=(reading, per_second(copy), "copied in memory"),
    )
    results.add(
        f"{shape}, converted and augmented on a CPU: clips per CPU s",
        f"{converting:.1f}",
        peer=f"{loading:.1f} (DataLoader over JPEG files)",
        ratio=converting / loading,
    )


def test_host_memory(results, tmp_path):
    """Of small sets of clips, which are held in memory, and of large ones, which are not."""
    peaks = []
    for n in STORED:
        folder = tmp_path / str(n)
        folder.mkdir()
        command = [sys.executable, str(Path(host_memory.__file__)), str(folder), str(n)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
        peaks.append(int(done.stdout) / 1e9)
    stored = ", ".join(f"{n * host_memory.BYTES / 1e9:.2g}" for n in STORED)
    results.add(
        f"memory of a training beside its network, of {stored} GB of clips, 16 in a batch",
        ", ".join(f"{peak:.2g} GB" for peak in peaks),
        goal="under 2 GB",
    )

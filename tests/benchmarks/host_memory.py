"""The host memory of one training: ``python host_memory.py FOLDER CLIPS`` prints it in bytes.

What the process holds of its own at its peak, less what it held with the network built and no clip
read. Pages of the files of clips do not count: they are the system's cache, given back when needed.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import fitting
import numpy as np
import pandas as pd
import synthetic
import torch

from facebias import tables
from facebias.clips import store
from facebias.data import cohort
from facebias.models.architectures import network as networks
from facebias.models.training import loop, precision
from facebias.models.training.interruption import Interruption
from facebias.models.training.loop import Examples

FRAMES, SIDE = 20, 256  # a clip of study A
BYTES = FRAMES * SIDE * SIDE * 3
VALIDATED = 0.15


def write(folder: Path, clips: int) -> list[str]:
    """Write black clips, which take no room on a disk; give their samples."""
    array = np.lib.format.open_memmap(
        folder / f"{store.shard_name(0)}.npy",
        mode="w+",
        dtype=np.uint8,
        shape=(clips, FRAMES, SIDE, SIDE, 3),
    )
    array.flush()
    samples = [f"s{row:05d}" for row in range(clips)]
    empty = [[0.0]] * clips
    table = pd.DataFrame({"sample": samples, "shard": 0, "row": range(clips), "reason": None})
    table = table.assign(faces=1, probability=1.0, key_frames=empty, boxes=empty, landmarks=empty)
    tables.write(table, folder / "index.parquet", tables.CLIPS)
    return samples


class Peak(threading.Thread):
    """Looks again and again at what the process holds of its own."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.005):
            self.most = max(self.most, held())

    def stop(self) -> int:
        self._done.set()
        self.join()
        return self.most


def held() -> int:
    """Return the bytes of the process that no file stands behind."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("RssAnon")))


def main(folder: Path, clips: int) -> None:
    torch.set_num_threads(1)
    architecture = synthetic.architecture(width=0.0625, head="mean", epochs=1, batch_size=16)
    network = networks.build("cnn3d", architecture, len(synthetic.NAMES), FRAMES)
    samples = write(folder, clips)
    validated = max(1, round(VALIDATED * clips))
    before = held()
    peak = Peak()
    peak.start()
    opened = store.open_clips(folder / "index.parquet")
    train, validation = (
        Examples(
            cohort.Reader(opened, chosen, frames=None),
            np.arange(len(chosen)) % len(synthetic.NAMES),
        )
        for chosen in (samples[validated:], samples[:validated])
    )
    loop.fit(
        network,
        train,
        validation,
        training=architecture.training,
        kind="classes",
        precision=precision.choose("fp32", torch.device("cpu")),
        key=[1, 0],
        checkpoint=fitting.Nowhere(),
        interruption=Interruption(),
    )
    print(peak.stop() - before)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""Where training stands, so that a killed job goes on where it was."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import Any

import torch

from facebias.core import replacement

NAME = "checkpoint.pt"
# The best weights of two different epochs, one of which the checkpoint names.
BEST = ("best-0.pt", "best-1.pt")


class Checkpoint:
    """A state in one file and its best weights in another, in a folder of their own.

    The best weights seldom change, and are written only then: first they, beside those before, then
    the state that names them. A process that is killed in between has lost nothing.

    Parameters
    ----------
    folder
        Where the files lie: not among the outputs of a job, which Snakemake deletes before it runs
        the job again.
    key
        Names what is trained (``fingerprint``). Files with another key are not used.
    """

    def __init__(self, folder: Path, key: str):
        self.path = Path(folder) / NAME
        self.key = key
        self._kept: dict[str, Any] | None = None

    def save(self, state: dict[str, Any]) -> None:
        """Write ``state`` (tensors and plain values).

        ``best``, if it has any, is written where ``best_epoch`` is another than at the last time.

        Raises
        ------
        OutputError
            If it cannot be written; what was saved before is still there.
        """
        before = kept = self._kept
        epoch = state.get("best_epoch")
        if epoch is not None:
            if before is None or before["epoch"] != epoch:
                file = BEST[before is not None and before["file"] == BEST[0]]
                kept = {"file": file, "epoch": epoch}
                written = {"epoch": epoch, "weights": state["best"]}
                self._write(self.path.with_name(file), written)
            state = state | {"best": None}
        self._write(self.path, {"state": state, "best": kept})
        self._kept = kept
        if before is not None and before != kept:
            replacement.remove(self.path.with_name(before["file"]))

    def load(self) -> dict[str, Any] | None:
        """Read the state that was saved last; None if there is none that fits."""
        if not self.path.exists():
            return None
        try:
            found = self._read(self.path)
            state, kept = found["state"], found["best"]
            if kept is not None:
                written = self._read(self.path.with_name(kept["file"]))
                if written["epoch"] != kept["epoch"]:
                    raise ValueError(f"{kept['file']} is of epoch {written['epoch']}")
                state = state | {"best": written["weights"]}
        except Exception as error:  # a torn file fails in any way
            print(f"{self.path}: not used ({error}); training starts anew", file=sys.stderr)
            return None
        self._kept = kept
        return state

    def remove(self) -> None:
        """Delete the files, and their folders as far as they are empty: the training is done."""
        for name in (*BEST, NAME):
            replacement.remove(self.path.with_name(name))
        with contextlib.suppress(OSError):
            os.removedirs(self.path.parent)

    def _write(self, path: Path, values: dict[str, Any]) -> None:
        # Through memory: torch's own writer hides the system's error, such as a full disk.
        buffer = io.BytesIO()
        torch.save({"key": self.key, **values}, buffer)
        with replacement.replacing(path) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def _read(self, path: Path) -> dict[str, Any]:
        found = torch.load(path, map_location="cpu", weights_only=True)
        if found["key"] != self.key:
            raise ValueError(f"{path.name} belongs to another training")
        return found

"""Where training stands, so that a killed job goes on where it was."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import Any

import torch

from facebias import replacement

NAME = "checkpoint.pt"


class Checkpoint:
    """One file in a folder of its own, replaced as a whole.

    Parameters
    ----------
    folder
        Where the file lies: not among the outputs of a job, which Snakemake deletes before it runs
        the job again.
    key
        Names what is trained (``fingerprint``). A file with another key is not used.
    """

    def __init__(self, folder: Path, key: str):
        self.path = Path(folder) / NAME
        self.key = key

    def save(self, state: dict[str, Any]) -> None:
        """Write ``state`` (tensors and plain values).

        Raises
        ------
        OutputError
            If it cannot be written; what was saved before is still there.
        """
        # Through memory: torch's own writer hides the system's error, such as a full disk.
        buffer = io.BytesIO()
        torch.save({"key": self.key, "state": state}, buffer)
        with replacement.replacing(self.path) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load(self) -> dict[str, Any] | None:
        """Read the state that was saved last; None if there is none that fits."""
        if not self.path.exists():
            return None
        try:
            found = torch.load(self.path, map_location="cpu", weights_only=True)
            if found["key"] == self.key:
                return found["state"]
            reason = "it belongs to another training"
        except Exception as error:  # a torn file fails in any way
            reason = f"it cannot be read ({error})"
        print(f"{self.path}: not used, {reason}; training starts anew", file=sys.stderr)
        return None

    def remove(self) -> None:
        """Delete the file, and its folders as far as they are empty: the training is done."""
        replacement.remove(self.path)
        with contextlib.suppress(OSError):
            os.removedirs(self.path.parent)

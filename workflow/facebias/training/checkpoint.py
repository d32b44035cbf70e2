"""Where training stands, so that a killed job goes on where it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from facebias import tables

NAME = "checkpoint.pt"


class Checkpoint:
    """One file in a folder, replaced as a whole after every epoch.

    Parameters
    ----------
    folder
        Where the file lies; None keeps nothing.
    key
        Names what is trained. A file with another key is not used.
    """

    def __init__(self, folder: Path | None, key: str):
        self.path = None if folder is None else Path(folder) / NAME
        self.key = key

    def save(self, state: dict[str, Any]) -> None:
        """Write ``state`` (tensors and plain values)."""
        if self.path is not None:
            with tables.replacing(self.path) as temporary:
                torch.save({"key": self.key, "state": state}, temporary)

    def load(self) -> dict[str, Any] | None:
        """Read the state that was saved last; None if there is none that fits."""
        if self.path is None or not self.path.exists():
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
        """Delete the file: the training is done."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

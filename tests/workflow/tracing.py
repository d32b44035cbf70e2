"""Notes which definitions of the package a process calls."""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
import types
from pathlib import Path

# Of a process: the folder in which it writes what it called.
FOLDER = "FACEBIAS_TESTS_CALLED"


class Trace:
    """What of the package was called, but for what runs while it is imported."""

    def __init__(self) -> None:
        self.called: set[tuple[str, str]] = set()
        self._importing = threading.local()

    def begin(self) -> None:
        """Note calls of all threads from now on."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def write(self, folder: Path, stage: str) -> None:
        """Write what was called, as the stage and pairs of module and definition."""
        sys.setprofile(None)
        path = folder / f"{stage}-{os.getpid()}.json"
        path.write_text(json.dumps([stage, sorted(self.called)]))

    def _note(self, frame: types.FrameType, event: str, argument: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("facebias") or event not in ("call", "return"):
            return
        code = frame.f_code
        depth = getattr(self._importing, "depth", 0)
        if code.co_name == "<module>":
            self._importing.depth = depth + (1 if event == "call" else -1)
        elif event == "call" and not depth and code.co_flags & inspect.CO_OPTIMIZED:
            self.called.add((module, code.co_qualname.split(".")[0]))


def read(folder: Path) -> dict[str, set[tuple[str, str]]]:
    """Return what the processes of every stage called."""
    found: dict[str, set[tuple[str, str]]] = {}
    for path in folder.glob("*.json"):
        stage, called = json.loads(path.read_text())
        # Neither functions without a name nor what Python makes itself.
        named = ((module, name) for module, name in called if not name.startswith(("<", "__")))
        found.setdefault(stage, set()).update(named)
    return found

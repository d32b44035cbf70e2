"""Notes which definitions of the package a process calls."""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
import types
from collections.abc import Callable, Sequence
from pathlib import Path

# Of a process: the folder in which it writes what it called.
FOLDER = "FACEBIAS_TESTS_CALLED"
NETWORK = "--architecture"


def begun(arguments: Sequence[str]) -> Trace | None:
    """Begin to note what a stage calls, if it is asked for and the first job like it."""
    if FOLDER not in os.environ:
        return None
    stage, *others = arguments
    # Jobs of one architecture, and figures of one kind, call the same.
    alike = [others[others.index(NETWORK) + 1]] if NETWORK in others else []
    alike += others[:1] if stage == "figure" else []
    path = Path(os.environ[FOLDER], "-".join([stage, *alike]) + ".json")
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return None
    return Trace(stage, path)


class Trace:
    """What of the package a stage calls from now on, but for what runs while it is imported."""

    def __init__(self, stage: str, path: Path) -> None:
        self.stage = stage
        self.path = path
        self.called: set[tuple[str, str]] = set()
        self._importing = threading.local()
        # Code that need not be looked at again; most calls are of it.
        self._known: set[types.CodeType] = set()
        threading.settrace(self._note)
        sys.settrace(self._note)

    def write(self) -> None:
        """Write what was called, as the stage and pairs of module and definition."""
        sys.settrace(None)
        self.path.write_text(json.dumps([self.stage, sorted(self.called)]))

    def _note(self, frame: types.FrameType, event: str, argument: object) -> Callable | None:
        """Note a call; of a module that is imported, also its end is to be known."""
        code = frame.f_code
        if code in self._known:
            return None
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("facebias"):
            self._known.add(code)
            return None
        depth = getattr(self._importing, "depth", 0)
        if code.co_name == "<module>":
            self._importing.depth = depth + 1
            return self._imported
        if not depth:
            self._known.add(code)
            if code.co_flags & inspect.CO_OPTIMIZED:
                self.called.add((module, code.co_qualname.split(".")[0]))
        return None

    def _imported(self, frame: types.FrameType, event: str, argument: object) -> Callable:
        if event == "return":
            self._importing.depth -= 1
        return self._imported


def read(folder: Path) -> dict[str, set[tuple[str, str]]]:
    """Return what the processes of every stage called."""
    found: dict[str, set[tuple[str, str]]] = {}
    for path in folder.glob("*.json"):
        stage, called = json.loads(path.read_text())
        # Neither functions without a name nor what Python makes itself.
        named = ((module, name) for module, name in called if not name.startswith(("<", "__")))
        found.setdefault(stage, set()).update(named)
    return found

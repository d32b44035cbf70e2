"""A cache of what source files define and name, beside the compiled modules.

Reading the whole package takes seconds. Entries are found by the content of a file, so none is ever
out of date; without a usable cache, files are read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import sys
from pathlib import Path
from typing import Any

from facebias.core.replacement import replacing
from facebias.stages import source
from facebias.stages.source import Named, Source

_BROKEN = (OSError, EOFError, ValueError, TypeError)


class SourceCache:
    """The cache of one package, in its folder ``__pycache__``."""

    def __init__(self, package: Path):
        self.path = package / "__pycache__" / f"source.{sys.implementation.cache_tag}"
        # Entries of another version of the reader are of no use.
        self._reader = _digest(Path(source.__file__).read_text(encoding="utf-8"))
        self._kept = self._load()
        self._complete = True

    def read(self, text: str) -> Source:
        """Return what a file with this text defines and names; cached ones lack the statements."""
        name = _digest(text)
        if name in self._kept:
            definitions, bindings, stars, registries, codes = self._kept[name]
            return Source(
                {each: Named(*parts) for each, parts in definitions.items()},
                bindings,
                stars,
                {name: {} for name in registries},
                _codes=codes,
            )
        found = source.python(text)
        self._kept[name] = _plain(found)
        self._complete = False
        return found

    def write(self) -> None:
        """Write the cache if it has new entries."""
        if self._complete or sys.dont_write_bytecode:
            return
        self._complete = True
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            with replacing(self.path) as temporary:
                temporary.write_bytes(marshal.dumps((self._reader, self._kept)))

    def _load(self) -> dict[str, tuple[Any, ...]]:
        with contextlib.suppress(*_BROKEN):
            reader, kept = marshal.loads(self.path.read_bytes())
            if reader == self._reader:
                return kept
        return {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(found: Source) -> tuple[Any, ...]:
    definitions = {
        name: (each.names, each.arguments, each.texts, each.folders)
        for name, each in found.definitions.items()
    }
    codes = {name: found.code(name) for name in found.definitions}
    return definitions, dict(found.bindings), tuple(found.stars), tuple(found.entries), codes

"""Which definitions of the package a stage reaches, and digests of them by file.

Read from the source: nothing is imported or run. What is not sure to be unused counts: all of a
module that is used as a value or asked for by its name, and of every module that is imported what
runs by itself. Comments and docstrings do not, nor keys of a configuration: jobs differ by their
values.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from facebias import stages
from facebias.stages import source
from facebias.stages.source import BODY, DOCSTRING, IMPORTS, Source
from facebias.stages.source_cache import SourceCache

# Of a module: every definition.
ALL = "*"
# A module and one of its definitions.
Node = tuple[str, str]


class Package:
    """The modules of a package, read when they are asked for.

    Parameters
    ----------
    folder
        Where the package is; its name is that of the package.
    edited
        Texts in place of those of some files, by their path in the folder.
    """

    def __init__(self, folder: Path, edited: Mapping[str, str] | None = None):
        self.folder, self.edited = folder, edited or {}
        self._cache = None if edited else SourceCache(folder)
        self._files: dict[str, Path | None] = {}
        self._sources: dict[str, Source] = {}
        self._imported: dict[str, frozenset[str]] = {}
        self._named: dict[Node, tuple[Node, ...]] = {}

    def digests(self, *entries: str) -> dict[str, str]:
        """Return a digest of what is reached of every file, by its path beside the package.

        Parameters
        ----------
        entries
            Where a stage begins, ``package.module:function``, and modules of which all counts.
            Those that a registry names as text are not followed: a user of one names it here.
        """
        found: dict[str, dict[str, str]] = {}
        for module, name in self.reached(*entries):
            found.setdefault(module, {})[name] = self.source(module).code(name)
        if self._cache:
            self._cache.write()
        digests = {
            str(self.path(module).relative_to(self.folder.parent)): hashlib.sha256(
                repr(sorted(codes.items())).encode()
            ).hexdigest()[:16]
            for module, codes in found.items()
        }
        return dict(sorted(digests.items()))

    def reached(self, *entries: str) -> set[Node]:
        """List the definitions that ``entries`` reach, themselves included."""
        waiting: list[Node] = []
        for entry in entries:
            module, _, name = entry.partition(":")
            waiting.append((module, name or ALL))
            waiting += [(each, BODY) for each in self.imported(module)]
        found: set[Node] = set()
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += self._named_by(node)
        return {node for node in found if self._counts(*node)}

    def imported(self, module: str) -> set[str]:
        """Name the modules that ``module`` imports, directly or not, itself included."""
        found: set[str] = set()
        waiting = {module} if self.file(module) is not None else set()
        while waiting:
            found |= waiting
            waiting = set().union(*map(self._imports, waiting)) - found
        return found

    def _imports(self, module: str) -> frozenset[str]:
        """Name the modules of ours that a module imports, and the packages that they are in."""
        if module not in self._imported:
            here = self.source(module)
            dotted = {module, *here.bindings.values(), *here.stars}
            named = dotted | {name.rpartition(".")[0] for name in dotted}
            self._imported[module] = frozenset(
                name for name in named if self.file(name) is not None
            )
        return self._imported[module]

    def file(self, module: str) -> Path | None:
        """Return the file of a module; None: the package has none of this name."""
        if module not in self._files:
            self._files[module] = self._find(module)
        return self._files[module]

    def path(self, module: str) -> Path:
        """Return the file of a module that the package has."""
        path = self.file(module)
        assert path is not None, module
        return path

    def source(self, module: str) -> Source:
        """Return what a module defines and names."""
        if module not in self._sources:
            path = self.path(module)
            edited = self.edited.get(str(path.relative_to(self.folder)))
            read = self._cache.read if self._cache else source.python
            self._sources[module] = read(edited or path.read_text(encoding="utf-8"))
        return self._sources[module]

    def _find(self, module: str) -> Path | None:
        package, *parts = module.split(".")
        if package != self.folder.name:
            return None
        path = self.folder.joinpath(*parts)
        candidates = (path.with_suffix(".py"), path / "__init__.py")
        return next((file for file in candidates if file.is_file()), None)

    def _counts(self, module: str, name: str) -> bool:
        """Tell whether a definition is code: imports, docstrings and registries are not."""
        here = self.source(module)
        return name in here.definitions.keys() - {IMPORTS, DOCSTRING} - here.entries.keys()

    def _named_by(self, node: Node) -> tuple[Node, ...]:
        if node not in self._named:
            self._named[node] = tuple(self._all_named_by(*node))
        return self._named[node]

    def _all_named_by(self, module: str, name: str) -> Iterator[Node]:
        here = self.source(module)
        if name == ALL:
            yield from ((module, each) for each in here.definitions)
            yield from ((star, ALL) for star in self._stars(here))
        elif name in here.definitions:
            for dotted in here.definitions[name].names:
                yield from self._meant(module, here, dotted)

    def _meant(self, module: str, here: Source, dotted: str) -> Iterator[Node]:
        """Find what a dotted name means in a module."""
        head, _, rest = dotted.partition(".")
        if head in here.definitions:
            yield module, head
        if head in here.bindings:
            yield from self._absolute(f"{here.bindings[head]}.{rest}".rstrip("."))
        elif head not in here.definitions:
            yield from self._starred(here, head)

    def _absolute(self, dotted: str) -> Iterator[Node]:
        """Find what an absolute dotted name means: where a thing is defined, or all of a module."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            module = ".".join(parts[:length])
            if self.file(module) is not None:
                yield from self._attribute(module, parts[length:])
                return

    def _attribute(self, module: str, rest: list[str]) -> Iterator[Node]:
        there = self.source(module)
        name = rest[0] if rest else ALL
        if name in there.bindings and name not in there.definitions:
            yield from self._absolute(".".join([there.bindings[name], *rest[1:]]))
        elif name == ALL or name in there.definitions:
            yield module, name
        else:
            yield from [*self._starred(there, name)] or [(module, ALL)]

    def _starred(self, here: Source, name: str) -> Iterator[Node]:
        """Find where a name is defined that a star import brought."""
        brought = {star: self.source(star) for star in self._stars(here)}
        defining = [star for star, there in brought.items() if name in there.definitions]
        if defining:
            yield from ((star, name) for star in defining)
        else:
            for there in brought.values():
                if name in there.bindings:
                    yield from self._absolute(there.bindings[name])

    def _stars(self, here: Source) -> list[str]:
        return [star for star in here.stars if self.file(star) is not None]


PACKAGE = Package(Path(__file__).parents[1])


@functools.cache
def digests(*entries: str) -> dict[str, str]:
    """Return the digests of this package (see ``Package.digests``)."""
    return PACKAGE.digests(*entries)


def sources(stage: str, *more: str) -> dict[str, str]:
    """Return the digest of what a stage reaches of every file, by its path.

    For `params` of rules: Snakemake compares them with those of the last run, so an edit reruns
    what it must and a checkout that only touches files reruns nothing. As `input`, thirty files for
    each of 10,000 jobs took half of the time of planning.
    """
    return digests("facebias.__main__:main", stages.STAGES[stage].run, *more)

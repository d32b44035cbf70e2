"""Which tests a change reaches: a graph of what names what, over the package and its tests.

A node is a definition at the top of a file (see ``source``), and has an edge to whatever it names:
imports are followed to where a thing is defined, through re-exports. So a test is reached by a
change of what it calls, of what that calls, and so on, and not by all that its modules import.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from facebias.stages import source
from facebias.stages.source import BODY, IMPORTS, Named, Source

Node = tuple[str, str]
Entry = tuple[Node, str]
ALL = "*"
ANY = ("", ALL)
CODE = re.compile(r"(?:^|; *)(?:from|import) .*\bfacebias\b", re.M)
PATTERN = re.compile(r"(?:[\w.-]+/)+\*+(?:/\*)?\.\w+")
PACKAGE = "workflow/facebias/"
# Only the command line runs what it names; others ask for its names, or import it.
STAGES = (f"{PACKAGE}stages/__init__.py", "STAGES")
COMMAND_LINE = f"{PACKAGE}__main__.py"
WHOLE = ("tests/end_to_end/", "tests/interruption/")
# They read the import statements of the whole package, and no names.
OF_IMPORTS = (
    "tests/unit/test_provenance.py",
    "tests/workflow/test_code_digests.py",
)


@dataclasses.dataclass(frozen=True)
class Way:
    """How a test comes to a change: the steps between them, and what it asks registries for.

    No ``keys``: it comes there in any case. Otherwise, of a test with a case for every key of a
    registry, the cases of these.
    """

    steps: int
    keys: frozenset[str] = frozenset()

    def or_as(self, before: Way | None) -> Way:
        """Put this way and a shorter one together."""
        if before is None:
            return self
        keys = before.keys | self.keys if before.keys and self.keys else frozenset()
        return Way(before.steps, keys)

    def leads(self, cases: Iterable[str]) -> list[str]:
        """Choose cases by their identifiers, which may hold keys; all if none holds one."""
        cases = list(cases)
        return [case for case in cases if self.keys & set(case.split("-"))] or cases


class Graph:
    """What the files of a project name: ``texts`` maps their paths to what they hold.

    ``folders`` hold its modules, ``suite`` what is run when all tests are.
    """

    def __init__(self, texts: Mapping[str, str], folders: Iterable[str], suite: Iterable[str]):
        self.sources = {path: read(path, text) for path, text in texts.items()}
        self.texts = texts
        self.folders = tuple(folders)
        self.suite = tuple(suite)
        self._named_like: dict[str, list[str]] = collections.defaultdict(list)
        for path in texts:
            self._named_like[PurePosixPath(path).name].append(path)
        self._behind: dict[Node, list[tuple[Node, Entry | None]]] = collections.defaultdict(list)
        for node, named, entry in self._all_named():
            for other in {*self._nodes(*node, named)} - {node}:
                self._behind[other].append((node, entry))
        for node in (test for path in OF_IMPORTS for test in self.tests(path)):
            for path in self.sources:
                self._behind[path, IMPORTS].append((node, None))

    def reached(self, changed: Iterable[Node]) -> dict[Node, Way]:
        """Map each test that names a changed node, directly or not, to the way between them.

        An entry of a registry counts for tests whose file, or a helper of it, holds its key, and
        for those that name the registry themselves: they may go through all of it.
        """
        found: dict[Node, Way] = {}
        waiting = collections.deque((node, frozenset[Entry](), 0) for node in changed)
        seen: dict[Node, list[frozenset[Entry]]] = collections.defaultdict(list)
        while waiting:
            node, asked, steps = waiting.popleft()
            if any(before <= asked for before in seen[node]):
                continue
            seen[node].append(asked)
            needed = {key for registry, key in asked if registry != ANY}
            if self.is_test(node) and needed <= self._words(node[0]):
                found[node] = Way(steps, frozenset(key for _, key in asked)).or_as(found.get(node))
            for other, entry in self._behind[node]:
                through = {each for each in asked if each[0] == node}
                if through and node == STAGES and other[0] != COMMAND_LINE and steps > 2:
                    continue
                kept = asked
                if other[0].startswith("tests/"):
                    kept = asked - through | {(ANY, key) for _, key in through}
                waiting.append((other, kept | ({entry} if entry else set()), steps + 1))
        return found

    def tests(self, path: str = "tests/") -> list[Node]:
        """List the tests in files whose path starts with ``path``."""
        nodes = ((file, name) for file, each in self.sources.items() for name in each.definitions)
        return [node for node in nodes if node[0].startswith(path) and self.is_test(node)]

    def is_test(self, node: Node) -> bool:
        """Tell whether a node is a test function of the suite."""
        path, name = node
        named = PurePosixPath(path).name.startswith("test_") and name.startswith("test_")
        return named and path.startswith(self.suite)

    def is_slow(self, node: Node) -> bool:
        """Tell whether a test runs whole studies, or is marked as slow."""
        path, name = node
        return path.startswith(WHOLE) or source.is_slow(self.sources[path], name)

    @functools.cache  # noqa: B019 - a graph lives as long as its process
    def module(self, name: str) -> str | None:
        """Find the file of a module, as Python and pytest would."""
        parts = name.split(".")
        places = (PurePosixPath(folder, *parts) for folder in self.folders)
        files = (f"{place}{end}" for place in places for end in (".py", "/__init__.py"))
        return next((file for file in files if file in self.sources), None)

    def _all_named(self) -> Iterator[tuple[Node, Named, Entry | None]]:
        for path, read in self.sources.items():
            for name, named in read.definitions.items():
                yield (path, name), named, None
                for key, of_entry in read.entries.get(name, {}).items():
                    yield (path, name), of_entry, ((path, name), key)
            yield (path, ALL), Named(), None

    def _nodes(self, path: str, name: str, named: Named) -> Iterator[Node]:
        here = self.sources[path]
        if name != IMPORTS:
            yield path, BODY
        if name == ALL:
            yield from ((path, each) for each in here.definitions)
            yield from ((file, ALL) for star in here.stars if (file := self.module(star)))
        if name == BODY and path.startswith("tests/"):
            yield from ((file, BODY) for file in self._conftests(path))
        for each in named.names | (named.arguments if path.startswith("tests/") else set()):
            yield from self._known(path, each)
        for text in named.texts:
            yield from self._read_of(path, text)
        for folder in named.folders - {*self.folders}:  # those are where Python looks for modules
            for other in self.texts:
                if f"/{folder}/" in f"/{other}" and not other.endswith(".py"):
                    yield other, BODY

    def _known(self, path: str, name: str) -> Iterator[Node]:
        """Find what a dotted name means in a file."""
        head, _, rest = name.partition(".")
        here = self.sources[path]
        if head in here.bindings:
            yield from self._named_by(f"{here.bindings[head]}.{rest}".rstrip("."))
        elif head in here.definitions:
            yield path, head
        elif head == "__file__":
            folder = PurePosixPath(path).parent
            beside = (file for file in self.texts if PurePosixPath(file).parent == folder)
            yield from ((file, BODY) for file in beside if not file.endswith(".py"))
        elif path.startswith("tests/"):
            for file in self._conftests(path):
                if head in self.sources[file].definitions:
                    yield file, head

    def _named_by(self, dotted: str) -> Iterator[Node]:
        """Find what an absolute dotted name means: all of a module, or where a thing is defined."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            if (path := self.module(".".join(parts[:length]))) is not None:
                yield from self._in_module(path, parts[length:])
                return

    def _in_module(self, path: str, rest: list[str]) -> Iterator[Node]:
        there = self.sources[path]
        name = rest[0] if rest else ALL
        yield path, name
        if name in there.bindings and name not in there.definitions:
            yield from self._named_by(".".join([there.bindings[name], *rest[1:]]))
        elif name not in there.definitions:
            # Of a star import: what is defined nowhere was perhaps removed.
            stars = [file for star in there.stars if (file := self.module(star))]
            holding = [file for file in stars if name in self.sources[file].definitions]
            for file in holding or stars:
                yield file, name

    def _read_of(self, path: str, text: str) -> Iterator[Node]:
        """Find the modules and files that a text names."""
        of_tests = path.startswith("tests/")
        for found in source.MODULE.findall(text):
            yield from self._named_by(found.replace(":", "."))
        if CODE.search(text):
            yield from self._run_by(text)
        if of_tests and text == "facebias":  # python -m facebias
            yield from self._named_by("facebias.__main__.main")
        for word in re.findall(r"[\w./-]+", text):
            for other in self._named_like.get(PurePosixPath(word).name, ()):
                if f"/{other}".endswith("/" + word.lstrip("./")) and other != path:
                    runs = other.endswith(".py")
                    if not runs or of_tests:
                        yield other, ALL if runs else BODY
        if of_tests and PATTERN.fullmatch(text):
            yield from ((other, BODY) for other in self.texts if PurePosixPath(other).match(text))
        if of_tests and text.isidentifier():  # usefixtures("name")
            yield from self._known(path, text)

    def _run_by(self, text: str) -> Iterator[Node]:
        """Find what code names that a test gives to a Python of its own."""
        with contextlib.suppress(SyntaxError):
            code = source.python(textwrap.dedent(text))
            for full in frozenset().union(*(named.names for named in code.definitions.values())):
                head, _, rest = full.partition(".")
                if head in code.bindings:
                    yield from self._named_by(f"{code.bindings[head]}.{rest}".rstrip("."))

    def _conftests(self, path: str) -> list[str]:
        files = (f"{folder}/conftest.py" for folder in PurePosixPath(path).parents)
        return [file for file in files if file in self.sources and file != path]

    @functools.cache  # noqa: B019 - a graph lives as long as its process
    def _words(self, path: str) -> frozenset[str]:
        """Gather the words of a file of tests and of the helpers that it imports."""
        files, waiting = set(), [path]
        while waiting:
            file = waiting.pop()
            if file not in files:
                files.add(file)
                modules = map(self._module_of, self.sources[file].bindings.values())
                waiting += [each for each in modules if each and each.startswith("tests/")]
        return frozenset(word for file in files for word in re.findall(r"\w+", self.texts[file]))

    def _module_of(self, dotted: str) -> str | None:
        return self.module(dotted) or self.module(dotted.rpartition(".")[0])


def mirrored(path: str) -> list[str]:
    """Name the files of tests that a module of the package has of its own, were they there."""
    if not path.startswith(PACKAGE) or not path.endswith(".py"):
        return []
    # They go without the names of the outermost folders.
    parts = path.removeprefix(PACKAGE).removesuffix(".py").removesuffix("/__init__").split("/")
    return [f"tests/unit/test_{'_'.join(parts[start:])}.py" for start in range(len(parts))]


def changed(path: str, before: str | None, after: str | None) -> set[Node]:
    """Name the nodes of a file that differ between two texts of it; None: it was not there."""
    old, new = (read(path, text) if text is not None else Source({}) for text in (before, after))
    names = old.definitions.keys() | new.definitions.keys()
    return {(path, name) for name in names if old.mark(name) != new.mark(name)}


def read(path: str, text: str) -> Source:
    if path.endswith(".py"):
        return source.python(text)
    if path.endswith(".smk") or PurePosixPath(path).name == "Snakefile":
        return source.rules(text)
    return source.other(text)

"""``pytest --changed``: the tests that a change reaches, nearest first, in under two minutes.

A change is what differs from where this branch left ``origin/main`` (or from the last commit, where
there is none), in commits, in the working tree and in new files; ``--changed=REF``: from REF.

Whole studies reach everything, so they and what is marked slow are left to ``make test``, unless
their own file or a helper of it changed. So is what has not begun when the time is over.
"""

from __future__ import annotations

import dataclasses
import gc
import itertools
import subprocess
import time
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import reach
from reach import Graph, Node, Way

# Counted from here, where pytest has hardly begun; a test that is not slow takes at most 25 more.
BEGUN = time.time()
SECONDS = 90
LEFT = "left to `make test`: the time is over"


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which tests run, and how many steps each is from the change; and how many others there are.

    ``slow`` counts those that the change reaches and that are left out because they are slow.
    """

    ways: Mapping[Node, Way]
    slow: int
    tests: int
    files: int


def choose(graph: Graph, changed: Iterable[Node]) -> Choice:
    """Choose the tests that changed nodes reach, and all of the files of tests that mirror them."""
    changed = set(changed)
    ways = graph.reached(changed)
    files = {path for path, _ in changed}
    mirrors = {mirror for path in files for mirror in reach.mirrored(path)}
    ways |= {test: Way(0) for mirror in mirrors for test in graph.tests(mirror)}
    own = graph.reached(node for node in changed if node[0].startswith("tests/"))
    slow = {node for node in ways.keys() - own.keys() if graph.is_slow(node)}
    chosen = {node: way for node, way in ways.items() if node not in slow}
    return Choice(chosen, len(slow), len(graph.tests()), len(files))


def project(root: Path, since: str) -> tuple[Graph, set[Node]]:
    """Read a project, and which of its nodes differ from a commit."""
    known = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    texts = {name: text for name in known if name and (text := _text(root / name)) is not None}
    new = _git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    differing = _git(root, "diff", "-z", "--name-only", "--no-renames", since, "--").split("\0")
    before = {name: _git(root, "show", f"{since}:{name}") for name in differing if name}
    before |= dict.fromkeys(filter(None, new), None)
    settings = tomllib.loads(texts["pyproject.toml"])["tool"]["pytest"]["ini_options"]
    removed = {name: text or "" for name, text in before.items() if name not in texts}
    nodes = (reach.changed(name, text, texts.get(name)) for name, text in before.items())
    graph = Graph(texts | removed, settings["pythonpath"], settings["testpaths"])
    return graph, set().union(*nodes)


def base(root: Path) -> str:
    """Name the commit where this branch left ``origin/main``; without one, the last commit."""
    return _git(root, "merge-base", "HEAD", "origin/main").strip() or "HEAD"


def _text(path: Path) -> str | None:
    if not path.is_file() or path.is_symlink():
        return None
    return path.read_text(encoding="utf-8", errors="replace")


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), "--no-optional-locks", *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout


class Selection:
    """Runs a choice: the part of a plugin that is there only with ``--changed``."""

    def __init__(self, choice: Choice, end: float, root: Path):
        self.choice = choice
        self.end = end
        self.root = root
        self.files = {root / path for path, _ in choice.ways}

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        return True if collection_path.is_file() and collection_path not in self.files else None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = []
        for node, cases in itertools.groupby(items, self._node):
            if (way := self.choice.ways.get(node)) is not None:
                by_case = {_case(item): item for item in cases}
                chosen += [(way.steps, by_case[case]) for case in way.leads(by_case)]
        items[:] = [item for _, item in sorted(chosen, key=lambda each: each[0])]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        if time.time() > self.end:
            pytest.skip(LEFT)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node) -> None:
        ways = self.choice.ways.items()
        told = [[*test, way.steps, sorted(way.keys)] for test, way in ways]
        node.workerinput["changed"] = [told, self.end]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not self.choice.ways and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter) -> None:
        reports = terminalreporter.stats.get("skipped", [])
        over = sum(LEFT in str(report.longrepr) for report in reports)
        choice = self.choice
        terminalreporter.write_line(
            f"--changed: {len(choice.ways)} of {choice.tests} tests reach what changed in "
            f"{choice.files} files. Left to `make test`: {choice.slow} slow tests that reach it, "
            f"and {over} cases that had not begun after {SECONDS} s."
        )

    def _node(self, item: pytest.Item) -> Node:
        return (
            item.path.relative_to(self.root).as_posix(),
            getattr(item, "originalname", None) or item.name,
        )


def _case(item: pytest.Item) -> str:
    call = getattr(item, "callspec", None)
    return call.id if call else ""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--changed", nargs="?", const="", metavar="REF", help=__doc__)


def pytest_configure(config: pytest.Config) -> None:
    since = config.getoption("changed")
    if since is None:
        return
    root = config.rootpath
    if hasattr(config, "workerinput"):
        told, end = config.workerinput["changed"]
        ways = {(path, name): Way(far, frozenset(keys)) for path, name, far, keys in told}
        choice = Choice(ways, 0, 0, 0)
    else:
        gc.disable()  # the trees live to the end: to look through them takes half of the time
        choice, end = choose(*project(root, since or base(root))), BEGUN + SECONDS
        gc.enable()
    config.pluginmanager.register(Selection(choice, end, root), "changed-selection")

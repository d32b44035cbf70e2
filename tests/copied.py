"""A copy of the project in which code is broken, and processes that test it there.

Each process is forked from one that has imported the libraries, and imports the copy anew.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from changed import Choice, Selection
from reach import Node, Way

# The nearest files are collected first: most breaks are noticed there.
BATCHES = (6, 24)
# A test that takes this many times as long as ever hangs; so does one of so many seconds.
HANGING = (30, 180)
LONGEST = 3600


def project(root: Path, files: Sequence[str], folder: Path) -> Path:
    """Copy files of the project to a repository of their own."""
    for name in (each for each in files if (root / each).is_file()):  # some may be removed
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, path)
    for link in (path for path in root.iterdir() if path.is_symlink()):
        (folder / link.name).symlink_to(link.resolve() if link.name == ".venv" else link.readlink())
    data = root.parent / "shared"  # photographs that are no part of the project (see media)
    if data.is_dir():
        (folder.parent / data.name).symlink_to(data.resolve())
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for command in (["init"], ["add", "."], [*who, "commit", "--message", "as it is"]):
        subprocess.run(["git", "-C", folder, *command], check=True, capture_output=True)
    # By content: a break can leave length and second as they were.
    compiled = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
    subprocess.run([*compiled, folder / "workflow"], check=True)
    return folder


@contextlib.contextmanager
def broken(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    """Change a file for a while."""
    text = path.read_text(encoding="utf-8")
    path.write_text(change(text), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def failing(copy: Path, tests: Sequence[Node], seconds: Mapping[Node, float]) -> str | None:
    """Run tests in their order in a process of their own; name the first that fails, if any."""
    if not tests:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        said = Path(temporary, "said")
        child = os.fork()
        if child == 0:
            _test(copy, tests, seconds, said)
        status = _ended(child)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what its tests have left
        if status == 0:
            return None
        return said.read_text().split("\n")[0] if said.exists() else f"process: {status}"


def _ended(child: int) -> int:
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def _test(copy: Path, tests: Sequence[Node], seconds: Mapping[Node, float], said: Path) -> NoReturn:
    status = 1
    try:
        os.setsid()
        descriptor = os.open(said.with_name("log"), os.O_WRONLY | os.O_CREAT)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(descriptor, stream.fileno())
        os.chdir(copy)
        os.environ |= {"PYTHONPATH": str(copy / "workflow"), "PYTHONDONTWRITEBYTECODE": "1"}
        # Not the package that the environment names.
        sys.path[:] = [path for path in sys.path if not Path(path, "facebias").is_dir()]
        for name in [each for each in sys.modules if each.split(".")[0] == "facebias"]:
            del sys.modules[name]
        sys.dont_write_bytecode = True
        status = max(_run(copy, batch, seconds, said) for batch in _batches(tests))
    finally:
        os._exit(status)


def _batches(tests: Sequence[Node]) -> Iterator[list[Node]]:
    """Part tests by their files: the nearest few, some more, and the rest."""
    files = list(dict.fromkeys(path for path, _ in tests))
    ends = [*BATCHES, len(files)]
    for start, end in zip([0, *ends], ends, strict=False):
        chosen = set(files[start:end])
        if chosen:
            yield [test for test in tests if test[0] in chosen]


def _run(copy: Path, tests: Sequence[Node], seconds: Mapping[Node, float], said: Path) -> int:
    """Run tests; leave the process where one fails."""
    choice = Choice({test: Way(place) for place, test in enumerate(tests)}, 0, 0, 0)
    selection = Selection(choice, float("inf"), copy)
    files = dict.fromkeys(path for path, _ in tests)
    options = ["-x", "-p", "no:cacheprovider", "--hypothesis-seed=1", "--rootdir", str(copy)]
    options += ["--basetemp", str(said.with_name("tests")), "--capture=sys"]
    status = pytest.main([*files, *options], plugins=[selection, _Watch(copy, seconds, said)])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        os._exit(1)
    return 0


class _Watch:
    """Says which test failed first, and ends those that hang."""

    def __init__(self, copy: Path, seconds: Mapping[Node, float], said: Path):
        self.copy = copy
        self.seconds = seconds
        self.said = said

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._say(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._say(report)

    def _say(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed:
            with self.said.open("a") as file:
                print(report.nodeid, file=file)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        node = item.path.relative_to(self.copy).as_posix(), item.originalname
        times, least = HANGING
        signal.signal(signal.SIGALRM, self._hangs)
        signal.alarm(int(max(least, times * self.seconds.get(node, 0))))
        try:
            return (yield)
        finally:
            signal.alarm(0)

    def _hangs(self, number: int, frame: object) -> None:
        pytest.fail("hangs")

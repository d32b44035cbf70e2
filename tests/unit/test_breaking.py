"""How the code is broken to see whether tests notice; and that one is noticed in the end."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import breaking
import mutations

ROOT = Path(__file__).parents[2]
CODE = '''"""Nothing here: 1 < 2."""

from typing import Literal

__all__ = ["f"]
LIMIT = 3


def f(x: Literal[1], y=2.0):
    """Nor here: 1 < 2."""
    if not x < LIMIT:
        raise ValueError(f"{x + 1} is not below {LIMIT - 1}")
    return sorted(g(x, y, axis=0))
'''
RULES = """OPTIONS = {
    "first": 1,
}


rule one:
    input:
        table="table.csv",
        code=sources("one"),
    shell:
        "read {input.table}"
"""


def changes(text, path="a.py"):
    return {(each.kind, each.before, each.after) for each in mutations.mutants(path, text)}


def test_every_way_to_break_some_code():
    assert changes(CODE) == {
        ("off by one", "3", "4"),
        ("other number", "2.0", "4.0"),
        ("negated condition", "not x < LIMIT", "(not (not x < LIMIT))"),
        ("removed not", "not x < LIMIT", "(x < LIMIT)"),
        ("comparison", "x < LIMIT", "(x <= LIMIT)"),
        ("removed raise", 'raise ValueError(f"{x + 1} is not below {LIMIT - 1}")', "pass"),
        ("returned nothing", "return sorted(g(x, y, axis=0))", "return None"),
        ("reversed", "sorted(g(x, y, axis=0))", "sorted(g(x, y, axis=0), reverse=True)"),
        ("swapped arguments", "g(x, y, axis=0)", "g(y, x, axis=0)"),
        ("dropped keyword", "g(x, y, axis=0)", "g(x, y)"),
        ("other axis", "axis=0", "axis=1"),
        ("off by one", "0", "1"),
    }


def test_rules_are_broken_in_their_code_and_inputs():
    assert changes(RULES, "a.smk") == {
        ("off by one", "1", "2"),
        ("dropped input", '        code=sources("one"),\n', ""),
    }


@pytest.mark.parametrize(
    ("path", "text"), [("a.py", f"É = 'é' * (1 < 2)\n{CODE}"), ("a.smk", RULES)]
)
def test_only_the_place_of_a_break_changes(path, text):
    for mutant in mutations.mutants(path, text):
        broken = mutant.applied(text)
        assert broken != text
        assert len(broken) - len(text) == len(mutant.after) - len(mutant.before)
        if path.endswith(".py"):
            ast.parse(broken)


def test_every_room_gets_its_share():
    assert breaking.shares({"a": 900, "b": 90, "c": 10}, 20) == {"a": 14, "b": 3, "c": 3}
    assert sum(breaking.shares({"a": 50, "b": 51, "c": 52}, 100).values()) == 100


def test_one_seed_draws_the_same_mutants_of_every_room():
    names = ("workflow/plan.py", "clips/index.py", "data/datasets/drawn/bias.py")
    texts = {
        path: (ROOT / path).read_text()
        for path in [f"workflow/facebias/{name}" for name in names] + ["workflow/rules/common.smk"]
    }
    drawn = breaking.draw(texts, 20, 1)
    assert drawn == breaking.draw(texts, 20, 1) != breaking.draw(texts, 20, 2)
    assert {breaking.room(each.path) for each in drawn} == {
        "workflow",
        "clips",
        "drawn people",
        "rules",
    }
    assert len({each.name for each in drawn}) == len(drawn) == 20


def test_cheap_tests_come_first_and_files_stay_together():
    near, far, dear = ("a", "near"), ("b", "far"), ("b", "dear")
    steps = {dear: 1, far: 9, near: 2}
    assert breaking.ordered(steps, {dear: 30, far: 0.1, near: 0.1}) == [near, far, dear]


FILES = {
    "workflow/facebias/double.py": "def double(size):\n    return 2 * size\n",
    "pyproject.toml": """
[tool.pytest.ini_options]
pythonpath = ["workflow"]
addopts = "--import-mode=importlib"
""",
    "tests/unit/test_double.py": """
import pytest
from facebias.double import double

@pytest.mark.parametrize("size", [2, 4])
def test_double(size):
    assert double(size) == 2 * size
""",
}
BREAK = """
import pathlib, sys
import copied

root, folder, after = sys.argv[1:]
copy = copied.project(pathlib.Path(root), sys.stdin.read().split(), pathlib.Path(folder))
path, tests = copy / "workflow/facebias/double.py", [("tests/unit/test_double.py", "test_double")]
with copied.broken(path, lambda text: text.replace("2 * size", after)):
    print(copied.failing(copy, tests, {}))
print(copied.failing(copy, tests, {}))
"""


@pytest.mark.parametrize(
    ("after", "noticed"),
    [
        ("size * 2", "None"),
        ("2 + size", "tests/unit/test_double.py::test_double[4]"),
        ("2 *", "tests/unit/test_double.py"),
    ],
)
def test_the_first_test_that_fails_in_a_copy_is_named(tmp_path, after, noticed):
    for name, text in FILES.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", BREAK, tmp_path / "root", tmp_path / "copy", after],
        input=" ".join(FILES),
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "tests", ROOT / "workflow"))),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [noticed, "None"]

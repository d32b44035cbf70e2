"""Which tests a change reaches: in small made-up projects, and in this one."""

import subprocess
from pathlib import Path

import pytest

import changed
import reach
from reach import Graph, Way

ROOT = Path(__file__).parents[2]
PACKAGE = "workflow/facebias"
FOLDERS = ["workflow", "tests", "tests/unit"]
SETTINGS = f"[tool.pytest.ini_options]\npythonpath = {FOLDERS}\ntestpaths = ['tests/unit']\n"
# A hub that re-exports, a module that stands on it, a registry, rules and a page.
FILES = {
    "pyproject.toml": SETTINGS,
    f"{PACKAGE}/__init__.py": "",
    f"{PACKAGE}/hub/__init__.py": """
from facebias.hub.errors import *
from facebias.hub.sizes import *
""",
    f"{PACKAGE}/hub/errors.py": "class Error(Exception): pass",
    f"{PACKAGE}/hub/sizes.py": """
SMALL = 3
def double(size): return 2 * size
""",
    f"{PACKAGE}/shapes.py": """
from facebias import hub
SIDES = {"square": 4}
def area(size: hub.Error):
    side = hub.double(size)
    return side**2
def sides(name): return SIDES[name]
""",
    f"{PACKAGE}/kinds.py": """
import importlib
KINDS = {"round": "facebias.round", "flat": "facebias.flat:lie"}
def kind(name): return importlib.import_module(KINDS[name])
""",
    f"{PACKAGE}/round.py": "def roll(): return 1",
    f"{PACKAGE}/flat.py": """
def lie(): return 2
def stand(): return 3
""",
    f"{PACKAGE}/page.py": """
from pathlib import Path
PAGE = Path(__file__).with_name("page.html")
""",
    f"{PACKAGE}/page.html": "<p>once</p>",
    "Snakefile": 'include: "workflow/rules/all.smk"',
    "workflow/rules/all.smk": """
from facebias import shapes

rule one:
    params:
        sides=shapes.sides("square"),
    shell:
        "python -m facebias.flat"
""",
    "docs/guide.md": "Once.",
    "tests/helper.py": """
from facebias.shapes import area
def helped(): return area(1)
""",
    "tests/unit/conftest.py": """
import pytest
@pytest.fixture
def given():
    from facebias import round
    return round.roll()
""",
    "tests/unit/test_hub_errors.py": """
from facebias.hub import Error
def test_error(): assert Error
""",
    "tests/unit/test_hub_sizes.py": "def test_nothing(): pass",
    "tests/unit/test_shapes.py": """
import helper
import pytest
from facebias import shapes
def test_area(): assert shapes.area(1) == 4
def test_helped(): assert helper.helped()
@pytest.mark.slow
def test_sides(): assert shapes.sides("square")
def test_set(monkeypatch): monkeypatch.setattr(shapes, "SIDES", {})
""",
    "tests/unit/test_kinds.py": """
from facebias import kinds
def test_round(): assert kinds.kind("round").roll()
""",
    "tests/unit/test_all_kinds.py": """
from facebias.kinds import KINDS
def test_all(): assert len(KINDS) == 2
""",
    "tests/benchmarks/test_speed.py": """
from facebias import shapes
def test_speed(): assert shapes.area(1)
""",
    "tests/unit/test_fixture.py": "def test_given(given): assert given",
    "tests/unit/test_files.py": """
from pathlib import Path
from facebias.page import PAGE
def test_guide(): assert (Path("docs") / "guide.md").exists()
def test_page(): assert PAGE.exists()
def test_rules(): assert open("Snakefile")
def test_every_rule(): assert Path().glob("workflow/rules/*.smk")
def test_code(run): run("from facebias import round; round.roll()")
""",
}


@pytest.fixture(scope="module")
def graph():
    return Graph(FILES, FOLDERS, ["tests/unit"])


def names(graph, path, *definitions):
    found = graph.reached([(path, name) for name in definitions])
    return {name.removeprefix("test_") for _, name in found}


@pytest.mark.parametrize(
    ("path", "definition", "reached"),
    [
        # Through a hub: only what names the thing that it re-exports, and no annotation.
        ("hub/errors.py", "Error", {"error"}),
        ("hub/sizes.py", "double", {"area", "helped"}),
        ("hub/sizes.py", "SMALL", set()),
        # Through a helper of tests, and as a text to set.
        ("shapes.py", "area", {"area", "helped"}),
        # A rule runs what it names in Python, not what its jobs run.
        ("shapes.py", "SIDES", {"sides", "set", "rules", "every_rule"}),
        # Through a registry: who says the key, and who may go through all of it.
        ("round.py", "roll", {"round", "all", "given", "code"}),
        ("flat.py", "lie", {"all"}),
        ("flat.py", "stand", set()),
    ],
)
def test_a_definition_reaches_who_names_it(graph, path, definition, reached):
    assert names(graph, f"{PACKAGE}/{path}", definition) == reached


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("docs/guide.md", {"guide"}),
        (f"{PACKAGE}/page.html", {"page"}),
        ("workflow/rules/all.smk", {"rules", "every_rule"}),
        ("Snakefile", {"rules"}),
    ],
)
def test_a_file_reaches_who_reads_it(graph, path, reached):
    assert names(graph, path, "") == reached


def test_of_a_test_with_a_case_for_each_key_only_those_that_are_asked_for_run(graph):
    ways = graph.reached([(f"{PACKAGE}/round.py", "roll")])
    assert ways["tests/unit/test_all_kinds.py", "test_all"].keys == {"round"}
    assert not ways["tests/unit/test_fixture.py", "test_given"].keys
    assert Way(1, frozenset({"round"})).leads(["flat-1", "round-1"]) == ["round-1"]
    assert Way(1, frozenset({"round"})).leads(["1", "2"]) == ["1", "2"]
    assert Way(1).leads(["flat", "round"]) == ["flat", "round"]


def test_what_runs_on_import_reaches_all_users_of_the_module(graph):
    rules = {"rules", "every_rule"}
    assert names(graph, f"{PACKAGE}/shapes.py", "") == {"area", "helped", "sides", "set"} | rules


def test_nearest_first(graph):
    ways = graph.reached([(f"{PACKAGE}/hub/sizes.py", "double")])
    near, far = (ways["tests/unit/test_shapes.py", f"test_{name}"] for name in ("area", "helped"))
    assert near.steps < far.steps


def test_slow_tests_are_left_out_unless_tests_changed(graph):
    changes = {(f"{PACKAGE}/shapes.py", "SIDES")}
    slow = ("tests/unit/test_shapes.py", "test_sides")
    choice = changed.choose(graph, changes)
    assert slow not in choice.ways
    assert (choice.slow, choice.files) == (1, 1)
    assert slow in changed.choose(graph, {*changes, slow}).ways


def test_the_mirrored_file_is_chosen_even_if_it_names_nothing(graph):
    ways = changed.choose(graph, {(f"{PACKAGE}/hub/sizes.py", "SMALL")}).ways
    assert ways == {("tests/unit/test_hub_sizes.py", "test_nothing"): Way(0)}


@pytest.mark.parametrize(
    ("path", "mirrors"),
    [
        ("workflow/relay.py", ["workflow_relay", "relay"]),
        ("data/splits/__init__.py", ["data_splits", "splits"]),
        ("data/splits/holdouts.py", ["data_splits_holdouts", "splits_holdouts", "holdouts"]),
        (
            "data/datasets/drawn/bias.py",
            ["data_datasets_drawn_bias", "datasets_drawn_bias", "drawn_bias", "bias"],
        ),
        ("page.html", []),
    ],
)
def test_mirrors(path, mirrors):
    assert reach.mirrored(f"{PACKAGE}/{path}") == [f"tests/unit/test_{each}.py" for each in mirrors]


OLD = "import os\n\nA = 1\n\n\ndef f():\n    return os.sep\n\n\ndef g():\n    return A\n"


@pytest.mark.parametrize(
    ("new", "differ"),
    [
        (OLD.replace("A = 1", "A = 2"), {"A"}),
        (OLD.replace("return A", "return A  # why"), set()),
        (OLD.replace("import os", "import ntpath as os"), {"import", "f"}),
        (OLD.replace("def g", "def h"), {"g", "h"}),
        (OLD + "\nprint(A)\n", {""}),
        (None, {"import", "", "A", "f", "g"}),
    ],
)
def test_what_differs_between_two_texts(new, differ):
    found = reach.changed("tests/a.py", OLD, new)
    assert {name for _, name in found} == differ
    assert found == reach.changed("tests/a.py", new, OLD)


@pytest.fixture
def clone(tmp_path):
    """A repository with the made-up project; its last commit is where the branch left."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for command in (["init"], ["add", "."], [*who, "commit", "--message", "first"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True, capture_output=True)
    return tmp_path


def test_changed_new_and_removed_files_of_a_repository(clone):
    assert changed.base(clone) == "HEAD"
    assert changed.project(clone, "HEAD")[1] == set()
    (clone / PACKAGE / "shapes.py").write_text(FILES[f"{PACKAGE}/shapes.py"] + "\nNEW = 1\n")
    (clone / PACKAGE / "flat.py").unlink()
    (clone / "tests/unit/test_new.py").write_text("def test_new():\n    pass\n")
    graph, nodes = changed.project(clone, "HEAD")
    told = {(path, name) for path, name in nodes if name not in ("", "import")}
    assert told == {
        (f"{PACKAGE}/shapes.py", "NEW"),
        (f"{PACKAGE}/flat.py", "lie"),
        (f"{PACKAGE}/flat.py", "stand"),
        ("tests/unit/test_new.py", "test_new"),
    }
    reached = {name for _, name in graph.reached(nodes)}
    assert {"test_all", "test_new"} <= reached


@pytest.fixture(scope="module")
def own():
    return changed.project(ROOT, "HEAD")[0]


def test_every_change_of_this_package_reaches_its_mirrored_file(own):
    modules = [path for path in own.sources if path.startswith(reach.PACKAGE)]
    mirrors = {
        path: found
        for path in modules
        if (found := [file for file in reach.mirrored(path) if file in own.sources])
    }
    assert len(mirrors) > 60
    for path, files in mirrors.items():
        nodes = {(path, name) for name in own.sources[path].definitions}
        chosen = {file for file, _ in changed.choose(own, nodes).ways}
        assert set(files) <= chosen, path


def test_every_module_with_code_is_reached_by_a_test(own):
    for path, read in own.sources.items():
        names = set(read.definitions) - {"", "import", "__doc__"}
        if path.startswith(reach.PACKAGE) and path.endswith(".py") and names:
            assert own.reached((path, name) for name in names), path

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from facebias.core import provenance
from facebias.stages import STAGES, closure

ROOT = Path(__file__).parents[2]


# Imports each stage in turn, our own modules anew, and prints what there is then: the libraries are
# imported once. A line for each stage: its modules of ours, and whether torch is there.
IMPORTS = """
import importlib, json, sys
for stage, run in json.loads(sys.argv[1]):
    module, function = run.split(":")
    getattr(importlib.import_module(module), function)
    ours = [name for name in sys.modules if name.split(".")[0] == "facebias"]
    print(json.dumps([stage, ours, "torch" in sys.modules]))
    for name in ours:
        del sys.modules[name]
"""
# Those that start in a second come first: libraries stay.
LIGHT = (
    "metrics",
    "fairness",
    "figure",
    "print_table",
    "start_page",
    "manifest",
    "split",
    "index",
    "gather",
    "resolve",
    "model_card",
    "checksums",
    "record",
)


@pytest.fixture(scope="module")
def loaded():
    """Return, for every stage, which of our modules it imports and whether it imports torch."""
    order = [*LIGHT, *(stage for stage in STAGES if stage not in LIGHT)]
    asked = [(stage, STAGES[stage].run) for stage in order]
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, json.dumps(asked)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"},
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {stage: (set(modules), torch) for stage, modules, torch in said}


# One worker imports all stages.
@pytest.mark.xdist_group("imports")
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_exists_and_its_sources_are_what_python_loads(loaded, stage):
    """The files found by reading imports hold every module that importing the stage loads."""
    modules, _ = loaded[stage]
    assert STAGES[stage].module in modules
    assert modules <= closure.PACKAGE.imported(STAGES[stage].module)


@pytest.mark.xdist_group("imports")
@pytest.mark.parametrize("stage", LIGHT)
def test_stages_that_start_in_a_second_do_not_import_torch(loaded, stage):
    """It is one of these or of those before it that does."""
    _, torch = loaded[stage]
    assert not torch


def test_planning_a_study_loads_no_table_library():
    """Every plan waits for what these modules import."""
    modules = "sys, facebias.stages.closure, facebias.core.provenance"
    code = f"import {modules}; print({{'pandas', 'torch'}} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "workflow")},
    )
    assert done.stdout.strip() == "set()"


def test_written_facts_are_the_same_twice(tmp_path):
    provenance.write(tmp_path / "a.json", seed=3)
    provenance.write(tmp_path / "b.json", seed=3)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    facts = json.loads((tmp_path / "a.json").read_text())
    assert facts["seed"] == 3
    assert facts["versions"]["torch"].startswith("2.")
    assert facts["lock"] == hashlib.sha256((ROOT / "envs/lock.txt").read_bytes()).hexdigest()
    assert set(facts["code"]) == {"commit", "clean"}


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A repository with one file of code and one of text, in the place of this one."""
    for name in ("workflow/rules/a.smk", "README.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("once\n")
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for command in (["init"], ["add", "."], [*who, "commit", "--message", "first"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True, capture_output=True)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    provenance.code.cache_clear()
    yield tmp_path
    provenance.code.cache_clear()


def test_code_names_its_commit(clone):
    done = subprocess.run(
        ["git", "-C", clone, "log", "-1", "--format=%H"], capture_output=True, text=True, check=True
    )
    assert provenance.code() == {"commit": done.stdout.strip(), "clean": True}


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("workflow/rules/a.smk", False),
        ("workflow/rules/new.smk", False),
        ("README.md", True),
        ("results/small/config.yaml", True),
    ],
)
def test_only_changed_or_new_code_is_not_clean(clone, name, clean):
    (clone / name).parent.mkdir(parents=True, exist_ok=True)
    (clone / name).write_text("twice\n")
    assert provenance.code()["clean"] is clean


def test_removed_code_is_not_clean(clone):
    (clone / "workflow/rules/a.smk").unlink()
    assert provenance.code()["clean"] is False


def test_outside_git_nothing_is_claimed(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    provenance.code.cache_clear()
    assert provenance.code() == {"commit": None, "clean": None}
    assert provenance.software()["lock"] is None
    provenance.code.cache_clear()


def test_unknown_stage_is_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "facebias", "trian"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "workflow")},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("facebias: no stage 'trian'; there are ")
    assert done.stderr.count("\n") == 1

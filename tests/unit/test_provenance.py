import json
import subprocess
import sys
from pathlib import Path

import pytest

from facebias import provenance
from facebias.stages import STAGES

ROOT = Path(__file__).parents[2]


def names(stage):
    return {
        str(Path(path).relative_to(provenance.PACKAGE))
        for path in provenance.sources(STAGES[stage].module)
    }


def test_sources_follow_imports_and_nothing_else():
    assert {"splits.py", "tables.py", "study.py", "__init__.py"} == names("split")
    assert "training/loop.py" in names("train")
    assert not {path for path in names("metrics") if path.startswith(("training", "figures"))}
    assert not {path for path in names("train") if path.startswith(("figures", "evaluation"))}


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_exists_and_its_sources_are_what_python_loads(stage):
    """The files found by reading imports hold every module that importing the stage loads."""
    code = (
        f"import sys, importlib; m = importlib.import_module({STAGES[stage].module!r}); "
        f"getattr(m, {STAGES[stage].function!r}); "
        "print('\\n'.join(n for n in sys.modules if n.split('.')[0] == 'facebias'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"},
    )
    loaded = set(done.stdout.split())
    assert loaded <= provenance.imported(STAGES[stage].module)


@pytest.mark.parametrize(
    "stage",
    [
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
    ],
)
def test_stages_that_start_in_a_second_do_not_import_torch(stage):
    code = f"import sys, {STAGES[stage].module}; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "workflow")},
    )
    assert done.stdout.strip() == "False"


def test_written_facts_are_the_same_twice(tmp_path):
    provenance.write(tmp_path / "a.json", seed=3)
    provenance.write(tmp_path / "b.json", seed=3)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    facts = json.loads((tmp_path / "a.json").read_text())
    assert facts["seed"] == 3
    assert facts["versions"]["torch"].startswith("2.")


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

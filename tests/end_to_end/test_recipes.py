"""The recipes of CONTRIBUTING.md work, each applied to a copy of a finished study."""

from __future__ import annotations

import ast
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import studies
from edits import CONFIG, FIGURES, REPORT
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("small_study")]

TEXT = (studies.ROOT / "CONTRIBUTING.md").read_text()
RECIPES = dict(re.findall(r"^### (.+)\n((?:.*\n)+?)(?=### |\Z)", f"{TEXT}\n", re.M))
BLOCK = re.compile(r"^```\w+ (\S+)(?: (\w+))?\n(.*?)^```$", re.M | re.S)
HEATMAPS = Path("results/small/heatmaps/lrp/vgg16/regular/fold-0/seed-1.npz")


@pytest.fixture
def clone(study, tmp_path):
    return shutil.copytree(study[0], tmp_path / "clone")


def apply(recipe: str, clone: Path) -> int:
    """Write what a recipe says; return in how many files of code."""
    blocks = BLOCK.findall(RECIPES[recipe])
    assert blocks
    for name, definition, text in blocks:
        path = clone / name
        assert path.exists() == bool(definition)
        path.write_text(inserted(path.read_text(), definition, text) if definition else text)
    return len({name for name, _, _ in blocks if name.endswith(".py")})


def inserted(source: str, definition: str, text: str) -> str:
    """Put a text at the end of a definition."""
    (found,) = [
        statement
        for statement in ast.parse(source).body
        if definition in (getattr(statement, "name", None), *assigned(statement))
    ]
    lines = source.splitlines(keepends=True)
    # Of a dictionary, before its bracket.
    place = found.end_lineno - (not isinstance(found, ast.ClassDef))
    return "".join([*lines[:place], text, *lines[place:]])


def assigned(statement: ast.stmt) -> list[str]:
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return [target.id for target in targets if isinstance(target, ast.Name)]


def jobs(clone: Path, folder: Path, changes: dict[str, object], *arguments: str) -> Counter[str]:
    """Run the study with changes of its configuration; return its jobs."""
    config = studies.write(studies.changed(studies.SMALL, changes), folder)
    return Counter(studies.jobs(studies.snakemake(clone, config, *arguments, root=clone)))


def test_every_recipe_is_tried_here():
    assert set(RECIPES) == {
        "A figure",
        "An architecture",
        "A composite",
        "A key of the configuration",
    }


def test_a_figure(clone, tmp_path):
    assert apply("A figure", clone) == 2
    # The record is of the code, too.
    assert jobs(clone, tmp_path, {}) == REPORT | Counter(figure_verdicts=1)
    drawn = clone / "results/small/figures/verdicts/gender"
    numbers = pd.read_csv(drawn.with_suffix(".csv"))
    fairness = pd.read_csv(clone / "results/small/tables/fairness.csv")
    assert numbers["gaps"].sum() == fairness["verdict"].notna().sum()
    assert Image.open(drawn.with_suffix(".png")).size[0] > 100
    report = (clone / "results/small/report.html").read_text()
    assert "figures/verdicts/gender.png" in report
    assert "over all criteria, models and labels" in report


def test_an_architecture(clone, tmp_path):
    assert apply("An architecture", clone) == 2
    changes = {"architectures.tiny": {"input_size": 32}, "explanation.architectures": ["tiny"]}
    targets = ("predictions", str(HEATMAPS).replace("vgg16", "tiny"))
    made = Counter(train_model=2, predict=2, explain=1)
    assert jobs(clone, tmp_path, changes, *targets) == made | Counter(predictions=1)  # the target
    with np.load(clone / targets[1]) as arrays:
        assert np.isfinite(arrays["relevance"]).all()
        assert np.abs(arrays["relevance"]).max() > 0


def test_a_composite(clone, tmp_path):
    assert apply("A composite", clone) == 1
    before = (clone / HEATMAPS).read_bytes()
    changes = {"explanation.composite": "epsilon_flat"}
    assert jobs(clone, tmp_path, changes, str(HEATMAPS)) == Counter(explain=1)
    assert (clone / HEATMAPS).read_bytes() != before


def test_a_key_of_the_configuration(clone, tmp_path):
    assert apply("A key of the configuration", clone) == 1
    assert jobs(clone, tmp_path, {}, "--dry-run") == Counter()
    changes = {"figures.transparent": True}
    assert jobs(clone, tmp_path, changes, "--dry-run") == CONFIG | FIGURES

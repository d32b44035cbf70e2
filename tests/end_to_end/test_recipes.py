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
    """Put a text at the end of a definition; of a rule, which no other follows, of its file."""
    if f"\nrule {definition}:" in source:
        return source + text
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
        "A data set",
        "A metric",
        "A criterion",
        "A kind of split",
        "A stage",
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


def test_a_data_set(clone, tmp_path):
    assert apply("A data set", clone) == 2
    assert jobs(clone, tmp_path, {}, "--dry-run") == Counter()
    films = clone / "results/small/data/drawn"
    there = pd.read_csv(clone / "results/small/data/manifest.csv", dtype=str)
    people = there.drop_duplicates("subject")[["subject", "gender"]]
    people.to_csv(films / "people.csv", index=False)
    data = {"adapter": "named", "root": str(films), "subjects": "people.csv"}
    changes = {"study": "named", "data": {**data, "attributes": ["gender"]}}
    made = "results/named/data/manifest.csv"
    assert jobs(clone, tmp_path, changes, made) == Counter(manifest=1)
    found = pd.read_csv(clone / made, dtype=str).sort_values("sample", ignore_index=True)
    columns = ["sample", "subject", "label", "gender"]
    there = there.sort_values("sample", ignore_index=True)
    pd.testing.assert_frame_equal(found[columns], there[columns])


@pytest.mark.parametrize(
    ("recipe", "table", "column", "name", "run"),
    [
        ("A metric", "metrics", "metric", "specificity", Counter(cell_metrics=8, gather_metrics=1)),
        (
            "A criterion",
            "fairness",
            "criterion",
            "predictive_parity",
            Counter(cell_fairness=4, gather_fairness=1),
        ),
    ],
)
def test_a_row_of_what_is_measured(clone, tmp_path, recipe, table, column, name, run):
    assert apply(recipe, clone) == 1
    made = f"results/small/tables/{table}.csv"
    before = pd.read_csv(clone / made)
    assert jobs(clone, tmp_path, {}, made) == run
    found = pd.read_csv(clone / made)
    new = found[found[column] == name]
    assert new.iloc[:, -3:].notna().any(axis=None)
    assert set(found[column]) == {*before[column], name}


def test_a_kind_of_split(clone, tmp_path):
    assert apply("A kind of split", clone) == 2
    again = jobs(clone, tmp_path, {}, "--dry-run")
    assert again["split"] == 2
    assert not {"draw", "manifest", "locate", "extract", "index"} & set(again)
    made = Path("results/small/data/splits/regular/seed-1.csv")
    before = pd.read_csv(clone / made, dtype=str)
    out = before.loc[before["role"] == "train", "subject"].iloc[0]
    changes = {"splits.train.regular.without": [out]}
    assert jobs(clone, tmp_path, changes, str(made)) == Counter(split=1)
    after = pd.read_csv(clone / made, dtype=str)
    seen, used = (set(roles.loc[roles["role"] != "unused", "subject"]) for roles in (before, after))
    assert seen - used == {out}


def test_a_stage(clone, tmp_path):
    assert apply("A stage", clone) == 3
    made = "results/small/tables/tally.csv"
    assert jobs(clone, tmp_path, {}, made) == Counter(tally=1)
    counted = pd.read_csv(clone / made)
    labels = pd.read_csv(clone / "results/small/data/manifest.csv")["label"]
    assert counted.set_index("label")["samples"].to_dict().items() <= Counter(labels).items()
    assert len(counted) == 2
    # By hand, too; and nothing but the record of the code is made anew.
    words = ("--study", "results/small", "--out", "mine.csv")
    done = studies.run("facebias", "tally", *words, folder=clone, PYTHONPATH="workflow")
    assert done.returncode != 0, done.stdout  # no target of the study asks for it yet
    assert "the study has no such job" in done.stdout
    assert jobs(clone, tmp_path, {}, "--dry-run") == Counter(record=1)


def test_a_key_of_the_configuration(clone, tmp_path):
    assert apply("A key of the configuration", clone) == 1
    assert jobs(clone, tmp_path, {}, "--dry-run") == Counter()
    changes = {"figures.transparent": True}
    assert jobs(clone, tmp_path, changes, "--dry-run") == CONFIG | FIGURES

"""The configurations of the two published studies: who trains and tests, and what would run."""

from __future__ import annotations

import re
from collections import Counter

import placeholders
import pytest
import studies
import yaml

from facebias import checks, configuration, datasets, splits
from facebias.study import Study

CONFIGS = studies.ROOT / "config"
OVERLAYS = studies.ROOT / "tests" / "miniatures"
ROLES = ("train", "validation", "test")


@pytest.fixture
def sase_fe(tmp_path):
    return placeholders.sase_fe(tmp_path)


@pytest.fixture
def action_units(tmp_path):
    return placeholders.action_units(tmp_path)


def drawn(folder, name: str, monkeypatch) -> tuple[Study, dict[str, dict[str, Counter]]]:
    """Give a study and, by train split and role, how many subjects of which kind there are."""
    monkeypatch.chdir(folder)
    study = configuration.read(CONFIGS / name)
    subjects = checks.check(study, root=study.data.root or ".")
    roles = splits.draw(study.splits, study.seeds, subjects).merge(subjects, on="subject")
    kinds = study.evaluation.attributes[0]
    counted = {
        train: {role: Counter(part[part["role"] == role][kinds]) for role in ROLES}
        for train, part in roles.groupby("train_split")
    }
    return study, counted


def test_subjects_of_study_a(sase_fe, monkeypatch):
    study, counted = drawn(sase_fe, "domnich2021.yaml", monkeypatch)
    manifest, excluded = datasets.manifest(study.data, study.labels, study.data.root)
    assert (len(manifest), len(excluded)) == (600, 0)
    assert manifest["genuine"].sum() == 300
    for train, kinds in (("regular", 40), ("female", 13), ("male", 27)):
        roles = counted[train]
        assert roles["test"] == {"female": 5, "male": 5}
        assert roles["validation"].total() == 8
        assert (roles["train"] + roles["validation"]).total() == kinds
    assert set(counted["female"]["train"]) == {"female"}


def test_subjects_of_study_b(action_units, monkeypatch):
    study, counted = drawn(action_units, "deuschel2020.yaml", monkeypatch)
    pools = {name: roles["train"] + roles["validation"] for name, roles in counted.items()}
    assert pools["female"] == {"female": 37}
    assert pools["male"] == {"male": 37}
    assert sorted(pools["mixed"].values()) == [18, 19]
    for roles in counted.values():
        assert roles["test"] == {"female": 10, "male": 10}
    table = splits.draw(study.splits, study.seeds, datasets.subjects(study.data, "."))
    used = table[table["role"].isin(("train", "validation"))].groupby("train_split")["subject"]
    of = used.apply(set)
    assert of["mixed"] < of["female"] | of["male"]

    _, counted = drawn(action_units, "deuschel2020_skin.yaml", monkeypatch)
    roles = counted["light"]
    assert roles["train"] + roles["validation"] == {"light": 104}
    assert roles["test"] == {"light": 21, "dark": 19}


def test_experiments_of_study_b_differ_by_their_splits_alone():
    one, two = (
        yaml.safe_load((CONFIGS / name).read_text())
        for name in ("deuschel2020.yaml", "deuschel2020_skin.yaml")
    )
    for config in (one, two):
        for key in ("study", "title", "splits", "evaluation"):
            del config[key]
        del config["data"]["required"]
    assert one == two


@pytest.mark.parametrize(
    ("name", "models"),
    [("domnich2021.yaml", 18), ("deuschel2020.yaml", 3), ("deuschel2020_skin.yaml", 1)],
)
def test_plan(tmp_path, name, models):
    fill = placeholders.sase_fe if name.startswith("dom") else placeholders.action_units
    folder = fill(tmp_path)
    planned = studies.jobs(studies.plan(folder, CONFIGS / name))
    assert planned["train_model"] == planned["predict"] == models
    assert planned.get("landmarks", 0) == ("deuschel" in name)
    (folder / "seeds.yaml").write_text("seeds: [1, 2]\n")
    laid_over = ("--configfile", str(CONFIGS / name), str(folder / "seeds.yaml"))
    twice = studies.plan(folder, CONFIGS / name, *laid_over)
    assert studies.jobs(twice)["train_model"] == 2 * models
    told = studies.plan(
        *(folder, CONFIGS / name, "--quiet", "progress", "--until", "train_model")
    ).stdout
    asked = re.findall(r"^rule train_model:\n(?: .+\n)*? +resources: (.+)", told, re.MULTILINE)
    assert len(asked) == models
    # One GPU for a day each.
    assert all("gpu=1" in resources and "runtime=1440" in resources for resources in asked)


@pytest.mark.parametrize("name", ["domnich2021.yaml", "deuschel2020.yaml"])
def test_miniature_changes_sizes_and_nothing_else(name):
    """What is laid over a published study for the tests, by the keys that it sets."""
    overlay = yaml.safe_load((OVERLAYS / name).read_text())
    allowed = {
        "crop_size",
        "shards",
        "epochs",
        "device",
        "width",
        "input_size",
        "weights",
        "dpi",
        "margin",
        "min_face",
    }
    assert set(_keys(overlay)) - allowed <= {"min_occurrences"}
    config = yaml.safe_load((CONFIGS / name).read_text())
    assert set(overlay["architectures"]) == set(config["architectures"])
    resolved = configuration.load(configuration.merge(config, overlay))
    assert all(each.training.epochs == 1 for each in resolved.architectures.values())
    for one, other in zip(
        resolved.architectures.values(), configuration.load(config).architectures.values(),
        strict=True,
    ):  # fmt: skip
        assert one.training.learning_rate == other.training.learning_rate
        assert one.head == other.head


def _keys(values: dict) -> list[str]:
    found = []
    for key, value in values.items():
        found += _keys(value) if isinstance(value, dict) else [key]
    return found

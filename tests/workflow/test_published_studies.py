"""The configurations of the two published studies: who trains and tests, and what would run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pandas as pd
import placeholders
import pytest
import studies
import yaml

from facebias.data import datasets, splits
from facebias.data.splits import holdouts
from facebias.study import Study, configuration
from facebias.workflow import checks

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
    """Return a study and, by train split and role, how many subjects of which kind there are.

    Of the kinds by which the models of the train split are compared.
    """
    monkeypatch.chdir(folder)
    study = configuration.read(CONFIGS / name)
    subjects = checks.check(study, root=study.data.root or ".")
    roles = splits.draw(study.splits, study.seeds, subjects).merge(subjects, on="subject")
    counted = {}
    for train, part in roles.groupby("train_split"):
        (kinds,) = holdouts.attributes(study, train)
        counted[train] = {role: Counter(part[part["role"] == role][kinds]) for role in ROLES}
    return study, counted


def test_subjects_of_study_a(sase_fe, monkeypatch):
    study, counted = drawn(sase_fe, "domnich2021.yaml", monkeypatch)
    manifest, excluded = datasets.manifest(study.data, study.labels, study.data.root)
    assert (len(manifest), len(excluded)) == (600, 0)
    assert manifest["genuine"].sum() == 300
    for train, kinds, validate in (("regular", 40, 8), ("female", 13, 3), ("male", 27, 5)):
        roles = counted[train]
        assert roles["test"] == {"female": 5, "male": 5}
        assert roles["validation"].total() == validate
        assert (roles["train"] + roles["validation"]).total() == kinds
    assert set(counted["female"]["train"]) == {"female"}


def test_subjects_of_study_b(action_units, monkeypatch):
    study, counted = drawn(action_units, "deuschel2020.yaml", monkeypatch)
    pools = {name: roles["train"] + roles["validation"] for name, roles in counted.items()}
    assert pools["female"] == {"female": 37}
    assert pools["male"] == {"male": 37}
    assert sorted(pools["mixed"].values()) == [18, 19]
    for name in ("female", "male", "mixed"):
        assert counted[name]["test"] == {"female": 10, "male": 10}
    assert pools["light"] == {"light": 104}
    assert counted["light"]["test"] == {"light": 21, "dark": 19}
    table = splits.draw(study.splits, study.seeds, datasets.subjects(study.data, "."))
    used = table[table["role"].isin(("train", "validation"))].groupby("train_split")["subject"]
    of = used.apply(set)
    assert of["mixed"] < of["female"] | of["male"]
    assert not of["light"] & set(_tested(table, "light"))
    # One experiment may train on those whom the other tests.
    assert of["light"] & set(_tested(table, "female"))


@pytest.mark.parametrize("name", ["domnich2021.yaml", "deuschel2020.yaml"])
def test_numbers_of_the_published_studies_are_of_single_precision(name):
    """Half precision would be ours, and all else that we chose says so beside it."""
    study = configuration.read(CONFIGS / name)
    assert {each.training.precision for each in study.architectures.values()} == {"fp32"}


def test_variants_that_do_not_fit_a_gpu_are_computed_in_parts():
    files = (CONFIGS / "domnich2021.yaml", CONFIGS / "variants" / "domnich2021.yaml")
    study = configuration.load(
        configuration.merge(*(yaml.safe_load(path.read_text()) for path in files))
    )
    assert {each.training.precision for each in study.architectures.values()} == {"fp32"}
    parts = {name: each.training.micro_batch for name, each in study.architectures.items()}
    parted = {f"{name}_k50" for name in ("resnet50", "senet50", "vgg16", "vggface")}
    assert {name for name, clips in parts.items() if clips} == parted


def test_who_lacks_an_attribute_takes_part_in_the_other_experiment(action_units, monkeypatch):
    table = action_units / "data" / "ckplus" / "subjects.csv"
    people = pd.read_csv(table, dtype=str)
    without = {
        "gender": people.loc[people["gender"] == "female", "subject"].tolist()[:4],
        "skin": people.loc[people["skin"] == "light", "subject"].tolist()[-4:],
    }
    for kind, names in without.items():
        people.loc[people["subject"].isin(names), kind] = None
    people.to_csv(table, index=False)
    study, counted = drawn(action_units, "deuschel2020.yaml", monkeypatch)
    assert counted["female"]["test"] == {"female": 10, "male": 10}
    assert counted["light"]["train"] + counted["light"]["validation"] == {"light": 100}
    samples, excluded = datasets.manifest(study.data, study.labels, ".")
    assert (samples["subject"].nunique(), len(excluded)) == (144, 0)
    roles = splits.draw(study.splits, study.seeds, datasets.subjects(study.data, "."))
    taking = roles[roles["role"] != "unused"].groupby("train_split")["subject"].apply(set)
    for train in ("female", "male", "mixed"):
        assert not taking[train] & {f"ckplus/{name}" for name in without["gender"]}
    assert not taking["light"] & {f"ckplus/{name}" for name in without["skin"]}
    assert taking["light"] & {f"ckplus/{name}" for name in without["gender"]}


def _tested(table: pd.DataFrame, train: str) -> list[str]:
    return table[(table["train_split"] == train) & (table["role"] == "test")]["subject"].tolist()


def test_experiments_of_study_b_meet_in_no_cell(action_units):
    quiet = ("--quiet", "progress")
    told = studies.plan(action_units, CONFIGS / "deuschel2020.yaml", *quiet).stdout
    outputs = set(re.findall(r"results/deuschel2020/(?:metrics|fairness|effects)/\S+\.csv", told))
    trains = ("female", "male", "mixed")
    cells = [f"{train}/{test}" for train in trains for test in ("female", "male")]
    cells += ["light/light", "light/dark"]
    gaps = [f"{train}/gender" for train in trains] + ["light/skin"]
    assert outputs == {
        *(f"results/deuschel2020/metrics/vgg16/{cell}.csv" for cell in cells),
        *(f"results/deuschel2020/fairness/vgg16/{gap}.csv" for gap in gaps),
        "results/deuschel2020/effects/vgg16/gender.csv",
    }


@pytest.mark.parametrize(
    ("name", "models"),
    [("domnich2021.yaml", 18), ("deuschel2020.yaml", 4)],
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


# GPU hours that the jobs ask for, as rules and profile say: models 24, their predictions 2,
# explanations by one method 4, features of frozen layers 4.
ASKED = {
    "domnich2021.yaml": "468 (train_model 18 x 24 h, predict 18 x 2 h)",
    "deuschel2020.yaml": (
        "140 (features 1 x 4 h, train_model 4 x 24 h, predict 4 x 2 h, explain 8 x 4 h)"
    ),
}


# GPU hours that they take, from and to, before any was measured. An epoch of a VGG of study A is 32
# steps of 22 trillion operations. The stand-in for the data of study B has few frames.
EXPECTED = {"domnich2021.yaml": (4, 12), "deuschel2020.yaml": (0, 1)}


@pytest.mark.parametrize("name", ASKED)
def test_plan_adds_up_the_gpu_hours_asked_for(tmp_path, name):
    fill = placeholders.sase_fe if name.startswith("dom") else placeholders.action_units
    options = {
        "--snakefile": studies.ROOT / "Snakefile",
        "--directory": fill(tmp_path),
        "--configfile": CONFIGS / name,
        "--profile": studies.ROOT / "profiles" / "slurm",
    }
    words = [str(word) for option in options.items() for word in option]
    done = subprocess.run(
        [sys.executable, "-m", "facebias", "plan", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**studies.ENVIRONMENT, "PYTHONPATH": str(studies.ROOT / "workflow")},
    )
    assert done.returncode == 0, done.stderr
    together = re.search(r"^together +\d+ +~ [\d.]+ \w+ +~ ([\d.]+)$", done.stdout, re.M)
    assert together, done.stdout
    assert EXPECTED[name][0] < float(together[1]) < EXPECTED[name][1]
    assert f"GPU hours asked for, at most: {ASKED[name]};" in " ".join(done.stdout.split())


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
        "resamples",
        "permutations",
    }
    assert set(_keys(overlay)) - allowed <= {"min_occurrences", "methods"}
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

"""The two published studies, complete, on miniatures of their data: from the adapter to the report.

Their configurations are run as they are, but for sizes, epochs and the device (tests/miniatures);
of study A's six networks one of frames and one of films, of study B's methods of explanation that
of its figures.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import studies
import yaml

from facebias import tables
from facebias.study import configuration
from miniatures import actor_study, ckplus, sase_fe
from miniatures.performers import Performer

pytestmark = pytest.mark.slow

OVERLAYS = studies.ROOT / "tests" / "miniatures"
# Women and men of study A: what its splits ask for, and a few more.
PEOPLE_A = 30
ACTORS, DARK, MEN, PEOPLE_B = 21, 19, 47, 144


def run(folder: Path, name: str, *, networks: Sequence[str]) -> Path:
    """Run a published study in a clone of the project and give the folder of its results."""
    clone = studies.clone(folder / "clone")
    shutil.copytree(studies.ROOT / "replications", clone / "replications")
    config, overlay = (
        yaml.safe_load(path.read_text())
        for path in (clone / "config" / f"{name}.yaml", OVERLAYS / f"{name}.yaml")
    )
    small = configuration.merge(config, overlay)
    kept = {network: small["architectures"][network] for network in networks}
    path = studies.write({**small, "architectures": kept}, folder)
    done = studies.snakemake(folder, path, root=clone)
    assert done.returncode == 0, done.stdout[-8000:]
    again = studies.plan(folder, path, root=clone)
    assert "Nothing to be done" in again.stdout
    return folder / "results" / name


def check(
    out: Path, paper: str, *, models: int, in_tables: Sequence[int], in_figures: Sequence[int]
) -> pd.DataFrame:
    """Check that everything was made, the paper's tables and figures too, and give the metrics."""
    assert len(list(out.glob("models/**/weights.safetensors"))) == models
    assert len(list(out.glob("predictions/**/seed-*.parquet"))) == models
    assert (out / "report.html").stat().st_size > 100_000
    figures = list(out.glob("figures/**/*.png"))
    assert len(figures) > 10
    for png in figures:
        assert png.with_suffix(".pdf").stat().st_size > 1000
        table = pd.read_csv(png.with_suffix(".csv"))
        # Of a few people, relevance and accuracy together may not be estimable.
        assert len(table) > 0 or "relevance_joint" in png.parts
    for n in in_figures:
        assert (out / f"figures/{paper}_figure_{n}.png").stat().st_size > 1000, n
    for n in in_tables:
        assert f"As table {n} of " in (out / f"tables/{paper}_table_{n}.tex").read_text()
    compared = pd.read_csv(out / "tables/published_comparison.csv")
    assert compared["published"].notna().all()
    assert compared["ours"].notna().any()
    return tables.read(out / "tables/metrics.csv", tables.METRICS)


def test_domnich2021(tmp_path):
    root = tmp_path / "data" / "sase_fe"
    sase_fe.write(root, sase_fe.people(PEOPLE_A), kinds="alternating", every=3)
    networks = ("cnn3d", "vgg16")
    out = run(tmp_path, "domnich2021", networks=networks)
    numbers = {"in_tables": range(1, 29), "in_figures": range(11, 32)}
    metrics = check(out, "domnich2021", models=6, **numbers)
    printed = pd.read_csv(out / "tables/domnich2021_table_12.csv")
    hits = metrics[(metrics["train_split"] == "regular") & (metrics["test_split"] == "female")]
    hits = hits[(hits["metric"] == "tpr") & (hits["label"] == "surprise")]
    assert printed["architecture"].tolist() == hits["architecture"].tolist()
    assert printed["surprise"].tolist() == pytest.approx(hits["value"].tolist(), nan_ok=True)
    assert len(metrics[["architecture", "train_split", "test_split"]].drop_duplicates()) == 18
    manifest = tables.read(out / "data/manifest.csv", tables.MANIFEST)
    assert len(manifest) == 2 * PEOPLE_A
    assert set(manifest["genuine"]) == {True, False}
    clips = tables.read(out / "clips/index.parquet", tables.CLIPS)
    assert clips["row"].ge(0).mean() > 0.95
    first = clips["key_frames"][0]
    assert len(first) == 20
    assert min(first) >= 100


@pytest.fixture(scope="module")
def action_units(tmp_path_factory) -> Path:
    """As many people as in CK+ and the Actor Study, as many men and as many with dark skin."""
    folder = tmp_path_factory.mktemp("deuschel2020")
    people = [
        Performer(
            f"S{number + 5:03d}" if number < PEOPLE_B - ACTORS else f"actor{number}",
            "male" if number % 3 == 0 and number < 3 * MEN else "female",
            "dark" if number % 7 == 1 and number < 7 * DARK else "light",
        )
        for number in range(PEOPLE_B)
    ]
    ckplus.write(folder / "data" / "ckplus", people[: PEOPLE_B - ACTORS], sequences=1, frames=3)
    actor_study.write(folder / "data" / "actor_study", people[PEOPLE_B - ACTORS :], frames=4)
    return folder


def test_deuschel2020(action_units):
    out = run(action_units, "deuschel2020", networks=("vgg16",))
    pools = {"female": 37, "male": 37, "mixed": 37, "light": 104}
    numbers = {"in_tables": (1, 2), "in_figures": (4, 5, 9, 10)}
    metrics = check(out, "deuschel2020", models=len(pools), **numbers)
    overall = metrics[(metrics["label"] == "overall") & (metrics["metric"] == "f1_weighted")]
    roles = pd.concat(pd.read_csv(path) for path in out.glob("data/splits/*/*.csv"))
    learning = roles[roles["role"].isin(("train", "validation"))]
    assert learning.groupby("train_split").size().to_dict() == pools
    experiments = (
        (1, "gender", ["female", "male", "mixed"], {"female": 10, "male": 10}),
        (2, "skin", ["light"], {"light": 21, "dark": 19}),
    )
    for number, attribute, trains, tested in experiments:
        own = overall[overall["train_split"].isin(trains)]
        assert set(own["test_split"]) == set(tested)
        assert len(own) == len(trains) * len(tested)
        printed = pd.read_csv(out / f"tables/deuschel2020_table_{number}.csv")
        assert printed["f1_weighted"].tolist() == pytest.approx(own["value"].tolist(), nan_ok=True)
        for split, expected in tested.items():
            rows = metrics[metrics["test_split"] == split]
            assert set(rows["n_subjects"]) <= {*range(expected + 1)}
            assert rows["n_subjects"].max() == expected
        for name in ("fairness", "confounds", "variance", "redraws", "relevance_gaps"):
            table = pd.read_csv(out / f"tables/{name}.csv")
            of = set(table.loc[table["attribute"] == attribute, "train_split"]) - {"all"}
            assert of == set(trains), name
    # Each experiment asks its own question, and they are corrected together.
    fairness = pd.read_csv(out / "tables/fairness.csv")
    declared = fairness[fairness["family"] == "primary"]
    asked = declared[["attribute", "train_split"]].to_numpy().tolist()
    assert asked == [["gender", "female"], ["skin", "light"]]
    page = (out / "report/start_page.html").read_text()
    assert page.count("A question declared beforehand") == len(asked)
    assert "(vgg16) was trained on 4 choices of people" in page.lower()
    # No light-skin model is tested on the people of the other experiment.
    card = (out / "provenance/model_cards/vgg16.md").read_text()
    assert re.search(r"^\| male \| 10 \| \d+ (\| [^|–]+ ){4}\| – \|$", card, re.M)
    manifest = tables.read(out / "data/manifest.csv", tables.MANIFEST)
    actors = manifest["data_set"] == "actor_study"
    labels = [name for name in manifest.columns if re.fullmatch(r"label_AU\d+", name)]
    assert 5 <= len(labels) < 24
    assert manifest.loc[~actors, labels].notna().all(axis=None)
    # CK+ ships landmarks, the Actor Study does not.
    found = pd.concat(pd.read_parquet(path) for path in out.glob("relevance/**/*.parquet"))
    shipped = found["sample"].str.startswith("ckplus/")
    assert set(found.loc[shipped, "landmarks"]) == {"own"}
    assert set(found.loc[~shipped, "landmarks"]) <= {"template"}

"""Several data sets in one study."""

from __future__ import annotations

import shutil
from pathlib import Path

import annotated
import pytest
from annotated import (
    PEOPLE,
    SEQUENCES,
    UNITS,
    actor_settings,
    ckplus_settings,
    combined_settings,
    landmarks,
    units,
)

from facebias import study, tables
from facebias.data import datasets
from facebias.study import StudyError
from miniatures import ckplus


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    return annotated.write(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def copied(drawn, tmp_path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "copy"))


def test_combined(drawn):
    found, excluded = datasets.manifest(combined_settings(), units(), drawn)
    assert excluded.empty
    frames = PEOPLE * SEQUENCES * ckplus.FRAMES
    assert len(found) == frames + 3 * 6
    assert found["data_set"].value_counts().to_dict() == {"ck": frames, "actors": 18}
    first, last = found.iloc[0], found.iloc[-1]
    assert (first["sample"], first["subject"]) == ("ck/S005_001_00000001", "ck/S005")
    assert last["sample"] == "actors/center/actor03/low_speed.mp4#frame=5"
    assert last["path"] == f"{drawn}/actor_study/center/actor03/low_speed.mp4#frame=5"
    assert found.groupby("data_set")["publishable"].mean().to_dict() == {"actors": 1, "ck": 0.25}


def test_combined_units_that_a_data_set_does_not_annotate_are_missing(drawn):
    found, _ = datasets.manifest(combined_settings(), units(), drawn)
    actors = found["data_set"] == "actors"
    assert found.loc[actors, "label_AU14"].isna().all()
    assert found.loc[~actors, "label_AU14"].notna().all()
    alone, _ = datasets.manifest(ckplus_settings("frames"), units(), drawn / "ckplus")
    for name in UNITS:
        assert found.loc[~actors, f"label_{name}"].tolist() == alone[f"label_{name}"].tolist()


def test_combined_with_a_table_of_pictures(drawn, copied):
    """Units without a column in a table of one's own are missing, too."""
    (copied / "mine").mkdir()
    shutil.copy(
        drawn / "actor_study/center/actor01/000000.png", copied / "mine" / "a.png"
    )  # fmt: skip
    (copied / "mine" / "samples.csv").write_text(
        "subject,path,label_AU1,gender,skin\nS005,a.png,1,female,light\n"
    )
    data = combined_settings()
    mine = study.build(
        study.Source, {"adapter": "pictures", "root": "mine", "manifest": "samples.csv"}
    )
    data = study.build(
        study.Data,
        study.plain(data) | {"sets": {**study.plain(data.sets), "mine": study.plain(mine)}},
    )
    found, _ = datasets.manifest(data, units(), copied)
    row = found.set_index("sample").loc["mine/a.png"]
    assert row["subject"] == "mine/S005"
    assert row["label_AU1"] == 1
    assert row[["label_AU2", "label_AU12"]].isna().all()


def test_combined_names_the_data_set_at_fault(copied):
    (copied / "actor_study" / "annotations.csv").unlink()
    message = r"data.sets.actors.actor_study.annotations: .*annotations.csv does not exist"
    with pytest.raises(StudyError, match=message):
        datasets.manifest(combined_settings(), units(), copied)


def test_combined_landmarks_and_tables(drawn, tmp_path):
    out = tmp_path / "landmarks.parquet"
    assert landmarks(combined_settings(), drawn, out) == 0
    samples = tables.read(out, tables.LANDMARKS)["sample"]
    assert samples[0] == "ck/S005_001_00000001"
    found, _ = datasets.manifest(combined_settings(), units(), drawn)
    assert set(samples) < set(found["sample"])
    assert datasets.given_tables(combined_settings(), drawn) == [
        f"{drawn}/ckplus/subjects.csv",
        f"{drawn}/actor_study/subjects.csv",
        f"{drawn}/actor_study/annotations.csv",
    ]
    modules = ["combined", "ckplus", "actor_study"]
    expected = [f"facebias.data.datasets.{name}" for name in modules]
    assert datasets.modules(combined_settings()) == expected


def test_samples_that_are_frames():
    assert datasets.of_frames(combined_settings())
    assert datasets.of_frames(actor_settings())
    assert datasets.of_frames(ckplus_settings("frames"))
    assert not datasets.of_frames(ckplus_settings("sequences"))

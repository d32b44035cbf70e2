"""The index of all clips and the counts of what was left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facebias import study, tables
from facebias.clips import index
from facebias.study import StudyError
from media import data_settings

GENDER = ["female"] * 6 + ["male"] * 4 + [None] * 2
REASONS = [None] * 3 + ["no face: in 4 of 4 key frames", "no face: in 3 of 4 key frames",
                        "too short: 3 frames, window 1 needs 4"] + [None] * 6  # fmt: skip


@pytest.fixture
def manifest():
    """Twelve samples of twelve people: 6 women, 4 men, 2 whose gender was not recorded."""
    return pd.DataFrame(
        {
            "sample": [f"s{n:02d}" for n in range(12)],
            "subject": [f"p{n:02d}" for n in range(12)],
            "path": [f"films/{n:02d}.mp4" for n in range(12)],
            "publishable": True,
            "label": "smiling",
            "gender": GENDER,
            "age": np.arange(20.0, 32.0),
            "site": [1.0] * 5 + [2.0] * 7,
        }
    )


@pytest.fixture
def earlier():
    """What the manifest left out: one man."""
    return pd.DataFrame(
        {
            "sample": ["m0"],
            "subject": ["p99"],
            "path": ["films/99.mp4"],
            "stage": ["manifest"],
            "reason": ["empty file: 0 bytes"],
            "gender": ["male"],
            "age": [50.0],
            "site": [np.nan],
        }
    )


def clips_of(manifest: pd.DataFrame) -> pd.DataFrame:
    frame = manifest[["sample"]].assign(
        shard=0,
        row=[-1 if reason else n for n, reason in enumerate(REASONS)],
        reason=REASONS,
        faces=1,
        probability=0.99,
    )
    for name in ("key_frames", "boxes", "landmarks"):
        frame[name] = [[] for _ in REASONS]
    return frame


def run(folder, manifest, earlier, *, limit):
    attributes = ["gender", "age", "site"]
    data = data_settings(attributes=attributes, required=[], max_excluded=limit)
    tables.write(manifest, folder / "manifest.csv", tables.MANIFEST)
    tables.write(earlier, folder / "earlier.csv", tables.EXCLUDED)
    clips = clips_of(manifest)
    # The shards hold the samples in another order than the manifest.
    for shard in range(2):
        part = clips.iloc[shard::2].assign(shard=shard)
        tables.write(part, folder / f"shard-{shard:03d}.parquet", tables.CLIPS)
    index.main(
        ["--settings", study.settings(data=data),
         "--manifest", f"{folder}/manifest.csv", "--excluded", f"{folder}/earlier.csv",
         "--shards", f"{folder}/shard-001.parquet", f"{folder}/shard-000.parquet",
         "--out", f"{folder}/index.parquet", "--excluded-out", f"{folder}/excluded.csv",
         "--summary", f"{folder}/exclusions.csv"]
    )  # fmt: skip


def test_index_has_the_order_of_the_manifest(tmp_path, manifest, earlier):
    run(tmp_path, manifest, earlier, limit=0.5)
    clips = tables.read(tmp_path / "index.parquet", tables.CLIPS)
    assert clips["sample"].tolist() == manifest["sample"].tolist()
    assert clips["shard"].tolist() == [0, 1] * 6


def test_excluded_lists_both_stages_with_attributes(tmp_path, manifest, earlier):
    run(tmp_path, manifest, earlier, limit=0.5)
    excluded = tables.read(tmp_path / "excluded.csv", tables.EXCLUDED)
    assert excluded["sample"].tolist() == ["m0", "s03", "s04", "s05"]
    assert excluded["stage"].tolist() == ["manifest", "extract", "extract", "extract"]
    assert excluded["reason"].tolist()[1:] == [reason for reason in REASONS if reason]
    assert excluded["gender"].tolist() == ["male", "female", "female", "female"]


def test_counts_per_group_and_kind_of_reason(tmp_path, manifest, earlier):
    run(tmp_path, manifest, earlier, limit=0.5)
    counts = tables.read(tmp_path / "exclusions.csv", tables.EXCLUSIONS)
    gender = counts[counts["attribute"] == "gender"].set_index(["group", "reason"])
    expected = {
        ("female", "any"): (6, 3),
        ("female", "no face"): (6, 2),
        ("female", "too short"): (6, 1),
        ("female", "empty file"): (6, 0),
        ("male", "any"): (5, 1),
        ("male", "no face"): (5, 0),
        ("male", "too short"): (5, 0),
        ("male", "empty file"): (5, 1),
        ("not recorded", "any"): (2, 0),
        ("not recorded", "no face"): (2, 0),
        ("not recorded", "too short"): (2, 0),
        ("not recorded", "empty file"): (2, 0),
    }
    found = gender[["n_samples", "n_excluded"]].apply(tuple, axis=1).to_dict()
    assert found == expected
    kinds = ["any", "empty file", "no face", "too short"]  # the same order in every group
    assert gender.index.get_level_values("reason").tolist() == kinds * 3
    assert gender["share"].tolist() == pytest.approx(
        (gender["n_excluded"] / gender["n_samples"]).tolist()
    )
    # Age is a measure and makes no groups; a number with few values does.
    assert set(counts["attribute"]) == {"gender", "site"}
    assert set(counts.loc[counts["attribute"] == "site", "group"]) == {"1", "2", "not recorded"}


def test_nothing_left_out(manifest, earlier):
    counts = index.summary(manifest, earlier.iloc[:0], ["gender"])
    assert counts["reason"].unique().tolist() == ["any"]
    assert (counts["n_excluded"] == 0).all()
    assert counts["n_samples"].sum() == 12


def test_an_empty_table_of_excluded_does_not_turn_numbers_into_groups(tmp_path, manifest, earlier):
    tables.write(earlier.iloc[:0], tmp_path / "none.csv", tables.EXCLUDED)
    none = tables.read(tmp_path / "none.csv", tables.EXCLUDED)
    many = pd.concat([manifest.assign(age=manifest["age"] + shift) for shift in range(0, 60, 12)])
    counts = index.summary(many, none, ["gender", "age"])
    assert set(counts["attribute"]) == {"gender"}


def test_everything_left_out(manifest, earlier):
    everything = manifest.assign(stage="extract", reason="no face: in 1 of 1 key frames")
    counts = index.summary(manifest.iloc[:0], everything, ["gender"])
    assert (counts["share"] == 1).all()


def test_limit_is_an_error_that_says_why(tmp_path, manifest, earlier):
    with pytest.raises(StudyError) as caught:
        run(tmp_path, manifest, earlier, limit=0.2)
    message = str(caught.value)
    assert message.startswith("data.max_excluded: 4 of 13 samples (31%) are left out")
    assert "the limit is 20%" in message
    assert "2 x no face, such as films/03.mp4: no face: in 4 of 4 key frames" in message
    assert "1 x empty file, such as films/99.mp4" in message
    assert message.index("no face") < message.index("empty file")
    # The list is there to read; the index is not, so nothing goes on.
    assert len(tables.read(tmp_path / "excluded.csv", tables.EXCLUDED)) == 4
    assert not (tmp_path / "index.parquet").exists()


def test_limit_itself_is_allowed(manifest, earlier):
    index.check_share(earlier, 10, 0.1, "excluded.csv")
    with pytest.raises(StudyError):
        index.check_share(earlier, 9, 0.1, "excluded.csv")


def test_shards_of_another_manifest(tmp_path, manifest, earlier):
    run(tmp_path, manifest, earlier, limit=1)
    shards = [tmp_path / "shard-000.parquet"]
    with pytest.raises(StudyError, match="6 samples stand in only one of manifest and shards"):
        index.join_shards(manifest, shards)

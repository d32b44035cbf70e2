"""The stage that cuts the clips of a shard."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facebias import study, tables
from facebias.clips import faces, stage, store
from media import clip_settings, moving, needs_london, photograph, write_video

pytestmark = needs_london


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Five films and a picture that holds no face."""
    folder = tmp_path_factory.mktemp("films")
    rows = []
    for number, subject in enumerate(["001", "010", "020", "031", "061"]):
        path = write_video(folder / f"{subject}.mp4", moving(8, subject=subject))
        rows.append((f"s{number}", subject, str(path)))
    Image.fromarray(np.zeros((160, 160, 3), np.uint8)).save(folder / "black.png")
    rows.insert(2, ("black", "099", str(folder / "black.png")))
    frame = pd.DataFrame(rows, columns=["sample", "subject", "path"]).assign(publishable=True)
    tables.write(frame, folder / "manifest.csv", tables.MANIFEST)
    return folder / "manifest.csv"


def extract(manifest, folder, shards, **changes):
    settings = clip_settings(shards=shards, **changes)
    folder.mkdir()
    for shard in range(shards):
        stem = folder / store.shard_name(shard)
        stage.main(
            ["--settings", study.settings(clips=settings), "--manifest", str(manifest),
             "--shard", str(shard), "--out", f"{stem}.npy", "--index", f"{stem}.parquet"]
        )  # fmt: skip
    paths = [folder / f"{store.shard_name(shard)}.parquet" for shard in range(shards)]
    tables.write(tables.gather(paths, tables.CLIPS), folder / "index.parquet", tables.CLIPS)
    return store.open_clips(folder / "index.parquet")


@pytest.mark.parametrize("shards", [1, 3, 8])
def test_pixels_do_not_depend_on_the_shards(manifest, tmp_path, shards):
    one = extract(manifest, tmp_path / "one", 1)
    many = extract(manifest, tmp_path / "many", shards)
    assert sorted(one.samples) == sorted(many.samples) == ["s0", "s1", "s2", "s3", "s4"]
    assert np.array_equal(one.read(one.samples), many.read(one.samples))


def test_sample_goes_to_the_shard_of_its_position(manifest, tmp_path):
    clips = extract(manifest, tmp_path / "clips", 3)
    asked = ["s0", "s1", "black", "s2", "s3", "s4"]
    assert clips.index.loc[asked, "shard"].tolist() == [0, 1, 2, 0, 1, 2]


def test_index_tells_what_was_cut(manifest, tmp_path):
    clips = extract(manifest, tmp_path / "clips", 1, crop_size=40)
    pixels = clips.read(["s0"])[0]
    assert pixels.shape == (4, 40, 40, 3)
    row = clips.index.loc["s0"]
    assert row["faces"] == 1
    assert 0.9 < row["probability"] <= 1
    key_frames = list(row["key_frames"])
    assert len(key_frames) == 4
    assert key_frames == sorted(set(key_frames))
    boxes, points = np.reshape(row["boxes"], (4, 4)), np.reshape(row["landmarks"], (4, 5, 2))
    assert (boxes[:, 2] - boxes[:, 0] == boxes[:, 3] - boxes[:, 1]).all()
    assert ((points > 0) & (points < 40)).all()
    black = clips.index.loc["black"]
    assert black["row"] == -1
    assert black["reason"] == "too short: 1 frame, window 1 needs 4"


def test_same_bytes_twice(manifest, tmp_path):
    extract(manifest, tmp_path / "first", 2)
    extract(manifest, tmp_path / "second", 2)
    for name in ("shard-000.npy", "shard-001.npy", "shard-000.parquet", "shard-001.parquet"):
        first, second = tmp_path / "first" / name, tmp_path / "second" / name
        assert first.read_bytes() == second.read_bytes()


def test_settings_are_the_clips_alone():
    text = study.settings(clips=clip_settings())
    assert set(json.loads(text)["clips"]) == {
        field.name for field in dataclasses.fields(study.Preprocessing)
    }


def test_face_past_the_edge_of_a_picture(tmp_path):
    # The face starts at the left edge of the picture, the margin lies outside of it.
    pixels = np.ascontiguousarray(photograph(side=320)[:, 105:])
    Image.fromarray(pixels).save(tmp_path / "edge.png")
    settings = clip_settings(
        windows=[{"k": 1, "skip_frames": 0, "part": [0.0, 1.0]}], margin=16, detect_size=0
    )
    clip, facts = stage.make_clip(tmp_path / "edge.png", settings, faces.Detector(settings))
    assert facts["boxes"][0] < 0
    assert clip.shape == (1, 48, 48, 3)
    assert np.array_equal(clip[0][:, 0], clip[0][:, 1])

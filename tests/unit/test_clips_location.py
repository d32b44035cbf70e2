"""Faces that are found once and cut in several ways."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facebias import study, tables
from facebias.clips import decode, faces, location, stage, store
from media import clip_settings, moving, needs_london, write_video

pytestmark = needs_london
MARGINS = (0, 25, 40, 65)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Two films, one that is too short, and a picture without a face."""
    folder = tmp_path_factory.mktemp("films")
    rows = [("short", "002", str(write_video(folder / "short.mp4", moving(2))))]
    for number, subject in enumerate(["001", "010"]):
        path = write_video(folder / f"{subject}.mp4", moving(8, subject=subject))
        rows.append((f"s{number}", subject, str(path)))
    black = write_video(folder / "black.mp4", [np.zeros((160, 160, 3), np.uint8)] * 6)
    rows.append(("black", "099", str(black)))
    frame = pd.DataFrame(rows, columns=["sample", "subject", "path"]).assign(publishable=True)
    tables.write(frame, folder / "manifest.csv", tables.MANIFEST)
    return folder / "manifest.csv"


def settings(margin, **changes):
    return clip_settings(crop_size=96, margin=margin, **changes)


def locate(manifest, out):
    given = study.settings(locating=settings(0).locating)
    location.main(
        ["--settings", given, "--manifest", str(manifest), "--shard", "0", "--out", str(out)]
    )
    return out


def extract(manifest, folder, margin, *more):
    folder.mkdir()
    stem = folder / store.shard_name(0)
    given = study.settings(clips=settings(margin))
    stage.main(
        ["--settings", given, "--manifest", str(manifest), "--shard", "0", *more,
         "--out", f"{stem}.npy", "--index", f"{stem}.parquet"]
    )  # fmt: skip
    return stem.with_suffix(".npy").read_bytes(), stem.with_suffix(".parquet").read_bytes()


@pytest.mark.parametrize("margin", MARGINS)
def test_clips_are_those_of_faces_found_anew(manifest, tmp_path, margin):
    found = locate(manifest, tmp_path / "faces.parquet")
    own = extract(manifest, tmp_path / "own", margin)
    shared = extract(manifest, tmp_path / "shared", margin, "--faces", str(found))
    assert shared == own


def test_reasons_are_kept(manifest, tmp_path):
    found = tables.read(locate(manifest, tmp_path / "faces.parquet"), tables.FACES)
    reasons = found.set_index("sample")["reason"]
    assert reasons["short"] == "too short: 2 frames, window 1 needs 4"
    # Whether too few faces are seen is for those to say who cut them.
    assert reasons[["s0", "s1", "black"]].isna().all()
    extract(manifest, tmp_path / "cut", 0, "--faces", str(tmp_path / "faces.parquet"))
    index = tables.read(tmp_path / "cut" / "shard-000.parquet", tables.CLIPS).set_index("sample")
    assert index.loc["short", "reason"] == reasons["short"]
    assert index.loc["black", "reason"] == "no face: in 4 of 4 key frames"


def test_four_margins_take_one_detection(manifest, tmp_path, monkeypatch):
    looked, read = [], []
    detect, grey = faces.Detector._detect, decode.Footage.grey

    def counted(self, batch):
        looked.append(len(batch))
        return detect(self, batch)

    def whole(self, size):
        read.append(self.path)
        return grey(self, size)

    monkeypatch.setattr(faces.Detector, "_detect", counted)
    monkeypatch.setattr(decode.Footage, "grey", whole)
    for margin in MARGINS:
        extract(manifest, tmp_path / f"own-{margin}", margin)
    alone = sum(looked), len(read)
    looked.clear()
    read.clear()
    found = locate(manifest, tmp_path / "faces.parquet")
    for margin in MARGINS:
        extract(manifest, tmp_path / f"shared-{margin}", margin, "--faces", str(found))
    assert alone == (4 * sum(looked), 4 * len(read))
    assert sum(looked) == 3 * 4  # three films of four key frames


def test_a_picture(tmp_path):
    Image.fromarray(moving(1)[0]).save(tmp_path / "still.png")
    still = settings(25, windows=[{"k": 1, "skip_frames": 0, "part": [0.0, 1.0]}])
    located, frames = location.locate(
        decode.Footage(tmp_path / "still.png"), still.locating, faces.Detector(still.locating)
    )
    assert located.key_frames == [0]
    assert frames[0].shape == (*frames[0].shape[:2], 3)
    clip, facts = stage.cut_clip(tmp_path / "still.png", still, located)
    assert clip.shape == (1, 96, 96, 3)
    assert facts["faces"] == 1

"""Clips on disk."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facebias import tables
from facebias.clips import store
from facebias.study import StudyError

FRAMES, SIDE = 6, 4


@pytest.fixture
def clips(tmp_path):
    """Three shards of samples a0..a6, a4 left out. Pixels tell the sample and the frame."""
    rows = []
    for shard in range(3):
        with store.writing(
            tmp_path / f"{store.shard_name(shard)}.npy", frames=FRAMES, side=SIDE
        ) as writer:
            for number in range(shard, 7, 3):
                left_out = number == 4
                row = -1 if left_out else writer.append(pixels(number))
                rows.append((f"a{number}", shard, row, "no face: in 4 of 4" if left_out else None))
    index = pd.DataFrame(rows, columns=["sample", "shard", "row", "reason"])
    index = index.assign(faces=1, probability=1.0)
    for name in ("key_frames", "boxes", "landmarks"):
        index[name] = [[] for _ in rows]
    tables.write(index.sort_values("sample"), tmp_path / "index.parquet", tables.CLIPS)
    return store.open_clips(tmp_path / "index.parquet")


def pixels(number: int) -> np.ndarray:
    frames = 10 * number + np.arange(FRAMES, dtype=np.uint8)
    return np.broadcast_to(frames[:, None, None, None], (FRAMES, SIDE, SIDE, 3)).astype(np.uint8)


def test_reads_across_shards_in_the_order_asked(clips):
    asked = ["a6", "a0", "a5", "a2", "a1", "a0", "a3"]
    found = clips.read(asked)
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.stack([pixels(int(sample[1])) for sample in asked]))


def test_samples_are_those_with_a_clip(clips):
    assert clips.samples == ["a0", "a1", "a2", "a3", "a5", "a6"]
    assert clips.index.loc["a4", "reason"] == "no face: in 4 of 4"


def test_rows_of_left_out_samples_take_no_room(clips, tmp_path):
    assert np.load(tmp_path / "shard-001.npy").shape == (1, FRAMES, SIDE, SIDE, 3)
    assert np.load(tmp_path / "shard-000.npy").shape == (3, FRAMES, SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("frames", "expected"), [(None, range(6)), (6, range(6)), (3, [1, 3, 5]), (2, [1, 4]), (1, [3])]
)
def test_evenly_spaced_frames(clips, frames, expected):
    assert clips.read(["a2"], frames)[0, :, 0, 0, 0].tolist() == [20 + n for n in expected]


def test_published_ten_of_twenty_frames():
    assert store.evenly(20, 10).tolist() == list(range(1, 20, 2))


@pytest.mark.parametrize(
    ("samples", "frames", "message"),
    [
        (["a0", "zz"], None, "no sample 'zz'"),
        (["a4"], None, "a4.*left out.*no face"),
        (["a0"], 7, "7 frames asked for, a clip has 6"),
        ([], None, "no sample was asked for"),
    ],
)
def test_says_what_cannot_be_read(clips, samples, frames, message):
    with pytest.raises(StudyError, match=message):
        clips.read(samples, frames)


def test_shard_without_clips_is_a_valid_array(tmp_path):
    path = tmp_path / "shard-000.npy"
    with store.writing(path, frames=2, side=3):
        pass
    assert np.load(path).shape == (0, 2, 3, 3, 3)


def test_many_rows_fit_the_head_of_the_file(tmp_path):
    path = tmp_path / "shard-000.npy"
    with store.writing(path, frames=1, side=1) as writer:
        for number in range(1234):
            writer.append(np.full((1, 1, 1, 3), number % 256, np.uint8))
    found = np.load(path, mmap_mode="r")
    assert found.shape == (1234, 1, 1, 1, 3)
    assert found[:, 0, 0, 0, 0].tolist() == [number % 256 for number in range(1234)]


def test_wrong_shape_is_refused_and_leaves_no_file(tmp_path):
    path = tmp_path / "shard-000.npy"
    with (
        pytest.raises(ValueError, match="expected uint8"),
        store.writing(path, frames=2, side=3) as writer,
    ):
        writer.append(np.zeros((3, 3, 3, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []

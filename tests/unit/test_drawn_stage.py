"""Drawing shards: real video files, the truth beside them, and the same bytes every time."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from facebias import tables
from facebias.core import action_units
from facebias.data.datasets.drawn import stage
from facebias.data.datasets.drawn.expressions import ACTIVE, EXPRESSIONS, UNITS
from facebias.data.datasets.drawn.people import samples
from facebias.study import Drawn, StudyError, settings

DRAWN = Drawn(
    subjects=3, repetitions=1, seed=7, size=96, frames=8, fps=12, shards=2, bias=()
)  # fmt: skip
NAMES = ("happiness", "surprise")


def drawn_to(folder: Path, drawn: Drawn, shard: int) -> Path:
    out = folder / f"shard-{shard:02d}"
    text = settings(drawn=drawn, labels=NAMES)
    stage.main(["--settings", text, "--shard", str(shard), "--out", str(out)])
    return out


def digests(folder: Path) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("*.mp4"))
    }


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


@pytest.fixture(scope="module")
def shard(tmp_path_factory) -> Path:
    return drawn_to(tmp_path_factory.mktemp("drawn"), DRAWN, 0)


def test_a_shard_holds_its_films_and_the_truth(shard):
    films = samples(DRAWN, NAMES).query("shard == 0")
    found = {f"{shard.name}/{file.name}" for file in shard.glob("*.mp4")}
    assert found == set(films["path"])
    assert {file.name for file in shard.iterdir()} - set(digests(shard)) == {"truth.parquet"}


def test_films_are_h264_and_hold_every_frame(shard):
    for file in shard.glob("*.mp4"):
        with av.open(str(file)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264"
            assert stream.average_rate == DRAWN.fps
        assert decoded(file).shape == (DRAWN.frames, DRAWN.size, DRAWN.size, 3)


def test_films_move(shard):
    frames = decoded(shard / "P001-surprise-1.mp4").astype(int)
    assert np.abs(frames[-1] - frames[0]).mean() > 2


def test_two_runs_give_the_same_bytes(shard, tmp_path):
    again = drawn_to(tmp_path, DRAWN, 0)
    assert digests(again) == digests(shard)
    pd.testing.assert_frame_equal(
        tables.read(again / "truth.parquet", stage.TRUTH),
        tables.read(shard / "truth.parquet", stage.TRUTH),
    )


def test_a_film_depends_neither_on_shards_nor_on_other_people(shard, tmp_path):
    other = dataclasses.replace(DRAWN, subjects=5, shards=4, repetitions=2)
    elsewhere = digests(drawn_to(tmp_path, other, 2))
    assert elsewhere["P003-surprise-1.mp4"] == digests(shard)["P003-surprise-1.mp4"]
    assert elsewhere["P003-surprise-1.mp4"] != elsewhere["P003-surprise-2.mp4"]


def test_the_truth_has_one_row_per_frame(shard):
    truth = tables.read(shard / "truth.parquet", stage.TRUTH)
    counts = truth.groupby("sample").size()
    assert set(counts) == {DRAWN.frames}
    assert set(counts.index) == {file.stem for file in shard.glob("*.mp4")}
    for sample, rows in truth.groupby("sample"):
        assert set(rows["true_label"]) == {sample.split("-")[1]}


def test_units_are_active_from_the_threshold_on(shard):
    truth = tables.read(shard / "truth.parquet", stage.TRUTH)
    for unit in UNITS:
        assert (truth[f"active_{unit}"] == (truth[f"au_{unit}"] >= ACTIVE)).all()
    first, last = truth[truth["frame"] == 0], truth[truth["frame"] == DRAWN.frames - 1]
    assert not first[[f"active_{unit}" for unit in UNITS]].to_numpy().any()
    for label in NAMES:
        rows = last[last["true_label"] == label]
        assert rows[[f"active_{unit}" for unit in EXPRESSIONS[label]]].to_numpy().all()


def test_landmarks_lie_in_the_frame_and_boxes_follow_them(shard):
    truth = tables.read(shard / "truth.parquet", stage.TRUTH)
    points = np.stack(truth["landmarks"]).reshape(len(truth), 68, 2)
    assert (points > 0).all()
    assert (points < DRAWN.size).all()
    high = np.ptp(points[:, :, 1], axis=1) / DRAWN.size
    assert (high > 0.30).all()
    assert (high < 0.62).all()
    for unit in UNITS:
        boxes = np.stack(truth[f"box_{unit}"]).reshape(len(truth), -1, 4)
        np.testing.assert_allclose(boxes, action_units.boxes([unit], points), atol=0.01)


def test_the_pupil_is_where_the_landmarks_say(shard):
    frames = decoded(shard / "P001-surprise-1.mp4")
    truth = tables.read(shard / "truth.parquet", stage.TRUTH).query("sample == 'P001-surprise-1'")
    points = np.stack(truth["landmarks"]).reshape(len(truth), 68, 2)
    for eye in (slice(36, 42), slice(42, 48)):
        x, y = points[-1, eye].mean(axis=0).round().astype(int)
        cheek = frames[-1, y + 12 : y + 15, x - 1 : x + 2].mean()
        assert frames[-1, y - 1 : y + 2, x - 1 : x + 2].mean() < cheek


def test_a_failed_run_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr(stage.film, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        drawn_to(tmp_path, DRAWN, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_shard_without_people_is_empty(tmp_path):
    out = drawn_to(tmp_path, dataclasses.replace(DRAWN, subjects=2, shards=3), 2)
    assert len(tables.read(out / "truth.parquet", stage.TRUTH)) == 0
    assert [file.name for file in out.iterdir()] == ["truth.parquet"]


@pytest.mark.parametrize(
    ("change", "shard", "message"),
    [
        ({}, 2, "--shard: found 2, expected 0 to 1"),
        ({"bias": ({"kind": "weak"},)}, 0, "data.drawn.bias[0].kind: found 'weak'"),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path, change, shard, message):
    with pytest.raises(StudyError) as caught:
        drawn_to(tmp_path, dataclasses.replace(DRAWN, **change), shard)
    assert message in str(caught.value)

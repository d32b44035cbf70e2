"""Quality of the faces: what is measured, and where in the picture."""

import cv2
import numpy as np
import pandas as pd
import pytest

from facebias import tables
from facebias.clips import quality, store

# Eyes, nose, corners of the mouth: a rectangle from (10, 12) to (22, 26).
LANDMARKS = np.array([[10.0, 12.0], [22.0, 12.0], [16.0, 19.0], [11.0, 26.0], [21.0, 26.0]])


def picture(value=120, *, side=32):
    return np.full((side, side, 3), value, np.uint8)


def noisy(seed=1):
    random = np.random.default_rng(seed)
    return random.integers(60, 180, (32, 32, 3)).astype(np.uint8)


def test_plain_picture_has_its_brightness_and_nothing_else():
    assert quality.face(picture(120), LANDMARKS) == pytest.approx((120, 0, 0))


def test_only_the_rectangle_of_the_landmarks_counts():
    framed = noisy()
    framed[12:26, 10:22] = 90
    brightness, contrast, _ = quality.face(framed, LANDMARKS)
    assert (brightness, contrast) == pytest.approx((90, 0))
    far = picture(90)
    far[:8] = noisy()[:8]
    assert quality.face(far, LANDMARKS) == pytest.approx((90, 0, 0))
    inside = picture(90)
    inside[12:26, 10:22] = noisy()[12:26, 10:22]
    assert quality.face(inside, LANDMARKS)[0] == pytest.approx(
        cv2.cvtColor(noisy(), cv2.COLOR_RGB2GRAY)[12:26, 10:22].mean()
    )


def test_blurred_face_is_less_sharp_and_as_bright():
    sharp = quality.face(noisy(), LANDMARKS)
    blurred = quality.face(cv2.GaussianBlur(noisy(), (0, 0), 1.5), LANDMARKS)
    assert blurred[2] < sharp[2] / 20
    assert blurred[0] == pytest.approx(sharp[0], abs=2)


@pytest.mark.parametrize(
    "landmarks",
    [np.full((5, 2), 16.0), LANDMARKS - 40, LANDMARKS + 40],
    ids=["point", "left", "right"],
)
def test_landmarks_on_one_spot_or_outside_still_give_numbers(landmarks):
    assert np.isfinite(quality.face(noisy(), landmarks)).all()


def test_table_has_one_row_per_clip_and_none_for_what_was_left_out(tmp_path):
    clips = [[picture(100), picture(140)], [noisy(2), noisy(3)]]
    with store.writing(tmp_path / "shard-000.npy", frames=2, side=32) as writer:
        for clip in clips:
            writer.append(np.stack(clip))
    boxes = [[5.0, 5.0, 45.0, 45.0, 5.0, 5.0, 65.0, 65.0], [0.0, 0.0, 20.0, 20.0] * 2, []]
    index = pd.DataFrame(
        {
            "sample": ["a", "b", "lost"],
            "shard": 0,
            "row": [0, 1, -1],
            "reason": [None, None, "no face: in 2 of 2 key frames"],
            "faces": [1, 1, 0],
            "probability": [0.99, 0.95, np.nan],
            "key_frames": [[3, 10], [4, 4], []],
            "boxes": boxes,
            "landmarks": [np.tile(LANDMARKS.ravel(), 2).tolist()] * 2 + [[]],
        }
    )
    tables.write(index, tmp_path / "index.parquet", tables.CLIPS)
    quality.main(["--index", str(tmp_path / "index.parquet"), "--out", str(tmp_path / "q.parquet")])
    table = tables.read(tmp_path / "q.parquet", tables.QUALITY).set_index("sample")
    assert list(table.index) == ["a", "b"]
    assert table.loc["a", "face_size"] == 50
    assert list(table["key_frame_span"]) == [8, 1]
    assert table.loc["a", "brightness"] == pytest.approx(120)
    assert table.loc["b", "detection_probability"] == 0.95
    each = [quality.face(frame, LANDMARKS) for frame in clips[1]]
    assert table.loc["b", "sharpness"] == pytest.approx(np.mean([one[2] for one in each]))

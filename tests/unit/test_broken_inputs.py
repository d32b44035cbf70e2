"""Broken inputs: real files through the real stages, each with the reason that a person reads.

A bad sample is left out with its reason and never stops the others.
"""

from __future__ import annotations

import io
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from facebias import __main__, study, tables
from media import (
    clip_settings,
    data_settings,
    label_settings,
    moving,
    needs_london,
    photograph,
    write_video,
)

BLACK = np.zeros((160, 160, 3), np.uint8)


# ---------------------------------------------------------------------------------- broken pictures


def jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def overwritten(content: bytes) -> bytes:
    """The second half replaced by noise."""
    half = len(content) // 2
    return content[:half] + np.random.default_rng(0).bytes(len(content) - half)


def huge_png() -> bytes:
    """A PNG that claims 60000 x 60000 pixels."""
    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    parts = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")):
        parts += struct.pack(">I", len(content)) + name + content
        parts += struct.pack(">I", zlib.crc32(name + content))
    return parts


def two_people() -> np.ndarray:
    return np.hstack([photograph("001", side=160), photograph("010", side=160)])


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)


# What the file holds (None: no file is written), and why it is left out.
PICTURES: dict[str, tuple[Callable[[], bytes] | None, str]] = {
    "empty.jpg": (lambda: b"", "empty file: 0 bytes"),
    "missing.jpg": (None, "no such file"),
    "folder.jpg": (None, "not a file: it is a folder"),
    "notes.txt": (lambda: b"hello", "wrong kind of file: .txt, a picture ends in .jpg, "),
    "nothing": (lambda: b"hello", "wrong kind of file: no ending, a picture ends in .jpg, "),
    "truncated.jpg": (
        lambda: jpeg(photograph(side=160))[:3000],
        "truncated picture: the file ends too early",
    ),
    "truncated.png": (
        lambda: png(photograph(side=160))[:9000],
        "truncated picture: the file ends too early",
    ),
    "head_only.jpg": (
        lambda: jpeg(photograph(side=160))[:60],
        "truncated picture: the file ends too early",
    ),
    "damaged.png": (
        lambda: overwritten(png(photograph(side=160))),
        "damaged picture: it cannot be read to its end",
    ),
    "text.jpg": (
        lambda: b"<html>404 Not Found</html>",
        "not a picture: the content is of no known picture format",
    ),
    "zeros.jpg": (
        lambda: bytes(5000),
        "not a picture: the content is of no known picture format",
    ),
    "huge.png": (
        huge_png,
        "picture too large: more pixels than Pillow agrees to open",
    ),
    "tiny.png": (
        lambda: png(photograph(side=8)),
        "too small: 8 x 8 pixels, a face must have 60 (clips.min_face)",
    ),
    "small_face.png": (
        lambda: png(cv2.copyMakeBorder(photograph(side=80), 80, 0, 80, 0, cv2.BORDER_REPLICATE)),
        "no face: in 1 of 1 key frames",
    ),
    "black.png": (lambda: png(BLACK), "no face: in 1 of 1 key frames"),
    "noise.png": (lambda: png(noise()), "no face: in 1 of 1 key frames"),
    "two_people.png": (lambda: png(two_people()), "several faces: 2"),
}

# Rows of the table of samples that point at a good picture: subject, path, label.
ROWS: dict[str, tuple[str, str, str]] = {
    "label_misspelt,p1,good.png,smilling": (
        "unknown label: 'smilling' is not in labels.names; did you mean smiling?"
    ),
    "label_missing,p1,good.png,": "no label",
    "subject_unknown,p7,good.png,smiling": (
        "unknown subject: p7 has no row in the table of subjects"
    ),
    "subject_missing,,good.png,smiling": "no subject",
    "attribute_missing,p2,good.png,smiling": (
        "no gender: of subject p2, and data.required asks for it"
    ),
    "path_missing,p1,,smiling": "no path",
}


def run(folder: Path, adapter: str, k: int) -> dict[str, str | None]:
    """Run manifest, extract and index; return the reason of every sample, None if it is used."""
    data = data_settings(adapter=adapter)
    windows = [{"k": k, "skip_frames": 0, "part": [0.0, 1.0]}]
    clips = clip_settings(windows=windows, detect_size=320, shards=2)
    stages = [
        ["manifest", "--settings", study.settings(data=data, labels=label_settings()),
         "--root", f"{folder}", "--out", f"{folder}/manifest.csv",
         "--excluded", f"{folder}/manifest-excluded.csv"],
        *[
            ["extract", "--settings", study.settings(clips=clips),
             "--manifest", f"{folder}/manifest.csv", "--shard", f"{shard}",
             "--out", f"{folder}/shard-{shard:03d}.npy",
             "--index", f"{folder}/shard-{shard:03d}.parquet"]
            for shard in range(2)
        ],
        ["index", "--settings", study.settings(data=data), "--manifest", f"{folder}/manifest.csv",
         "--excluded", f"{folder}/manifest-excluded.csv",
         "--shards", f"{folder}/shard-000.parquet", f"{folder}/shard-001.parquet",
         "--out", f"{folder}/index.parquet", "--excluded-out", f"{folder}/excluded.csv",
         "--summary", f"{folder}/exclusions.csv"],
    ]  # fmt: skip
    for stage in stages:
        assert __main__.main(stage) == 0
    clips_index = tables.read(folder / "index.parquet", tables.CLIPS)
    used = clips_index.loc[clips_index["row"] >= 0, "sample"]
    excluded = tables.read(folder / "excluded.csv", tables.EXCLUDED)
    return dict.fromkeys(used) | dict(zip(excluded["sample"], excluded["reason"], strict=True))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> dict[str, str | None]:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "folder.jpg").mkdir()
    (folder / "good.png").write_bytes(png(photograph(side=160)))
    rows = ["sample,subject,path,label", "good,p1,good.png,smiling"]
    for name, (content, _) in PICTURES.items():
        if content is not None:
            (folder / name).write_bytes(content())
        rows.append(f"{name},p1,{name},smiling")
    shutil.copy(write_video(folder / "film.mp4", moving(4)), folder / "film.jpg")
    rows += ["film.jpg,p1,film.jpg,smiling", *ROWS, "also_good,p3,good.png,neutral"]
    (folder / "samples.csv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "subjects.csv").write_text(
        "subject,gender\np1,female\np2,\np3,male\n", encoding="utf-8"
    )
    return run(folder, "pictures", k=1)


@needs_london
@pytest.mark.parametrize("name", PICTURES)
def test_broken_picture_is_left_out_with_its_reason(pictures, name):
    expected = PICTURES[name][1]
    assert pictures[name].startswith(expected)
    assert expected.endswith(", ") or pictures[name] == expected


@needs_london
@pytest.mark.parametrize("row", ROWS)
def test_broken_row_is_left_out_with_its_reason(pictures, row):
    assert pictures[row.split(",")[0]].startswith(ROWS[row])


@needs_london
def test_video_named_like_a_picture(pictures):
    assert pictures["film.jpg"] == "not a picture: the content is of no known picture format"


@needs_london
def test_broken_pictures_do_not_touch_the_good_ones(pictures):
    assert [sample for sample, reason in pictures.items() if reason is None] == [
        "good",
        "also_good",
    ]
    assert len(pictures) == len(PICTURES) + len(ROWS) + 3


# ------------------------------------------------------------------------------------ broken videos


def video(path: Path, frames: list[np.ndarray], **options: str) -> bytes:
    return write_video(path, frames, **options).read_bytes()


def sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        wave = np.sin(np.arange(1024) / 10).astype(np.float32)[None]
        for number in range(20):
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, number * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def no_frames(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=12)
        stream.width = stream.height = 160
        stream.pix_fmt = "yuv420p"
        container.start_encoding()


def cut_off(path: Path, share: float, **options: str) -> None:
    content = video(path, moving(24), **options)
    path.write_bytes(content[: int(share * len(content))])


def flipped(path: Path) -> None:
    content = bytearray(video(path, moving(12)))
    for place in range(len(content) // 10, len(content) // 2, 50):
        content[place] ^= 0xFF
    path.write_bytes(content)


VIDEOS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.mp4": (lambda path: path.write_bytes(b""), "empty file: 0 bytes"),
    "missing.avi": (lambda path: None, "no such file"),
    "folder.mov": (lambda path: path.mkdir(), "not a file: it is a folder"),
    "film.swf": (
        lambda path: path.write_bytes(b"FWS"),
        "wrong kind of file: .swf, a video ends in .mp4, .avi, .mov, .mkv, .webm, ",
    ),
    "film.gif": (
        lambda path: path.write_bytes(b"GIF89a"),
        "not a picture: the content is of no known picture format",
    ),
    "text.mp4": (
        lambda path: path.write_bytes(b"not a video at all" * 50),
        "not a video: damaged, truncated or of no known format",
    ),
    "truncated.mp4": (
        lambda path: cut_off(path, 0.8),
        "not a video: damaged, truncated or of no known format",
    ),
    "cut.mp4": (
        lambda path: cut_off(path, 0.8, movflags="faststart"),
        "damaged video: cannot be decoded after frame",
    ),
    "cut.mkv": (lambda path: cut_off(path, 0.8), "truncated video: only "),
    "cut.avi": (lambda path: cut_off(path, 0.8, codec="mpeg4"), "damaged video: frame "),
    "flipped.mp4": (flipped, "damaged video: "),
    "sound.mp4": (sound, "no picture track: the file holds sound or text only"),
    "no_frames.avi": (no_frames, "no frames: the video track is empty or cut off"),
    "short.mp4": (
        lambda path: video(path, moving(3)),
        "too short: 3 frames, window 1 needs 4",
    ),
    "picture.mp4": (
        lambda path: path.write_bytes(jpeg(photograph(side=160))),
        "not a video: damaged, truncated or of no known format",
    ),
    "small.mp4": (
        lambda path: video(path, [frame[:32, :32] for frame in moving(6)]),
        "too small: 32 x 32 pixels, a face must have 60 (clips.min_face)",
    ),
    "black.mp4": (lambda path: video(path, [BLACK] * 8), "no face: in 4 of 4 key frames"),
    "half_black.mp4": (
        lambda path: video(path, [BLACK, BLACK, *moving(2)]),
        "no face: in 2 of 4 key frames",
    ),
    "two_people.mp4": (lambda path: video(path, [two_people()] * 6), "several faces: 2"),
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> dict[str, str | None]:
    folder = tmp_path_factory.mktemp("videos")
    rows = ["sample,subject,path,label"]
    for name, (make, _) in VIDEOS.items():
        make(folder / name)
        rows.append(f"{name},p1,{name},smiling")
    write_video(folder / "good.mp4", moving(8))
    write_video(folder / "still.mkv", [photograph(side=160)] * 5)
    rows += ["good,p1,good.mp4,smiling", "still,p1,still.mkv,neutral"]
    (folder / "samples.csv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "subjects.csv").write_text("subject,gender\np1,female\n", encoding="utf-8")
    return run(folder, "videos", k=4)


@needs_london
@pytest.mark.parametrize("name", VIDEOS)
def test_broken_video_is_left_out_with_its_reason(videos, name):
    assert videos[name].startswith(VIDEOS[name][1])


@needs_london
def test_broken_videos_do_not_touch_the_good_ones(videos):
    assert [sample for sample, reason in videos.items() if reason is None] == ["good", "still"]
    assert len(videos) == len(VIDEOS) + 2


@needs_london
def test_reasons_are_words(pictures, videos):
    for reason in [*pictures.values(), *videos.values()]:
        if reason is not None:
            for code in ("Error", "Errno", "Traceback", "<", "0x", "("):
                assert code not in reason.replace("(clips.min_face)", "")

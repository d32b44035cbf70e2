"""Frames of videos and pictures."""

from __future__ import annotations

import sys
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from PIL import Image

from facebias.clips import UnusableError, decode
from facebias.clips.decode import Footage
from facebias.clips.pictures import read_picture
from facebias.data.datasets import pictures, videos
from media import write_matrix, write_video


def test_kind_of_file_is_told_by_its_ending_as_the_data_sets_do():
    assert all(Footage(Path(f"a{ending}"))._is_picture for ending in pictures.SUFFIXES)
    assert all(Footage(Path(f"a{ending.upper()}"))._is_picture for ending in pictures.SUFFIXES)
    assert not any(Footage(Path(f"a{ending}"))._is_picture for ending in videos.SUFFIXES)


def levels(n: int, side: int = 64) -> list[np.ndarray]:
    """Frames whose brightness says their number: 10 grey levels apart."""
    return [np.full((side, side, 3), 20 + 10 * number, np.uint8) for number in range(n)]


@pytest.mark.parametrize(
    ("ending", "codec"),
    [("mp4", "libx264"), ("mov", "libx264"), ("mkv", "libx264"), ("avi", "mpeg4"),
     ("webm", "libvpx-vp9"), ("mpg", "mpeg2video"), ("mpeg", "mpeg1video"), ("flv", "flv"),
     ("wmv", "wmv2"), ("asf", "wmv2"), ("m4v", "mpeg4"), ("mts", "libx264"),
     ("m2ts", "mpeg2video")],
)  # fmt: skip
def test_every_frame_is_read_in_order(tmp_path, ending, codec):
    # MPEG knows no film of 12 frames per second.
    path = write_video(tmp_path / f"film.{ending}", levels(20), codec=codec, fps=25)
    grey = Footage(path).grey(8)
    assert grey.shape == (20, 8, 8)
    assert grey.dtype == np.uint8
    means = grey.mean(axis=(1, 2))
    assert (np.diff(means) > 0).all()
    assert np.allclose(means, 20 + 10 * np.arange(20), atol=4)


def test_colour_frames_are_those_asked_for(tmp_path):
    path = write_video(tmp_path / "film.mp4", levels(20))
    frames = list(Footage(path).colour([2, 3, 3, 11]))
    assert [frame.shape for frame in frames] == [(64, 64, 3)] * 4
    assert np.allclose([frame.mean() for frame in frames], [40, 50, 50, 130], atol=4)


@pytest.fixture
def decoded(monkeypatch):
    """Times of all frames that are decoded from now on."""
    times = []
    frames_of = decode._frames

    def counted(container, stream):
        for frame in frames_of(container, stream):
            times.append(frame.pts)
            yield frame

    monkeypatch.setattr(decode, "_frames", counted)
    return times


def test_decodes_no_further_than_the_last_key_frame_and_keeps_none_besides(tmp_path, decoded):
    path = write_video(tmp_path / "film.mp4", levels(20))
    footage = Footage(path)
    assert len(list(footage.colour([1, 5]))) == 2
    assert len(decoded) == 6
    decoded.clear()
    # The small grey frames are all that a whole pass keeps.
    assert footage.grey(4).nbytes == 20 * 4 * 4
    assert len(decoded) == 20


def test_one_converter_serves_a_film_and_no_frame_is_kept(tmp_path, monkeypatch):
    path = write_video(tmp_path / "film.mp4", levels(20))
    expected = Footage(path).grey(8)
    converters, reduced = [], []

    class Counted:
        def __init__(self):
            self._converter = VideoReformatter()
            converters.append(self)

        def reformat(self, *given, **more):
            reduced.append(self._converter.reformat(*given, **more))
            return reduced[-1]

    monkeypatch.setattr(decode, "VideoReformatter", Counted)
    grey = Footage(path).grey(8)
    assert np.array_equal(grey, expected)
    assert len(converters) == 1
    assert len(reduced) == 20
    # Two references to each: the list's and the question's.
    assert [sys.getrefcount(reduced[number]) for number in range(20)] == [2] * 20


def test_memory_grows_by_the_small_grey_frames_alone(tmp_path):
    size, films = 32, {}
    for n in (1, 100, 300):  # the first also holds what is loaded once
        path = write_video(tmp_path / f"{n}.mp4", (levels(20)[number % 20] for number in range(n)))
        tracemalloc.start()
        assert len(Footage(path).grey(size)) == n
        films[n] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    per_frame = (films[300] - films[100]) / 200
    assert size**2 <= per_frame < 2.2 * size**2  # a buffer that grows may be copied once


def test_rgb_order(tmp_path):
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    path = write_video(tmp_path / "film.mp4", [red] * 3)
    (frame,) = Footage(path).colour([1])
    assert frame[..., 0].mean() > 150 > 60 > frame[..., 2].mean()


def test_picture_is_a_video_of_one_frame(tmp_path):
    path = tmp_path / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    assert Footage(path).grey(8).shape == (1, 8, 8)
    (frame,) = Footage(path).colour([0])
    assert np.array_equal(frame, pixels)


GREY = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16", "I", "F"])
def test_pictures_of_every_mode_become_rgb(tmp_path, mode):
    path = tmp_path / ("picture.tif" if mode in ("CMYK", "I", "F") else "picture.png")
    if mode == "I;16":
        picture = Image.fromarray(GREY.astype(np.uint16) * 257)
    elif mode == "I":
        picture = Image.fromarray(GREY.astype(np.int32) * 257)
    elif mode == "F":
        picture = Image.fromarray(GREY.astype(np.float32))
    elif mode == "CMYK":
        picture = Image.fromarray(np.dstack([GREY] * 3)).convert("CMYK")
    else:
        picture = Image.fromarray(GREY).convert(mode)
    picture.save(path)
    pixels = read_picture(path)
    assert pixels.shape == (30, 40, 3)
    assert pixels.dtype == np.uint8
    if mode != "1":
        assert np.abs(pixels.astype(int) - GREY[..., None]).max() <= 2


def test_transparent_parts_are_black(tmp_path):
    path = tmp_path / "picture.png"
    pixels = np.full((8, 8, 4), 200, np.uint8)
    pixels[:4, :, 3] = 0
    pixels[4:, :, 3] = 255
    Image.fromarray(pixels).save(path)
    assert read_picture(path)[:4].max() == 0
    assert read_picture(path)[4:].min() == 200


def test_orientation_noted_by_the_camera_is_applied(tmp_path):
    path = tmp_path / "picture.jpg"
    upright = np.zeros((40, 20, 3), np.uint8)
    upright[:20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn by 90 degrees clockwise to see it upright
    Image.fromarray(np.rot90(upright)).save(path, exif=exif)
    pixels = read_picture(path)
    assert pixels.shape == (40, 20, 3)
    assert pixels[:15].min() > 200
    assert pixels[25:].max() < 50


@pytest.mark.parametrize(
    ("matrix", "bright"),
    [
        ((1, 0, 0, 1), (slice(0, 30), slice(None))),
        ((0, 1, -1, 0), (slice(None), slice(34, 64))),  # shown turned clockwise: top is right
        ((0, -1, 1, 0), (slice(None), slice(0, 30))),
        ((-1, 0, 0, -1), (slice(66, 96), slice(None))),
    ],
)
def test_rotation_noted_by_a_telephone_is_applied(tmp_path, matrix, bright):
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32] = 220
    if matrix[0]:
        pixels = np.ascontiguousarray(np.rot90(pixels, k=-1))
        pixels[:] = 0
        pixels[:48] = 220
    path = write_video(tmp_path / "film.mp4", [pixels] * 2)
    write_matrix(path, matrix)
    (frame,) = Footage(path).colour([0])
    assert frame.shape == (96, 64, 3)
    assert frame[bright].min() > 150
    shown = np.zeros((96, 64), bool)
    shown[bright] = True
    assert np.median(frame[~shown]) < 50


SHAPES = {"2:1": (48, 192), "1:2": (96, 96), "16:15": (48, 102), "1:1": (96, 96)}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_pixels_become_square(tmp_path, shape, suffix):
    """A circle of an anamorphic film is a circle, and no pixel is thrown away."""
    ratio = Fraction(shape.replace(":", "/"))
    height, width = (48, 96) if ratio != 1 else (96, 96)
    y, x = np.mgrid[:height, :width] + 0.5
    round_ = (x - width / 2) ** 2 * float(ratio) ** 2 + (y - height / 2) ** 2 < (0.4 * height) ** 2
    pixels = np.where(round_[..., None], 220, 20).astype(np.uint8).repeat(3, axis=2)
    path = write_video(tmp_path / f"film.{suffix}", [pixels] * 3, shape=ratio)
    for footage in (Footage(path), Footage(Path(f"{path}#frame=1"))):
        (frame,) = footage.colour([0])
        assert frame.shape[:2] == SHAPES[shape]
        bright = np.argwhere(frame[..., 0] > 120)
        high, wide = bright.max(axis=0) - bright.min(axis=0)
        assert abs(high - wide) <= 2


def test_pixels_that_cannot_be(tmp_path):
    path = write_video(tmp_path / "film.mp4", levels(3), shape=Fraction(8))
    with pytest.raises(UnusableError, match="odd pixels: 8 times as wide as high"):
        list(Footage(path).colour([0]))


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi"])
def test_title_in_an_old_encoding(tmp_path, suffix):
    path = write_video(tmp_path / f"film.{suffix}", levels(8), title="caf~ film")
    content = path.read_bytes()
    assert content.count(b"caf~ film")
    path.write_bytes(content.replace(b"caf~ film", b"caf\xe9 film"))
    assert Footage(path).grey(8).shape == (8, 8, 8)


@pytest.mark.parametrize("name", ["list.mp4", "list.avi"])
def test_list_of_other_files_is_no_video(tmp_path, name):
    write_video(tmp_path / "film.mp4", levels(8))
    (tmp_path / name).write_text("ffconcat version 1.0\nfile film.mp4\n")
    with pytest.raises(UnusableError, match="not a video"):
        Footage(tmp_path / name).grey(8)


def test_size_that_changes_midway_is_refused(tmp_path):
    # Two films of different size in one stream, as broken recorders leave them behind.
    small = write_video(tmp_path / "small.mkv", levels(5, 64), codec="libvpx")
    large = write_video(tmp_path / "large.mkv", levels(5, 128), codec="libvpx")
    joined = tmp_path / "joined.mkv"
    join(small, large, joined)
    with pytest.raises(UnusableError, match="changing size: 64 x 64 pixels, from frame 5 on 128"):
        Footage(joined).grey(8)


def join(first: Path, second: Path, path: Path) -> None:
    """Put the packets of two videos behind one another into one stream."""
    with av.open(str(path), "w") as out:
        stream, time = None, 0
        for source in (first, second):
            with av.open(str(source)) as container:
                if stream is None:
                    stream = out.add_stream_from_template(container.streams.video[0])
                for packet in container.demux(video=0):
                    if packet.dts is None:
                        continue
                    packet.pts = packet.dts = time
                    time += 83
                    packet.stream = stream
                    out.mux(packet)


def test_grey_frames_match_an_independent_reduction(tmp_path):
    random = np.random.default_rng(0)
    smooth = [
        cv2.resize(random.integers(0, 256, (6, 6, 3), dtype=np.uint8), (96, 96)) for _ in range(3)
    ]
    path = write_video(tmp_path / "film.mp4", smooth)
    colour = list(Footage(path).colour([0, 1, 2]))
    expected = [
        cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (16, 16), interpolation=cv2.INTER_AREA)
        for f in colour
    ]
    difference = np.abs(Footage(path).grey(16).astype(int) - np.stack(expected))
    assert difference.mean() < 3


# ------------------------------------------------- folders of pictures, and single frames of videos


def series(folder: Path, pictures: list[np.ndarray]) -> Path:
    """Write pictures to a folder, named so that their order is that of their names."""
    folder.mkdir()
    for number, pixels in reversed(list(enumerate(pictures))):
        Image.fromarray(pixels).save(folder / f"{number:08d}.png")
    return folder


def test_folder_of_pictures_is_a_film(tmp_path):
    folder = series(tmp_path / "001", levels(12))
    (folder / "notes.txt").write_text("no frame")
    (folder / ".hidden.png").write_bytes(b"x")
    footage = Footage(folder)
    assert footage.grey(8).mean(axis=(1, 2)).tolist() == [20 + 10 * n for n in range(12)]
    frames = list(footage.colour([2, 2, 11]))
    assert [frame.mean() for frame in frames] == [40, 40, 130]
    assert frames[0].shape == (64, 64, 3)


def test_folder_that_is_no_film(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnusableError, match="no frames: the folder holds no pictures"):
        Footage(tmp_path / "empty").grey(8)
    mixed = series(tmp_path / "mixed", [*levels(1), np.zeros((32, 48, 3), np.uint8)])
    with pytest.raises(UnusableError, match=r"changing size: 64 x 64 pixels, 00000001.png has 48"):
        Footage(mixed).grey(8)
    damaged = series(tmp_path / "damaged", levels(2))
    (damaged / "00000001.png").write_bytes(b"")
    with pytest.raises(UnusableError, match="empty file: 0 bytes"):
        Footage(damaged).grey(8)


def test_video_with_damaged_frames_is_left_out(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (30, 64, 96, 3), dtype=np.uint8)
    path = write_video(tmp_path / "film.mp4", noise, codec="mpeg4")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(UnusableError, match=r"damaged video: frame \d+ is damaged"):
        Footage(path).grey(8)


def test_frame_of_a_video(tmp_path):
    path = write_video(tmp_path / "film.mp4", levels(20))
    whole = list(Footage(path).colour(list(range(20))))
    for number in (3, 4, 19, 0, 7):
        footage = Footage(Path(f"{path}#frame={number}"))
        assert footage.grey(8).shape == (1, 8, 8)
        for frame in footage.colour([0, 0]):
            assert np.array_equal(frame, whole[number])


def test_frames_in_turn_are_decoded_once(tmp_path, decoded):
    path = write_video(tmp_path / "film.mp4", levels(20))
    for number in range(0, 20, 2):
        footage = Footage(Path(f"{path}#frame={number}"))
        footage.grey(8)
        list(footage.colour([0]))
    assert len(decoded) == 19


def test_frame_that_a_video_has_not(tmp_path):
    path = write_video(tmp_path / "film.mp4", levels(5))
    with pytest.raises(UnusableError, match="no such frame: 5, the video has 5"):
        Footage(Path(f"{path}#frame=5")).grey(8)
    assert Footage(Path(f"{path}#frame=4")).grey(8).shape == (1, 8, 8)
    with pytest.raises(UnusableError, match="no such file"):
        Footage(Path(f"{tmp_path}/none.mp4#frame=5")).grey(8)

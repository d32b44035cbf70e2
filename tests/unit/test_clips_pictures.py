"""Pictures with more than 8 bits, animated ones, and what is called a picture and is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facebias.clips import UnusableError, pictures
from facebias.clips.decode import Footage
from facebias.clips.pictures import read_picture

GREY = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))


def deep(bits: int, dtype: type = np.uint16) -> np.ndarray:
    """Return the grey picture with so many bits."""
    return np.round(GREY * ((2.0**bits - 1) / 255)).astype(dtype)


def written(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_grey_of_any_depth_in_a_file_of_16_bits(tmp_path, bits, suffix):
    """Divided by 65535, a picture of 10 bits has 4 levels of grey, one of 12 bits 16."""
    pixels = read_picture(written(tmp_path / f"a.{suffix}", deep(bits)))
    assert np.abs(pixels.astype(int) - GREY[..., None]).max() <= 1


@pytest.mark.parametrize("bits", [12, 16, 24, 31])
def test_grey_of_any_depth_in_a_file_of_32_bits(tmp_path, bits):
    pixels = read_picture(written(tmp_path / "a.tif", deep(bits, np.int32)))
    assert np.abs(pixels.astype(int) - GREY[..., None]).max() <= 1


def test_declared_range_keeps_a_dark_picture_dark(tmp_path):
    declared = {pictures.LARGEST_VALUE: 65535}
    path = written(tmp_path / "a.tif", deep(12), tiffinfo=declared)
    assert read_picture(path).max() == 16
    assert read_picture(written(tmp_path / "b.tif", deep(12))).max() == 255


def test_file_of_maxval_is_scaled_once(tmp_path):
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 40 30 4095\n" + (deep(12) // 4).astype(">u2").tobytes())
    pixels = read_picture(path)
    assert np.abs(pixels.astype(int) - GREY[..., None] // 4).max() <= 1


@pytest.mark.parametrize("scale", [1 / 255, 1.3 / 255, 1.0, 257.0])
def test_decimal_numbers(tmp_path, scale):
    values = GREY.astype(np.float32) * scale
    pixels = read_picture(written(tmp_path / "a.tif", values))
    expected = np.minimum(GREY[..., None] * (1.3 if scale == 1.3 / 255 else 1), 255)
    assert np.abs(pixels - expected).max() <= 1


def test_what_is_no_number_is_black_and_darkens_nothing_else(tmp_path):
    values = GREY.astype(np.float32) / 255
    values[3, 5], values[4, 5], values[5, 5] = np.nan, np.inf, -np.inf
    pixels = read_picture(written(tmp_path / "a.tif", values))
    assert pixels[[3, 4, 5], 5, 0].tolist() == [0, 255, 0]
    pixels[[3, 4, 5], 5] = GREY[[3, 4, 5], 5, None]
    assert np.abs(pixels.astype(int) - GREY[..., None]).max() <= 1
    nothing = written(tmp_path / "b.tif", np.full((30, 40), np.nan, np.float32))
    with pytest.raises(UnusableError, match="none of its values is a number"):
        read_picture(nothing)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_pictures_of_a_folder_share_their_range(tmp_path, dtype):
    """A dark frame of a film must not flash up."""
    folder = tmp_path / "film"
    folder.mkdir()
    top = 4095 if dtype is np.uint16 else 1.0
    shares = (1.0, 0.5, 0.05)
    for n, share in enumerate(shares):
        written(folder / f"{n}.tif", np.full((30, 40), top * share, dtype))
    footage = Footage(folder)
    grey = footage.grey(8).mean(axis=(1, 2))
    assert np.abs(grey - 255 * np.array(shares)).max() <= 1
    assert [round(frame.mean()) for frame in footage.colour([0, 2])] == [255, round(grey[2])]


# -------------------------------------------------------------------------------- animated pictures


def animation(path: Path, frames: int = 8) -> Path:
    first, *others = [
        Image.fromarray(np.full((32, 48, 3), 20 + 20 * n, np.uint8)) for n in range(frames)
    ]
    first.save(path, save_all=True, append_images=others, duration=80)
    return path


@pytest.mark.parametrize("suffix", ["gif", "webp", "avif"])
def test_animated_picture_is_a_film(tmp_path, suffix):
    footage = Footage(animation(tmp_path / f"a.{suffix}"))
    means = footage.grey(8).mean(axis=(1, 2))
    assert np.abs(means - (20 + 20 * np.arange(8))).max() <= 3
    frames = list(footage.colour([1, 1, 6]))
    assert [frame.shape for frame in frames] == [(32, 48, 3)] * 3
    assert np.abs([frame.mean() for frame in frames] - np.array([40, 40, 140])).max() <= 3


@pytest.mark.parametrize("suffix", ["gif", "webp", "avif", "jp2", "ppm"])
def test_picture_of_one_frame_is_a_picture(tmp_path, suffix):
    footage = Footage(written(tmp_path / f"a.{suffix}", np.full((32, 48, 3), 90, np.uint8)))
    assert footage.grey(8).shape == (1, 8, 8)
    assert abs(next(footage.colour([0])).mean() - 90) <= 2


def test_second_picture_of_a_telephone_is_no_film(tmp_path):
    """Telephones put a preview or a map of distances behind a photograph."""
    first, second = (Image.fromarray(np.full((32, 48, 3), n, np.uint8)) for n in (90, 200))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    footage = Footage(tmp_path / "a.jpg")
    assert footage.grey(8).shape == (1, 8, 8)
    assert abs(next(footage.colour([0])).mean() - 90) <= 2


@pytest.mark.parametrize("suffix", ["gif", "webp", "avif"])
def test_animated_picture_that_is_cut_off(tmp_path, suffix):
    path = animation(tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(UnusableError, match="picture"):
        Footage(path).grey(8)


# --------------------------------------------------------------------- called a picture and is none


def test_no_program_is_started_for_a_picture(tmp_path, monkeypatch):
    """Pillow gives PostScript to Ghostscript, whatever the file is called."""
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *given: pytest.fail("started"))
    path = tmp_path / "a.jpg"
    Image.fromarray(GREY).save(path, format="EPS")
    with pytest.raises(UnusableError, match="not a picture"):
        read_picture(path)


@pytest.mark.parametrize("name", ["1.png", "1.mp4", "1.gif", "film/1.png"])
def test_pipe_is_not_waited_for(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with pytest.raises(UnusableError, match=rf"not a file: {path.name}"):
        Footage(path if path.parent == tmp_path else path.parent).grey(8)


def test_link_to_nothing_in_a_folder_is_told(tmp_path):
    written(tmp_path / "0.png", GREY)
    (tmp_path / "1.png").symlink_to("gone.png")
    with pytest.raises(UnusableError, match="no such file"):
        Footage(tmp_path).grey(8)


def test_video_called_a_picture(tmp_path):
    written(tmp_path / "0.png", GREY)
    shutil.copy(tmp_path / "0.png", tmp_path / "0.tif")
    assert read_picture(tmp_path / "0.tif").shape == (30, 40, 3)  # told by its content
    (tmp_path / "1.png").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    with pytest.raises(UnusableError, match="not a picture"):
        read_picture(tmp_path / "1.png")

"""Films and pictures of many kinds: each is cut right, or left out with its reason.

What is cut is held against the frames before they were written: faces that facenet-pytorch finds in
them at full resolution, and their colours.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from PIL import Image
from torchvision.ops import box_iou

from facebias.clips import UnusableError, faces, location
from facebias.clips.decode import Footage
from media import clip_settings, moving, needs_london, photograph, write_matrix, write_video

pytestmark = needs_london
torch.set_num_threads(1)
FRAMES, SIDE, KEY_FRAMES = 12, 200, 4
Film = list[np.ndarray]


# ------------------------------------------------------------------------------- what is filmed


def person() -> Film:
    return moving(FRAMES, SIDE)


def across(step: int) -> Film:
    """Somebody who walks through the picture."""
    wide = np.full((SIDE, 480, 3), 128, np.uint8)
    films = []
    for n in range(FRAMES):
        frame = wide.copy()
        frame[:, n * step : n * step + SIDE] = photograph(side=SIDE)
        films.append(frame)
    return films


def pair() -> Film:
    """Two people; first one is a little larger, then the other."""
    films = []
    for n in range(FRAMES):
        side = SIDE + (10 if n >= FRAMES / 2 else -10)
        frame = np.full((SIDE + 20, 2 * SIDE + 80, 3), 128, np.uint8)
        frame[:SIDE, :SIDE] = photograph(side=SIDE)
        frame[:side, SIDE + 70 : SIDE + 70 + side] = photograph(side=side)
        # Alike to K-means, which picks frames that differ.
        frame[-8:] = 20 * n
        films.append(frame)
    return films


def in_turn() -> Film:
    """One person for a while, then another elsewhere in the picture."""
    frames = [np.full((SIDE, 2 * SIDE, 3), 128, np.uint8) for _ in range(FRAMES)]
    for n, frame in enumerate(frames):
        left = n < FRAMES / 2
        frame[:, slice(None, SIDE) if left else slice(SIDE, None)] = photograph(
            "001" if left else "010", side=SIDE
        )
        frame[:4] = 20 * n
    return frames


def hidden_for_a_while() -> Film:
    return [frame if n >= FRAMES / 6 else 0 * frame for n, frame in enumerate(person())]


def nobody() -> Film:
    return [np.full((SIDE, SIDE, 3), 20 * n, np.uint8) for n in range(FRAMES)]


# ------------------------------------------------------------------------------ how it is written


@dataclasses.dataclass(frozen=True)
class Case:
    """A film: what it shows, how it is written, and why it is left out (None: it is not)."""

    scene: Callable[[], Film] = person
    reason: str | None = None
    change: Callable[[np.ndarray], np.ndarray] | None = None
    spoil: Callable[[Path], object] | None = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def write(self, path: Path) -> Footage:
        frames = self.scene()
        shown = frames if self.change is None else [self.change(frame) for frame in frames]
        if path.suffix in (".gif", ".webp", ".avif"):
            first, *others = map(Image.fromarray, shown)
            first.save(path, save_all=True, append_images=others, duration=80)
        else:
            write_video(path, map(np.ascontiguousarray, shown), **{"fps": 25} | self.options)
        if self.spoil:
            self.spoil(path)
        return Footage(path)


def codec(name: str, pixels: str = "yuv420p", **options: Any) -> Case:
    return Case(options={"codec": name, "pixels": pixels, **options})


def squeezed(width: int, height: int | None = None) -> Callable[[np.ndarray], np.ndarray]:
    def change(frame: np.ndarray) -> np.ndarray:
        size = (width, height or frame.shape[0])
        return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)

    return change


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])


def overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 10, len(content) // 2, 50):
        content[place] ^= 0xFF
    path.write_bytes(content)


def old_title(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"caf~", b"caf\xe9"))


def turned(*matrix: int) -> Callable[[Path], None]:
    return lambda path: write_matrix(path, matrix)


FILMS: dict[str, Case] = {
    "h264.mp4": codec("libx264"),
    "h264_10_bits.mp4": codec("libx264", "yuv420p10le"),
    "h264_4_4_4.mkv": codec("libx264", "yuv444p"),
    "h265.mp4": codec("libx265"),
    "av1.mp4": codec("libsvtav1"),
    "mpeg4.avi": codec("mpeg4"),
    "mpeg4.m4v": codec("mpeg4"),
    "mjpeg.avi": codec("mjpeg", "yuvj420p"),
    "mpeg1.mpg": codec("mpeg1video"),
    "mpeg2.mts": codec("mpeg2video"),
    "vp8.mkv": codec("libvpx"),
    "vp9.webm": codec("libvpx-vp9"),
    "prores.mov": codec("prores_ks", "yuv422p10le"),
    "ffv1.mkv": codec("ffv1"),
    "animation.mov": codec("qtrle", "rgb24"),
    "raw.avi": codec("rawvideo", "bgr24"),
    "flash.flv": codec("flv"),
    "windows.wmv": codec("wmv2"),
    "picture.gif": Case(),
    "picture.webp": Case(),
    "picture.avif": Case(),
    "variable_rate.mkv": codec("libx264", times=[n * n for n in range(FRAMES)]),
    "one_way_up.mp4": Case(change=lambda frame: np.rot90(frame), spoil=turned(0, 1, -1, 0)),
    "upside_down.mp4": Case(change=lambda frame: np.rot90(frame, 2), spoil=turned(-1, 0, 0, -1)),
    "anamorphic_2_1.mp4": Case(change=squeezed(SIDE // 2), options={"shape": Fraction(2)}),
    "anamorphic_1_2.mkv": Case(
        change=lambda frame: squeezed(SIDE, SIDE // 2)(frame), options={"shape": Fraction(1, 2)}
    ),
    "dv.avi": Case(
        lambda: [cv2.resize(frame, (768, 576)) for frame in person()],
        change=squeezed(720),
        options={"codec": "dvvideo", "shape": Fraction(16, 15)},
    ),
    "old_title.mp4": Case(options={"title": "caf~"}, spoil=old_title),
    "pair.mp4": Case(pair, settings={"several_faces": "largest"}),
    "pair_box_per_frame.mp4": Case(pair, settings={"several_faces": "largest", "box": "frame"}),
    "walks_box_per_frame.mp4": Case(lambda: across(8), settings={"box": "frame"}),
    "hidden_for_a_while.mp4": Case(hidden_for_a_while),
    "walks.mp4": Case(lambda: across(12), "moving face: "),
    "runs.mp4": Case(lambda: across(25), "no lasting face: ", settings={"box": "frame"}),
    "pair_excluded.mp4": Case(pair, "several faces: 2"),
    "in_turn.mp4": Case(in_turn, "no lasting face: "),
    "in_turn_box_per_frame.mp4": Case(in_turn, "no lasting face: ", settings={"box": "frame"}),
    "nobody.mp4": Case(nobody, "no face: in 4 of 4 key frames"),
    "cut_off.mp4": Case(reason="not a video: ", spoil=shortened),
    "cut_off.mkv": Case(reason="no frames: ", spoil=shortened),
    "cut_off.webp": Case(reason="damaged picture: ", spoil=shortened),
    "spoilt.mp4": Case(reason="damaged video: ", spoil=overwritten),
    "odd_pixels.mp4": Case(reason="odd pixels: ", options={"shape": Fraction(8)}),
}


# ------------------------------------------------------------------------------------ what is asked


@pytest.fixture(scope="module")
def detector() -> faces.Detector:
    return faces.Detector(_settings())


@functools.cache
def _reference() -> MTCNN:
    return MTCNN(device=torch.device("cpu"), min_face_size=40)


def _settings(**changes: Any) -> Any:
    return clip_settings(min_face=40, detect_size=160, **changes)


@functools.cache
def _faces_of(scene: Callable[[], Film], number: int) -> np.ndarray:
    """Boxes (n, 4) that facenet-pytorch finds in a frame as it was before it was written."""
    found, chances = _reference().detect(scene()[number])
    if found is None:
        return np.empty((0, 4))
    return found[chances.astype(float) >= 0.9].astype(float)


def _brightness(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(int)


def _judge(
    footage: Footage, detector: faces.Detector, settings: Any, scene: Callable[[], Film]
) -> None:
    located, frames = location.locate(footage, settings, detector)
    assert frames[0].shape == scene()[0].shape
    crops = faces.cut(frames, located.faces, settings)
    person = None
    for box, square, crop, number in zip(
        located.faces.boxes, crops.boxes, crops.pixels, located.key_frames, strict=True
    ):
        known = _faces_of(scene, number)
        assert np.isnan(box).all() == (len(known) == 0)
        if not len(known):
            continue
        overlap = box_iou(torch.from_numpy(box)[None], torch.from_numpy(known))[0]
        best = int(overlap.argmax())
        assert overlap[best] > 0.8, (number, box, known)
        held = faces.inside(known[best][None], square[None])[0]
        assert held > 0.85
        # The same person in every frame: on the same side of the picture.
        side = int(known[best][0] > scene()[0].shape[1] / 2)
        person = side if person is None or len(known) == 1 else person
        assert side == person
        expected = faces._crop(scene()[number], square, settings.crop_size)
        assert np.abs(_brightness(crop) - _brightness(expected)).mean() < 6


@pytest.mark.parametrize("name", FILMS)
def test_film(name, tmp_path, detector):
    case = FILMS[name]
    footage, settings = case.write(tmp_path / name), _settings(**case.settings)
    if case.reason is None:
        _judge(footage, detector, settings, case.scene)
        return
    with pytest.raises(UnusableError) as left_out:
        located, frames = location.locate(footage, settings, detector)
        faces.cut(frames, located.faces, settings)
    assert str(left_out.value).startswith(case.reason)


# ---------------------------------------------------------------------------------------- pictures


def still() -> Film:
    return [photograph(side=SIDE)]


def _grey(bits: int, dtype: type = np.uint16) -> np.ndarray:
    grey = cv2.cvtColor(photograph(side=SIDE), cv2.COLOR_RGB2GRAY)
    return np.round(grey * ((2.0**bits - 1) / 255)).astype(dtype)


def _decimal(scale: float) -> np.ndarray:
    values = _grey(8).astype(np.float32) * scale
    values[:3, :3] = np.nan
    return values


def _image(mode: str) -> Image.Image:
    return Image.fromarray(photograph(side=SIDE)).convert(mode)


def _lying(orientation: int, turns: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(np.rot90(photograph(side=SIDE), turns)).save(path, exif=exif)

    return write


def _saved(make: Callable[[], Any], **options: Any) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        made = make()
        image = made if isinstance(made, Image.Image) else Image.fromarray(made)
        image.save(path, **options)

    return write


def _see_through() -> Image.Image:
    picture = _image("RGBA")
    picture.putpixel((0, 0), (0, 0, 0, 0))
    return picture


def _cut_off(path: Path) -> None:
    _image("RGB").save(path)
    path.write_bytes(path.read_bytes()[:3000])


PICTURES: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "colour.jpg": (_saved(lambda: _image("RGB")), None),
    "grey.jpg": (_saved(lambda: _image("L")), None),
    "cmyk.jpg": (_saved(lambda: _image("CMYK")), None),
    "palette.png": (_saved(lambda: _image("P")), None),
    "see_through.png": (_saved(_see_through), None),
    "colour.webp": (_saved(lambda: _image("RGB")), None),
    "colour.avif": (_saved(lambda: _image("RGB")), None),
    "colour.jp2": (_saved(lambda: _image("RGB")), None),
    "colour.bmp": (_saved(lambda: _image("RGB")), None),
    "palette.gif": (_saved(lambda: _image("P")), None),
    "10_bits.png": (_saved(lambda: _grey(10)), None),
    "12_bits.png": (_saved(lambda: _grey(12)), None),
    "12_bits.tif": (_saved(lambda: _grey(12)), None),
    "16_bits.tif": (_saved(lambda: _grey(16)), None),
    "31_bits.tif": (_saved(lambda: _grey(31, np.int32)), None),
    "up_to_1.tif": (_saved(lambda: _decimal(1 / 255)), None),
    "up_to_255.tif": (_saved(lambda: _decimal(1)), None),
    "on_its_side.jpg": (_lying(6, 1), None),
    "on_its_other_side.jpg": (_lying(8, -1), None),
    "postscript.jpg": (_saved(lambda: _image("RGB"), format="EPS"), "not a picture: "),
    "cut_off.jpg": (_cut_off, "truncated picture: "),
    "nothing.tif": (_saved(lambda: _decimal(np.nan)), "damaged picture: none of its values"),
    "dark.png": (_saved(lambda: np.zeros((SIDE, SIDE), np.uint16)), "no face: in 1 of 1"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name, tmp_path, detector):
    write, reason = PICTURES[name]
    write(tmp_path / name)
    settings = _settings(windows=[{"k": 1, "skip_frames": 0, "part": [0.0, 1.0]}])
    if reason is None:
        _judge(Footage(tmp_path / name), detector, settings, still)
        return
    with pytest.raises(UnusableError) as left_out:
        located, frames = location.locate(Footage(tmp_path / name), settings, detector)
        faces.cut(frames, located.faces, settings)
    assert str(left_out.value).startswith(reason)

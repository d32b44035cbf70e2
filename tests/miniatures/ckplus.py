"""A miniature of CK+: pictures, FACS codes, emotions and landmarks as its archives unpack."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from facebias.data.datasets.ckplus import EMOTIONS
from miniatures.performers import Performer, Take, perform

SHOWN = ("surprise", "happiness", "anger", "sadness", "disgust", "contempt", "fear")
FRAMES = 4


def people(n: int) -> list[Performer]:
    """Return ``n`` people: every other one a woman, every third one with dark skin."""
    return [
        Performer(
            f"S{5 + number:03d}",
            ("female", "male")[number % 2],
            ("dark", "light", "light")[number % 3],
        )
        for number in range(n)
    ]


def write(
    folder: Path, performers: Iterable[Performer], *, sequences: int = 2, frames: int = FRAMES
) -> Path:
    """Write the four folders, and the table of subjects that a user adds.

    The last sequence of every person has no emotion, the first one is in colour, and the first unit
    of every second sequence has no scored intensity.
    """
    rows = ["subject,gender,skin,publishable"]
    for number, performer in enumerate(performers):
        publishable = "yes" if number % 4 == 0 else "no"
        rows.append(f"{performer.subject},{performer.gender},{performer.skin},{publishable}")
        for place in range(sequences):
            emotion = SHOWN[(number + place) % len(SHOWN)]
            take = perform(performer, emotion, frames=frames, take=str(place))
            within = Path(performer.subject, f"{place + 1:03d}")
            _write_frames(folder, within, take, colour=place == 0)
            _write_facs(folder, within, take, scored=place % 2 == 0)
            if place < max(sequences - 1, 1):
                code = f"   {EMOTIONS.index(emotion):.7e}\n"
                _text(folder / "Emotion" / within / f"{_stem(within, frames)}_emotion.txt", code)
    (folder / "subjects.csv").write_text("\n".join(rows) + "\n")
    return folder


def _stem(within: Path, frame: int) -> str:
    return f"{within.parts[0]}_{within.parts[1]}_{frame:08d}"


def _write_frames(folder: Path, within: Path, take: Take, *, colour: bool) -> None:
    pictures = folder / "cohn-kanade-images" / within
    pictures.mkdir(parents=True)
    for number, (pixels, points) in enumerate(zip(take.frames, take.landmarks, strict=True), 1):
        picture = Image.fromarray(pixels)
        stem = _stem(within, number)
        (picture if colour else picture.convert("L")).save(pictures / f"{stem}.png")
        lines = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points)
        _text(folder / "Landmarks" / within / f"{stem}_landmarks.txt", lines)


def _write_facs(folder: Path, within: Path, take: Take, *, scored: bool) -> None:
    shown = take.shown(-1)
    if not scored and shown:
        shown[min(shown)] = 0
    lines = "".join(f"   {unit:.7e}   {level:.7e}\n" for unit, level in sorted(shown.items()))
    stem = _stem(within, len(take.frames))
    _text(folder / "FACS" / within / f"{stem}_facs.txt", lines)


def _text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def landmarks_of(performer: Performer, *, number: int, frames: int = FRAMES) -> np.ndarray:
    """Return the drawn landmarks of a person's first sequence."""
    return perform(performer, SHOWN[number % len(SHOWN)], frames=frames, take="0").landmarks

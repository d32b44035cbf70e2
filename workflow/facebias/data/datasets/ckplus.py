"""CK+: 593 sequences of 123 people from a neutral face to the peak of an expression.

Lucey et al. 2010, "The Extended Cohn-Kanade Dataset (CK+)", CVPR Workshops. Given by its authors to
researchers who sign their agreement (https://www.jeffcohn.net/resources/): not for commercial use,
and only the people whom the agreement names may be shown in print (``publishable``).

Expected below ``root``, as its four archives unpack::

    cohn-kanade-images/S005/001/S005_001_00000011.png
    FACS/S005/001/S005_001_00000011_facs.txt            a line per unit: number, intensity
    Emotion/S005/001/S005_001_00000011_emotion.txt      one number; 327 sequences have one
    Landmarks/S005/001/S005_001_00000011_landmarks.txt  68 lines x y, for every frame
    subjects.csv                                        subject,gender,skin,publishable

The table of people is the user's: CK+ ships none. Labels belong to the last frame of a sequence.
They are given to the sequence (``samples: sequences``; the path is a folder of pictures) or to all
or the last of its frames (``frames``). A unit without a line was not shown, if CK+ codes it at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from facebias.data.datasets import files, landmarks, naming
from facebias.study import CkPlus, Data, Labels, StudyError

TAKES = ("root", "subjects", "ckplus")
NEEDS = ("root", "subjects")
IMAGES, FACS, EMOTION, LANDMARKS = "cohn-kanade-images", "FACS", "Emotion", "Landmarks"
EMOTIONS = (
    "neutral",
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
)
# Lucey et al. 2010, table 1: the units that were coded. Any other is missing, not absent.
UNITS = (
    1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17,
    18, 20, 21, 23, 24, 25, 26, 27, 28, 29, 31, 34, 38, 39, 43,
)  # fmt: skip
TOP = 5


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the people in the table ``data.subjects``; see ``datasets``."""
    return files.subjects(data, root)


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the sequences or their frames; see ``datasets``.

    Sequences without an emotion, or with one that is not among ``labels.names``, are no part of a
    study of classes.

    Raises
    ------
    StudyError
        If a folder is missing or holds no sequence, or a name is no text.
    """
    folder = files.folder_of(root)
    by_class = labels.kind == "classes"
    labelled = EMOTION if by_class else FACS
    _needed(folder, labelled)
    wanted = ["label"] if by_class else [f"label_{name}" for name in labels.names]
    rows = []
    for subject, sequence, path in _sequences(folder):
        told, reason = (
            _emotion(folder, subject, sequence, labels)
            if by_class
            else _units(folder, subject, sequence, labels, data.ckplus)
        )
        if told is None and reason is None:
            continue
        frames = _frames(path)
        for frame in frames:
            naming.spelled(f"{subject}/{sequence}/{frame.name}", folder / IMAGES)
        reason = reason or _about(frames, subject, sequence)
        within = f"{IMAGES}/{subject}/{sequence}"
        shown = dict(zip(wanted, told or [None] * len(wanted), strict=True))
        for sample, place in _places(frames, within, subject, sequence, data.ckplus):
            rows.append(
                {"sample": sample, "subject": subject, "path": place, "reason": reason, **shown}
            )
    frame = pd.DataFrame(rows, columns=["sample", "subject", "path", *wanted, "reason"])
    if not by_class:
        frame[wanted] = frame[wanted].apply(pd.to_numeric)
    return frame.astype({"reason": object})


def given_landmarks(data: Data, root: Path | str | None) -> Iterator[landmarks.Given]:
    """Yield the landmarks of every frame; see ``datasets.landmarks``.

    Raises
    ------
    StudyError
        If a file has not 68 lines of two numbers.
    """
    folder = files.folder_of(root)
    if not (folder / LANDMARKS).is_dir():
        return
    for subject, sequence, path in _sequences(folder):
        for number, frame in enumerate(_frames(path)):
            source = folder / LANDMARKS / subject / sequence / f"{frame.stem}_landmarks.txt"
            if source.is_file():
                by_frame = data.ckplus.samples == "frames"
                yield landmarks.Given(
                    sample=frame.stem if by_frame else f"{subject}_{sequence}",
                    frame=0 if by_frame else number,
                    points=landmarks.read(source),
                )


# --------------------------------------------------------------------------------------- sequences


def _needed(folder: Path, labelled: str) -> None:
    for name in (IMAGES, labelled):
        if not (folder / name).is_dir():
            raise StudyError(
                f"data.root: {folder} has no folder {name}; "
                f"expected the folders of CK+: {IMAGES}, {FACS}, {EMOTION}, {LANDMARKS}"
            )


def _sequences(folder: Path) -> list[tuple[str, str, Path]]:
    """List subject, sequence and folder of every sequence, such as S005, 001."""
    images = folder / IMAGES
    found = [
        (path.parent.name, path.name, path)
        for path in sorted(images.glob("*/*"))
        if path.is_dir() and not path.name.startswith(".")
    ]
    if not found:
        raise StudyError(
            f"data.root: {images} holds no sequences; expected folders such as S005/001"
        )
    return found


def _frames(path: Path) -> list[Path]:
    return sorted(frame for frame in path.glob("*.png") if not frame.name.startswith("."))


def _about(frames: list[Path], subject: str, sequence: str) -> str | None:
    """Why a sequence cannot be used, or None."""
    if not frames:
        return f"no frames: expected pictures such as {subject}_{sequence}_00000001.png"
    expression = re.compile(rf"{re.escape(subject)}_{re.escape(sequence)}_\d{{8}}\.png")
    for frame in frames:
        if not expression.fullmatch(frame.name):
            return (
                f"unknown name: {frame.name}, expected one like {subject}_{sequence}_00000001.png"
            )
    return None


def _places(
    frames: list[Path], within: str, subject: str, sequence: str, options: CkPlus
) -> list[tuple[str, str]]:
    """Return the samples of a sequence and where each is below the root."""
    if options.samples == "sequences" or not frames:
        return [(f"{subject}_{sequence}", within)]
    taken = frames[-(options.last_frames or len(frames)) :]
    return [(frame.stem, f"{within}/{frame.name}") for frame in taken]


# ------------------------------------------------------------------------------------------ labels


def _emotion(
    folder: Path, subject: str, sequence: str, labels: Labels
) -> tuple[list[object] | None, str | None]:
    """Read the emotion of a sequence; neither label nor reason if it has none of ``labels``."""
    source, reason = _file(folder / EMOTION / subject / sequence, "*_emotion.txt")
    if source is None:
        return None, reason
    lines = _lines(source)
    if len(lines) != 1 or len(lines[0]) != 1 or not _whole(lines[0][0], top=len(EMOTIONS) - 1):
        return None, (
            f"damaged emotion file: {source.relative_to(folder)}, "
            f"expected one number from 0 to {len(EMOTIONS) - 1}"
        )
    emotion = EMOTIONS[int(float(lines[0][0]))]
    return ([emotion], None) if emotion in labels.names else (None, None)


def _units(
    folder: Path, subject: str, sequence: str, labels: Labels, options: CkPlus
) -> tuple[list[object] | None, str | None]:
    """Read which units a sequence shows: 1, 0 or missing, in the order of ``labels.names``."""
    source, reason = _file(folder / FACS / subject / sequence, "*_facs.txt")
    if source is None:
        return None, reason or f"no label: there is no file {FACS}/{subject}/{sequence}/*_facs.txt"
    intensity: dict[int, int] = {}
    lines = _lines(source)
    if not lines:
        return None, (
            f"damaged FACS file: {source.relative_to(folder)} is empty, "
            "expected a line per unit of the peak"
        )
    for number, words in enumerate(lines, start=1):
        if len(words) != 2 or not _whole(words[0], least=1) or not _whole(words[1], top=TOP):
            return None, (
                f"damaged FACS file: {source.relative_to(folder)} line {number} is "
                f"{' '.join(words)!r}, expected a unit and an intensity from 0 to {TOP}"
            )
        intensity[int(float(words[0]))] = int(float(words[1]))
    return [
        _shown(files.unit(name), intensity, options.min_intensity) for name in labels.names
    ], None


def _shown(unit: int, intensity: dict[int, int], least: int) -> int | None:
    """Tell whether a unit was shown; 0 in the file means shown, at an intensity nobody scored."""
    if unit not in UNITS:
        return None
    if unit not in intensity:
        return 0
    if intensity[unit] == 0:
        return 1 if least == 1 else None
    return int(intensity[unit] >= least)


def _file(folder: Path, pattern: str) -> tuple[Path | None, str | None]:
    found = sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
    if len(found) > 1:
        return None, f"several files: {found[0].name} and {found[1].name}, expected one"
    if found and not found[0].is_file():
        return None, f"not a file: {found[0].name}"
    return (found[0] if found else None), None


def _lines(path: Path) -> list[list[str]]:
    text = path.read_text(encoding="ascii", errors="replace")
    return [line.split() for line in text.splitlines() if line.strip()]


def _whole(text: str, *, least: int = 0, top: int = 99) -> bool:
    """Tell whether a text such as ``3.0000000e+00`` is a whole number from least to top."""
    try:
        value = float(text)
    except ValueError:
        return False
    return value.is_integer() and least <= value <= top

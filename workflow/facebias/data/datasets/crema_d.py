"""CREMA-D: 91 actors speak twelve sentences in six emotions.

Cao et al. 2014, https://doi.org/10.1109/TAFFC.2014.2336244. From
https://github.com/CheyneyComputerScience/CREMA-D with Git LFS; Open Database License 1.0, contents
under the Database Contents License 1.0.

Expected below ``root``, as in the repository::

    VideoDemographics.csv            ActorID,Age,Sex,Race,Ethnicity
    VideoFlash/1001_DFA_ANG_XX.flv   actor, sentence, emotion, level

Attributes of the actors are ``gender``, ``age``, ``race`` and ``ethnicity``, in lower case as the
table has them; ``sentence`` and ``level`` are recorded of every sample.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from facebias.data.datasets import files, naming, sheets, videos
from facebias.study import Data, Labels, StudyError

TAKES = ("root",)
NEEDS = ("root",)
SUFFIXES = videos.SUFFIXES
DEMOGRAPHICS, VIDEOS = "VideoDemographics.csv", "VideoFlash"
ATTRIBUTES = {"Sex": "gender", "Age": "age", "Race": "race", "Ethnicity": "ethnicity"}
EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
# X: the level of one video is written with a single letter.
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}
NAME = re.compile(
    r"(?P<actor>\d{4})_(?P<sentence>[A-Z]{3})_"
    rf"(?P<emotion>{'|'.join(EMOTIONS)})_(?P<level>{'|'.join(LEVELS)})\.[^.]+"
)
EXPECTED = "such as 1001_DFA_ANG_XX.flv (actor, sentence, emotion, level)"
COLUMNS = ("sample", "subject", "path", "label", "reason", "sentence", "level")
POINTER = b"version https://git-lfs"


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the actors in the table of demographics; see ``datasets``."""
    path = files.folder_of(root) / DEMOGRAPHICS
    sheet = sheets.read(path, key="data.root", needed=("ActorID", *ATTRIBUTES))
    files.once(sheet["ActorID"], f"data.root: {path}")
    people = sheet[["ActorID", *ATTRIBUTES]].rename(columns={"ActorID": "subject", **ATTRIBUTES})
    told = people.drop(columns="subject").apply(lambda column: column.str.lower())
    return pd.concat([people[["subject"]], sheets.attributes(told)], axis=1)


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the videos; see ``datasets``.

    Emotions that are not among ``labels.names`` are no part of the study.
    """
    files.check_classes(labels, data_set="CREMA-D")
    folder = files.folder_of(root)
    if not (folder / VIDEOS).is_dir():
        raise StudyError(
            f"data.root: {folder} has no folder {VIDEOS}; expected the folder of the repository"
        )
    rows = []
    for name, found in naming.named(
        folder / VIDEOS,
        NAME,
        suffixes=SUFFIXES,
        where=f"data.root: the naming of CREMA-D, {EXPECTED},",
        kind="video",
    ):
        path = f"{VIDEOS}/{name}"
        row = dict.fromkeys(COLUMNS) | {"sample": Path(name).stem, "path": path}
        if found is None:
            row["reason"] = f"unknown name: expected one {EXPECTED}"
        else:
            row |= {
                "subject": found["actor"],
                "label": EMOTIONS[found["emotion"]],
                "sentence": found["sentence"],
                "level": LEVELS[found["level"]],
                "reason": _about(folder, path),
            }
        if found is None or row["label"] in labels.names:
            rows.append(row)
    frame = files.frame_of(rows, COLUMNS)
    files.no_copies(frame, folder)
    return frame


def _about(folder: Path, path: str) -> str | None:
    whole = folder / path
    if whole.is_file() and whole.stat().st_size < 1024 and whole.read_bytes().startswith(POINTER):
        return "not fetched: a pointer of Git LFS; run git lfs pull in data.root"
    return files.about_file(folder, path, "video", SUFFIXES)

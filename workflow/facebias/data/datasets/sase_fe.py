"""SASE-FE: 50 people show six emotions, each genuine and acted, in 12 videos.

Kulkarni et al. 2018, "Automatic recognition of facial displays of unfelt emotions", IEEE
Transactions on Affective Computing. The iCV laboratory of the University of Tartu gives it to
researchers who ask (http://icv.tuit.ut.ee/sase-fe-database.html); do not pass it on.

Copies differ in their folders, so the config says how videos are named, or lists them in a table.
With the default pattern::

    subjects.csv                     subject,gender,... as recorded
    07/happiness_genuine.mp4
    07/happiness_fake.mp4

A sample is a video. ``genuine`` (true or false) is recorded of every sample.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from facebias.data.datasets import files, naming, videos
from facebias.study import Data, Labels, SaseFe, StudyError

TAKES = ("root", "manifest", "subjects", "sase_fe")
NEEDS = ("root", "subjects")
EMOTIONS = ("happiness", "surprise", "sadness", "disgust", "anger", "contempt")
GENUINE = {"genuine": True, "fake": False}
COLUMNS = ("sample", "subject", "path", "label", "reason", "genuine")


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the people in the table ``data.subjects``; see ``datasets``."""
    return files.subjects(data, root)


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the videos, with the column ``genuine``; see ``datasets``.

    Raises
    ------
    StudyError
        If the pattern is no regular expression, lacks a group or fits no video.
    """
    files.check_classes(labels, data_set="SASE-FE")
    options = data.sase_fe
    if data.manifest is not None:
        frame = files.samples(data, labels, root, kind="video", suffixes=videos.SUFFIXES)
        sheet = files.table(files.folder_of(root) / data.manifest)
        frame["genuine"] = _told(sheet, options)
        if "genuine" in sheet.columns:
            wrong = frame["reason"].isna() & frame["genuine"].isna() & sheet["genuine"].notna()
            frame.loc[wrong, "reason"] = "unknown label: " + sheet["genuine"][wrong].map(_neither)
    else:
        frame = _named(files.folder_of(root), options, labels)
    unclear = frame["reason"].isna() & frame["genuine"].isna()
    if options.take == "all":
        return frame
    frame.loc[unclear, "reason"] = "not known: whether the expression is genuine"
    other = frame["genuine"].eq(not GENUINE[options.take])
    return frame[~other].reset_index(drop=True)


def _told(sheet: pd.DataFrame, options: SaseFe) -> pd.Series:
    """Read the column ``genuine`` of the table of samples, if it has one."""
    if "genuine" not in sheet.columns:
        return pd.Series(None, index=sheet.index, dtype=object)
    return sheet["genuine"].map(lambda text: _genuine(text, options)).astype(object)


def _named(folder: Path, options: SaseFe, labels: Labels) -> pd.DataFrame:
    rows = []
    for path, found in naming.named(
        folder,
        _expression(options.pattern),
        suffixes=videos.SUFFIXES,
        where=f"data.sase_fe.pattern: {options.pattern!r}",
        kind="video",
    ):
        row = dict.fromkeys(COLUMNS) | {"sample": path, "path": path}
        if found is None:
            row["reason"] = f"unknown name: does not fit {options.pattern}"
        else:
            emotion = _meaning(found["emotion"], options)
            row |= {
                "subject": found["subject"],
                "label": emotion,
                "genuine": _genuine(found["genuine"], options),
            }
            row["reason"] = _about(row, found, labels)
        row["reason"] = row["reason"] or files.about_file(folder, path, "video", videos.SUFFIXES)
        if row["label"] in labels.names or row["label"] not in EMOTIONS:
            rows.append(row)
    return files.frame_of(rows, COLUMNS)


def _about(row: dict[str, object], found: re.Match[str], labels: Labels) -> str | None:
    if row["genuine"] is None:
        return f"unknown name: {_neither(found['genuine'])}"
    unknown = files.about_class(row["label"], labels)
    return unknown and f"{unknown}; say in data.sase_fe.codes what {found['emotion']!r} means"


def _neither(text: str | None) -> str:
    return f"{text!r} is neither genuine nor fake; say in data.sase_fe.codes what it means"


def _meaning(text: str | None, options: SaseFe) -> str:
    text = text or ""
    return options.codes.get(text, text.lower())


def _genuine(text: str | None, options: SaseFe) -> bool | None:
    return GENUINE.get(_meaning(text, options))


def _expression(pattern: str) -> re.Pattern[str]:
    key = f"data.sase_fe.pattern: {pattern!r}"
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise StudyError(f"{key} is no regular expression: {error}") from None
    for name in ("subject", "emotion", "genuine"):
        if name not in expression.groupindex:
            raise StudyError(f"{key} has no group {name}; expected (?P<{name}>...) in it")
    endings = "|".join(re.escape(suffix[1:]) for suffix in videos.SUFFIXES)
    return re.compile(rf"(?:{pattern})\.(?i:{endings})")

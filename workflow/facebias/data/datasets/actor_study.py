"""Actor Study: 21 actors, filmed for about an hour each, Action Units annotated frame by frame.

Seuss et al. 2019, https://doi.org/10.1109/ACII.2019.8925458; from Fraunhofer IIS under their terms.

How its files are laid out is not public. What is assumed is a table of the frames that shall be
used, of one view, and one of the people::

    subjects.csv        subject,gender,skin,publishable
    annotations.csv     subject,path,frame,AU1,AU2,...

``path`` is below ``root``: a picture of the frame, or a video, and then ``frame`` counts its frames
from 0. A unit's cell holds 0, an intensity from 1 to 5 (or 1 for shown), or nothing where it was
not annotated; a unit without a column was annotated nowhere. A sample is a frame.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from facebias import tables
from facebias.data.datasets import close, files, pictures, sheets, videos
from facebias.study import Data, Labels, StudyError

TAKES = ("root", "subjects", "actor_study")
NEEDS = ("root", "subjects")
SUFFIXES = (*pictures.SUFFIXES, *videos.SUFFIXES)
TOP = 5


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the actors in the table ``data.subjects``; see ``datasets``."""
    return files.subjects(data, root)


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the annotated frames; see ``datasets``.

    Raises
    ------
    StudyError
        If the table cannot be read, has no column of any unit or two of one, or names a frame
        twice.
    """
    if labels.kind != "units":
        raise StudyError(
            f"labels.kind: found {labels.kind}, but the Actor Study has no emotions; use units"
        )
    folder, options = files.folder_of(root), data.actor_study
    path = folder / options.annotations
    where = f"data.actor_study.annotations: {path}"
    sheet = sheets.read(path, key="data.actor_study.annotations", needed=("subject", "path"))
    columns = _units(sheet, where)
    if not any(files.unit(name) in columns for name in labels.names):
        raise StudyError(
            f"{where} has no column of any unit in labels.names; "
            f"{close(labels.names[0], [*sheet.columns])}"
        )
    frame = sheet[["subject", "path"]].copy()
    numbers = _numbers(sheet)
    frame["reason"] = _reasons(sheet, numbers, folder)
    of_picture = _is_picture(frame["path"])
    of_video = frame["path"].notna() & ~of_picture & numbers.notna()
    frame.loc[of_video, "path"] += tables.FRAME + numbers[of_video]
    rows = "row " + pd.Series(range(2, len(frame) + 2)).astype(str)
    frame["sample"] = frame["path"].where(of_picture | of_video, rows)
    for name in labels.names:
        values = sheet.get(columns.get(files.unit(name)))
        frame[f"label_{name}"] = float("nan")
        if values is not None:
            shown = pd.to_numeric(values, errors="coerce")
            wrong = values.notna() & ~shown.isin(range(TOP + 1))
            frame.loc[wrong & frame["reason"].isna(), "reason"] = (
                f"unknown label: {name} is none of 0 to {TOP} or nothing"
            )
            least = float(options.min_intensity)
            frame[f"label_{name}"] = shown.ge(least).astype(float).where(shown.notna())
    labelled = frame[[f"label_{name}" for name in labels.names]].notna().any(axis=1)
    frame.loc[~labelled & frame["reason"].isna(), "reason"] = "no label"
    files.once(frame["sample"], where)
    return frame


def _units(sheet: pd.DataFrame, where: str) -> dict[int, str]:
    """Return the column of each unit."""
    columns: dict[int, str] = {}
    for name in filter(_is_unit, sheet.columns):
        other = columns.setdefault(files.unit(name), name)
        if other != name:
            raise StudyError(f"{where}: columns {other} and {name} are the same unit; remove one")
    return columns


def _numbers(sheet: pd.DataFrame) -> pd.Series:
    """Read the column ``frame``: whole numbers as text, also of ``3.0``, missing where none is."""
    if "frame" not in sheet.columns:
        return pd.Series(None, index=sheet.index, dtype=object)
    found = sheet["frame"].astype(str).str.extract(r"^(\d+)(?:\.0*)?$")[0]
    return found.map(lambda text: str(int(text)), na_action="ignore")


def _is_unit(name: str) -> bool:
    try:
        return bool(files.unit(name))
    except StudyError:
        return False


def _is_picture(paths: pd.Series) -> pd.Series:
    endings = "." + paths.fillna("").str.rpartition(".")[2].str.lower()
    return endings.isin(pictures.SUFFIXES)


def _reasons(sheet: pd.DataFrame, numbers: pd.Series, folder: Path) -> pd.Series:
    """Why each frame cannot be used, or None. Each file is looked at once."""
    kind = "picture or video"
    about = {path: files.about_file(folder, path, kind, SUFFIXES) for path in set(sheet["path"])}
    reasons = sheet["path"].map(about).astype(object)
    reasons = reasons.where(reasons.notna(), None)
    unclear = ~_is_picture(sheet["path"]) & numbers.isna()
    reasons[unclear & reasons.isna()] = (
        "no frame: of a video; expected its number from 0 in the column frame"
    )
    return reasons

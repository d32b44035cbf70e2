"""Samples that are files: listed in a table, or laid out in folders by a naming pattern."""

from __future__ import annotations

import dataclasses
import difflib
import re
import stat
from pathlib import Path

import pandas as pd

from facebias.data.datasets import close, naming, sheets
from facebias.study import Data, Labels, StudyError
from facebias.tables.reasons import NOT_STUDIED

# Columns of the table of samples that are no attributes.
OWN = ("sample", "subject", "path", "label", "publishable")
# Likeness, 0 to 1, from which a label is a misspelt class: one wrong letter in nine. `smile1` and
# `smile2` are less alike.
MISSPELT = 0.88


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the people: from the table ``data.subjects``, else from the table of samples.

    Returns
    -------
    DataFrame
        ``subject`` (text), attributes (numbers or text), and ``publishable`` if it is recorded.

    Raises
    ------
    StudyError
        If a table cannot be read, or says two things about one person.
    """
    folder = folder_of(root)
    if data.subjects is None:
        return _people_of_samples(data, folder)
    path = folder / data.subjects
    frame = sheets.read(path, key="data.subjects", needed=("subject",))
    where = f"data.subjects: {path}"
    nameless = frame["subject"].isna()
    if nameless.any():
        raise StudyError(f"{where}: row {int(nameless.to_numpy().argmax()) + 2} has no subject")
    once(frame["subject"], where)
    return _with_attributes(frame, [name for name in frame.columns if name != "subject"], where)


def samples(
    data: Data, labels: Labels, root: Path | str | None, *, kind: str, suffixes: tuple[str, ...]
) -> pd.DataFrame:
    """List the files of one ``kind`` ("picture"), recognised by their ``suffixes`` (".jpg").

    Returns
    -------
    DataFrame
        ``sample``, ``subject``, ``path`` (relative to ``root`` or absolute), ``label`` or
        ``label_<unit>`` (1, 0 or missing), ``reason`` (None, or why it cannot be used).

    Raises
    ------
    StudyError
        If the table cannot be read, the layout matches nothing, or a sample stands twice.
    """
    folder = folder_of(root)
    if (data.manifest is None) == (data.layout is None):
        found = "neither" if data.manifest is None else "both"
        raise StudyError(f"data.manifest, data.layout: {found} given, expected one of the two")
    if data.manifest is not None:
        frame = _listed(folder / data.manifest, labels)
    else:
        frame = _laid_out(folder, data.layout, labels, kind, suffixes)
    reasons = [
        reason or about_file(folder, path, kind, suffixes)
        for reason, path in zip(frame["reason"], frame["path"], strict=True)
    ]
    return frame.assign(reason=pd.Series(reasons, index=frame.index, dtype=object))


def folder_of(root: Path | str | None) -> Path:
    """Return the folder of a data set.

    Raises
    ------
    StudyError
        If none is given, or it is not there.
    """
    if root is None:
        raise StudyError(
            "data.root: missing, it is needed: the folder of the data set; set it in the config or "
            "with --config 'data={root: FOLDER}'"
        )
    folder = Path(root)
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise StudyError(f"data.root: {folder} {found}; expected the folder of the data set")
    return folder


# ----------------------------------------------------------------------------- a table of samples


def table(path: Path) -> pd.DataFrame:
    """Read a table of samples as text; a sample without a name is called like its path.

    Raises
    ------
    StudyError
        If it is no such table, or a sample stands twice.
    """
    frame = sheets.read(path, key="data.manifest", needed=("subject", "path"))
    if "sample" not in frame.columns:
        frame["sample"] = frame["path"]
    rows = pd.Series([f"row {row + 2}" for row in range(len(frame))])
    frame["sample"] = frame["sample"].fillna(frame["path"]).fillna(rows)
    once(frame["sample"], f"data.manifest: {path}")
    return frame


def _people_of_samples(data: Data, folder: Path) -> pd.DataFrame:
    if data.manifest is None:
        raise StudyError(
            "data.subjects: missing, it is needed with data.layout: the table of subjects"
        )
    path = folder / data.manifest
    frame = table(path)
    where = f"data.manifest: {path}"
    frame = frame[frame["subject"].notna()]
    names = [
        name
        for name in frame.columns
        if name == "publishable" or (name not in OWN and not name.startswith("label_"))
    ]
    varying = frame.groupby("subject")[names].nunique().gt(1)
    for name in [*data.attributes, "publishable"]:
        if name in names and varying[name].any():
            subject = varying.index[varying[name]][0]
            found = frame.loc[frame["subject"] == subject, name].dropna().unique()
            raise StudyError(
                f"{where}: subject {subject} has more than one {name}: {', '.join(found)}; "
                "an attribute belongs to a person, so all rows of one must agree"
            )
    names = [name for name in names if not varying[name].any()]
    people = frame.groupby("subject", sort=False)[names].first().reset_index()
    return _with_attributes(people, names, where)


def _with_attributes(frame: pd.DataFrame, names: list[str], where: str) -> pd.DataFrame:
    recorded = [name for name in names if name != "publishable"]
    people = pd.concat([frame[["subject"]], sheets.attributes(frame[recorded])], axis=1)
    if "publishable" in names:
        people["publishable"] = sheets.publishable(frame["publishable"], where=where)
    return people


def annotated(data: Data, labels: Labels, root: Path | str | None) -> Labels:
    """Keep the units that the table of samples has a column for; all if it has none of them."""
    if data.manifest is None or labels.kind == "classes":
        return labels
    columns = table(folder_of(root) / data.manifest).columns
    known = tuple(name for name in labels.names if f"label_{name}" in columns)
    return dataclasses.replace(labels, names=known or labels.names)


def once(column: pd.Series, where: str) -> None:
    """Raise ``StudyError`` if a value of a column of a table stands twice."""
    repeated = column.duplicated()
    if repeated.any():
        second = int(repeated.to_numpy().argmax())
        first = int(column.eq(column.iloc[second]).to_numpy().argmax())
        raise StudyError(
            f"{where}: rows {first + 2} and {second + 2} both are {column.name} "
            f"{column.iloc[second]!r}; each must be unique"
        )


def _listed(path: Path, labels: Labels) -> pd.DataFrame:
    frame = table(path)
    wanted = ["label"] if labels.kind == "classes" else [f"label_{name}" for name in labels.names]
    for name in wanted:
        if name not in frame.columns:
            known = [column for column in frame.columns if column.startswith("label")]
            raise StudyError(
                f"data.manifest: {path} has no column {name!r}; "
                f"{close(name, known or list(frame.columns))}"
            )
    if labels.kind == "classes":
        reasons = [_about_own_class(label, labels) for label in frame["label"]]
    else:
        reasons = [_about_units(row, wanted) for _, row in frame[wanted].iterrows()]
        frame[wanted] = frame[wanted].apply(pd.to_numeric, errors="coerce")
    frame = frame.assign(reason=pd.Series(reasons, index=frame.index, dtype=object))
    return frame[["sample", "subject", "path", *wanted, "reason"]]


def _about_own_class(label: object, labels: Labels) -> str | None:
    """Say why a label in people's own data is none of the classes that are trained, or None.

    A study may name some of the labels that there are; one that is nearly a class is misspelt.
    """
    if not isinstance(label, str) or label in labels.names:
        return about_class(label, labels)
    spelled = {name.casefold(): name for name in labels.names}
    if difflib.get_close_matches(label.casefold(), spelled, n=1, cutoff=MISSPELT):
        return about_class(label, labels)
    return NOT_STUDIED


def about_class(label: object, labels: Labels) -> str | None:
    """Say why a label is none of the classes that are trained, or None."""
    if not isinstance(label, str):
        return "no label"
    if label not in labels.names:
        return f"unknown label: {label!r} is not in labels.names; {close(label, [*labels.names])}"
    return None


def _about_units(row: pd.Series, names: list[str]) -> str | None:
    for name in names:
        if isinstance(row[name], str) and row[name] not in ("0", "1", "0.0", "1.0"):
            return f"unknown label: {name} is {row[name]!r}, expected 1, 0 or nothing"
    return "no label" if row.isna().all() else None


# -------------------------------------------------------------------------------- files in folders


def _laid_out(
    folder: Path, layout: str, labels: Labels, kind: str, suffixes: tuple[str, ...]
) -> pd.DataFrame:
    if labels.kind != "classes":
        raise StudyError(
            "data.layout: a path holds one label, but labels.kind is units; list the samples in a "
            "table instead (data.manifest) with columns label_<unit>"
        )
    rows = []
    for path, found in naming.named(
        folder,
        naming.pattern(layout, suffixes),
        suffixes=suffixes,
        where=f"data.layout: {layout!r}",
        kind=kind,
    ):
        label = found["label"] if found else None
        subject = found["subject"] if found else None
        reason = (
            _about_own_class(label, labels)
            if found
            else f"unknown name: does not fit layout {layout}"
        )
        rows.append((path, subject, path, label, reason))
    return pd.DataFrame(rows, columns=["sample", "subject", "path", "label", "reason"]).astype(
        object
    )


def about_file(folder: Path, path: object, kind: str, suffixes: tuple[str, ...]) -> str | None:
    """Say why a file cannot be a picture or video, or None; it is not opened."""
    if not isinstance(path, str):
        return "no path"
    # One look at the disk: a data set may have a hundred thousand files.
    whole = Path(folder, path)
    if whole.suffix.lower() not in suffixes:
        return f"wrong kind of file: {whole.suffix or 'no ending'}, a {kind} ends in " + ", ".join(
            suffixes
        )
    try:
        found = whole.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    if not stat.S_ISREG(found.st_mode):
        return "not a file: it is a folder"
    if found.st_size == 0:
        return "empty file: 0 bytes"
    return None


# ------------------------------------------------------------------------- one emotion per sample


def check_classes(labels: Labels, *, data_set: str) -> None:
    """Raise ``StudyError`` if anything but the one emotion of each sample shall be predicted."""
    if labels.kind != "classes":
        raise StudyError(
            f"labels.kind: found {labels.kind}, but {data_set} has one emotion per video and no "
            "Action Units; use classes"
        )


def frame_of(rows: list[dict[str, object]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Put the samples of a data set into a table; a missing value is None."""
    return pd.DataFrame(rows, columns=list(columns)).astype(object)


def no_copies(frame: pd.DataFrame, folder: Path) -> None:
    """Raise ``StudyError`` if two files of a data set have the name of one sample."""
    twice = frame["sample"].duplicated(keep=False)
    if twice.any():
        first, second = frame.loc[frame["sample"] == frame.loc[twice, "sample"].iloc[0], "path"][:2]
        raise StudyError(
            f"data.root: {folder}: {first} and {second} are the same sample; remove one of them"
        )


# -------------------------------------------------------------------------------------------- units


def unit(name: str) -> int:
    """Return the number of an Action Unit from its name: ``AU12`` or ``12``.

    Raises
    ------
    StudyError
        If the name holds none.
    """
    found = re.fullmatch(r"(?:AU)?_?0*([1-9]\d?)", name, re.IGNORECASE)
    if not found:
        raise StudyError(f"labels.names: {name!r} is no Action Unit; expected names such as AU12")
    return int(found[1])

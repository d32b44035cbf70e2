"""A table of predictions that somebody gives: read, checked, and refused in one line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from facebias.evaluation.scores import nearest
from facebias.study import Labels, StudyError, crossed
from facebias.tables import OVERALL

# What an empty cell of a column of numbers may hold. In a column of text such a word is a value.
EMPTY = ("", "NA", "N/A", "NaN", "nan", "null", "None")


def read(path: Path, attributes: Sequence[str]) -> tuple[pd.DataFrame, Labels]:
    """Read a table of predictions and find out what it predicts.

    Parameters
    ----------
    path
        CSV or Parquet with ``sample, subject``, the attributes, ``score_<label>`` for every label
        and either ``label`` (classes) or ``label_<unit>`` (1, 0 or empty).
    attributes
        Columns whose groups are compared.

    Returns
    -------
    The checked table and the labels named by its score columns.

    Raises
    ------
    StudyError
        Naming the file, the row (counted as a spreadsheet does, the header is row 1) and the
        column, and what was expected.
    """
    frame = _load(path)
    columns = [name for attribute in attributes for name in _parts(attribute, frame.columns)]
    needed = ["sample", "subject", *dict.fromkeys(columns)]
    for name in needed:
        if name not in frame.columns:
            raise StudyError(
                f"{path}: no column {name}{nearest(name, frame.columns)} "
                f"(found {', '.join(map(str, frame.columns))})"
            )
    names = tuple(
        name.removeprefix("score_") for name in frame.columns if name.startswith("score_")
    )
    if not names:
        raise StudyError(
            f"{path}: no column score_<label>; expected one column of probabilities per label, "
            f"found {', '.join(map(str, frame.columns))}"
        )
    _check_names(names, path)
    kind = _kind(frame, names, path)
    truth = ["label"] if kind == "classes" else [f"label_{name}" for name in names]
    for name in ("sample", "subject", *(["label"] if kind == "classes" else [])):
        _refuse(frame[name].isna(), frame, path, name, "every row needs one")
        frame[name] = frame[name].map(str)
    _refuse(
        frame["sample"].duplicated(),
        frame,
        path,
        "sample",
        "already given above; each must be unique",
    )
    for name in (f"score_{name}" for name in names):
        frame[name] = _numbers(frame, name, path)
        inside = frame[name].between(0, 1)
        _refuse(~inside, frame, path, name, "expected a probability from 0 to 1")
    if kind == "classes":
        _check_labels(frame, names, path)
        _check_highest(frame, names, path)
    else:
        for name in truth:
            frame[name] = _numbers(frame, name, path)
            allowed = frame[name].isin([0, 1]) | frame[name].isna()
            _refuse(~allowed, frame, path, name, "expected 1, 0 or nothing")
    for name in dict.fromkeys(columns):
        _check_spaces(frame[name], path)
    labels = Labels(kind=kind, names=names, fuse={}, subsample_fused=False, seed=0)
    return frame[[*needed, *truth, *(f"score_{name}" for name in names)]], labels


def _load(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise StudyError(f"{path}: no such file")
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            _check_header(path)
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except StudyError:
        raise
    except (ValueError, OSError) as error:
        raise StudyError(f"{path}: not a readable CSV or Parquet table: {error}") from None
    if frame.empty:
        raise StudyError(f"{path}: the table has no rows")
    frame = frame.astype(object)
    return frame.where(frame.notna() & (frame != ""), None)


def _check_header(path: Path) -> None:
    """Refuse names that stand twice, which pandas would number."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        counted = Counter(next(csv.reader(file), []))
    for name, number in counted.items():
        if number > 1:
            raise StudyError(f"{path}: row 1: {number} columns are called {name}; rename or remove")


def _parts(attribute: str, columns: Sequence[str]) -> list[str]:
    """List the columns that an attribute is made of.

    Raises
    ------
    StudyError
        If one is no attribute of people, or is crossed with itself.
    """
    parts = [attribute] if attribute in columns else crossed(attribute)
    for name in parts:
        if name in ("sample", "subject", "label") or name.startswith(("score_", "label_")):
            raise StudyError(
                f"--attribute {attribute}: {name} is what the table says of samples; expected a "
                "column that says something of people, such as gender"
            )
    if len(set(parts)) < len(parts):
        raise StudyError(f"--attribute {attribute}: crosses an attribute with itself")
    return parts


def _check_names(names: Sequence[str], path: Path) -> None:
    if "" in names:
        raise StudyError(f"{path}: a column is called score_; expected score_<label>")
    if OVERALL in names:
        raise StudyError(
            f"{path}: column score_{OVERALL}: {OVERALL} is what the results call all labels "
            "together; rename the label"
        )


def _check_highest(frame: pd.DataFrame, names: Sequence[str], path: Path) -> None:
    """Refuse samples without a highest score: the first column would win by its place."""
    scores = frame[[f"score_{name}" for name in names]].to_numpy(float)
    same = pd.Series(len(names) > 1 and (scores.min(axis=1) == scores.max(axis=1)), frame.index)
    _refuse(
        same, frame, path, f"score_{names[0]}", "and so is every other: no label is the highest"
    )


def _check_spaces(column: pd.Series, path: Path) -> None:
    """Refuse values that differ in spaces alone, and would be two groups."""
    values = {str(value) for value in column.dropna()}
    odd = sorted(value for value in values if value != value.strip())
    if odd:
        raise StudyError(
            f"{path}: {column.name} has the value {odd[0]!r}; remove the spaces around it"
        )


def _kind(frame: pd.DataFrame, names: tuple[str, ...], path: Path) -> Literal["classes", "units"]:
    units = [name for name in names if f"label_{name}" in frame.columns]
    if units and "label" in frame.columns:
        raise StudyError(
            f"{path}: both label and label_{units[0]} are given; keep label for exclusive classes "
            "or label_<unit> for labels that may occur together"
        )
    if units:
        missing = [name for name in names if name not in units]
        if missing:
            raise StudyError(
                f"{path}: score_{missing[0]} has no column label_{missing[0]}; each needs one"
            )
        return "units"
    if "label" not in frame.columns:
        raise StudyError(
            f"{path}: no column label{nearest('label', frame.columns)}; expected label (classes) "
            f"or label_{names[0]} and so on (labels that may occur together)"
        )
    return "classes"


def _check_labels(frame: pd.DataFrame, names: tuple[str, ...], path: Path) -> None:
    unknown = ~frame["label"].isin(names)
    if unknown.any():
        label = frame.loc[unknown, "label"].iloc[0]
        message = f"there is no column score_{label}{nearest(label, names)}"
        _refuse(unknown, frame, path, "label", message)


def _numbers(frame: pd.DataFrame, name: str, path: Path) -> pd.Series:
    known = frame[name].notna() & ~frame[name].isin(EMPTY)
    numbers = pd.to_numeric(frame[name].where(known), errors="coerce").astype(float)
    _refuse(numbers.isna() & known, frame, path, name, "expected a number")
    return numbers


def _refuse(wrong: pd.Series, frame: pd.DataFrame, path: Path, column: str, expected: str) -> None:
    """Raise with the first wrong row, as a spreadsheet counts it: the header is row 1."""
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        found = frame[column].iloc[place]
        words = "empty" if pd.isna(found) else found
        raise StudyError(f"{path}: row {place + 2}: {column} is {words}; {expected}")

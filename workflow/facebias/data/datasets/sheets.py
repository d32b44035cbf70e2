"""CSV tables as people make them: read as text, or a fault that says how to mend the file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from facebias.data.datasets import close
from facebias.study import StudyError

# Spellings of "not recorded" that spreadsheets and statistics programs write.
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL")


def read(path: Path, *, key: str, needed: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a CSV table as text, so that subject ``001`` stays ``001``.

    Parameters
    ----------
    path
        The file: UTF-8, separated by commas, names of the columns in the first row.
    key
        The config key that names it, for the messages.
    needed
        Columns that must be there.

    Returns
    -------
    DataFrame
        Text without surrounding blanks; None where a cell is empty.

    Raises
    ------
    StudyError
        If it is no such table, a column is missing or stands twice, or a row has more cells than
        the first.
    """
    where = f"{key}: {path}"
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise StudyError(f"{where} {found}; expected a CSV table")
    try:
        # Told of a header, pandas renames a column that stands twice, and takes cells without a
        # column for names of the rows: all others then stand under the wrong name.
        frame = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", header=None
        )
    except UnicodeDecodeError:
        raise StudyError(
            f"{where} is not UTF-8 text; save it from the spreadsheet as 'CSV UTF-8'"
        ) from None
    except pd.errors.EmptyDataError:
        raise StudyError(f"{where} is empty; expected a CSV table with a header") from None
    except pd.errors.ParserError as error:
        raise StudyError(
            f"{where} is not a readable CSV table ({str(error).strip()}); "
            "put text with commas into double quotes"
        ) from None
    frame = _headed(frame.fillna("").apply(lambda column: column.str.strip()), where)
    for name in needed:
        if name not in frame.columns:
            raise StudyError(f"{where} has no column {name!r}; {_columns(name, frame)}")
    if frame.empty:
        raise StudyError(f"{where} has a header but no rows; expected one row each")
    return frame.astype(object).where(frame.ne(""), None)


def attributes(frame: pd.DataFrame) -> pd.DataFrame:
    """Read columns of text as attributes: numbers where all values are, else text.

    The usual spellings of a missing value become missing.
    """
    return frame.apply(_attribute)


def publishable(column: pd.Series, *, where: str) -> pd.Series:
    """Read a column as yes or no; what is not recorded is no.

    Raises
    ------
    StudyError
        If a value is neither.
    """
    spelled = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    values = column.fillna("no").str.lower().map(spelled)
    if values.isna().any():
        row = int(values.isna().to_numpy().argmax())
        raise StudyError(
            f"{where}: row {row + 2}: publishable is {column.iloc[row]!r}; expected yes or no"
        )
    return values.astype(bool)


def _headed(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Take the first row as names of the columns.

    Those without a name, such as row numbers or what a spreadsheet leaves empty, are left out.
    """
    names, frame = frame.iloc[0], frame.iloc[1:].reset_index(drop=True)
    named = names.ne("")
    frame = frame.loc[:, named].set_axis(names[named].tolist(), axis=1)
    twice = frame.columns.duplicated()
    if twice.any():
        raise StudyError(f"{where} has two columns {frame.columns[twice][0]!r}; remove one of them")
    return frame


def _attribute(column: pd.Series) -> pd.Series:
    column = column.astype(object).where(~column.isin(MISSING) & column.notna(), None)
    numbers = pd.to_numeric(column, errors="coerce")
    if column.notna().any() and numbers.notna().eq(column.notna()).all():
        return numbers
    return column


def _columns(name: str, frame: pd.DataFrame) -> str:
    if len(frame.columns) == 1:
        for separator, spoken in ((";", "semicolons"), ("\t", "tabs")):
            if separator in frame.columns[0]:
                return f"it seems to be separated by {spoken}; save it with commas"
    return close(name, list(frame.columns))

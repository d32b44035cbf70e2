"""Reading and writing tables, held to their contracts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from facebias.core.replacement import replacing
from facebias.tables.contract import Table, TableError

_PANDAS = {"text": "object", "whole": "int64", "number": "float64", "truth": "bool"}

_TRUTH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def check(frame: pd.DataFrame, table: Table, *, source: str = "") -> pd.DataFrame:
    """Return ``frame`` in the table's column order and types, or raise ``TableError``."""
    where = source or table.name
    missing = [name for name in table.columns if name not in frame.columns]
    if missing:
        raise TableError(
            f"{where}: column {', '.join(missing)} is missing; "
            f"found {', '.join(map(str, frame.columns))}"
        )
    columns = {
        **table.columns,
        **{name: kind for name, kind in table.optional.items() if name in frame.columns},
    }
    extra = [name for name in frame.columns if name not in columns]
    if extra and not table.open:
        raise TableError(
            f"{where}: unexpected column {', '.join(map(str, extra))}; "
            f"a {table.name} table has {', '.join(table.columns)}"
        )
    frame = frame[[*columns, *extra]].copy()
    for name, kind in columns.items():
        frame[name] = _cast(frame[name], kind, f"{where}: column {name}")
    for name in extra:
        if pd.api.types.is_string_dtype(frame[name]):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    repeated = frame.duplicated(list(table.key))
    if repeated.any():
        row = int(repeated.to_numpy().argmax())
        found = ", ".join(f"{name}={frame[name].iloc[row]}" for name in table.key)
        raise TableError(f"{where}: row {row + 2} repeats {found}; each must be unique")
    return frame


def _cast(column: pd.Series, kind: str, where: str) -> pd.Series:
    if kind == "numbers":
        return column
    try:
        if kind == "text":
            return column.astype(object).where(column.notna(), None)
        if kind == "truth" and not pd.api.types.is_bool_dtype(column):
            column = column.astype(str).str.strip().str.lower().map(_TRUTH)
            if column.isna().any():
                raise ValueError("expected true or false")
        return column.astype(_PANDAS[kind])
    except (ValueError, TypeError) as error:
        raise TableError(f"{where}: {error}; expected {kind}") from None


def write(frame: pd.DataFrame, path: Path | str, table: Table) -> None:
    """Check ``frame`` and write it to ``path`` (.csv or .parquet) in one step."""
    path = Path(path)
    frame = check(frame, table, source=str(path))
    with replacing(path) as temporary:
        if path.suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")


def read(path: Path | str, table: Table) -> pd.DataFrame:
    """Read ``path`` (.csv or .parquet) and check it."""
    path = Path(path)
    if path.suffix == ".parquet":
        return check(pd.read_parquet(path), table, source=str(path))
    text = [name for name, kind in table.columns.items() if kind in ("text", "truth")]
    try:
        # Only an empty cell is missing: a subject may be called NA, a label None.
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys([*text, "label"], object),
            keep_default_na=False,
            na_values=[""],
            encoding="utf-8-sig",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: not a readable CSV table: {error}") from None
    return check(frame, table, source=str(path))


def gather(paths: Sequence[Path | str], table: Table) -> pd.DataFrame:
    """Read several files of one kind into one table, in the order given."""
    return check(pd.concat([read(path, table) for path in paths], ignore_index=True), table)

"""What one figure is asked to show: the looks, the labels and the rows selected."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pandas as pd

from facebias.study import Figures, Labels, StudyError


class FigureError(StudyError):
    """A figure that cannot be drawn from what was given."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """Looks, labels and the values chosen by ``--select KEY=VALUE``."""

    figures: Figures
    labels: Labels
    select: Mapping[str, str]

    def value(self, key: str, frame: pd.DataFrame | None = None) -> str:
        """Return value selected for ``key``; a ``frame`` with one value only needs no selection.

        Raises
        ------
        FigureError
            If nothing is selected and the frame does not settle it.
        """
        if key in self.select:
            return self.select[key]
        found = [] if frame is None or key not in frame else in_order(frame[key])
        if len(found) == 1:
            return found[0]
        choice = f"; the table has {', '.join(found)}" if found else ""
        raise FigureError(f"--select {key}=... is needed{choice}")

    def rows(self, frame: pd.DataFrame, *keys: str) -> pd.DataFrame:
        """Choose the rows of ``frame`` that hold the values selected for ``keys``.

        Raises
        ------
        FigureError
            If no row is left; says which values there are.
        """
        for key in keys:
            wanted = self.value(key, frame)
            chosen = frame[frame[key].astype(str) == wanted]
            if chosen.empty:
                found = ", ".join(in_order(frame[key])) or "no rows at all"
                raise FigureError(f"--select {key}={wanted} leaves no row; the table has {found}")
            frame = chosen
        return frame


def in_order(column: pd.Series) -> list[str]:
    """List the values of a column in the order in which they first appear, without missing ones."""
    return [str(value) for value in column.dropna().unique()]

"""The adapter of the drawn people: which films exist is known before any is drawn."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from facebias.data.datasets.drawn import people
from facebias.study import Data, Drawn, Labels, StudyError

TAKES = ("drawn",)
NEEDS = ("drawn",)


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the drawn people; see ``datasets``. ``root`` is not used."""
    return people.people(_drawn(data))


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the films of the drawn people, drawn or not; see ``datasets``."""
    if labels.kind != "classes":
        raise StudyError(
            f"labels.kind: found {labels.kind}, but drawn films have one emotion each; use classes"
        )
    films = people.samples(_drawn(data), labels.names)
    return films[["sample", "subject", "path", "label"]].assign(reason=None)


def _drawn(data: Data) -> Drawn:
    if data.drawn is None:
        raise StudyError("data.drawn: missing, the adapter drawn needs it")
    return data.drawn

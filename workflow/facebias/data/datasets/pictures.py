"""Pictures in folders or in a table: every picture is one sample."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from facebias.clips import formats
from facebias.data.datasets import files
from facebias.study import Data, Labels

TAKES = ("root", "manifest", "layout", "subjects")
NEEDS = ("root",)
SUFFIXES = formats.PICTURES


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the people in the pictures; see ``datasets``."""
    return files.subjects(data, root)


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the pictures; see ``datasets``."""
    return files.samples(data, labels, root, kind="picture", suffixes=SUFFIXES)

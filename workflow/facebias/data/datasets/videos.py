"""Videos in folders or in a table: every video is one sample."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from facebias.clips import formats
from facebias.data.datasets import files
from facebias.study import Data, Labels

TAKES = ("root", "manifest", "layout", "subjects")
NEEDS = ("root",)
SUFFIXES = formats.VIDEOS


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the people in the videos; see ``datasets``."""
    return files.subjects(data, root)


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the videos; see ``datasets``."""
    return files.samples(data, labels, root, kind="video", suffixes=_suffixes(data))


def _suffixes(data: Data) -> tuple[str, ...]:
    """Return the suffixes of films; animated pictures are films only where they are asked for.

    Folders of videos often hold thumbnails of them.
    """
    asked = data.manifest or (data.layout or "").lower().endswith(formats.ANIMATED)
    return (*SUFFIXES, *formats.ANIMATED) if asked else SUFFIXES

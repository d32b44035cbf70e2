"""Several data sets in one study: their people and samples one after the other.

Subjects and samples are called ``NAME/...`` after the data set, so that none of one is taken for
one of another. ``data_set`` is an attribute of every person. What a data set does not record of its
people, or does not annotate of its samples, is missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from facebias.data import datasets
from facebias.data.datasets import files
from facebias.data.datasets.landmarks import Given
from facebias.study import Data, Labels, StudyError

TAKES = ("root", "sets")
NEEDS = ("sets",)


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the people of all data sets; see ``datasets``."""

    def listed(name: str, part: Data) -> pd.DataFrame:
        frame = datasets.subjects(part, part.root)
        if "publishable" not in frame.columns:
            frame["publishable"] = part.publishable
        frame["subject"] = name + "/" + frame["subject"].astype(str)
        return frame.assign(data_set=name)

    return _together(data, root, listed)


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the samples of all data sets; see ``datasets``."""

    def listed(name: str, part: Data) -> pd.DataFrame:
        asked = files.annotated(part, labels, part.root)
        frame = datasets.adapter(part.adapter).samples(part, asked, part.root)
        for column in ("sample", "subject"):
            known = frame[column].notna()
            frame.loc[known, column] = name + "/" + frame.loc[known, column].astype(str)
        frame["path"] = datasets.under(data.sets[name].root, frame["path"])
        return frame

    return _together(data, root, listed)


def given_landmarks(data: Data, root: Path | str | None) -> Iterator[Given]:
    """Yield the landmarks that the data sets ship; see ``datasets.landmarks``."""
    for name, part in parts(data, root):
        for given in datasets.given_landmarks(part, part.root):
            yield dataclasses.replace(given, sample=f"{name}/{given.sample}")


def parts(data: Data, root: Path | str | None) -> Iterator[tuple[str, Data]]:
    """Yield every data set as a study over it alone would have it, its root below ``root``."""
    for name, source in data.sets.items():
        told = {field.name: getattr(source, field.name) for field in dataclasses.fields(source)}
        if source.root is not None:
            told["root"] = str(Path(root or "") / source.root)
        yield name, dataclasses.replace(data, **told, sets=None)


def _together(
    data: Data, root: Path | str | None, listed: Callable[[str, Data], pd.DataFrame]
) -> pd.DataFrame:
    frames = []
    for name, part in parts(data, root):
        try:
            frames.append(listed(name, part))
        except StudyError as error:
            raise StudyError(str(error).replace("data.", f"data.sets.{name}.", 1)) from None
    return pd.concat(frames, ignore_index=True)

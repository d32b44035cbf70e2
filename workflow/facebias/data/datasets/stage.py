"""The stages ``manifest`` and ``landmarks``: what a data set holds."""

from __future__ import annotations

import pandas as pd

from facebias import tables
from facebias.data import datasets
from facebias.data.datasets import occurrences
from facebias.stages.data import Landmarks, Manifest


def main(arguments: list[str]) -> None:
    """Write the manifest, the samples left out of it, and how often units occur.

    Raises
    ------
    StudyError
        If the data set as a whole cannot be read, or no sample or no unit is left.
    """
    given = Manifest.of(arguments)
    data, labels = given.settings.data, given.settings.labels
    manifest, excluded = datasets.manifest(data, labels, given.root)
    if given.units:
        units = occurrences.count(manifest, labels)
        tables.write(units, given.units, tables.UNITS)
        manifest = occurrences.select(manifest, units, labels)
    tables.write(manifest, given.out, tables.MANIFEST)
    tables.write(excluded, given.excluded, tables.EXCLUDED)
    print(f"manifest: {len(manifest)} samples, {len(excluded)} left out")


def landmarks(arguments: list[str]) -> None:
    """Write the landmarks that a data set ships.

    Raises
    ------
    StudyError
        If a file of landmarks is none.
    """
    given = Landmarks.of(arguments)
    data = given.settings.data
    rows = [
        (found.sample, found.frame, found.points.ravel())
        for found in datasets.given_landmarks(data, given.root)
    ]
    table = pd.DataFrame(rows, columns=[*tables.LANDMARKS.columns])
    tables.write(table, given.out, tables.LANDMARKS)
    print(f"landmarks: of {len(table)} frames")

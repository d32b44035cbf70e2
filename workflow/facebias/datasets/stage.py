"""The stages ``manifest`` and ``landmarks``: what a data set holds."""

from __future__ import annotations

import argparse

import pandas as pd

from facebias import datasets, tables
from facebias.datasets import occurrences
from facebias.study import Data, Labels, read_settings


def main(arguments: list[str]) -> None:
    """Write the manifest, the samples left out of it, and how often units occur.

    Raises
    ------
    StudyError
        If the data set as a whole cannot be read, or no sample or no unit is left.
    """
    parser = argparse.ArgumentParser(prog="facebias manifest", description=__doc__)
    parser.add_argument("--settings", required=True, help="JSON with data and labels")
    parser.add_argument("--root", required=True, help="folder of the data set")
    parser.add_argument("--out", required=True, help="manifest.csv")
    parser.add_argument("--excluded", required=True, help="CSV of the samples left out")
    parser.add_argument("--units", help="CSV of the occurrences of units, where there are units")
    given = parser.parse_args(arguments)
    data, labels = read_settings(given.settings, data=Data, labels=Labels)
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
    parser = argparse.ArgumentParser(prog="facebias landmarks", description=landmarks.__doc__)
    parser.add_argument("--settings", required=True, help="JSON with data")
    parser.add_argument("--root", required=True, help="folder of the data set")
    parser.add_argument("--out", required=True, help="landmarks.parquet")
    given = parser.parse_args(arguments)
    (data,) = read_settings(given.settings, data=Data)
    rows = [
        (found.sample, found.frame, found.points.ravel())
        for found in datasets.given_landmarks(data, given.root)
    ]
    table = pd.DataFrame(rows, columns=[*tables.LANDMARKS.columns])
    tables.write(table, given.out, tables.LANDMARKS)
    print(f"landmarks: of {len(table)} frames")

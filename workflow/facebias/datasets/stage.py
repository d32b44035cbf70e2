"""The stage ``manifest``: list the samples of a data set."""

from __future__ import annotations

import argparse

from facebias import datasets, tables
from facebias.study import Data, Labels, read_settings


def main(arguments: list[str]) -> None:
    """Write the manifest and the samples left out of it.

    Raises
    ------
    StudyError
        If the data set as a whole cannot be read, or no sample is left.
    """
    parser = argparse.ArgumentParser(prog="facebias manifest", description=__doc__)
    parser.add_argument("--settings", required=True, help="JSON with data and labels")
    parser.add_argument("--root", required=True, help="folder of the data set")
    parser.add_argument("--out", required=True, help="manifest.csv")
    parser.add_argument("--excluded", required=True, help="CSV of the samples left out")
    given = parser.parse_args(arguments)
    data, labels = read_settings(given.settings, data=Data, labels=Labels)
    manifest, excluded = datasets.manifest(data, labels, given.root)
    tables.write(manifest, given.out, tables.MANIFEST)
    tables.write(excluded, given.excluded, tables.EXCLUDED)
    print(f"manifest: {len(manifest)} samples, {len(excluded)} left out")

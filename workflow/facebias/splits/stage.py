"""The stage that draws one train split."""

from __future__ import annotations

import argparse
from pathlib import Path

from facebias import tables
from facebias.splits.drawing import draw
from facebias.study import TrainSplits, read_settings


def main(arguments: list[str]) -> None:
    """Draw who trains, validates and tests in one train split, and write it."""
    parser = argparse.ArgumentParser(prog="facebias split", description=main.__doc__)
    parser.add_argument("--settings", required=True, help="JSON: splits, seeds")
    parser.add_argument("--train-split", required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    splits, seeds = read_settings(given.settings, splits=TrainSplits, seeds=tuple[int, ...])
    manifest = tables.read(given.manifest, tables.MANIFEST)
    subjects = manifest.drop_duplicates("subject")
    drawn = draw(splits, seeds, subjects)
    # The settings hold further train splits only where this one takes its size from them.
    drawn = drawn[drawn["train_split"] == given.train_split]
    tables.write(drawn, given.out, tables.SPLITS)

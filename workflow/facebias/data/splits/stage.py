"""The stage that draws one train split."""

from __future__ import annotations

from facebias import tables
from facebias.data.splits.drawing import draw
from facebias.stages.data import Split


def main(arguments: list[str]) -> None:
    """Draw who trains, validates and tests in one train split, and write it."""
    given = Split.of(arguments)
    manifest = tables.read(given.manifest, tables.MANIFEST)
    subjects = manifest.drop_duplicates("subject")
    drawn = draw(given.settings.splits, given.settings.seeds, subjects)
    # The settings hold further train splits only where this one takes its size from them.
    drawn = drawn[drawn["train_split"] == given.train_split]
    tables.write(drawn, given.out, tables.SPLITS)

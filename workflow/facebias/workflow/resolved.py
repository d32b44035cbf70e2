"""The configuration of a study as its results keep it: every default filled in."""

from __future__ import annotations

import yaml

from facebias.core.replacement import replacing
from facebias.stages.data import Resolve
from facebias.study.configuration import resolve


def main(arguments: list[str]) -> None:
    """Write a configuration to a file, every default filled in."""
    given = Resolve.of(arguments)
    values = resolve(given.settings["study"])
    with replacing(given.out) as temporary:
        temporary.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

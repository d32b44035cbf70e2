"""SHA-256 of result files, in the format of ``sha256sum``: anybody can check them without us."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from facebias.core import progress, provenance
from facebias.core.replacement import replacing
from facebias.presentation.record import layout
from facebias.stages.report import Checksums
from facebias.study import StudyError

LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<path>.+)")


def sums(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of every file, by its path under ``root``, in the order given."""
    listed = progress.track(paths, total=len(paths), what="checksums", unit="files")
    return {path: provenance.digest(root / path) for path in listed}


def write(digests: dict[str, str], path: Path) -> None:
    """Write digests so that ``sha256sum --check`` reads them."""
    with replacing(path) as temporary:
        lines = [f"{digest}  {name}\n" for name, digest in digests.items()]
        temporary.write_text("".join(lines), encoding="utf-8")


def read(path: Path | str) -> dict[str, str]:
    """Read a file of checksums: digest by path.

    Raises
    ------
    StudyError
        Naming the line that is none.
    """
    found = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        match = LINE.fullmatch(line)
        if match is None:
            raise StudyError(
                f"{path}: line {number} is {line!r}; expected a SHA-256, two spaces and a path; "
                "remove the file to have it written again"
            )
        found[match["path"]] = match["digest"]
    return found


def main(arguments: list[str]) -> None:
    """Write the SHA-256 of the files that some patterns stand for."""
    given = Checksums.of(arguments)
    names = given.settings.names
    paths = [path for file in given.settings.files for path in layout.expanded(file, names)]
    write(sums(given.root, paths), given.out)

"""``python -m facebias STAGE ...``: one command per stage; each is imported only when called."""

from __future__ import annotations

import importlib
import sys

from facebias.stages import STAGES
from facebias.study import StudyError
from facebias.tables import TableError


def main(arguments: list[str]) -> int:
    """Run the stage named first; return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        width = max(map(len, STAGES))
        print("usage: python -m facebias STAGE ...\n\nstages (each has its own --help):")
        for name, stage in STAGES.items():
            print(f"  {name:<{width}}  {stage.purpose}")
        return 0 if arguments else 2
    name = arguments[0]
    if name not in STAGES:
        print(f"facebias: no stage {name!r}; there are {', '.join(STAGES)}", file=sys.stderr)
        return 2
    stage = STAGES[name]
    try:
        getattr(importlib.import_module(stage.module), stage.function)(arguments[1:])
    except (StudyError, TableError, OSError) as error:
        print(f"facebias {name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

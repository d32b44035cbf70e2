"""usage: python -m facebias STAGE ...

A job of a study is run by hand with its files and settings; what is typed tells it from others, or
takes the place of what the study says:
  facebias train --study results/demo --architecture vgg16 --train-split regular --out try
  ... --set training.epochs=3
"""

# A stage is imported only when it is called.

from __future__ import annotations

import importlib
import sys

from facebias.stages import STAGES
from facebias.study import StudyError
from facebias.tables import TableError

# Of a job that is one of a study, and of help.
STUDY, HELP = "--study", {"-h", "--help"}


def main(arguments: list[str]) -> int:
    """Run the stage named first; return the exit code."""
    if not arguments or arguments[0] in HELP:
        width = max(map(len, STAGES))
        print(f"{__doc__}\nstages (each has its own --help):")
        for name, stage in STAGES.items():
            print(f"  {name:<{width}}  {stage.purpose}")
        return 0 if arguments else 2
    name = arguments[0]
    if name not in STAGES:
        print(f"facebias: no stage {name!r}; there are {', '.join(STAGES)}", file=sys.stderr)
        return 2
    stage = STAGES[name]
    given = arguments[1:]
    try:
        if STUDY in given and not HELP & set(given):
            # By its name: it is no part of what a stage does.
            given = importlib.import_module("facebias.workflow.by_hand").completed(name, given)
        stage.function()(given)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "facebias":
            raise
        extras = "pip install 'facebias[models,parquet,workflow]'"
        print(
            f"facebias {name}: {error.name} is not installed; {extras} brings it", file=sys.stderr
        )
        return 1
    except (StudyError, TableError, OSError) as error:
        print(f"facebias {name}: {error}", file=sys.stderr)
        return 1
    return 0


def run() -> None:
    """Run the stage that a command line names, and end with its exit code."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()

"""The stages of a study: which function runs each, and what it does."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Stage:
    """One command: the function that runs it takes the list of its arguments."""

    module: str
    purpose: str
    function: str = "main"


STAGES = {
    "resolve": Stage("facebias.configuration", "write the resolved configuration"),
    "draw": Stage("facebias.datasets.drawn.stage", "draw people and film them"),
    "manifest": Stage("facebias.datasets.stage", "list the samples of a data set"),
    "extract": Stage("facebias.clips.stage", "cut clips of faces from videos or pictures"),
    "index": Stage("facebias.clips.index", "gather the clips; count what was left out"),
    "split": Stage("facebias.splits", "draw who trains, validates and tests"),
    "train": Stage("facebias.training.stage", "train one model"),
    "predict": Stage("facebias.prediction", "score the test samples of one model"),
    "metrics": Stage("facebias.evaluation.stage", "measure one model on one test split", "metrics"),
    "fairness": Stage("facebias.evaluation.stage", "measure gaps between groups", "fairness"),
    "evaluate": Stage("facebias.evaluation.audit", "audit any table of predictions"),
    "explain": Stage("facebias.explanation.stage", "make heatmaps of one model on one test split"),
    "gather": Stage("facebias.tables", "put tables of one kind together"),
    "figure": Stage("facebias.figures.stage", "draw one figure"),
    "print_table": Stage("facebias.report.print", "write one table for print"),
    "start_page": Stage("facebias.report.start_page", "write the report's first page"),
}


def environment() -> dict[str, str]:
    """Give the variables with which ``python -m facebias`` finds this package and this Python.

    A conda environment that is activated later still comes first on the path.
    """
    package, python = Path(__file__).parents[1], Path(sys.executable).parent
    added = {"PYTHONPATH": package, "PATH": python}
    return {
        name: os.pathsep.join([str(path), *filter(None, [os.environ.get(name)])])
        for name, path in added.items()
    }

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
    "plan": Stage("facebias.plan", "say what a run would do, why, and for how long"),
    "figures": Stage("facebias.drawing", "draw every figure and printed table again"),
    "resolve": Stage("facebias.configuration", "write the resolved configuration"),
    "draw": Stage("facebias.datasets.drawn.stage", "draw people and film them"),
    "manifest": Stage("facebias.datasets.stage", "list the samples of a data set"),
    "landmarks": Stage(
        "facebias.datasets.stage", "list the landmarks that a data set ships", "landmarks"
    ),
    "locate": Stage("facebias.clips.location", "find the faces that variants of clips share"),
    "extract": Stage("facebias.clips.stage", "cut clips of faces from videos or pictures"),
    "index": Stage("facebias.clips.index", "gather the clips; count what was left out"),
    "fetch": Stage("facebias.architectures.fetching", "fetch a file of pretrained weights"),
    "convert": Stage("facebias.architectures.conversion", "convert pretrained weights"),
    "features": Stage("facebias.features.stage", "compute what a frozen network makes of clips"),
    "split": Stage("facebias.splits.stage", "draw who trains, validates and tests"),
    "train": Stage("facebias.training.stage", "train one model"),
    "predict": Stage("facebias.prediction", "score the test samples of one model"),
    "decide": Stage("facebias.decision", "choose from which score a unit counts as found"),
    "metrics": Stage("facebias.evaluation.stage", "measure one model on one test split", "metrics"),
    "metrics_by_group": Stage(
        "facebias.evaluation.by_group", "measure one model on every group of people"
    ),
    "fairness": Stage("facebias.evaluation.stage", "measure gaps between groups", "fairness"),
    "effects": Stage("facebias.evaluation.stage", "measure what training splits change", "effects"),
    "judge": Stage("facebias.evaluation.verdicts", "judge the gaps of all models together"),
    "quality": Stage("facebias.clips.quality", "measure how well faces can be seen"),
    "confounds": Stage("facebias.evaluation.confounds", "measure what else differs by group"),
    "variance": Stage("facebias.evaluation.variance", "tell subjects, folds and seeds apart"),
    "redraws": Stage("facebias.evaluation.redraws", "draw the test subjects again"),
    "evaluate": Stage("facebias.evaluation.audit", "audit any table of predictions"),
    "power": Stage("facebias.evaluation.planning", "plan how many subjects a study needs"),
    "calibrate": Stage("facebias.evaluation.calibration", "measure error rates of the statistics"),
    "explain": Stage("facebias.explanation.stage", "make heatmaps of one model's test samples"),
    "randomise": Stage("facebias.explanation.randomisation", "check heatmaps of one model"),
    "relevance": Stage(
        "facebias.explanation.relevance_stage", "measure relevance in the regions of the face"
    ),
    "relevance_gaps": Stage(
        "facebias.evaluation.relevance_stage", "compare relevance between groups"
    ),
    "gather": Stage("facebias.tables.gathering", "put tables of one kind together"),
    "figure": Stage("facebias.figures.stage", "draw one figure"),
    "print_table": Stage("facebias.report.print", "write one table for print"),
    "numbered_tables": Stage(
        "facebias.report.numbered", "write the tables of a published study by their numbers"
    ),
    "published": Stage("facebias.published.stage", "recompute a published study", "published"),
    "published_comparison": Stage(
        "facebias.published.stage", "place a study beside the published one", "compare"
    ),
    "start_page": Stage("facebias.report.start_page", "write the report's first page"),
    "model_card": Stage("facebias.record.model_card", "write the card of one architecture"),
    "checksums": Stage("facebias.record.checksums", "write the checksums of result files"),
    "record": Stage("facebias.record.stage", "write the record of a study and its RO-Crate"),
}


def environment() -> dict[str, str]:
    """Return the variables with which ``python -m facebias`` finds this package and this Python.

    A conda environment that is activated later still comes first on the path.
    """
    package, python = Path(__file__).parents[1], Path(sys.executable).parent
    added = {"PYTHONPATH": package, "PATH": python}
    return {
        name: os.pathsep.join([str(path), *filter(None, [os.environ.get(name)])])
        for name, path in added.items()
    }

"""The stages of a study: which function runs each, what a job of it is asked, and what it needs."""

from __future__ import annotations

import dataclasses
import importlib
import os
import sys
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Stage:
    """One command of ``python -m facebias``.

    Attributes
    ----------
    run
        ``module:function``, which takes the list of the command's arguments.
    purpose
        What it does, for ``--help``.
    jobs
        Module of this package with the class of its jobs; empty: it is run by hand alone.
    memory, minutes
        Of a job on a cluster, megabytes and minutes; more at each further attempt.
    """

    run: str
    purpose: str
    jobs: str = ""
    memory: int = 2000
    minutes: int = 15

    @property
    def module(self) -> str:
        """The module that runs it."""
        return self.run.partition(":")[0]

    @property
    def environment(self) -> str:
        """Name of the file in ``envs`` with what its jobs import."""
        return self.jobs if self.jobs in ("clips", "models") else "analysis"

    def function(self) -> Any:
        """Import what runs it."""
        module, _, function = self.run.partition(":")
        return getattr(importlib.import_module(module), function)


# fmt: off
STAGES = {
    "plan": Stage("facebias.workflow.plan:main", "say what a run would do, why, and for how long"),
    "figures": Stage("facebias.workflow.drawing:main", "draw every figure and printed table again"),
    "resolve": Stage(
        "facebias.workflow.resolved:main", "write the resolved configuration",
        "data", memory=500, minutes=5,
    ),
    "draw": Stage(
        "facebias.data.datasets.drawn.stage:main", "draw people and film them",
        "clips", minutes=60,
    ),
    "manifest": Stage(
        "facebias.data.datasets.stage:main", "list the samples of a data set",
        "data", minutes=30,
    ),
    "landmarks": Stage(
        "facebias.data.datasets.stage:landmarks", "list the landmarks that a data set ships",
        "data", minutes=60,
    ),
    "split": Stage(
        "facebias.data.splits.stage:main", "draw who trains, validates and tests",
        "data", memory=1000, minutes=10,
    ),
    "locate": Stage(
        "facebias.clips.location:main", "find the faces that variants of clips share",
        "clips", memory=4000, minutes=240,
    ),
    "extract": Stage(
        "facebias.clips.stage:main", "cut clips of faces from videos or pictures",
        "clips", memory=4000, minutes=240,
    ),
    "index": Stage(
        "facebias.clips.index:main", "gather the clips; count what was left out",
        "data", memory=4000, minutes=30,
    ),
    "quality": Stage(
        "facebias.clips.quality:main", "measure how well faces can be seen",
        "clips", minutes=60,
    ),
    "fetch": Stage(
        "facebias.models.architectures.fetching:main", "fetch a file of pretrained weights",
        "data", memory=500, minutes=60,
    ),
    "convert": Stage(
        "facebias.models.architectures.conversion:main", "convert pretrained weights",
        "models", memory=4000,
    ),
    "features": Stage(
        "facebias.models.features.stage:main", "compute what a frozen network makes of clips",
        "models", memory=8000, minutes=240,
    ),
    "train": Stage(
        "facebias.models.training.stage:main", "train one model",
        "models", memory=8000, minutes=1440,
    ),
    "predict": Stage(
        "facebias.models.prediction:main", "score the test samples of one model",
        "models", memory=4000, minutes=120,
    ),
    "decide": Stage(
        "facebias.models.decision:main", "choose from which score a unit counts as found",
        "models", memory=4000, minutes=120,
    ),
    "explain": Stage(
        "facebias.explanation.stage:main", "make heatmaps of one model's test samples",
        "models", memory=8000, minutes=240,
    ),
    "randomise": Stage(
        "facebias.explanation.randomisation:main", "check heatmaps of one model",
        "models", memory=8000, minutes=60,
    ),
    "relevance": Stage(
        "facebias.explanation.relevance_stage:main", "measure relevance in the regions of the face",
        "evaluation", memory=4000, minutes=60,
    ),
    "gather": Stage(
        "facebias.data.gathering:main", "put tables of one kind together",
        "evaluation", minutes=10,
    ),
    "metrics": Stage(
        "facebias.evaluation.stage:metrics", "measure one model on one test split",
        "evaluation", minutes=30,
    ),
    "metrics_by_group": Stage(
        "facebias.evaluation.by_group:main", "measure one model on every group of people",
        "evaluation", minutes=30,
    ),
    "fairness": Stage(
        "facebias.evaluation.stage:fairness", "measure gaps between groups",
        "evaluation", minutes=30,
    ),
    "effects": Stage(
        "facebias.evaluation.stage:effects", "measure what training splits change",
        "evaluation", minutes=30,
    ),
    "judge": Stage(
        "facebias.evaluation.judgement:main", "judge the gaps of all models together",
        "evaluation", minutes=10,
    ),
    "confounds": Stage(
        "facebias.evaluation.confounds:main", "measure what else differs by group",
        "evaluation", minutes=30,
    ),
    "variance": Stage(
        "facebias.evaluation.variance:main", "tell subjects, folds and seeds apart",
        "evaluation", minutes=30,
    ),
    "redraws": Stage(
        "facebias.evaluation.redraws:main", "draw the test subjects again",
        "evaluation", minutes=30,
    ),
    "relevance_gaps": Stage(
        "facebias.evaluation.relevance_stage:main", "compare relevance between groups",
        "evaluation", memory=4000, minutes=60,
    ),
    "evaluate": Stage("facebias.evaluation.audit:main", "audit any table of predictions"),
    "power": Stage("facebias.evaluation.planning:main", "plan how many subjects a study needs"),
    "calibrate": Stage(
        "facebias.evaluation.calibration:main", "measure error rates of the statistics",
    ),
    "figure": Stage(
        "facebias.presentation.figures.stage:main", "draw one figure",
        "report",
    ),
    "print_table": Stage(
        "facebias.presentation.report.print:main", "write one table for print",
        "report", memory=1000, minutes=10,
    ),
    "numbered_tables": Stage(
        "facebias.presentation.report.numbered:main",
        "write the tables of a published study by their numbers",
        "report", memory=1000, minutes=10,
    ),
    "published": Stage(
        "facebias.published.stage:published", "recompute a published study",
        "report", minutes=10,
    ),
    "published_comparison": Stage(
        "facebias.published.stage:compare", "place a study beside the published one",
        "report", minutes=10,
    ),
    "start_page": Stage(
        "facebias.presentation.report.start_page:main", "write the report's first page",
        "report",
    ),
    "model_card": Stage(
        "facebias.presentation.record.model_card:main", "write the card of one architecture",
        "report",
    ),
    "checksums": Stage(
        "facebias.presentation.record.checksums:main", "write the checksums of result files",
        "report", memory=500, minutes=120,
    ),
    "record": Stage(
        "facebias.presentation.record.stage:main", "write the record of a study and its RO-Crate",
        "report",
    ),
}
# fmt: on


def job_class(stage: str) -> Any:
    """Import the class of the jobs of a stage."""
    name = "".join(word.capitalize() for word in stage.split("_"))
    return getattr(importlib.import_module(f"facebias.stages.{STAGES[stage].jobs}"), name)


def environment() -> dict[str, str]:
    """Return the variables with which ``python -m facebias`` finds this package and this Python.

    A conda environment that is activated later still comes first on the path.
    """
    package, python = Path(__file__).parents[2], Path(sys.executable).parent
    added = {"PYTHONPATH": package, "PATH": python}
    return {
        name: os.pathsep.join([str(path), *filter(None, [os.environ.get(name)])])
        for name, path in added.items()
    }

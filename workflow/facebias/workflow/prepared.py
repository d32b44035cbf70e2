"""A study that was checked as a whole and can be planned."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from facebias.data import datasets, splits
from facebias.data.splits import holdouts
from facebias.study import Question, Study, configuration, lean
from facebias.workflow import checks


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What every plan of a study starts from.

    Attributes
    ----------
    resolved
        The configuration as plain values, with all defaults.
    study
        The same as types, with the train splits that ``splits.match_sizes`` adds.
    declared
        The train splits without those.
    out
        The folder of its results.
    root
        The folder of its data set.
    subjects
        One row per person.
    questions
        The declared question of each hold-out.
    files
        Fingerprint of the files of the data set.
    """

    resolved: Mapping[str, Any]
    study: Study
    declared: tuple[str, ...]
    out: str
    root: str
    subjects: pd.DataFrame
    questions: tuple[Question, ...]
    files: str


def prepare(config: Mapping[str, Any]) -> Prepared:
    """Resolve and check a configuration. Nothing is written.

    Raises
    ------
    StudyError
        If it cannot be run, with one line per fault.
    """
    study = configuration.load(config)
    out = f"{study.results}/{study.study}"
    drawn = study.data.adapter == "drawn"
    root = f"{out}/data/drawn" if drawn else study.data.root or "."
    subjects = checks.check(study, root=root)
    matched = splits.with_matched(study.splits, subjects)
    return Prepared(
        resolved=lean(study),
        study=dataclasses.replace(study, splits=matched),
        declared=tuple(study.splits.train),
        out=out,
        root=root,
        subjects=subjects,
        questions=holdouts.questions(study),
        files=datasets.fingerprint(study.data, study.labels, root),
    )

"""All rows of a study judged together: corrected p-values and a verdict in words.

Rules, in this order, with level = 1 - confidence:

- ``gap found``: the corrected p-value is at most the level.
- ``no gap larger than X``: the whole interval lies within the margin X of 0, which is declared for
  each criterion. Not where no gap could have been found with so few subjects, or where all of them
  are alike: the interval then has no width, which says nothing about people who were not tested.
- ``cannot tell``: neither. Of a model that is not surely better than one that looks at nothing
  (``baselines``) every gap that is not found is that: who says the same to everybody treats groups
  alike, and says nothing of them. Then follows what it says most often.

Only ``gap found`` is corrected for the number of rows. That a gap is small needs no correction to
hold at its level by itself: both ends of the interval must lie within the margin, and a claim that
needs several tests to pass has the level of each (intersection-union; Berger & Hsu 1996,
"Bioequivalence trials, intersection-union tests and equivalence confidence sets").

A row without an estimate is ``not estimable``. No row is ever called unbiased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import baselines, multiplicity, questions
from facebias.evaluation.fairness_criteria import PER_LABEL
from facebias.evaluation.trends import TREND
from facebias.stages.evaluation import Judge
from facebias.study import Evaluation, Primary, Question, StudyError
from facebias.tables import comparisons
from facebias.tables.verdicts import (
    EXPLORATORY,
    FOUND,
    LABELS,
    MISSING,
    PRIMARY,
    UNCLEAR,
    corrected_p,
    no_larger,
    unclear_of,
)


def primary(frame: pd.DataFrame, asked: Primary, declared: Sequence[Question]) -> pd.Series:
    """Tell which rows of a ``tables.GAPS`` table are the declared family.

    Raises
    ------
    StudyError
        If a question has none.
    """
    chosen = pd.Series(False, index=frame.index)
    for question in declared:
        own = (
            (frame["criterion"] == asked.criterion)
            & (frame["definition"] == asked.definition)
            & questions.about(frame, question)
        )
        if not own.any():
            raise StudyError(
                f"evaluation.primary: no gap of {asked.criterion}, {asked.definition}, by "
                f"{question.attribute}, trained on {question.train_split}; the table has "
                f"{_values(frame, 'criterion')}; {_values(frame, 'definition')}; "
                f"{_values(frame, 'attribute')}; {_values(frame, 'train_split')}"
            )
        chosen[comparisons.of_all_groups(frame[own]).index] = True
    return chosen


def primary_effects(frame: pd.DataFrame, asked: Primary, declared: Sequence[Question]) -> pd.Series:
    """Tell which rows of a ``tables.CHANGES`` table are the declared family.

    Whether a change from a question's training split to another of its hold-out is larger for one
    group than for another, in the mean true positive rate whatever criterion is ``asked``.
    """
    chosen = pd.Series(False, index=frame.index)
    for question in declared:
        chosen |= questions.about(frame, question)
    return chosen & (frame["metric"] == "tpr_macro") & (frame["comparison"] == comparisons.PAIR)


def judge(
    frame: pd.DataFrame,
    declared: pd.Series,
    evaluation: Evaluation,
    guessing: Mapping[tuple[str, str], str] | None = None,
) -> pd.DataFrame:
    """Add the columns ``tables.JUDGED`` to rows of one study.

    Parameters
    ----------
    frame
        Rows with ``tables.INTERVAL``, ``p_value`` and ``p_floor``.
    declared
        Which of them are the primary family: Holm; the others: Benjamini and Hochberg. The gaps of
        single labels are corrected already, for each other (``permutation.simultaneous``).
    evaluation
        Level and margin.
    guessing
        From ``baselines.guessing``: of which models no gap can be called small.
    """
    declared = declared.to_numpy(dtype=bool)
    # Their p-values hold for all labels of a gap as they are.
    labels = frame["definition"].eq(PER_LABEL).to_numpy() if "definition" in frame else False
    p_values, floors = frame["p_value"].to_numpy(float), frame["p_floor"].to_numpy(float)
    columns = {name: np.full(len(frame), np.nan) for name in ("p_holm", "q_bh", "p_reachable")}
    for name, rows, correct in (
        ("p_holm", declared, multiplicity.holm),
        ("q_bh", ~declared & ~labels, multiplicity.benjamini_hochberg),
        ("p_holm", ~declared & labels, np.asarray),
    ):
        columns[name][rows] = correct(p_values[rows])
        # Corrections never fall when a p-value rises: the best a row can do is all at their floors.
        columns["p_reachable"][rows] = correct(floors[rows])
    families = np.select(
        [declared, labels & np.ones(len(frame), bool)], [PRIMARY, LABELS], EXPLORATORY
    )
    judged = frame.assign(family=families, **columns)
    judged["verdict"] = _verdicts(judged, evaluation)
    words = _words(judged, guessing or {})
    open_still = words.notna() & ~judged["verdict"].isin([MISSING, FOUND])
    judged["verdict"] = judged["verdict"].mask(open_still, unclear_of(words))
    return judged


def _words(frame: pd.DataFrame, guessing: Mapping[tuple[str, str], str]) -> pd.Series:
    """Return what the model of each row says most often, or one of the two of a change."""
    if "train_split" in frame:
        trains = [[name] for name in frame["train_split"]]
    else:
        trains = frame[[*comparisons.CHANGED]].to_numpy().tolist()
    models = zip(frame["architecture"], trains, strict=True)
    found = [
        next((guessing[name, train] for train in names if (name, train) in guessing), None)
        for name, names in models
    ]
    return pd.Series(found, index=frame.index, dtype=object)


def _verdicts(frame: pd.DataFrame, evaluation: Evaluation) -> np.ndarray:
    corrected = corrected_p(frame)
    ends = frame[["ci_low", "ci_high"]].abs().max(axis=1, skipna=False)
    # A slope has other units than the margin.
    comparable = frame["definition"] != TREND if "definition" in frame else True
    criteria = frame["criterion"] if "criterion" in frame else pd.Series("", index=frame.index)
    margins = np.array([evaluation.margin_of(name) for name in criteria], dtype=float)
    within = (ends <= margins) & comparable
    level = 1 - evaluation.confidence + 1e-12
    told = (frame["p_reachable"] <= level) & (frame["ci_low"] < frame["ci_high"])
    return np.select(
        [frame["estimate"].isna(), corrected <= level, within & told],
        [np.full(len(frame), MISSING, object), FOUND, list(map(no_larger, margins))],
        UNCLEAR,
    ).astype(object)


def _values(frame: pd.DataFrame, column: str) -> str:
    return f"{column} {', '.join(map(str, frame[column].unique()))}"


# What is judged: the contract of its parts, of the whole, and which rows are the primary family.
JUDGED = {
    "fairness": (tables.GAPS, tables.FAIRNESS, primary),
    "effects": (tables.CHANGES, tables.EFFECTS, primary_effects),
}


def main(arguments: list[str]) -> None:
    """Put the gaps of all models together, correct for their number and say what they mean."""
    given = Judge.of(arguments)
    evaluation, asked = given.settings.evaluation, given.settings.questions
    part, whole, choose = JUDGED[given.table]
    frame = tables.gather(given.inputs, part)
    declared = choose(frame, evaluation.primary, asked)
    declared &= frame["architecture"].isin(given.settings.architectures)
    guessing = baselines.guessing(tables.read(given.by_group, tables.METRICS_BY_GROUP))
    judged = judge(frame, declared, evaluation, guessing)
    tables.write(judged, given.out, whole)

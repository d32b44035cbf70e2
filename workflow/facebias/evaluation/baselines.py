"""What is reached without looking at any sample: to be read beside what a model reaches.

Everything is read from the metrics of one model on one set of test samples, so that it holds for
that very set: how often each label is true is in the counts of the true positive rate, how often
the model says it in the selection rate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pandas as pd

from facebias.study import Labels
from facebias.tables import EVERYBODY, OVERALL

# In one of these every model that looks at nothing reaches the same, whatever it says how often.
RECALL, BALANCED, AREA = "tpr_macro", "balanced_accuracy_macro", "auc_macro"
DECIDING = (RECALL, BALANCED, AREA)
# What no better model is called where it finds units: there is no one answer to name.
GUESSES = "no better than guessing"


@dataclasses.dataclass(frozen=True)
class Answer:
    """A label, and the share of samples that have it or that a model gives it to."""

    label: str
    share: float

    @property
    def percent(self) -> str:
        """Write the share: ``91 %``."""
        return f"{round(100 * self.share)} %"


def of_units(cell: pd.DataFrame) -> bool:
    """Tell whether a sample may have any number of labels."""
    return bool((cell["metric"].to_numpy() == BALANCED).any())


def majority(cell: pd.DataFrame) -> Answer | None:
    """Return the most common true label, and the accuracy of always predicting it.

    Parameters
    ----------
    cell
        The rows of ``tables.METRICS`` or ``tables.METRICS_BY_GROUP`` of one model on one test set.

    Returns
    -------
    None for units, and where no sample has a label.
    """
    positives, samples = _counts(cell)
    if of_units(cell) or not positives.sum():
        return None
    return Answer(str(positives.idxmax()), float(positives.max() / samples.max()))


def commonest(cell: pd.DataFrame) -> Answer | None:
    """Return the label that the model predicts most often; None for units or if unknown."""
    said = _by_label(cell, "selection_rate", "value").dropna()
    if of_units(cell) or said.empty:
        return None
    return Answer(str(said.idxmax()), float(said.max()))


def accuracy(cell: pd.DataFrame) -> dict[str, float]:
    """Return the accuracy of the best constant prediction, by label and ``overall``.

    Of one label against the rest that is saying for every sample that it has it or that it has not.
    Overall it is always the commonest label; for units, of each unit what is commoner.
    """
    positives, samples = _counts(cell)
    right = positives.where(2 * positives > samples, samples - positives)
    found = {str(name): float(value) for name, value in (right / samples).dropna().items()}
    answer = majority(cell)
    if answer is not None:
        found[OVERALL] = answer.share
    elif of_units(cell) and samples.sum():
        found[OVERALL] = float(right.sum() / samples.sum())
    return found


def reached(cell: pd.DataFrame) -> dict[str, float]:
    """Return what a model reaches that looks at nothing, by overall metric.

    The mean true positive rate of L labels is 1/L, whatever is always said or guessed how often;
    so is 1/2 the area under the ROC curve, and of units the balanced accuracy (the mean of true
    positive and true negative rate). Accuracy: ``majority``. Of other metrics it depends on the
    answers.
    """
    overall = set(cell.loc[cell["label"] == OVERALL, "metric"])
    labels = int((_counts(cell)[0] > 0).sum())
    constant = {BALANCED: 0.5, AREA: 0.5}
    if not of_units(cell) and labels:
        constant[RECALL] = 1 / labels
    found = {name: value for name, value in constant.items() if name in overall}
    answers = accuracy(cell)
    return found | ({"accuracy": answers[OVERALL]} if OVERALL in answers else {})


def mean_over_labels(metric: str, labels: Labels) -> float | None:
    """Return what a model that looks at nothing reaches in a rate as a mean over labels.

    None where that depends on its answers.
    """
    if metric == "auc":
        return 0.5
    # Whatever it answers, each label is given to as large a share of samples with it as without it,
    # and of classes these shares add up to 1.
    if labels.kind == "classes" and metric in ("tpr", "fpr"):
        return 1 / len(labels.evaluated)
    return None


def beaten(cell: pd.DataFrame) -> bool:
    """Tell whether a model is surely better than one that looks at nothing.

    In each of ``DECIDING`` that it has, the whole interval must lie above what that one reaches.
    """
    known = reached(cell)
    rows = cell[(cell["label"] == OVERALL) & cell["metric"].isin(set(known) & set(DECIDING))]
    return not rows.empty and all(rows["ci_low"] > rows["metric"].map(known))


def in_words(cell: pd.DataFrame) -> str:
    """Say what a model does that does not beat them: ``says neutral to 91 % of samples``."""
    answer = commonest(cell)
    return GUESSES if answer is None else f"says {answer.label} to {answer.percent} of samples"


def guessing(by_group: pd.DataFrame) -> Mapping[tuple[str, str], str]:
    """Say what each model does that is not surely better than one that looks at nothing.

    Parameters
    ----------
    by_group
        A ``tables.METRICS_BY_GROUP`` table; all test subjects of a model decide.

    Returns
    -------
    (architecture, train split) to ``in_words``, of those models alone.
    """
    everybody = by_group[by_group["attribute"] == EVERYBODY]
    models = everybody.groupby(["architecture", "train_split"], sort=False)
    return {model: in_words(cell) for model, cell in models if not beaten(cell)}


def _counts(cell: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return what the samples weigh that have a label and those for which it is known, by label."""
    # Without a weight of their own, all samples weigh the same.
    weight = "weight" if "weight" in cell.columns else "n_samples"
    samples = _by_label(cell, "accuracy", weight)
    positives = _by_label(cell, "tpr", weight).reindex(samples.index)
    return positives, samples


def _by_label(cell: pd.DataFrame, metric: str, column: str) -> pd.Series:
    # Arrays, because a page asks for thousands.
    labels = cell["label"].to_numpy()
    chosen = (cell["metric"].to_numpy() == metric) & (labels != OVERALL)
    return pd.Series(cell[column].to_numpy()[chosen], index=labels[chosen])

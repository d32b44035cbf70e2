"""Metrics of one cell: an architecture trained on one split, tested on another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import counts, proportions, rates, resampling
from facebias.evaluation.scores import Scores
from facebias.study import Resampling


def metrics(scores: Scores, cell: Mapping[str, str], *, evaluation: Resampling) -> pd.DataFrame:
    """Compute all metrics of a cell with intervals over its subjects.

    Per label: the rates of ``rates.OF_LABELS`` and ``auc``, for units also ``rates.OF_UNITS``.
    Overall: ``accuracy`` (share of correct decisions), ``f1_macro``, ``f1_weighted`` (by
    positives), ``auc_macro`` and ``tpr_macro`` (balanced accuracy), for units also
    the means over labels of ``rates.OF_UNITS``; macro averages go over the labels that can be
    estimated. Scores of several folds are ranked together for ``auc``.

    Parameters
    ----------
    scores
        The rows of the test split.
    cell
        ``architecture``, ``train_split``, ``test_split``.
    evaluation
        Resamples, confidence and seed.

    Returns
    -------
    A ``tables.METRICS`` table. ``n_samples`` counts the samples in the denominator
    (``rates.entering``; averaged over seeds and rounded), ``n_subjects`` their subjects; for
    ``rates.CURVED`` and overall rows they are all samples with a known label. Both are 0 where the
    value is missing. Intervals are those of ``proportions``, with the variance over resamples of
    subjects; they are missing where fewer than 2 subjects enter.
    """
    counted = counts.count(scores)
    table = counts.resampled(scores, resamples=evaluation.resamples, seed=evaluation.seed)
    names = [*rates.OF_LABELS, "auc", *([] if counted.exclusive else rates.OF_UNITS)]
    values = {name: rates.rate(name, table) for name in names}
    overall = {
        "accuracy": rates.rate(rates.right(exclusive=counted.exclusive), table)[:, 0],
        "f1_macro": rates.macro(values["f1"]),
        "f1_weighted": rates.f1_weighted(table),
        "auc_macro": rates.macro(values["auc"]),
        "tpr_macro": rates.macro(values["tpr"]),
    }
    if not counted.exclusive:
        overall |= {f"{name}_macro": rates.macro(values[name]) for name in rates.OF_UNITS}
    rows = []
    for position, label in enumerate(counted.labels):
        for name, value in values.items():
            samples = _entering(name, counted.table[:, position])
            rows.append(_row(label, name, value[:, position], samples, evaluation))
    for name, value in overall.items():
        samples = counted.samples * ~np.isnan(value[0])
        rows.append(_row(tables.OVERALL, name, value, samples, evaluation))
    return tables.check(pd.DataFrame(rows).assign(**cell), tables.METRICS)


def confusion(scores: Scores, cell: Mapping[str, str]) -> pd.DataFrame:
    """Count true against predicted labels of a cell, averaged over seeds.

    For units every label has its own two by two table: ``AU1`` and ``not AU1``.

    Returns
    -------
    A ``tables.CONFUSION`` table; ``share`` is missing where no sample has the true label.
    """
    counted = counts.count(scores)
    if counted.confusion is not None:
        blocks = [(counted.labels, counted.confusion.sum(axis=0))]
    else:
        # (tp, fp, fn, tn) becomes rows true, columns predicted, the label itself first.
        total = counted.table.sum(axis=0)[:, [0, 2, 1, 3]].reshape(-1, 2, 2)
        blocks = [
            ((name, f"not {name}"), block)
            for name, block in zip(counted.labels, total, strict=True)
        ]
    rows = []
    for names, block in blocks:
        share = rates.divide(block, block.sum(axis=1, keepdims=True))
        rows += [
            {"true": true, "predicted": predicted, "n_samples": block[i, j], "share": share[i, j]}
            for i, true in enumerate(names)
            for j, predicted in enumerate(names)
        ]
    return tables.check(pd.DataFrame(rows).assign(**cell), tables.CONFUSION)


def _entering(name: str, table: np.ndarray) -> np.ndarray:
    if name not in rates.CURVED:
        return rates.entering(name, table)
    # One person may give the positives and another the negatives: both enter.
    return table.sum(axis=1) * (rates.entering(name, table.sum(axis=0)) > 0)


def _row(
    label: str, metric: str, values: np.ndarray, samples: np.ndarray, evaluation: Resampling
) -> dict[str, object]:
    n_subjects = int((samples > 0).sum())
    low, high = np.nan, np.nan
    if n_subjects >= 2:
        low, high = proportions.interval(
            values[0],
            resampling.spread(values, subjects=n_subjects) ** 2,
            people=n_subjects,
            samples=float(samples.sum()),
            confidence=evaluation.confidence,
        )
    return {
        "label": label,
        "metric": metric,
        "value": values[0],
        "ci_low": low,
        "ci_high": high,
        "n_subjects": n_subjects,
        "n_samples": round(float(samples.sum())),
    }

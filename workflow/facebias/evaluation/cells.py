"""Metrics of one cell: an architecture trained on one split, tested on another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import counts, proportions, rates, resampling
from facebias.evaluation.counts import Counts
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
    value is missing. Where every person weighs the same, ``weight`` is what those samples weigh.
    Intervals are those of ``proportions``, with the variance over resamples of subjects; they are
    missing where fewer than 2 subjects enter.
    """
    counted = counts.count(scores, weights=evaluation.weights)
    table = counts.resampled(
        scores,
        resamples=evaluation.resamples,
        seed=evaluation.seed,
        weights=evaluation.weights,
    )
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
            entering = rates.entering_by_subject(name, counted.table[:, position])
            rows.append(_row(label, name, value[:, position], entering, counted, evaluation))
    weighted = counted.samples if counted.weight is None else counted.samples * counted.weight
    for name, value in overall.items():
        entering = weighted * ~np.isnan(value[0])
        rows.append(_row(tables.OVERALL, name, value, entering, counted, evaluation))
    return tables.check(pd.DataFrame(rows).assign(**cell), tables.METRICS)


def confusion(scores: Scores, cell: Mapping[str, str], *, weights: str = "samples") -> pd.DataFrame:
    """Count true against predicted labels of a cell, averaged over seeds.

    For units every label has its own two by two table: ``AU1`` and ``not AU1``.

    Returns
    -------
    A ``tables.CONFUSION`` table; ``share`` is missing where no sample has the true label.
    ``weights``, as of ``counts.count``, move it and not ``n_samples``.
    """
    weighted = _blocks(counts.count(scores, weights=weights))
    rows = []
    for (names, block), (_, numbers) in zip(weighted, _blocks(counts.count(scores)), strict=True):
        share = rates.divide(block, block.sum(axis=1, keepdims=True))
        rows += [
            {"true": true, "predicted": predicted, "n_samples": numbers[i, j], "share": share[i, j]}
            for i, true in enumerate(names)
            for j, predicted in enumerate(names)
        ]
    return tables.check(pd.DataFrame(rows).assign(**cell), tables.CONFUSION)


def _blocks(counted: Counts) -> list[tuple[tuple[str, ...], np.ndarray]]:
    """Return names and true by predicted counts: of all classes together, or of each unit."""
    if counted.confusion is not None:
        return [(counted.labels, counted.confusion.sum(axis=0))]
    # (tp, fp, fn, tn) becomes rows true, columns predicted, the label itself first.
    total = counted.table.sum(axis=0)[:, [0, 2, 1, 3]].reshape(-1, 2, 2)
    return [
        ((name, f"not {name}"), block) for name, block in zip(counted.labels, total, strict=True)
    ]


def _row(
    label: str,
    metric: str,
    values: np.ndarray,
    entering: np.ndarray,
    counted: Counts,
    evaluation: Resampling,
) -> dict[str, object]:
    n_subjects = int((entering > 0).sum())
    low, high = np.nan, np.nan
    if n_subjects >= 2:
        low, high = proportions.interval(
            values[0],
            resampling.spread(values, subjects=n_subjects) ** 2,
            people=n_subjects,
            samples=float(counted.independent(entering)),
            confidence=evaluation.confidence,
        )
    row = {
        "label": label,
        "metric": metric,
        "value": values[0],
        "ci_low": low,
        "ci_high": high,
        "n_subjects": n_subjects,
        "n_samples": round(float(counted.numbers(entering).sum())),
    }
    return row if counted.weight is None else row | {"weight": float(entering.sum())}

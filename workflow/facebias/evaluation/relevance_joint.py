"""Errors and heatmaps together: do cells with larger gaps in hit rates differ more in relevance?

A cell is an architecture and a label. Both of its gaps are of the same people, and so are those of
all cells: subjects are resampled for all cells at once, and permuted across groups for all at once.
What chance in the choice of test subjects does to both gaps together is thus part of the interval,
and of the reference that the p-value is held against.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from facebias.evaluation import permutation, resampling
from facebias.evaluation.relevance import HIT_RATE, Pair, sums, with_label

FEWEST = 4  # cells: of three, a rank correlation has four values at most
FEW = "{} cells with both gaps; a correlation needs {}"


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlate ranks row by row (Spearman): (R, C) and (R, C) to (R,).

    NaN where a row has a missing value, or no spread.
    """
    lost = np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1)
    x, y = (stats.rankdata(values, axis=1) for values in (first, second))
    x, y = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (x, y))
    size = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    missing = np.full(len(x), np.nan)
    return np.divide((x * y).sum(axis=1), size, out=missing, where=~lost & (size > 0))


def correlate(rows: Mapping[str, pd.DataFrame], region: str, pair: Pair) -> dict[str, object]:
    """Correlate the gaps of two groups over the cells of all architectures.

    Parameters
    ----------
    rows
        By architecture, from ``relevance.cells``.
    region
        Where relevance is looked at.
    pair
        The two groups, of the people of all architectures.

    Returns
    -------
    The columns of ``tables.RELEVANCE_JOINT`` that are no keys.
    """
    people, evaluation = pair.people, pair.people.evaluation
    names = ("estimate", "ci_low", "ci_high", "p_value", "p_floor", "null_low", "null_high")
    n_subjects = sum(len(places) for places in pair.places)
    row = {**dict.fromkeys(names, np.nan), "n_cells": 0, "n_subjects": n_subjects, "note": None}
    if pair.permuted is None:
        return row | {"note": "a group is too small"}
    observed, by_chance = [], []
    for given in rows.values():
        inside = given[given["region"] == region]
        counted = [
            sums(with_label(given), HIT_RATE, people.subjects, people.labels),
            sums(inside, "positive", people.subjects, people.labels),
        ]
        # The last column is the mean over labels, which is no cell of its own.
        observed.append([pair.resampled(each)[:, :-1] for each in counted])
        by_chance.append([pair.by_chance(each)[0][:, :-1] for each in counted])
    resampled, permuted = (
        [np.concatenate(parts, axis=1) for parts in zip(*found, strict=True)]
        for found in (observed, by_chance)
    )
    kept = ~np.isnan(resampled[0][0]) & ~np.isnan(resampled[1][0])
    row["n_cells"] = int(kept.sum())
    if kept.sum() < FEWEST:
        return row | {"note": FEW.format(kept.sum(), FEWEST)}
    values = rank_correlation(*(each[:, kept] for each in resampled))
    chance = permutation.compare(
        found := rank_correlation(*(each[:, kept] for each in permuted)),
        np.ones(len(found)),
        # A correlation keeps its sign when both gaps change theirs, so groups of one size that
        # exchange their names do not mirror it.
        _unmirrored(pair.permuted),
        signed=True,
    )
    low, high = resampling.interval(
        values, confidence=evaluation.confidence, subjects=min(map(len, pair.places))
    )
    _, null_low, null_high = chance.band(confidence=evaluation.confidence, signed=True)
    return row | {
        "estimate": values[0],
        "ci_low": low,
        "ci_high": high,
        "p_value": chance.p_value,
        "p_floor": chance.p_floor,
        "null_low": null_low,
        "null_high": null_high,
    }


def _unmirrored(permuted: permutation.Assignments) -> permutation.Drawn:
    return permutation.Drawn(enumerated=permuted.enumerated, mirrored=False, floor=permuted.floor)

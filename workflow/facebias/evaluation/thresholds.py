"""From which score a unit counts as found: what gives the best F1 on validation samples.

F1 is best at another score for every base rate (Lipton, Elkan & Narayanaswamy 2014), so with 0.5
for all units rare ones are hardly ever found.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation.scores import UNIT_THRESHOLD, Scores

FIXED = f"{UNIT_THRESHOLD:g}: no {{}} validation sample"


@dataclasses.dataclass(frozen=True)
class Choice:
    """A threshold, and the F1 that it gives; NaN where there was nothing to choose by."""

    threshold: float
    f1: float


def choose(score: np.ndarray, truth: np.ndarray) -> Choice:
    """Choose the threshold with the best F1.

    All thresholds between two neighbouring scores decide alike: 0.5 stands for them if it is one,
    else their middle. Of several best, the nearest to 0.5 is taken.

    Parameters
    ----------
    score
        (n,) probabilities.
    truth
        (n,) 1, 0, or NaN where the unit was not annotated: such samples do not count.

    Returns
    -------
    0.5 without F1 if no sample is positive or none is negative.
    """
    known = ~np.isnan(truth)
    score, truth = score[known], truth[known]
    if not (truth == 1).any() or not (truth == 0).any():
        return Choice(UNIT_THRESHOLD, np.nan)
    # From the highest score down: what is found if everything from there on is.
    levels, place = np.unique(-score, return_inverse=True)
    levels = -levels
    hits = np.cumsum(np.bincount(place, weights=truth))
    said = np.cumsum(np.bincount(place))
    f1 = 2 * hits / (said + truth.sum())
    below = np.append(levels[1:], 0.0)
    middle = (levels + below) / 2
    # Halfway between two neighbouring floats lies none.
    middle = np.where(middle > below, middle, levels)
    fits = (below < UNIT_THRESHOLD) & (levels >= UNIT_THRESHOLD)
    thresholds = np.where(fits, UNIT_THRESHOLD, middle)
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    taken = best[np.argmin(np.abs(thresholds[best] - UNIT_THRESHOLD))]
    return Choice(float(thresholds[taken]), float(f1[taken]))


def choose_all(validation: Scores, model: dict[str, object]) -> pd.DataFrame:
    """Choose the thresholds of all units of one model.

    Parameters
    ----------
    validation
        What the model said of its validation samples; may be empty.
    model
        ``architecture``, ``train_split``, ``fold``, ``seed``.

    Returns
    -------
    A ``tables.THRESHOLDS`` table.
    """
    rows = []
    for place, unit in enumerate(validation.labels):
        truth = validation.truth[:, place]
        chosen = choose(validation.score[:, place], truth)
        positives, negatives = int((truth == 1).sum()), int((truth == 0).sum())
        lacking = [word for word, n in (("positive", positives), ("negative", negatives)) if not n]
        rows.append(
            {
                **model,
                "unit": unit,
                "threshold": chosen.threshold,
                "f1": chosen.f1,
                "positives": positives,
                "negatives": negatives,
                "n_subjects": len(np.unique(validation.subject[~np.isnan(truth)])),
                "note": FIXED.format(" and no ".join(lacking)) if lacking else None,
            }
        )
    return tables.check(pd.DataFrame(rows), tables.THRESHOLDS)


def beside(predictions: pd.DataFrame, thresholds: pd.DataFrame) -> pd.DataFrame:
    """Add ``threshold_<unit>`` to the ``tables.PREDICTIONS`` of the model of the thresholds."""
    columns = {
        f"threshold_{unit}": value
        for unit, value in zip(thresholds["unit"], thresholds["threshold"], strict=True)
    }
    return tables.check(predictions.assign(**columns), tables.PREDICTIONS)

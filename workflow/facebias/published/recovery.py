"""Counts behind printed rates: a rate of known samples is one of few fractions.

The printed digits are cut off in some places and rounded in others, and final zeros are left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from facebias.published.papers import Paper
from facebias.study import StudyError

METRICS = ("accuracy", "tpr", "fpr")
ACCURACY, TPR, FPR = range(len(METRICS))
DECIMALS = 2  # at least so many are printed; what is missing are zeros
EXACT = 1e-9


def counted(values: pd.DataFrame, paper: Paper) -> pd.DataFrame:
    """Add to printed rates the samples that enter each and the number of them behind the rate.

    Parameters
    ----------
    values
        From ``papers.values``.
    paper
        With the samples of each label in every test set.

    Returns
    -------
    ``values`` with ``entering`` and ``count``, which is missing where no count gives the rate.

    Examples
    --------
    0.066 is 2 of 30 with its digits cut off; 0.05 of 30 samples cannot be:

    >>> nearest("0.066", 30), nearest("0.05", 30)
    (2, None)
    """
    samples = values["test_split"].map(lambda test: paper.tests[test].samples)
    times = values["metric"].map(entering(paper))
    frame = values.assign(entering=samples * times)
    pairs = zip(frame["value"], frame["entering"], strict=True)
    return frame.assign(count=pd.array([nearest(*pair) for pair in pairs], dtype="Int64"))


def entering(paper: Paper) -> dict[str, int]:
    """Return by metric the samples that enter it, in units of the samples of one label."""
    n = len(paper.labels)
    return {"accuracy": n, "tpr": 1, "fpr": n - 1}


def nearest(printed: str, entering: int) -> int | None:
    """Find the count whose rate may have been printed so: rounded, or with digits cut off."""
    value = float(printed)
    unit = 10.0 ** -max(DECIMALS, len(printed.partition(".")[2]))
    count = round(value * entering)
    rate = count / entering
    return count if value - unit / 2 - EXACT <= rate < value + unit - EXACT else None


def arrays(frame: pd.DataFrame, paper: Paper) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Arrange counts by model, test set, label and metric.

    Parameters
    ----------
    frame
        From ``counted``.
    paper
        Gives the order of test sets and labels.

    Returns
    -------
    The M models (``architecture``, ``train_split``); (M, T, L, 3) counts, NaN where none fits; and
    (T, L, 3) the samples that enter. The last axis is ``METRICS``.

    Raises
    ------
    StudyError
        If a number of a model is missing.
    """
    models = frame[["architecture", "train_split"]].drop_duplicates(ignore_index=True)
    found = frame.set_index(["architecture", "train_split", "test_split", "label", "metric"])
    order = pd.MultiIndex.from_tuples(
        [
            (*model, test, label, metric)
            for model in models.itertuples(index=False, name=None)
            for test in paper.tests
            for label in paper.labels
            for metric in METRICS
        ]
    )
    missing = order.difference(found.index)
    if len(missing):
        raise StudyError(
            f"published values: {', '.join(missing[0])} is missing; every model needs "
            "accuracy, tpr and fpr of every label and test set"
        )
    shape = (len(models), len(paper.tests), len(paper.labels), len(METRICS))
    rows = found.loc[order]
    counts = rows["count"].to_numpy(dtype=float, na_value=np.nan).reshape(shape)
    return models, counts, rows["entering"].to_numpy().reshape(shape)[0]


def one_against_rest(counts: np.ndarray, entering: np.ndarray) -> np.ndarray:
    """Turn counts (..., L, 3) and the samples that enter them into (..., L, 4) as ``rates`` takes.

    True positives, false positives, false negatives, true negatives; the accuracy is not used.
    """
    true, false = counts[..., TPR], counts[..., FPR]
    parts = [true, false, entering[..., TPR] - true, entering[..., FPR] - false]
    return np.stack(parts, axis=-1)

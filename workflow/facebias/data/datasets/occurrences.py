"""How often each Action Unit occurs in a data set, and which occur often enough to be trained."""

from __future__ import annotations

import pandas as pd

from facebias import tables
from facebias.study import Labels, StudyError

SHOWN = 5


def count(manifest: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Count every unit over the samples of a manifest in which it is annotated.

    Returns
    -------
    A ``tables.UNITS`` table, in the order of the labels. ``kept``: present in at least
    ``labels.min_occurrences`` samples.
    """
    found = manifest[[f"label_{name}" for name in labels.names]].astype(float)
    positives = (found == 1).sum().to_numpy()
    frame = pd.DataFrame(
        {
            "unit": labels.names,
            "annotated": found.notna().sum().to_numpy(),
            "positives": positives,
            "kept": positives >= labels.min_occurrences,
        }
    )
    return tables.check(frame, tables.UNITS)


def select(manifest: pd.DataFrame, units: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Leave the labels of units that occur too rarely out of a manifest.

    Samples stay: what is known of other units can be learned from them.

    Raises
    ------
    StudyError
        If no unit is left.
    """
    if not units["kept"].any():
        most = units.sort_values("positives", ascending=False).head(SHOWN)
        named = ", ".join(f"{row.unit} ({row.positives:,})" for row in most.itertuples())
        raise StudyError(
            f"labels.min_occurrences: no unit is present in {labels.min_occurrences:,} samples; "
            f"most often are {named}"
        )
    dropped = units.loc[~units["kept"], "unit"]
    return manifest.drop(columns=[f"label_{name}" for name in dropped])

"""Outcomes of samples: what was there of the label that is explained, and what was said of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from facebias.study import Labels, StudyError

ANY = "any"
OUTCOMES = (ANY, "hit", "miss", "false alarm", "correct rejection")


def outcomes(explanations: pd.DataFrame, manifest: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Add ``outcome`` of the explained label to a ``tables.EXPLANATIONS`` table.

    ``hit``: present and predicted; ``miss``: present only; ``false alarm``: predicted only;
    ``correct rejection``: neither. Fused classes count as one, as in every other table. Missing
    where a unit's label is.

    Raises
    ------
    StudyError
        If an explained sample is not in the manifest.
    """
    labels = labels.among(manifest.columns)
    known = manifest.set_index("sample")
    absent = explanations.loc[~explanations["sample"].isin(known.index), "sample"]
    if not absent.empty:
        raise StudyError(
            f"explanations: sample {absent.iloc[0]} is not in the manifest; "
            "were both made by the same study?"
        )
    explained = explanations["explained"]
    if labels.kind == "classes":
        explained, true, said = (
            explanations[name].map(labels.evaluated_as)
            for name in ("explained", "label", "predicted")
        )
        present, predicted = (true == explained).to_numpy(), (said == explained).to_numpy()
        recorded = np.ones(len(explanations), dtype=bool)
    else:
        truth = known.loc[explanations["sample"], [f"label_{name}" for name in labels.names]]
        places = pd.Index(labels.names).get_indexer(explained)
        values = truth.to_numpy(dtype=float)[np.arange(len(explanations)), places]
        recorded, present = ~np.isnan(values), values == 1
        said = explanations["predicted"].fillna("").str.split("+")
        predicted = np.array([name in found for name, found in zip(explained, said, strict=True)])
    named = np.select([present & predicted, present, predicted], OUTCOMES[1:4], OUTCOMES[4]).astype(
        object
    )
    named[~recorded] = None
    return explanations.assign(outcome=named)

"""Whether heatmaps that a figure shows depend on what the model has learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facebias import tables
from facebias.core.vocabulary import printed

# What a figure of heatmaps reads where the study made it.
OPTIONAL = {"randomisation": tables.RANDOMISATION}
# Structural similarity to the heatmap of a model whose every layer was drawn anew. Above it a
# heatmap is more like that of an untrained model than unlike it (Adebayo et al. 2018 set no limit).
MOST = 0.5


def warning(given: Mapping[str, Any], architecture: str, method: str) -> str:
    """Return a sentence where the heatmaps of an architecture fail the check, otherwise nothing."""
    table = given.get("randomisation")
    if table is None:
        return ""
    rows = table[(table["architecture"] == architecture) & (table["method"] == method)]
    likeness = rows.loc[rows["share"] == 1, "structural_similarity"].mean()
    if not likeness > MOST:
        return ""
    return (
        f"Sanity check failed: with every layer drawn anew, heatmaps of {printed(architecture)} "
        f"keep a structural similarity of {likeness:.2f} (1: the same). They show the picture more "
        "than what the model has learned. "
    )

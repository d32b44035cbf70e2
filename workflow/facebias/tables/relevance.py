"""What networks look at: heatmaps, relevance by region of the face and by group."""

from __future__ import annotations

from facebias.tables.comparisons import COMPARED, GROUPS
from facebias.tables.contract import CHANCE, INTERVAL, JUDGED, MODEL, Table

# Where a sample's landmarks are from: the data set, or an average face fitted to five points.
ANNOTATED, FITTED = "own", "template"

# One row per explained sample of a model: row of the relevance array, what was explained, and how
# much of the explained output arrived at the pixels (missing where a method promises no sum).
EXPLANATIONS = Table(
    "explanations",
    {
        "method": "text",
        **MODEL,
        "row": "whole",
        "sample": "text",
        "subject": "text",
        "label": "text",
        "predicted": "text",
        "explained": "text",
        "score": "number",
        "output": "number",
        "relevance": "number",
        "conserved": "number",
    },
    ("method", *MODEL, "sample"),
)

# One row per sample and step of re-initialising a model from its top: how many of its layers are
# drawn anew, the last of them, and how alike the heatmap is to that of the trained model.
RANDOMISATION = Table(
    "randomisation",
    {
        "method": "text",
        **MODEL,
        "layers": "whole",
        "share": "number",
        "layer": "text",
        "sample": "text",
        "subject": "text",
        "rank_correlation": "number",
        "structural_similarity": "number",
    },
    ("method", *MODEL, "layers", "sample"),
)

# One row per explained sample and region of the face (``explanation.regions``); the measures are
# those of ``explanation.relevance``, `frames` one share per frame. `landmarks`: own or template.
# `boxes` of the Action Units in the middle frame, in shares of the crop's side, flattened.
RELEVANCE = Table(
    "relevance",
    {
        "method": "text",
        **MODEL,
        "sample": "text",
        "subject": "text",
        "region": "text",
        "landmarks": "text",
        "positive": "number",
        "absolute": "number",
        "signed": "number",
        "rank_accuracy": "number",
        "pointing": "number",
        "area": "number",
        "ratio": "number",
        "absolute_ratio": "number",
        "signed_ratio": "number",
        "rank_accuracy_ratio": "number",
        "pointing_ratio": "number",
        "frames": "numbers",
        "boxes": "numbers",
    },
    ("method", *MODEL, "sample", "region"),
)

RELEVANCE_CELL = {
    "method": "text",
    "architecture": "text",
    "train_split": "text",
    "attribute": "text",
    "label": "text",
    "region": "text",
    "outcome": "text",
}

# Mean relevance of a group's samples; `label` is the explained one or `overall` (mean over labels).
# `outcome`: any, hit, miss, false alarm or correct rejection of the explained label. `positive` has
# an interval over subjects; the other means have none. `n_fitted`: samples whose regions come from
# the template; like `n_samples` averaged over seeds and rounded.
RELEVANCE_MEANS = Table(
    "relevance_means",
    {
        **RELEVANCE_CELL,
        "group": "text",
        "positive": "number",
        "ci_low": "number",
        "ci_high": "number",
        "absolute": "number",
        "signed": "number",
        "rank_accuracy": "number",
        "pointing": "number",
        "area": "number",
        "ratio": "number",
        "absolute_ratio": "number",
        "signed_ratio": "number",
        "rank_accuracy_ratio": "number",
        "pointing_ratio": "number",
        "n_subjects": "whole",
        "n_samples": "whole",
        "n_fitted": "whole",
    },
    (*RELEVANCE_CELL, "group"),
)

# Gaps in mean relevance between two groups, judged together. `measure` is positive, ratio or
# hit rate (of the explained samples with the label; region `none`).
RELEVANCE_GAPS = Table(
    "relevance_gaps",
    {
        **RELEVANCE_CELL,
        **GROUPS,
        "measure": "text",
        **INTERVAL,
        **CHANCE,
        "note": "text",
        **JUDGED,
    },
    (*RELEVANCE_CELL, *COMPARED, "measure"),
)

# Whether cells (architectures x labels) with a larger gap in hit rates have a larger gap in
# relevance: rank correlation over `n_cells`.
RELEVANCE_JOINT = Table(
    "relevance_joint",
    {
        "method": "text",
        "train_split": "text",
        "attribute": "text",
        **GROUPS,
        "region": "text",
        "estimate": "number",
        "ci_low": "number",
        "ci_high": "number",
        "p_value": "number",
        "p_floor": "number",
        "null_low": "number",
        "null_high": "number",
        "n_cells": "whole",
        "n_subjects": "whole",
        "note": "text",
    },
    ("method", "train_split", "attribute", *COMPARED, "region"),
)

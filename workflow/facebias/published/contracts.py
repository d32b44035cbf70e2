"""The tidy tables of published results: those taken from the papers, and what is made of them."""

from __future__ import annotations

from facebias.tables import CELL, COMPARED, GAP, GAP_KEY, GROUPS, Table

# One row per printed number. `value` is text, as printed: its decimals say how far it was rounded.
# `label` is a label or `overall`.
VALUES = Table(
    "published values",
    {"paper_table": "whole", **CELL, "label": "text", "metric": "text", "value": "text"},
    (*CELL, "label", "metric"),
)

# What a paper says about who is most and least biased, in our words. `end` is most or least,
# `place` 1 for the first from that end.
RANKINGS = Table(
    "published rankings",
    {
        "claim": "text",
        "train_split": "text",
        "criterion": "text",
        "end": "text",
        "place": "whole",
        "architecture": "text",
    },
    ("train_split", "criterion", "end", "place", "architecture"),
)

# What a paper says about two of its numbers: a is higher than b, lower, or alike. Architecture
# `mean` is the average over all, label `overall` that over all labels where none is printed.
CONTRASTS = Table(
    "published contrasts",
    {
        "claim": "text",
        "metric": "text",
        "label": "text",
        "architecture": "text",
        "train_a": "text",
        "test_a": "text",
        "relation": "text",
        "train_b": "text",
        "test_b": "text",
    },
    ("metric", "label", "architecture", "train_a", "test_a", "relation", "train_b", "test_b"),
)

# One row per printed number and rule that do not agree.
AUDIT = Table(
    "audit",
    {
        "paper_table": "whole",
        **CELL,
        "label": "text",
        "metric": "text",
        "printed": "number",
        "implied": "number",
        "rule": "text",
        "note": "text",
    },
    (*CELL, "label", "metric", "rule"),
)

# One row per ranking and definition. `rank` counts different values from the end that the claim
# names; `tied_with` shares the value; `instead` holds the place if the claimed one does not.
STATEMENTS = Table(
    "statements",
    {
        **RANKINGS.columns,
        "definition": "text",
        "value": "number",
        "rank": "whole",
        "tied_with": "text",
        "agrees": "truth",
        "instead": "text",
    },
    (*RANKINGS.key, "definition"),
)

CONTRASTS_CHECKED = Table(
    "contrasts",
    {
        **CONTRASTS.columns,
        "value_a": "number",
        "value_b": "number",
        "difference": "number",
        "agrees": "truth",
        "note": "text",
    },
    CONTRASTS.key,
)

# Per training split, criterion and definition: the architectures at both ends, how far apart they
# are, and in what share of resamples each keeps its end. `corrected_*` allow for the choice of the
# pair among all pairs.
EXTREMES = Table(
    "extremes",
    {
        "train_split": "text",
        "criterion": "text",
        "definition": "text",
        "assumption": "text",
        "least": "text",
        "most": "text",
        "difference": "number",
        "ci_low": "number",
        "ci_high": "number",
        "corrected_low": "number",
        "corrected_high": "number",
        "least_kept": "number",
        "most_kept": "number",
        "told_apart": "truth",
    },
    ("train_split", "criterion", "definition", "assumption"),
)

# Differences between the two test groups where a paper prints one number per group. The true
# difference lies within `rounding` of the printed one; more than that is not known.
DIFFERENCES = Table(
    "differences",
    {
        "paper_table": "whole",
        "architecture": "text",
        "train_split": "text",
        "attribute": "text",
        **GROUPS,
        "metric": "text",
        "value_a": "number",
        "value_b": "number",
        "difference": "number",
        "rounding": "number",
    },
    ("architecture", "train_split", "attribute", *COMPARED, "metric"),
)

# Gaps with an interval under each assumption about what was not published, which is a key of
# `gaps.ASSUMPTIONS`.
INTERVALS = Table(
    "intervals",
    {
        **GAP,
        "assumption": "text",
        "estimate": "number",
        "ci_low": "number",
        "ci_high": "number",
        "n_subjects": "whole",
        "n_samples": "whole",
    },
    (*GAP_KEY, "assumption"),
)

# Ours beside a published number, of a pair of groups or of a test split as a single group. `low`
# and `high` enclose ours minus published. `explained` says whose uncertainty can explain the
# difference: ours, both, neither; "not ours" where the paper's is not known.
COMPARISON = Table(
    "comparison",
    {
        "architecture": "text",
        "train_split": "text",
        **GROUPS,
        "criterion": "text",
        "definition": "text",
        "ours": "number",
        "ours_low": "number",
        "ours_high": "number",
        "published": "number",
        "published_low": "number",
        "published_high": "number",
        "difference": "number",
        "low": "number",
        "high": "number",
        "explained": "text",
        "note": "text",
    },
    ("architecture", "train_split", *COMPARED, "criterion", "definition"),
)

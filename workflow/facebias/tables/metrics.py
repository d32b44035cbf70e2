"""What a study measures: metrics, gaps between groups, what else could explain them."""

from __future__ import annotations

from facebias.tables.comparisons import CHANGED, COMPARED, GROUPS, TRAIN_SPLITS
from facebias.tables.contract import CELL, CHANCE, INTERVAL, JUDGED, Table

# `label` is an evaluated label or `overall`.
OVERALL = "overall"
# Where every person weighs the same: what the ``n_samples`` weigh together, in people.
WEIGHT = {"weight": "number"}
METRICS = Table(
    "metrics",
    {
        **CELL,
        "label": "text",
        "metric": "text",
        "value": "number",
        "ci_low": "number",
        "ci_high": "number",
        "n_subjects": "whole",
        "n_samples": "whole",
    },
    (*CELL, "label", "metric"),
    optional=WEIGHT,
)

# The same of all test subjects of a model (`attribute` and `group` are `all`), and of every group.
EVERYBODY = "all"
METRICS_BY_GROUP = Table(
    "metrics_by_group",
    {
        "architecture": "text",
        "train_split": "text",
        "attribute": "text",
        "group": "text",
        **{name: kind for name, kind in METRICS.columns.items() if name not in CELL},
    },
    ("architecture", "train_split", "attribute", "group", "label", "metric"),
    optional=WEIGHT,
)

# One row per true and predicted label; `n_samples` is averaged over seeds, `share` is of the true
# label, weighted as the study says.
CONFUSION = Table(
    "confusion",
    {
        **CELL,
        "true": "text",
        "predicted": "text",
        "n_samples": "number",
        "share": "number",
    },
    (*CELL, "true", "predicted"),
)

# What is compared in which way: the groups as `tables.comparisons` has them.
GAP = {
    "architecture": "text",
    "train_split": "text",
    "attribute": "text",
    **GROUPS,
    "criterion": "text",
    "definition": "text",
}
GAP_KEY = ("architecture", "train_split", "attribute", *COMPARED, "criterion", "definition")

# The gaps of one model. `label` is `overall` where labels are averaged; of a gap in the definition
# `per_label`, and of the largest gap of any label, it is that label.
GAPS = Table(
    "gaps",
    {**GAP, "label": "text", **INTERVAL, **CHANCE, "note": "text"},
    (*GAP_KEY, "label"),
)

# The gaps of a study, judged together.
FAIRNESS = Table("fairness", {**GAPS.columns, **JUDGED}, GAPS.key)

# What another training split changes for the same test subjects, in a single group, or in a pair:
# how much more it changes for the first than for the second.
CHANGES = Table(
    "changes",
    {
        "architecture": "text",
        "attribute": "text",
        **TRAIN_SPLITS,
        **GROUPS,
        "metric": "text",
        **INTERVAL,
        **CHANCE,
        "note": "text",
    },
    ("architecture", "attribute", *CHANGED, *COMPARED, "metric"),
)

# The changes of a study, judged together.
EFFECTS = Table("effects", {**CHANGES.columns, **JUDGED}, CHANGES.key)

# What differs between the groups beside what is recorded of them. `measure` is one of
# evaluation.confounds; `train_split`, `groups` and `label` are `all` where a row is not of one, and
# `comparison` is missing where it is of no single groups. Of sizes that come from chance alone,
# `null_high` is the largest that is not unusual.
CONFOUNDS = Table(
    "confounds",
    {
        "attribute": "text",
        "measure": "text",
        "train_split": "text",
        "role": "text",
        **GROUPS,
        "label": "text",
        **INTERVAL,
        "p_value": "number",
        "null_high": "number",
        "warning": "text",
        "note": "text",
    },
    ("attribute", "measure", "train_split", "role", *COMPARED, "label"),
)

# Where the variance of a gap comes from: `source` is subjects, folds, seeds, interaction or total,
# `levels` how many of it there are. `variance` is that of the gap as reported (the mean over
# seeds), `variance_one_seed` that of the gap of a study with a single seed.
VARIANCE = Table(
    "variance",
    {
        **GAP,
        "source": "text",
        "levels": "whole",
        "variance": "number",
        "share": "number",
        "variance_one_seed": "number",
        "share_one_seed": "number",
        "estimate": "number",
        "ci_low": "number",
        "ci_high": "number",
        "note": "text",
    },
    (*GAP_KEY, "source"),
)

# What a gap and its verdict would be with other test subjects, `n_drawn` of each group.
REDRAWS = Table(
    "redraws",
    {
        **GAP,
        "n_drawn": "whole",
        "n_subjects": "whole",
        "n_redraws": "whole",
        "estimate": "number",
        "low": "number",
        "median": "number",
        "high": "number",
        "share_sign_flipped": "number",
        "verdict": "text",
        "share_above": "number",
        "share_below": "number",
        "share_open": "number",
        "share_verdict_flipped": "number",
        "share_smallest": "number",
        "note": "text",
    },
    (*GAP_KEY, "n_drawn"),
)

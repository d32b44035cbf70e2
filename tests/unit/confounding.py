"""The table of confounds of a made-up study, for tests."""

from __future__ import annotations

import diagnosed

import scored
from facebias.evaluation import confounds

EVALUATION = scored.EVALUATION


def measured(manifest, **given):
    """The table of a made-up study."""
    settings = {
        "excluded": diagnosed.excluded(manifest),
        "quality": diagnosed.quality(manifest),
        "roles": diagnosed.splits(manifest),
        "labels": diagnosed.LABELS,
        "evaluation": EVALUATION,
        **given,
    }
    return confounds.confounds(
        manifest,
        settings["excluded"],
        settings["quality"],
        settings["roles"],
        settings["labels"],
        attributes=settings["evaluation"].attributes,
        evaluation=settings["evaluation"],
        compared_by=settings.get("compared_by"),
    )


def row(table, measure, *, split="all", role="all", groups="all", label="all"):
    chosen = table[
        (table["measure"] == measure)
        & (table["train_split"] == split)
        & (table["role"] == role)
        & (table["groups"] == groups)
        & (table["label"] == label)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]

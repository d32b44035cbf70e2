"""People and declared splits for tests of who trains and tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from facebias.data import splits
from facebias.study import Holdout, Split, Splits, Validation

SUBJECTS = pd.DataFrame(
    {
        "subject": [f"S{n:02d}" for n in range(40)],
        "gender": ["female", "male"] * 20,
        "skin": ["light"] * 28 + ["dark"] * 12,
        "age": [20.0 + n for n in range(39)] + [np.nan],
    }
)


def declared(**over):
    values = {
        "seed": 1,
        "holdout": Holdout(n_subjects=10, balance=("gender",), where={}, subjects=None),
        "folds": None,
        "validation": Validation(n_subjects=4, share=None),
        "train": {
            "regular": Split(where={}),
            "female": Split(where={"gender": "female"}),
            "male": Split(where={"gender": "male"}),
        },
        "test": {"all": Split(where={})},
    }
    return Splits(**{**values, **over})


def roles(table, train_split="regular", fold=0, seed=1):
    return {
        role: splits.subjects_of(table, train_split=train_split, fold=fold, seed=seed, role=role)
        for role in splits.ROLES
    }


def pools(table, fold=0, seed=1):
    """Everybody who trains or validates, by train split."""
    rows = table[(table["fold"] == fold) & (table["seed"] == seed)]
    rows = rows[rows["role"].isin(["train", "validation"])]
    return rows.groupby("train_split")["subject"].agg(set).to_dict()

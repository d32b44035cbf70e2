"""Which rows of a table the declared questions of a study are about."""

from __future__ import annotations

import pandas as pd

from facebias.study import Question

INTERACTION = " - "


def about(frame: pd.DataFrame, question: Question) -> pd.Series:
    """Tell which rows have the attribute and the models of a question.

    Of a table with ``train_split`` those trained on the question's; of one with ``train_splits``
    ("after - before") the changes from it to the others of its hold-out.
    """
    asked = frame["attribute"] == question.attribute
    if "train_split" in frame:
        return asked & (frame["train_split"] == question.train_split)
    others = [name for name in question.train_splits if name != question.train_split]
    changes = [f"{name}{INTERACTION}{question.train_split}" for name in others]
    return asked & frame["train_splits"].isin(changes)

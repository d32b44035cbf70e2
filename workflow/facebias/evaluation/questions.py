"""Which rows of a table the declared questions of a study are about."""

from __future__ import annotations

import pandas as pd

from facebias.study import Question


def about(frame: pd.DataFrame, question: Question) -> pd.Series:
    """Tell which rows have the attribute and the models of a question.

    Of a table with ``train_split`` those trained on the question's; of one of changes those from it
    to the others of its hold-out.
    """
    asked = frame["attribute"] == question.attribute
    if "train_split" in frame:
        return asked & (frame["train_split"] == question.train_split)
    others = frame["after"].isin(question.train_splits)
    return asked & others & (frame["before"] == question.train_split)

"""What the tables of a study say of gaps, as plain values: the start page puts them into words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from facebias.evaluation import direction, questions
from facebias.presentation.report.wording import Estimate, estimate
from facebias.study import Question
from facebias.tables import OVERALL, comparisons
from facebias.tables.comparisons import compared_groups
from facebias.tables.verdicts import EXPLORATORY, FOUND, PRIMARY, corrected_p

CRITERION = "equal_opportunity"
SIGNED, SIZE = "signed", "per_class_mean"
DEFINITIONS = ("published", "per_class_mean", "worst_class")


# ---------------------------------------------------------------------------------------- verdicts


@dataclasses.dataclass(frozen=True)
class Judged:
    """One row of ``tables.FAIRNESS`` or ``tables.EFFECTS`` with what its study makes of it."""

    architecture: str
    # The training split; of a change the one after it, and the one before it.
    train_split: str
    instead_of: str
    # What tells comparisons apart, and how to print them.
    compared: tuple[str | None, ...]
    groups: str
    # The label of a gap of one; else `overall`.
    label: str
    gap: Estimate
    chance: Estimate
    corrected: float
    reachable: float
    detectable: float
    verdict: str
    note: str

    @property
    def found(self) -> bool:
        """Whether the gap was found."""
        return self.verdict == FOUND


def judged(rows: pd.DataFrame) -> list[Judged]:
    """Read judged rows; ``corrected`` is the p-value after Holm or after Benjamini and Hochberg."""
    train, instead_of = ("train_split", None) if "train_split" in rows else comparisons.CHANGED
    return [
        Judged(
            architecture=row["architecture"],
            train_split=row[train],
            instead_of=row[instead_of] if instead_of else "",
            compared=tuple(row[[*comparisons.COMPARED]]),
            groups=compared_groups(row),
            label=row.get("label", OVERALL),
            gap=estimate(row),
            chance=Estimate(row["null_median"], row["null_low"], row["null_high"]),
            corrected=corrected,
            reachable=row["p_reachable"],
            detectable=row["detectable"],
            verdict=row["verdict"],
            note=row["note"] if isinstance(row["note"], str) else "",
        )
        for (_, row), corrected in zip(rows.iterrows(), corrected_p(rows), strict=True)
    ]


def declared(frame: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows of the primary family, declared before the results."""
    return frame[frame["family"] == PRIMARY]


def answers(frame: pd.DataFrame, question: Question) -> list[Judged]:
    """Read those rows of the primary family that answer one question.

    Of a ``tables.FAIRNESS`` table the gaps; of a ``tables.EFFECTS`` table the changes.
    """
    rows = declared(frame)
    return judged(rows[questions.about(rows, question)])


def by_verdict(rows: Sequence[Judged]) -> dict[str, list[str]]:
    """Name the architectures by verdict, the verdict of most concern first."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.verdict, []).append(row.architecture)
    return dict(sorted(found.items(), key=lambda item: item[0] != FOUND))


def exploratory(frame: pd.DataFrame) -> dict[str, int]:
    """Count the rows that nobody declared, and those that are called found all the same."""
    rows = frame[(frame["family"] == EXPLORATORY) & frame["p_value"].notna()]
    return {"n": len(rows), "found": int((rows["verdict"] == FOUND).sum())}


# -------------------------------------------------------------------------------------------- gaps


def behind(
    measured: pd.DataFrame,
    row: Judged,
    attribute: str,
    *,
    criterion: str = CRITERION,
    definition: str = SIZE,
) -> str:
    """Say the rates behind a gap of one model, in a ``tables.METRICS_BY_GROUP`` table.

    A size has no direction: they say which group is ahead. Empty where they cannot be estimated.
    """
    own = (
        (measured["architecture"] == row.architecture)
        & (measured["train_split"] == row.train_split)
        & (measured["attribute"] == attribute)
    )
    gap = dict(zip(comparisons.COMPARED, row.compared, strict=True))
    gap |= {"criterion": criterion, "definition": definition, "label": row.label}
    found = direction.rates(measured[own], gap)
    return str(found) if found else ""


def extremes(
    fairness: pd.DataFrame, attribute: str, measured: pd.DataFrame
) -> list[dict[str, Any]]:
    """Name the architectures with the largest and the smallest gap, per train split.

    Gap: equal opportunity, mean of absolute gaps per label, between two groups or over all. Each
    entry has ``train_split``, ``largest`` and ``smallest`` (architecture, ``Estimate``, the rates
    ``behind`` it), ``by`` (definition: architecture with the smallest gap).
    """
    rows = fairness[(fairness["attribute"] == attribute) & (fairness["criterion"] == CRITERION)]
    rows = comparisons.of_all_groups(rows).dropna(subset="estimate")
    found = []
    for train, some in rows.groupby("train_split", sort=False):
        sizes = some[some["definition"] == SIZE]
        if sizes.empty:
            continue
        ends = {
            name: sizes.loc[place]
            for name, place in (
                ("largest", sizes["estimate"].idxmax()),
                ("smallest", sizes["estimate"].idxmin()),
            )
        }
        best = {
            name: part.loc[part["estimate"].idxmin(), "architecture"]
            for name, part in some.groupby("definition")
            if name in DEFINITIONS
        }
        found.append(
            {
                "train_split": train,
                **{name: _end(row, measured, attribute) for name, row in ends.items()},
                "by": {name: best[name] for name in DEFINITIONS if name in best},
            }
        )
    return found


def _end(row: pd.Series, measured: pd.DataFrame, attribute: str) -> tuple[str, Estimate, str]:
    (read,) = judged(row.to_frame().T)
    return read.architecture, read.gap, behind(measured, read, attribute)


def beyond_chance(fairness: pd.DataFrame, attribute: str, confidence: float) -> dict[str, Any]:
    """Count signed intervals that exclude 0, and how many would without any bias.

    Counts equal opportunity only: signed gaps of other criteria come from the same decisions.
    ``models`` names them: train split to (favoured, other group) to architectures.
    """
    rows = fairness[
        (fairness["attribute"] == attribute)
        & (fairness["criterion"] == CRITERION)
        & (fairness["definition"] == SIGNED)
    ]
    known = rows.dropna(subset=["estimate", "ci_low", "ci_high"])
    away = known[known["ci_low"] * known["ci_high"] > 0]
    favoured: dict[str, int] = {}
    models: dict[str, dict[tuple[str, str], list[str]]] = {
        train: {} for train in rows["train_split"].unique()
    }
    for _, row in away.iterrows():
        groups = row["first"], row["second"]
        winner, loser = groups if row["estimate"] > 0 else groups[::-1]
        favoured[winner] = favoured.get(winner, 0) + 1
        models[row["train_split"]].setdefault((winner, loser), []).append(row["architecture"])
    return {
        "models": models,
        "n": len(known),
        "missing": len(rows) - len(known),
        "excluding": len(away),
        "by_chance": len(known) * (1 - confidence),
        "favoured": favoured,
    }


# ------------------------------------------------------------------------- F1, and equal numbers

# What an F1 gap is to be read beside: it moves with base rates, the others do not.
UNIT_CRITERIA = ("f1_gap", "f1_skew_normalised_gap", "auc_gap")


def side_by_side(fairness: pd.DataFrame, attribute: str) -> list[dict[str, Judged]]:
    """Return the signed gaps of ``UNIT_CRITERIA`` by model and pair of groups; none of classes."""
    if not fairness["criterion"].isin(UNIT_CRITERIA[1:]).any():
        return []
    rows = fairness[
        (fairness["attribute"] == attribute)
        & fairness["criterion"].isin(UNIT_CRITERIA)
        & (fairness["definition"] == SIGNED)
    ]
    found: dict[tuple[object, ...], dict[str, Judged]] = {}
    for criterion, read in zip(rows["criterion"], judged(rows), strict=True):
        key = (read.train_split, read.architecture, read.compared)
        found.setdefault(key, {})[criterion] = read
    return list(found.values())


def of_equal_size(
    fairness: pd.DataFrame, matched: Mapping[str, str], primary: pd.Series
) -> list[dict[str, Judged]]:
    """Set the gaps asked for beforehand beside those of models trained on as many people.

    Parameters
    ----------
    fairness
        A ``tables.FAIRNESS`` table.
    matched
        Train split to that of equal size; a split that is the smallest is its own.
    primary
        Which rows have the criterion, definition and attribute of a question, on any of its train
        splits.

    Returns
    -------
    Entries with ``declared`` and ``matched``.
    """
    rows = fairness[primary]
    read = judged(comparisons.of_all_groups(rows))
    by_model = {(row.train_split, row.architecture, row.compared): row for row in read}
    return [
        {
            "declared": row,
            "matched": by_model[matched[row.train_split], row.architecture, row.compared],
        }
        for row in read
        if row.train_split in matched
    ]


def changes_at_equal_size(
    effects: pd.DataFrame, matched: Mapping[str, str], question: Question
) -> list[Judged]:
    """Choose the effects between train splits of one size: whom it costs more to train on others.

    Interactions in the mean true positive rate, as the primary effects.
    """
    equal = {matched[name] for name in question.train_splits}
    rows = effects[
        (effects["attribute"] == question.attribute)
        & (effects["metric"] == "tpr_macro")
        & (effects["comparison"] == comparisons.PAIR)
        & effects["after"].isin(equal)
        & effects["before"].isin(equal)
    ]
    return judged(rows)

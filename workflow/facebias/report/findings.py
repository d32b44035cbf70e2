"""What the tables of a study say, as plain values: the start page puts them into words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from facebias.evaluation import baselines, direction, questions
from facebias.evaluation.attributes import grouping
from facebias.study import Labels, Question, crossed
from facebias.tables import comparisons
from facebias.vocabulary import compared_groups, printed

CRITERION = "equal_opportunity"
SIGNED, SIZE = "signed", "per_class_mean"
DEFINITIONS = ("published", "per_class_mean", "worst_class")
OVERALL = "overall"
PRIMARY, EXPLORATORY, FOUND = "primary", "exploratory", "gap found"


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number with its interval; NaN where it cannot be estimated."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is a number at all."""
        return bool(np.isfinite(self.value))

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low * self.high > 0

    def __str__(self) -> str:
        """Write it for a reader: ``0.31 [0.12, 0.50]`` or ``n/a``."""
        if not self.known:
            return "n/a"
        ends = f" [{number(self.low)}, {number(self.high)}]" if np.isfinite(self.low) else ""
        return f"{number(self.value)}{ends}"


def number(value: float) -> str:
    """Write a number with two decimals and a real minus sign."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "\u2212")


def probability(value: float) -> str:
    """Write a p-value: two digits that count, and never 0."""
    if not np.isfinite(value):
        return "n/a"
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def estimate(row: pd.Series) -> Estimate:
    """Read a row of ``tables.METRICS`` or ``tables.FAIRNESS``."""
    value = row["estimate"] if "estimate" in row else row["value"]
    return Estimate(float(value), float(row["ci_low"]), float(row["ci_high"]))


# ------------------------------------------------------------------------------------------- words


def condition(where: Mapping[str, Any]) -> str:
    """Put a condition on attributes into words: ``gender female and age at least 60``."""
    parts = []
    for name, wanted in where.items():
        if name in ("all", "any"):
            joined = f" {'and' if name == 'all' else 'or'} ".join(map(condition, wanted))
            parts.append(f"({joined})")
        elif isinstance(wanted, Mapping):
            ends = [("min", "at least"), ("max", "at most")]
            limits = " and ".join(f"{word} {wanted[end]}" for end, word in ends if end in wanted)
            parts.append(f"{printed(name)} {limits}")
        elif isinstance(wanted, list | tuple):
            parts.append(f"{printed(name)} {' or '.join(map(printed, wanted))}")
        else:
            parts.append(f"{printed(name)} {printed(wanted)}")
    return " and ".join(parts) or "everybody"


def listed(items: Sequence[object]) -> str:
    """Join words as in a sentence: ``a, b and c``."""
    words = [printed(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


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
            corrected=row["q_bh"] if row["family"] == EXPLORATORY else row["p_holm"],
            reachable=row["p_reachable"],
            detectable=row["detectable"],
            verdict=row["verdict"],
            note=row["note"] if isinstance(row["note"], str) else "",
        )
        for _, row in rows.iterrows()
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
    """Give the signed gaps of ``UNIT_CRITERIA`` by model and pair of groups; none of classes."""
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


# ------------------------------------------------------------------------------- people and rates


def usable(manifest: pd.DataFrame, excluded: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Choose the samples that models can see and be right about: only their people take part.

    ``tables.MANIFEST`` also lists samples of which no clip could be cut (``tables.EXCLUDED``), and
    those of which no unit is annotated.
    """
    rows = manifest[~manifest["sample"].isin(excluded["sample"])]
    if labels.kind == "units":
        known = labels.among(rows.columns).names
        rows = rows[rows[[f"label_{name}" for name in known]].notna().any(axis=1)]
    return rows


def taking_part(splits: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows of a ``tables.SPLITS`` table of people who have a sample among ``rows``."""
    return splits[splits["subject"].isin(rows["subject"])]


def tested(
    splits: pd.DataFrame,
    manifest: pd.DataFrame,
    attribute: str,
    *,
    bins: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, int]:
    """Count the test subjects of every group of an attribute, over all folds."""
    people = splits.loc[splits["role"] == "test", "subject"].unique()
    rows = manifest[manifest["subject"].isin(people)]
    if not {attribute, *crossed(attribute)} & set(manifest.columns):
        return {}
    found = grouping(rows, attribute, bins=bins)
    counted = {name: len(members) for name, members in found.members.items()}
    return counted | ({"not recorded": len(found.missing)} if len(found.missing) else {})


def roles(splits: pd.DataFrame) -> pd.DataFrame:
    """Count subjects per train split and role: text, a range where folds or seeds differ."""
    counts = splits.groupby(["train_split", "fold", "seed", "role"], sort=False).size()
    counts = counts.unstack("role", fill_value=0).groupby(level="train_split", sort=False)
    low, high = counts.min(), counts.max()
    return low.astype(str).where(low == high, low.astype(str) + "\u2013" + high.astype(str))


def experiments(
    metrics: pd.DataFrame, trains: Sequence[str], tests: Sequence[str]
) -> list[dict[str, list[str]]]:
    """Put the train splits together that are tested on the same test splits, in order.

    One entry per hold-out, with the names of its ``trains`` and ``tests``.
    """
    cells = set(
        metrics[["train_split", "test_split"]].drop_duplicates().itertuples(index=False, name=None)
    )
    found: dict[tuple[str, ...], list[str]] = {}
    for train in trains:
        own = tuple(test for test in tests if (train, test) in cells)
        found.setdefault(own, []).append(train)
    return [{"trains": names, "tests": list(own)} for own, names in found.items() if own]


def accuracies(
    metrics: pd.DataFrame, test: str, metric: str = "accuracy"
) -> dict[tuple[str, str], Estimate]:
    """Give an overall metric on one test split per (architecture, train split)."""
    rows = _overall(metrics, metric)
    rows = rows[rows["test_split"] == test]
    return {(row["architecture"], row["train_split"]): estimate(row) for _, row in rows.iterrows()}


@dataclasses.dataclass(frozen=True)
class Nothing:
    """What is reached without looking at any sample: lowest and highest, by overall metric.

    ``always``: the commonest true label; of several, where models were tested on other samples, the
    first; None for units.
    """

    always: str | None
    reached: Mapping[str, tuple[float, float]]


def nothing(metrics: pd.DataFrame, by: Sequence[str] = ("architecture", "train_split")) -> Nothing:
    """Sum up ``baselines`` over the models that were tested on one test set."""
    cells = [cell for _, cell in metrics.groupby(list(by), sort=False)]
    every = [baselines.reached(cell) for cell in cells]
    answers = [answer.label for answer in map(baselines.majority, cells) if answer]
    names = dict.fromkeys(name for one in every for name in one)
    return Nothing(
        always=answers[0] if answers else None,
        reached={
            name: (min(values), max(values))
            for name in names
            for values in [[one[name] for one in every if name in one]]
        },
    )


@dataclasses.dataclass(frozen=True)
class Group:
    """One group of the test people, and how every model does on it.

    ``measured``: metric to (train split, architecture) to estimate.
    """

    people: int
    samples: int
    nothing: Nothing
    measured: Mapping[str, Mapping[tuple[str, str], Estimate]]


def by_group(frame: pd.DataFrame, attribute: str) -> dict[str, Group]:
    """Read what a ``tables.METRICS_BY_GROUP`` table says of every group of an attribute."""
    found = {}
    for group, rows in frame[frame["attribute"] == attribute].groupby("group", sort=False):
        overall = rows[rows["label"] == OVERALL]
        sizes = overall.loc[overall["metric"] == "accuracy", ["n_subjects", "n_samples"]].max()
        measured: dict[str, dict[tuple[str, str], Estimate]] = {}
        for _, row in overall.iterrows():
            model = (row["train_split"], row["architecture"])
            measured.setdefault(row["metric"], {})[model] = estimate(row)
        found[group] = Group(
            people=int(sizes["n_subjects"]),
            samples=int(sizes["n_samples"]),
            nothing=nothing(rows),
            measured=measured,
        )
    return found


def by_training(
    metrics: pd.DataFrame, metric: str = "accuracy"
) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Give mean, lowest and highest of an overall metric over architectures.

    By (train split, test split).
    """
    grouped = _overall(metrics, metric).groupby(["train_split", "test_split"], sort=False)["value"]
    table = grouped.agg(["mean", "min", "max"])
    return {
        key: tuple(map(float, row)) for key, row in zip(table.index, table.to_numpy(), strict=True)
    }


def _overall(metrics: pd.DataFrame, metric: str) -> pd.DataFrame:
    return metrics[(metrics["label"] == OVERALL) & (metrics["metric"] == metric)]

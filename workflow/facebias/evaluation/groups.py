"""Fairness of one model between the groups of one attribute."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import gaps, rates, resampling
from facebias.evaluation.counts import Counts
from facebias.study import Evaluation, StudyError

MOST_NUMERIC_VALUES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grouping:
    """Which subjects belong to which group; ``missing`` are subjects without a recorded value."""

    attribute: str
    members: Mapping[str, np.ndarray]
    missing: np.ndarray


def grouping(frame: pd.DataFrame, attribute: str) -> Grouping:
    """Put the subjects of a table into the groups of ``attribute``, sorted by name.

    Parameters
    ----------
    frame
        Rows with ``subject`` and ``attribute``; a subject may have many.
    attribute
        Name of the column. Numbers may be groups if there are at most 8 different ones.

    Raises
    ------
    StudyError
        If the column is missing, numeric with more values, or puts a subject in two groups.
    """
    if attribute not in frame.columns:
        raise StudyError(
            f"evaluation.attributes: no attribute {attribute}; there are {', '.join(frame.columns)}"
        )
    pairs = frame[["subject", attribute]].drop_duplicates().astype({"subject": str})
    twice = pairs["subject"].duplicated(keep=False)
    if twice.any():
        subject = pairs.loc[twice, "subject"].iloc[0]
        found = pairs.loc[pairs["subject"] == subject, attribute]
        raise StudyError(
            f"{attribute}: subject {subject} is in two groups, {' and '.join(map(str, found))}; "
            "an attribute belongs to the person and must be the same in every row"
        )
    known = pairs.dropna()
    numbers = pd.to_numeric(known[attribute], errors="coerce")
    if numbers.notna().all() and numbers.nunique() > MOST_NUMERIC_VALUES:
        raise StudyError(
            f"evaluation.attributes: {attribute} has {numbers.nunique()} different numbers, at "
            f"most {MOST_NUMERIC_VALUES} can be groups; add a text column with bands, such as "
            f"{attribute}_band with the values low, middle, high"
        )
    names = known[attribute].map(_name)
    return Grouping(
        attribute=attribute,
        members={
            name: np.sort(known.loc[names == name, "subject"].to_numpy(dtype=str))
            for name in sorted(names.unique())
        },
        missing=pairs.loc[pairs[attribute].isna(), "subject"].to_numpy(dtype=str),
    )


def fairness(
    counted: Counts, groups: Grouping, model: Mapping[str, str], *, evaluation: Evaluation
) -> pd.DataFrame:
    """Compute every criterion in every definition between the groups of an attribute.

    Every two groups a, b (sorted) give rows "a - b". Where there are more than two, the unsigned
    definitions also get a row "range over a, b, c": the largest gap of any two estimable groups.
    Intervals come from a bootstrap of subjects within each group.

    Parameters
    ----------
    counted
        Counts of all tested subjects.
    groups
        From ``grouping``.
    model
        ``architecture``, ``train_split``.
    evaluation
        Resamples, confidence, seed, and the subjects a group needs.

    Returns
    -------
    A ``tables.FAIRNESS`` table. ``n_subjects`` and ``n_samples`` count all tested people of the
    groups named and their samples with a known label. A gap that cannot be estimated is missing and
    ``note`` says why; ``note`` also names labels and subjects that were left out.
    """
    tested = _tested(counted, groups, evaluation)
    rows = [
        {**row, "criterion": criterion, "definition": definition}
        for criterion, definition in itertools.product(gaps.CRITERIA, gaps.DEFINITIONS)
        if gaps.applies(criterion, definition)
        for row in _rows(criterion, definition, tested, evaluation)
    ]
    unknown = int(np.isin(counted.subjects, groups.missing).sum())
    always = [f"{_people(unknown)} without {groups.attribute} left out"] if unknown else []
    table = pd.DataFrame(rows).assign(**model, attribute=groups.attribute)
    table["note"] = ["; ".join(notes + always) or None for notes in table["note"]]
    return tables.check(table, tables.FAIRNESS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Tested:
    """The tested people by group: counts, why a group is too small, and resampled tables."""

    labels: tuple[str, ...]
    exclusive: bool
    parts: Mapping[str, Counts]
    too_few: Mapping[str, str]
    resampled: Mapping[str, np.ndarray]


def _tested(counted: Counts, groups: Grouping, evaluation: Evaluation) -> _Tested:
    parts = {name: counted.of(members) for name, members in groups.members.items()}
    needed = evaluation.min_subjects
    too_few = {
        name: f"{name}: {_people(len(part.subjects))}, {needed} needed"
        for name, part in parts.items()
        if len(part.subjects) < needed
    }
    resampled = {
        name: resampling.weighted(
            resampling.weights(part.subjects, resamples=evaluation.resamples, seed=evaluation.seed),
            part.table,
        )
        for name, part in parts.items()
        if name not in too_few
    }
    return _Tested(
        labels=counted.labels,
        exclusive=counted.exclusive,
        parts=parts,
        too_few=too_few,
        resampled=resampled,
    )


def _rows(
    criterion: str, definition: str, tested: _Tested, evaluation: Evaluation
) -> list[dict[str, object]]:
    """Compare every two groups, then all of them where there are more than two."""
    parts, rows, estimated = tested.parts, [], {}
    cancels = gaps.cancels(criterion, definition, exclusive=tested.exclusive)
    for pair in itertools.combinations(parts, 2):
        notes = [tested.too_few[name] for name in pair if name in tested.too_few]
        notes += [gaps.CANCELS] if cancels else []
        if not notes:
            values = gaps.gap(criterion, definition, *(tested.resampled[name] for name in pair))
            notes = _lost_labels(criterion, pair, tested)
            if not np.isnan(values[0]):
                estimated[pair] = values
        named = [parts[name] for name in pair]
        rows.append(_row(" - ".join(pair), named, estimated.get(pair), notes, evaluation))
    if len(parts) > 2 and definition != "signed":
        values = np.max(list(estimated.values()), axis=0) if estimated else None
        entered = {name for pair in estimated for name in pair} or set(parts)
        named = [part for name, part in parts.items() if name in entered]
        notes = [*tested.too_few.values(), *([gaps.CANCELS] if cancels else [])]
        rows.append(_row(f"range over {', '.join(parts)}", named, values, notes, evaluation))
    if len(parts) < 2:
        alone = next(iter(parts), "no group")
        notes = [f"{alone} is the only group; a gap needs two" if parts else "no recorded value"]
        rows.append(_row(alone, list(parts.values()), None, notes, evaluation))
    return rows


def _row(
    groups: str,
    parts: list[Counts],
    values: np.ndarray | None,
    notes: list[str],
    evaluation: Evaluation,
) -> dict[str, object]:
    low, high = np.nan, np.nan
    if values is not None:
        smallest = min(len(part.subjects) for part in parts)
        low, high = resampling.interval(values, confidence=evaluation.confidence, subjects=smallest)
    return {
        "groups": groups,
        "estimate": np.nan if values is None else values[0],
        "ci_low": low,
        "ci_high": high,
        "n_subjects": sum(len(part.subjects) for part in parts),
        "n_samples": round(sum(float(part.samples.sum()) for part in parts)),
        "note": notes,
    }


def _lost_labels(criterion: str, pair: tuple[str, ...], tested: _Tested) -> list[str]:
    """Say which labels drop from the average, and in which group they cannot be estimated."""
    notes = []
    for name in gaps.CRITERIA[criterion].rates:
        for group in pair:
            lost = np.isnan(rates.rate(name, tested.resampled[group][0]))
            if lost.any():
                who = ", ".join(itertools.compress(tested.labels, lost))
                notes.append(f"{who} left out: no {name} in {group}")
    return notes


def _people(n: int) -> str:
    return f"{n} subject" if n == 1 else f"{n} subjects"


def _name(value: object) -> str:
    """Name a group; whole numbers that a CSV with gaps turned into 1.0 are 1 again."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

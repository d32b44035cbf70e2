"""Fairness of one model between the groups of one attribute."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import (
    counts,
    detectable,
    fairness_criteria,
    gaps,
    permutation,
    power,
    proportions,
    rates,
    resampling,
    single_labels,
    trends,
)
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.counts import MOST_RANKED, Counts
from facebias.evaluation.permutation import Chance
from facebias.study import Resampling
from facebias.tables import comparisons

# Below this number of different resamples an interval is called rough; below the other the number
# is worth telling.
ROUGH, FEW = 1_000, 100_000


def fairness(
    counted: Counts,
    groups: Grouping,
    model: Mapping[str, str],
    *,
    evaluation: Resampling,
    most: int | None = None,
    tests: int = 1,
) -> pd.DataFrame:
    """Compute every criterion in every definition between the groups of an attribute.

    Every two groups (in order) give rows of a pair. Where there are more than two, the unsigned
    definitions also get a row of their range: the largest gap of any two estimable groups, with a
    p-value for all groups at once. Pairs also get a row per label, an attribute of numbers rows of
    its trend. Intervals come from a bootstrap of subjects within each group, p-values from a
    permutation of the group labels over subjects.

    Parameters
    ----------
    counted
        Counts of all tested subjects.
    groups
        From ``attributes.grouping``.
    model
        ``architecture``, ``train_split``.
    evaluation
        How to resample, and the subjects a group and a label need.
    most
        Largest number of assignments of people to groups that is listed instead of drawn; see
        ``permutation.assignments``.
    tests
        Number of declared gaps of the study. What is ``detectable`` is so at the level divided by
        it, the first step of Holm: in any row, as if it were declared.

    Returns
    -------
    A ``tables.GAPS`` table. ``n_subjects`` and ``n_samples`` count all tested people of the
    groups named (of a label those who enter its rate) and their samples with a known label. A gap
    that cannot be estimated is missing and ``note`` says why; ``note`` also names labels and
    subjects that were left out.
    """
    tested = _tested(counted, groups, evaluation, most, tests)
    names = list(tested.parts)
    rows: list[dict[str, object]] = []
    for pair in itertools.combinations(names, 2):
        rows += _compare(comparisons.pair(*pair), pair, tested, evaluation)
    if len(names) > 2:
        enough = [name for name in names if name not in tested.too_few]
        rows += _compare(comparisons.over(enough or names), enough, tested, evaluation)
    if len(names) < 2:
        rows += _alone(names, tested)
    if groups.values is not None:
        rows += trends.rows(counted, groups, evaluation=evaluation, tests=tests)
    unknown = int(np.isin(counted.subjects, groups.missing).sum())
    always = [f"{_people(unknown)} without {groups.attribute} left out"] if unknown else []
    if not counted.exclusive and len(counted.subjects) > MOST_RANKED:
        always.append(f"no gap of ROC areas: more than {_people(MOST_RANKED)}")
    table = pd.DataFrame(rows).assign(**model, attribute=groups.attribute)
    table["note"] = ["; ".join(notes + always) or None for notes in table["note"]]
    order = {name: place for place, name in enumerate(fairness_criteria.OF_UNITS)}
    table = table.sort_values("criterion", key=lambda column: column.map(order), kind="stable")
    return tables.check(table.reset_index(drop=True), tables.GAPS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Tested:
    """The tested people by group: counts, why a group is too small, and resampled tables."""

    everybody: Counts
    parts: Mapping[str, Counts]
    too_few: Mapping[str, str]
    resampled: Mapping[str, np.ndarray]
    most: int | None
    tests: int

    @property
    def criteria(self) -> dict[str, fairness_criteria.Criterion]:
        """What is compared."""
        ranked = self.everybody.concordance is not None
        return fairness_criteria.of_labels(exclusive=self.everybody.exclusive, ranked=ranked)

    def permuted(self, parts: Sequence[Counts]) -> Counts:
        """Put the people of some groups side by side, group after group."""
        places = [np.searchsorted(self.everybody.subjects, part.subjects) for part in parts]
        return self.everybody.take(np.concatenate(places))


def _tested(
    counted: Counts, groups: Grouping, evaluation: Resampling, most: int | None, tests: int
) -> _Tested:
    parts = {name: counted.of(members) for name, members in groups.members.items()}
    needed = evaluation.min_subjects
    too_few = {
        name: f"{name}: {_people(len(part.subjects))}, {needed} needed"
        for name, part in parts.items()
        if len(part.subjects) < needed
    }
    resampled = {
        name: part.resampled(resamples=evaluation.resamples, seed=evaluation.seed)
        for name, part in parts.items()
        if name not in too_few
    }
    return _Tested(
        everybody=counted,
        parts=parts,
        too_few=too_few,
        resampled=resampled,
        most=most,
        tests=tests,
    )


def _compare(
    compared: comparisons.Row, names: Sequence[str], tested: _Tested, evaluation: Resampling
) -> list[dict[str, object]]:
    """Compare two groups, or all that are large enough, in every criterion and definition."""
    parts = [tested.parts[name] for name in names if name not in tested.too_few]
    whole = compared["comparison"] == comparisons.RANGE
    small = [note for name, note in tested.too_few.items() if whole or name in names]
    if len(parts) < 2 or (small and not whole):
        named = list(tested.parts.values()) if whole else [tested.parts[name] for name in names]
        defined = fairness_criteria.defined(tested.criteria)
        keys = [key for key in defined if key[1] != "signed" or not whole]
        return [_row(compared, key, named, small) for key in keys]
    large = [name for name in names if name not in tested.too_few]
    kept = gaps.kept(
        [part.table for part in parts],
        criteria=tested.criteria,
        fewest=evaluation.min_subjects_per_label,
    )
    options: dict[str, Any] = {"criteria": tested.criteria, "kept": kept}
    resampled = gaps.between([tested.resampled[name] for name in large], **options)
    without = []
    if evaluation.interval == "bca":
        without = [gaps.between(each, **options) for each in counts.without_one(parts)]
    permuted, table, concordance = _permuted(parts, tested, evaluation)
    found = gaps.by_chance(permuted, table, concordance=concordance, **options)
    excess = gaps.excess(permuted.own, table, concordance=concordance, **options)
    chances = {
        key: permutation.compare(*found[key], permuted, signed=key[1] == "signed")
        for key in resampled
    }
    smallest = detectable.of_gaps(
        parts,
        chances,
        **options,
        level=(1 - evaluation.confidence) / tested.tests,
        seed=evaluation.seed,
    )
    single = {
        name: single_labels.compare(
            criterion,
            parts,
            kept,
            found[name, fairness_criteria.PER_LABEL],
            permuted,
            confidence=evaluation.confidence,
        )
        for name, criterion in tested.criteria.items()
        if criterion.sized
    }
    rough = _rough(parts)
    rows = []
    for key, values in resampled.items():
        largest = single[key[0]] if key[1] == fairness_criteria.LARGEST else None
        notes = list(small) if whole else _left_out(key, large, tested, evaluation)
        row = _row(compared, key, parts, notes + rough) | _estimated(
            values,
            chances[key],
            [part[key][1:] for part in without] or None,
            excess=excess.get(key),
            smallest=smallest[key],
            subjects=_subjects(key, parts, kept, tested),
            added=1 if largest else len(tested.criteria[key[0]].rates_of(key[1])),
            evaluation=evaluation,
        )
        if largest:
            row["label"] = single_labels.largest(largest, parts[0].labels)
            # The excess of the largest of several labels that differ alike is taken as too small.
            least = max(each.least for each in largest)
            row["ci_low"] = float(np.minimum(row["ci_low"], least))
        rows.append(row)
    if not whole:
        for criterion, declared in tested.criteria.items():
            if declared.labels:
                key = criterion, fairness_criteria.PER_LABEL
                notes = _left_out(key, large, tested, evaluation)
                facts = _row(compared, key, parts, notes)
                (labels,) = single[criterion]
                rows += [
                    {**facts, **row}
                    for row in _labels(labels, parts[0].labels, floor=permuted.floor)
                ]
    return rows


def _permuted(
    parts: Sequence[Counts], tested: _Tested, evaluation: Resampling
) -> tuple[permutation.Assignments, np.ndarray, np.ndarray | None]:
    """Return permutations of people, or kinds of people, across groups; their counts and pairs."""
    names = [part.subjects for part in parts]
    options = {"draws": evaluation.permutations, "seed": evaluation.seed}
    people = tested.permuted(parts)
    kinds = people.kinds
    if kinds is None:
        permuted = permutation.assignments(names, **options, most=tested.most)
        return permuted, people.table, people.concordance
    table, places = kinds
    ends = np.cumsum([0, *map(len, names)])
    of_groups = [
        np.bincount(places[start:end], minlength=len(table))
        for start, end in itertools.pairwise(ends)
    ]
    return permutation.of_kinds(names, np.array(of_groups), **options), table, None


def _subjects(
    key: tuple[str, str], parts: Sequence[Counts], kept: gaps.Kept, tested: _Tested
) -> int:
    """Count the people behind a gap in the smallest group: those who enter the rate of a label.

    Of an average over labels their mean, of the largest gap of any label the fewest.
    """
    names = tested.criteria[key[0]].rates_of(key[1])
    of_labels = np.min if key[1] == fairness_criteria.LARGEST else np.mean
    behind = []
    for part, name in itertools.product(parts, names):
        entering = rates.people(name, part.table)[np.any([each[name] for each in kept], axis=0)]
        if len(entering):
            behind.append(of_labels(entering))
    return max(2, int(min(behind, default=2)))


def _labels(
    found: single_labels.SingleLabels, labels: Sequence[str], *, floor: float
) -> list[dict[str, object]]:
    """Return a row per label; without an estimate where a label does not count."""
    rows = []
    for place, label in enumerate(labels):
        row = {
            "label": label,
            "n_subjects": int(found.people[place]),
            "n_samples": round(float(found.samples[place])),
        }
        if not np.isnan(found.estimate[place]):
            row |= {
                "estimate": resampling.exact(found.estimate[place]),
                "ci_low": found.low[place],
                "ci_high": found.high[place],
                "p_value": found.p_values[place],
                "p_floor": floor,
            }
        rows.append(row)
    return rows


def _estimated(
    values: np.ndarray,
    chance: Chance,
    left_out: list[np.ndarray] | None,
    *,
    excess: float | None,
    smallest: float,
    subjects: int,
    added: int,
    evaluation: Resampling,
) -> dict[str, float]:
    """Return the estimate of one gap, its interval and what comes from chance alone.

    ``added`` is the number of rates whose gaps are added up. A size has an ``excess``, and its
    interval is the same whatever ``evaluation.interval`` says: the accelerated one held the truth
    of sizes in 64 to 90 of 100 simulated studies.
    """
    level, signed = 1 - evaluation.confidence, excess is None
    low, high = resampling.interval(
        values,
        confidence=evaluation.confidence,
        subjects=subjects,
        left_out=left_out if signed else None,
    )
    if excess is not None:
        low, high = resampling.of_size(
            values,
            (low, high),
            excess=excess,
            p_value=chance.p_value,
            confidence=evaluation.confidence,
            subjects=subjects,
        )
        high = float(np.minimum(high, added))
    beside = power.beside(chance, level=level, signed=signed, detectable=smallest)
    estimate = resampling.exact(values[0])
    if resampling.spread(values, subjects=subjects) < resampling.NOTHING:
        low, high = proportions.of_alike(
            estimate,
            people=subjects,
            confidence=evaluation.confidence,
            rates=added,
            signed=signed,
        )
    return {"estimate": estimate, "ci_low": low, "ci_high": high, **beside}


def _row(
    compared: comparisons.Row, key: tuple[str, str], parts: Sequence[Counts], notes: list[str]
) -> dict[str, Any]:
    """Return a row without an estimate."""
    return {
        **compared,
        "criterion": key[0],
        "definition": key[1],
        "label": tables.OVERALL,
        **dict.fromkeys(("estimate", "ci_low", "ci_high", *tables.CHANCE), np.nan),
        "n_subjects": sum(len(part.subjects) for part in parts),
        "n_samples": round(sum(float(part.samples.sum()) for part in parts)),
        "note": notes,
    }


def _alone(names: list[str], tested: _Tested) -> list[dict[str, object]]:
    note = f"{names[0]} is the only group and a gap needs two" if names else "no recorded value"
    compared = comparisons.group(names[0] if names else None)
    parts = list(tested.parts.values())
    return [
        _row(compared, key, parts, [note]) for key in fairness_criteria.defined(tested.criteria)
    ]


def _left_out(
    key: tuple[str, str], names: Sequence[str], tested: _Tested, evaluation: Resampling
) -> list[str]:
    """Say which labels do not count, and in which group too few people show them."""
    criterion, definition = tested.criteria[key[0]], key[1]
    if definition == fairness_criteria.PER_LABEL:
        definition = "signed"
    notes, needed = [], evaluation.min_subjects_per_label
    for name, group in itertools.product(criterion.rates_of(definition), names):
        people = rates.people(name, tested.parts[group].table)
        labels = tested.everybody.labels if len(people) > 1 else (tables.OVERALL,)
        notes += [
            f"{label} left out: {_people(n)} behind its {name} in {group}, {needed} needed"
            for label, n in zip(labels, people.tolist(), strict=True)
            if n < needed
        ]
    return notes


def _rough(parts: Sequence[Counts]) -> list[str]:
    """Say how many different resamples there are where they are few."""
    n = resampling.distinct(len(part.subjects) for part in parts)
    if n >= FEW:
        return []
    return [f"{'rough interval: only ' if n < ROUGH else ''}{n:,} different resamples of subjects"]


def _people(n: int) -> str:
    return f"{n} subject" if n == 1 else f"{n} subjects"

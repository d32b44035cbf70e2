"""Fairness of one model between the groups of one attribute."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import gaps, permutation, power, rates, resampling, trends
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.counts import Counts
from facebias.evaluation.permutation import Chance
from facebias.study import Resampling
from facebias.tables import comparisons

# Below this number of different resamples an interval is called rough; below the other the number
# is worth telling.
ROUGH, FEW = 1_000, 100_000


def fairness(
    counted: Counts, groups: Grouping, model: Mapping[str, str], *, evaluation: Resampling
) -> pd.DataFrame:
    """Compute every criterion in every definition between the groups of an attribute.

    Every two groups (in order) give rows of a pair. Where there are more than two, the unsigned
    definitions also get a row of their range: the largest gap of any two estimable groups, with a
    p-value for all groups at once. An attribute of numbers also gets rows of its trend.
    Intervals come from a bootstrap of subjects within each group, p-values from a permutation of
    the group labels over subjects.

    Parameters
    ----------
    counted
        Counts of all tested subjects.
    groups
        From ``attributes.grouping``.
    model
        ``architecture``, ``train_split``.
    evaluation
        How to resample, and the subjects a group needs.

    Returns
    -------
    A ``tables.GAPS`` table. ``n_subjects`` and ``n_samples`` count all tested people of the
    groups named and their samples with a known label. A gap that cannot be estimated is missing and
    ``note`` says why; ``note`` also names labels and subjects that were left out.
    """
    tested = _tested(counted, groups, evaluation)
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
        rows += trends.rows(counted, groups, evaluation=evaluation)
    unknown = int(np.isin(counted.subjects, groups.missing).sum())
    always = [f"{_people(unknown)} without {groups.attribute} left out"] if unknown else []
    table = pd.DataFrame(rows).assign(**model, attribute=groups.attribute)
    table["note"] = ["; ".join(notes + always) or None for notes in table["note"]]
    order = {name: place for place, name in enumerate(gaps.CRITERIA)}
    table = table.sort_values("criterion", key=lambda column: column.map(order), kind="stable")
    return tables.check(table.reset_index(drop=True), tables.GAPS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Tested:
    """The tested people by group: counts, why a group is too small, and resampled tables."""

    everybody: Counts
    parts: Mapping[str, Counts]
    too_few: Mapping[str, str]
    resampled: Mapping[str, np.ndarray]

    @property
    def criteria(self) -> tuple[str, ...]:
        """What is compared."""
        ranked = self.everybody.concordance is not None
        return gaps.criteria(exclusive=self.everybody.exclusive, ranked=ranked)

    def dealt(self, parts: Sequence[Counts]) -> Counts:
        """Put the people of some groups side by side, group after group."""
        places = [np.searchsorted(self.everybody.subjects, part.subjects) for part in parts]
        return self.everybody.take(np.concatenate(places))


def _tested(counted: Counts, groups: Grouping, evaluation: Resampling) -> _Tested:
    parts = {name: counted.of(members) for name, members in groups.members.items()}
    needed = evaluation.min_subjects
    too_few = {
        name: f"{name}: {_people(len(part.subjects))}, {needed} needed"
        for name, part in parts.items()
        if len(part.subjects) < needed
    }
    resampled = {
        name: part.summed(
            resampling.weights(part.subjects, resamples=evaluation.resamples, seed=evaluation.seed)
        )
        for name, part in parts.items()
        if name not in too_few
    }
    return _Tested(
        everybody=counted,
        parts=parts,
        too_few=too_few,
        resampled=resampled,
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
        defined = gaps.defined(tested.criteria)
        keys = [key for key in defined if key[1] != "signed" or not whole]
        return [_row(compared, key, named, small + _cancelling(key, tested)) for key in keys]
    kept = [name for name in names if name not in tested.too_few]
    criteria = tested.criteria
    resampled = gaps.between([tested.resampled[name] for name in kept], criteria=criteria)
    without = []
    if evaluation.interval == "bca":
        without = [
            gaps.between(
                [part.summed(weights) for part, weights in zip(parts, drawn, strict=True)],
                criteria=criteria,
            )
            for drawn in resampling.left_out([len(part.subjects) for part in parts])
        ]
    chance = _chance(parts, tested, resampled, evaluation)
    rough, smallest = _rough(parts), min(len(part.subjects) for part in parts)
    rows = []
    for key, values in resampled.items():
        notes = _cancelling(key, tested)
        if notes:
            rows.append(_row(compared, key, parts, small + notes))
            continue
        notes = small if whole else _lost_labels(key[0], kept, tested)
        rows.append(
            _row(compared, key, parts, notes + rough)
            | _estimated(
                values,
                chance[key],
                [part[key][1:] for part in without] or None,
                signed=key[1] == "signed",
                subjects=smallest,
                evaluation=evaluation,
            )
        )
    return rows


def _estimated(
    values: np.ndarray,
    chance: Chance,
    left_out: list[np.ndarray] | None,
    *,
    signed: bool,
    subjects: int,
    evaluation: Resampling,
) -> dict[str, float]:
    """Give the estimate of one gap, its interval and what comes from chance alone."""
    level = 1 - evaluation.confidence
    low, high = resampling.interval(
        values, confidence=evaluation.confidence, subjects=subjects, left_out=left_out
    )
    if not signed:
        low, high = resampling.of_size(
            values, (low, high), p_value=chance.p_value, level=level, shift=left_out is None
        )
    spread = resampling.spread(values, subjects=subjects)
    beside = power.beside(chance, spread, level=level, signed=signed)
    estimate = resampling.exact(values[0])
    return {"estimate": estimate, "ci_low": low, "ci_high": high, **beside}


def _chance(
    parts: list[Counts],
    tested: _Tested,
    resampled: Mapping[tuple[str, str], np.ndarray],
    evaluation: Resampling,
) -> dict[tuple[str, str], Chance]:
    dealt = permutation.assignments(
        [part.subjects for part in parts], draws=evaluation.permutations, seed=evaluation.seed
    )
    people = tested.dealt(parts)
    found = gaps.studentised(
        dealt.members, people.table, criteria=tested.criteria, concordance=people.concordance
    )
    return {
        key: permutation.compare(*found[key], dealt, signed=key[1] == "signed") for key in resampled
    }


def _row(
    compared: comparisons.Row, key: tuple[str, str], parts: Sequence[Counts], notes: list[str]
) -> dict[str, object]:
    """Give a row without an estimate."""
    return {
        **compared,
        "criterion": key[0],
        "definition": key[1],
        **dict.fromkeys(("estimate", "ci_low", "ci_high", *tables.CHANCE), np.nan),
        "n_subjects": sum(len(part.subjects) for part in parts),
        "n_samples": round(sum(float(part.samples.sum()) for part in parts)),
        "note": notes,
    }


def _alone(names: list[str], tested: _Tested) -> list[dict[str, object]]:
    note = f"{names[0]} is the only group and a gap needs two" if names else "no recorded value"
    compared = comparisons.group(names[0] if names else None)
    parts = list(tested.parts.values())
    return [_row(compared, key, parts, [note]) for key in gaps.defined(tested.criteria)]


def _cancelling(key: tuple[str, str], tested: _Tested) -> list[str]:
    return [gaps.CANCELS] if gaps.cancels(*key, exclusive=tested.everybody.exclusive) else []


def _lost_labels(criterion: str, names: Sequence[str], tested: _Tested) -> list[str]:
    """Say which labels drop from the average, and in which group they cannot be estimated."""
    notes = []
    for name in gaps.CRITERIA[criterion].rates:
        for group in names:
            lost = np.isnan(rates.rate(name, tested.resampled[group][0]))
            if lost.any():
                who = ", ".join(itertools.compress(tested.everybody.labels, lost))
                notes.append(f"{who} left out: no {name} in {group}")
    return notes


def _rough(parts: Sequence[Counts]) -> list[str]:
    """Say how many different resamples there are where they are few."""
    n = resampling.distinct(len(part.subjects) for part in parts)
    if n >= FEW:
        return []
    return [f"{'rough interval: only ' if n < ROUGH else ''}{n:,} different resamples of subjects"]


def _people(n: int) -> str:
    return f"{n} subject" if n == 1 else f"{n} subjects"

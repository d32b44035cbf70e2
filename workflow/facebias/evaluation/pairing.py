"""What another training split changes for the same test subjects, and for whom it changes more.

Every subject is read by both models, so subjects are their own controls. Within a group the two
readings of each subject are exchanged at random (sign flips; Fisher 1935): exact where the training
split does not matter for anybody. Whether it matters more for one group than for another is a
question about the subjects' differences, which then need not be 0: there group labels are permuted
anew over the differences, as for gaps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import detectable, permutation, power, rates, resampling, standard_errors
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.counts import Counts
from facebias.study import Resampling, StudyError
from facebias.tables import comparisons


def recall(counted: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Found and all samples of every label: (S, L) each; their ratio is the true positive rate."""
    return counted.table[..., 0], counted.table[..., 0] + counted.table[..., 2]


def correct(counted: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Right and all decisions: (S, 1) each. A sample of classes is one decision."""
    if counted.exclusive:
        found, all_samples = recall(counted)
        return found.sum(axis=1)[:, None], all_samples.sum(axis=1)[:, None]
    right = counted.table[..., [0, 3]].sum(axis=(1, 2))
    return right[:, None], counted.table.sum(axis=(1, 2))[:, None]


# The metrics of ``cells`` whose change is tested: a mean over labels of ratios of sums.
METRICS: dict[str, Callable[[Counts], tuple[np.ndarray, np.ndarray]]] = {
    "accuracy": correct,
    "tpr_macro": recall,
}


def effects(
    counted: Mapping[str, Counts],
    groups: Grouping,
    architecture: str,
    *,
    evaluation: Resampling,
) -> pd.DataFrame:
    """Compare every two training splits on the same subjects, per group and between groups.

    Parameters
    ----------
    counted
        Counts of the tested subjects by training split, in order; a change is a later one minus
        an earlier one.
    groups
        Groups of one attribute.
    architecture
        Name for the table.
    evaluation
        How to resample, and the subjects a group needs.

    Returns
    -------
    A ``tables.CHANGES`` table, without rows for a single training split. Positive: better after
    the change; of a pair of groups: the change is better for the first than for the second.

    Raises
    ------
    StudyError
        If two training splits were not tested on the same samples.
    """
    rows = []
    for before, after in itertools.combinations(counted, 2):
        first, second = counted[before], counted[after]
        _check_same(first, second, before, after)
        for metric, compute in METRICS.items():
            (x, n), (y, _) = compute(first), compute(second)
            changes = _changes(first.subjects, y - x, n, first.samples, groups, evaluation)
            rows += [
                {**comparisons.change(after, before), "metric": metric, **row} for row in changes
            ]
    table = pd.DataFrame(rows, columns=None if rows else list(tables.CHANGES.columns))
    table = table.assign(architecture=architecture, attribute=groups.attribute)
    return tables.check(table, tables.CHANGES)


def _check_same(first: Counts, second: Counts, before: str, after: str) -> None:
    # Averaged over seeds, the same whole number comes out as different sums of fractions.
    one, other = (each.numbers(each.table).sum(axis=2) for each in (first, second))
    same = np.array_equal(first.subjects, second.subjects) and np.allclose(
        one, other, rtol=0, atol=permutation.TOLERANCE
    )
    if not same:
        raise StudyError(
            f"effects: train splits {before} and {after} were not tested on the same samples "
            f"({first.samples.sum():g} and {second.samples.sum():g} of {len(first.subjects)} and "
            f"{len(second.subjects)} subjects); were both made by one study?"
        )


def _changes(
    subjects: np.ndarray,
    change: np.ndarray,
    n: np.ndarray,
    samples: np.ndarray,
    groups: Grouping,
    evaluation: Resampling,
) -> list[dict[str, object]]:
    places = {name: np.isin(subjects, members) for name, members in groups.members.items()}
    alone = [((name,), comparisons.group(name)) for name in places]
    pairs = [(pair, comparisons.pair(*pair)) for pair in itertools.combinations(places, 2)]
    rows = []
    for names, compared in [*alone, *pairs]:
        inside = [places[name] for name in names]
        notes = [
            f"{name}: {int(place.sum())} subjects, {evaluation.min_subjects} needed"
            for name, place in zip(names, inside, strict=True)
            if place.sum() < evaluation.min_subjects
        ]
        row: dict[str, object] = {
            **compared,
            **dict.fromkeys(("estimate", "ci_low", "ci_high", *tables.CHANCE), np.nan),
            "n_subjects": int(sum(place.sum() for place in inside)),
            "n_samples": round(float(sum(samples[place].sum() for place in inside))),
            "note": "; ".join(notes) or None,
        }
        if not notes:
            parts = [(subjects[place], change[place], n[place]) for place in inside]
            row |= _tested(parts, evaluation)
        rows.append(row)
    return rows


def _tested(
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], evaluation: Resampling
) -> dict[str, float]:
    """Test one group's change, or the difference between the changes of two groups."""
    smallest = min(len(names) for names, _, _ in parts)
    values = _contrast(
        [
            (resampling.weights(names, resamples=evaluation.resamples, seed=evaluation.seed), x, n)
            for names, x, n in parts
        ]
    )
    without = _left_out(parts) if evaluation.interval == "bca" else None
    low, high = resampling.interval(
        values, confidence=evaluation.confidence, subjects=smallest, left_out=without
    )
    options = {"draws": evaluation.permutations, "seed": evaluation.seed}
    if len(parts) == 1:
        ((names, x, n),) = parts
        signs, permuted = permutation.flips(names, **options)
        gaps, errors = _flipped(signs, x, n)
    else:
        permuted = permutation.assignments([names for names, _, _ in parts], **options)
        x, n = (np.concatenate([part[place] for part in parts]) for place in (1, 2))
        first, second = (standard_errors.of_sums(group, x, n) for group in permuted.members)
        kept = ~np.isnan((first.rate - second.rate)[0])
        gaps = rates.average((first.rate - second.rate)[:, kept])
        errors = np.sqrt(first.variance_of_mean(kept) + second.variance_of_mean(kept))
    chance = permutation.compare(gaps, errors, permuted, signed=True)
    level = 1 - evaluation.confidence
    found = detectable.of_shift(values, errors, chance, level=level, subjects=smallest)
    return {
        "estimate": values[0],
        "ci_low": low,
        "ci_high": high,
        **power.beside(chance, level=level, signed=True, detectable=found),
    }


def _contrast(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
    """Mean over labels of the changes, of the first group minus the second if there are two."""
    each = [rates.divide(weights @ x, weights @ n) for weights, x, n in parts]
    difference = each[0] if len(each) == 1 else each[0] - each[1]
    return rates.macro(difference)


def _left_out(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """Return the values without one subject at a time, group after group."""
    found = []
    for left in range(len(parts)):
        size = len(parts[left][0])
        rows = []
        for position, (names, x, n) in enumerate(parts):
            weights = np.ones((1 + size, len(names)))
            if position == left:
                weights[1:] -= np.eye(size)
            rows.append((weights, x, n))
        found.append(_contrast(rows)[1:])
    return found


def _flipped(signs: np.ndarray, x: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return change and its standard error (R,) with the readings of some subjects exchanged."""
    total = n.sum(axis=0)
    kept = total > 0
    x, n, total = x[:, kept], n[:, kept], total[kept]
    each = (signs @ x) / total
    # The share of each subject in the mean over labels, less what the mean itself explains.
    moved = (signs * (x / total).mean(axis=1)) - each @ (n / total).T / kept.sum()
    size = len(x)
    return each.mean(axis=1), np.sqrt((moved**2).sum(axis=1) * size / (size - 1))

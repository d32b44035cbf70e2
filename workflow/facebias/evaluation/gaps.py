"""Gaps between groups by every criterion: of the data, of resamples, by chance, and by noise."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from facebias.evaluation import permutation, rates, standard_errors
from facebias.evaluation.fairness_criteria import (
    DEFINITIONS,
    OF_CLASSES,
    PER_LABEL,
    SIZES,
    Criterion,
    absolute_of_mean,
    defined,
)

NOISE = 2_000  # draws

# Of every pair of groups, in the order of their combinations: by rate, which labels count.
Kept = Sequence[Mapping[str, np.ndarray]]


def kept(
    groups: Sequence[np.ndarray],
    *,
    criteria: Mapping[str, Criterion] = OF_CLASSES,
    fewest: int = 1,
) -> list[dict[str, np.ndarray]]:
    """Tell which labels count in the comparison of two groups: those that enough people show.

    Parameters
    ----------
    groups
        (S, L, 4) counts of the subjects of each group.
    criteria
        What is compared.
    fewest
        So many subjects of each group must enter the rate of a label; of rates that need positives
        and negatives, so many must have the one, and so many the other.

    Returns
    -------
    Per pair of groups, rate to (L,) truth values, or (1,) for a rate over all labels.
    """
    people = [
        {name: rates.people(name, table) >= fewest for name in _rates(criteria)} for table in groups
    ]
    return [{name: a[name] & b[name] for name in a} for a, b in itertools.combinations(people, 2)]


def between(
    tables: Sequence[np.ndarray],
    *,
    criteria: Mapping[str, Criterion] = OF_CLASSES,
    kept: Kept | None = None,
) -> dict[tuple[str, str], np.ndarray]:
    """Compute every gap of two groups, or the range of every unsigned gap over more of them.

    Parameters
    ----------
    tables
        (R, L, 4) counts per group; the first row is the data. ``auc_gap`` needs the fifth column of
        ``counts.Counts.summed``.
    criteria
        Which criteria to compute.
    kept
        Which labels count; by default all that the first rows can estimate in both groups.

    Returns
    -------
    (criterion, definition) to (R,). Where no label is left, and in rows in which a label is lost, a
    gap is NaN. Over more than two groups it is the largest gap of any two that the data can
    estimate.

    Examples
    --------
    Every one of 10 samples of a label found in group a, 8 of 10 in group b:

    >>> import numpy as np
    >>> a, b = np.array([[[10, 0, 0, 10]]]), np.array([[[8, 0, 2, 10]]])
    >>> between([a, b])["equal_opportunity", "signed"].round(3).tolist()
    [0.2]
    """
    contrasts = {}
    for name in _rates(criteria):
        rated = [rates.rate(name, table) for table in tables]
        differences = [a - b for a, b in itertools.combinations(rated, 2)]
        contrasts[name] = [
            Contrast(difference=difference, kept=_chosen(difference, kept, name, place))
            for place, difference in enumerate(differences)
        ]
    return {key: value for key, (value, _) in compared(contrasts, criteria).items()}


def studentised(
    members: Sequence[np.ndarray],
    table: np.ndarray,
    *,
    criteria: Mapping[str, Criterion] = OF_CLASSES,
    concordance: np.ndarray | None = None,
    kept: Kept | None = None,
) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Compute every gap of ``between`` for ways of grouping subjects, with its standard error.

    The standard error of a gap is its definition applied to the standard errors of the
    differences that it is made of: the mean over labels of theirs, or the largest; for a mean of
    signed differences that of the mean.

    Parameters
    ----------
    members
        One (R, S) array of 0 and 1 per group; the first row is the data.
    table
        (S, L, 4) counts of the subjects.
    criteria, kept
        As of ``between``.
    concordance
        (L, S, S) concordant pairs of the subjects; only for ``auc_gap``.

    Returns
    -------
    (criterion, definition) to gaps (R,) and their standard errors (R,). Of criteria that are
    ``sized`` also (criterion, ``PER_LABEL``) to (R, pairs * rates * L), those of the first pair
    first; NaN where a label does not count.
    """
    return _studentised(members, _measuring(table, criteria, concordance), criteria, kept)


def _measuring(
    table: np.ndarray, criteria: Mapping[str, Criterion], concordance: np.ndarray | None
) -> dict[str, standard_errors.Measuring]:
    return {name: standard_errors.measuring(name, table, concordance) for name in _rates(criteria)}


def _studentised(
    members: Sequence[np.ndarray],
    measuring: Mapping[str, standard_errors.Measuring],
    criteria: Mapping[str, Criterion],
    kept: Kept | None,
) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    averaged = {
        name
        for criterion in criteria.values()
        for definition in criterion.definitions
        if _of_means(criterion, definition)
        for name in criterion.rates_of(definition)
    }
    contrasts = {}
    for name, measure in measuring.items():
        measured = [measure(group) for group in members]
        contrasts[name] = [
            _contrast(a, b, _chosen(a.rate - b.rate, kept, name, place), name in averaged)
            for place, (a, b) in enumerate(itertools.combinations(measured, 2))
        ]
    found = compared(contrasts, criteria)
    for name, criterion in criteria.items():
        if criterion.sized:
            used = (contrasts[rate] for rate in criterion.rates_of(SIZES[0]))
            each = [contrast.per_label() for pair in zip(*used, strict=True) for contrast in pair]
            differences, errors = zip(*each, strict=True)
            found[name, PER_LABEL] = np.hstack(differences), np.hstack(errors)
    return found


def excess(
    members: Sequence[np.ndarray],
    table: np.ndarray,
    *,
    criteria: Mapping[str, Criterion] = OF_CLASSES,
    concordance: np.ndarray | None = None,
    kept: Kept | None = None,
) -> dict[tuple[str, str], float]:
    """Say by how much sizes of gaps lie above the true ones, because noise has no sign in a size.

    Differences of labels are taken to spread normally around the true ones, and the true ones to be
    what is left of the found ones without their noise: sqrt(difference^2 - variance), at least 0.
    The size of nothing but noise is .8 standard errors.

    Parameters
    ----------
    members, table, criteria, concordance, kept
        As of ``studentised``; the first row is enough.

    Returns
    -------
    (criterion, definition) to the excess, at least 0, of all unsigned definitions; NaN where the
    gap is missing.
    """
    random = np.random.default_rng(0)
    own = [group[:1] for group in members]
    labels: dict[str, list[Contrast]] = {}
    means: dict[str, list[Contrast]] = {}
    for name in _rates(criteria):
        measured = [standard_errors.measure(name, group, table, concordance) for group in own]
        pairs = list(itertools.combinations(measured, 2))
        labels[name], means[name] = [], []
        for place, (a, b) in enumerate(pairs):
            one = _contrast(a, b, _chosen(a.rate - b.rate, kept, name, place), True)
            assert one.error is not None
            labels[name].append(_noisy(one.difference, one.error, one.kept, random))
            mean = rates.average(one.difference[:, one.kept])[:, None]
            error = (
                np.full((1, 1), np.nan) if one.error_of_mean is None else one.error_of_mean[:, None]
            )
            means[name].append(_noisy(mean, error, np.array([one.kept.any()]), random))
    found = {}
    for key in defined(criteria):
        if key[1] != "signed":
            of = means if _of_means(criteria[key[0]], key[1]) else labels
            values, _ = compared(of, {key[0]: criteria[key[0]]})[key]
            found[key] = float(values[1:].mean() - values[0])
    return found


def _noisy(
    difference: np.ndarray, error: np.ndarray, kept: np.ndarray, random: np.random.Generator
) -> Contrast:
    """Draw differences (1 + R, L) around those without noise, which come first."""
    true = np.sqrt(np.maximum(difference**2 - error**2, 0))
    noise = error * random.standard_normal((NOISE // 2, difference.shape[1]))
    # Either sign of each draw: noise that has no sign never makes a size smaller on average.
    return Contrast(difference=np.concatenate([true, true + noise, true - noise]), kept=kept)


def by_chance(
    permuted: permutation.Assignments,
    table: np.ndarray,
    *,
    criteria: Mapping[str, Criterion] = OF_CLASSES,
    concordance: np.ndarray | None = None,
    kept: Kept | None = None,
) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Compute ``studentised`` gaps of all assignments (1 + P,), some at a time."""
    measuring = _measuring(table, criteria, concordance)
    parts = [_studentised(members, measuring, criteria, kept) for members in permuted.blocks()]

    def whole(key: tuple[str, str], of: Literal[0, 1]) -> np.ndarray:
        return np.concatenate([parts[0][key][of][:1], *(part[key][of][1:] for part in parts)])

    return {key: (whole(key, 0), whole(key, 1)) for key in parts[0]}


def _rates(criteria: Mapping[str, Criterion]) -> list[str]:
    return list(dict.fromkeys(rate for each in criteria.values() for rate in each.all_rates))


def _of_means(criterion: Criterion, definition: str) -> bool:
    """Tell whether a definition is made of means over labels of signed differences."""
    return definition in ("signed", "absolute") or (
        definition == "published" and criterion.published is absolute_of_mean
    )


def _chosen(difference: np.ndarray, kept: Kept | None, name: str, place: int) -> np.ndarray:
    return ~np.isnan(difference[0]) if kept is None else kept[place][name]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contrast:
    """One rate of two groups: differences of labels (R, L), their errors, that of their mean.

    ``kept``: which labels (L,) count.
    """

    difference: np.ndarray
    kept: np.ndarray
    error: np.ndarray | None = None
    error_of_mean: np.ndarray | None = None

    def per_label(self) -> tuple[np.ndarray, np.ndarray]:
        """Return differences and errors, missing where a label does not count."""
        assert self.error is not None  # of contrasts that were studentised
        difference, error = (
            np.where(self.kept, each, np.nan) for each in (self.difference, self.error)
        )
        return difference, error


def _contrast(
    a: standard_errors.Measurement,
    b: standard_errors.Measurement,
    kept: np.ndarray,
    averaged: bool,
) -> Contrast:
    mean = None
    if averaged and kept.any():
        mean = np.sqrt(a.variance_of_mean(kept) + b.variance_of_mean(kept))
    return Contrast(
        difference=a.rate - b.rate,
        kept=kept,
        error=np.sqrt(a.variance + b.variance),
        error_of_mean=mean,
    )


def compared(
    contrasts: Mapping[str, list[Contrast]], criteria: Mapping[str, Criterion]
) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Make gaps and their errors of the contrasts of all pairs; the largest of several pairs."""
    found = {}
    for name, definition in defined(criteria):
        criterion = criteria[name]
        used = (contrasts[rate] for rate in criterion.rates_of(definition))
        pairs = list(zip(*used, strict=True))
        if len(pairs) == 1 or definition != "signed":
            each = [_gap(criterion, definition, pair) for pair in pairs]
            each = [gap for gap in each if not np.isnan(gap[0][0])] or each[:1]
            values, errors = zip(*each, strict=True)
            found[name, definition] = np.max(values, axis=0), np.max(errors, axis=0)
    return found


def _gap(
    criterion: Criterion, definition: str, pair: Sequence[Contrast]
) -> tuple[np.ndarray, np.ndarray]:
    if not all(contrast.kept.any() for contrast in pair):
        missing = np.full(len(pair[0].difference), np.nan)
        return missing, missing
    compute = DEFINITIONS[definition]
    values = compute(criterion, [contrast.difference[:, contrast.kept] for contrast in pair])
    if _of_means(criterion, definition):
        of_means = [each.error_of_mean for each in pair if each.error_of_mean is not None]
        missing = np.full(len(values), np.nan)
        return values, np.sum(of_means, axis=0) if len(of_means) == len(pair) else missing
    errors = [each.error[:, each.kept] for each in pair if each.error is not None]
    if len(errors) < len(pair):
        return values, np.full(len(values), np.nan)
    return values, compute(criterion, errors)

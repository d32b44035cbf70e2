"""Gaps between two groups: criteria say what is compared, definitions how labels become a number.

Criteria: equal opportunity and equalized odds after Hardt, Price & Srebro 2016; demographic
parity after Dwork et al. 2012, as a gap of selection rates. What Domnich & Anbarjafari 2021 call
demographic parity is a gap of accuracies and is named so here. F1 moves with the base rate, and
groups differ in base rates: beside a gap of F1, as Deuschel, Finzel & Rieger 2020 compare it, stand
gaps of the skew-normalised F1 and of the area under the ROC curve, which do not.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from facebias.evaluation import rates, standard_errors

# One array (R, L) of differences a - b per rate; R resamples, L labels, NaN = not estimable.
Differences = Sequence[np.ndarray]


def absolute_of_mean(differences: Differences) -> np.ndarray:
    """|mean over labels|, added over rates: gaps of opposite sign cancel before the absolute."""
    return np.sum([np.abs(rates.average(gap)) for gap in differences], axis=0)


def mean_of_absolute(differences: Differences) -> np.ndarray:
    """Mean over labels of the absolute gap, added over rates."""
    return np.sum([rates.average(np.abs(gap)) for gap in differences], axis=0)


@dataclasses.dataclass(frozen=True)
class Criterion:
    """Rates that should not differ between groups, and how a published study averages them.

    ``published`` None: no study did. ``units``: only for labels of which a sample has any number.
    """

    rates: tuple[str, ...]
    published: Callable[[Differences], np.ndarray] | None
    units: bool = False


# The published forms are confirmed by recomputing that paper's conclusions from its tables 11-28.
CRITERIA: dict[str, Criterion] = {
    "equal_opportunity": Criterion(("tpr",), absolute_of_mean),
    "equalized_odds": Criterion(("tpr", "fpr"), absolute_of_mean),
    "accuracy_gap": Criterion(("accuracy",), mean_of_absolute),
    "demographic_parity": Criterion(("selection_rate",), absolute_of_mean),
    "f1_gap": Criterion(("f1",), absolute_of_mean, units=True),
    "f1_skew_normalised_gap": Criterion(("f1_skew_normalised",), None, units=True),
    "auc_gap": Criterion(("auc",), None, units=True),
}
OF_CLASSES = tuple(name for name, criterion in CRITERIA.items() if not criterion.units)


def criteria(*, exclusive: bool, ranked: bool = False) -> tuple[str, ...]:
    """Name the criteria of classes (``exclusive``) or of units.

    ``ranked``: with the area under the ROC curve, which needs concordant pairs beside the counts.
    """
    if exclusive:
        return OF_CLASSES
    return tuple(name for name in CRITERIA if ranked or "auc" not in CRITERIA[name].rates)


def signed(criterion: Criterion, differences: Differences) -> np.ndarray:
    """Mean over labels of (a - b): -1 to 1."""
    return rates.average(differences[0])


def published(criterion: Criterion, differences: Differences) -> np.ndarray:
    """As Domnich & Anbarjafari 2021 compute the criterion, or its first user: 0 to 1 per rate."""
    return criterion.published(differences)


def per_class_mean(criterion: Criterion, differences: Differences) -> np.ndarray:
    """Mean over labels of |a - b|, added over rates: 0 to 1 per rate."""
    return mean_of_absolute(differences)


def worst_class(criterion: Criterion, differences: Differences) -> np.ndarray:
    """Largest |a - b| of any label and rate: 0 to 1."""
    gaps = np.abs(np.concatenate(differences, axis=-1))
    return gaps.max(axis=-1) if gaps.shape[-1] else np.full(gaps.shape[:-1], np.nan)


DEFINITIONS: dict[str, Callable[[Criterion, Differences], np.ndarray]] = {
    "signed": signed,
    "published": published,
    "per_class_mean": per_class_mean,
    "worst_class": worst_class,
}

CANCELS = "0 by construction: the selection rates of exclusive classes add up to 1 in every group"


def applies(criterion: str, definition: str) -> bool:
    """Tell whether a definition exists: two rates have no signed gap, some were not published."""
    if definition == "published":
        return CRITERIA[criterion].published is not None
    return definition != "signed" or len(CRITERIA[criterion].rates) == 1


def defined(criteria: Sequence[str] = OF_CLASSES) -> list[tuple[str, str]]:
    """List every criterion with every definition that exists for it."""
    return [key for key in itertools.product(criteria, DEFINITIONS) if applies(*key)]


def cancels(criterion: str, definition: str, *, exclusive: bool) -> bool:
    """Tell whether a gap is 0 whatever the model does, and so says nothing."""
    return exclusive and criterion == "demographic_parity" and definition in ("signed", "published")


def between(
    tables: Sequence[np.ndarray], *, criteria: Sequence[str] = OF_CLASSES
) -> dict[tuple[str, str], np.ndarray]:
    """Compute every gap of two groups, or the range of every unsigned gap over more of them.

    Parameters
    ----------
    tables
        (R, L, 4) counts per group; the first row is the data. ``auc_gap`` needs the fifth column of
        ``counts.Counts.summed``.
    criteria
        Which criteria to compute.

    Returns
    -------
    (criterion, definition) to (R,). Labels that the data cannot estimate in one of the groups are
    left out of the average; where no label is left, and in rows in which a label is lost, a gap is
    NaN. Over more than two groups it is the largest gap of any two that the data can estimate.

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
        contrasts[name] = [
            Contrast(difference=_kept(a - b)) for a, b in itertools.combinations(rated, 2)
        ]
    return {key: value for key, (value, _) in _compared(contrasts).items()}


def studentised(
    members: Sequence[np.ndarray],
    table: np.ndarray,
    *,
    criteria: Sequence[str] = OF_CLASSES,
    concordance: np.ndarray | None = None,
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
    criteria
        Which criteria to compute.
    concordance
        (L, S, S) concordant pairs of the subjects; only for ``auc_gap``.

    Returns
    -------
    (criterion, definition) to gaps (R,) and their standard errors (R,).
    """
    contrasts = {}
    for name in _rates(criteria):
        measured = [standard_errors.measure(name, group, table, concordance) for group in members]
        contrasts[name] = [_contrast(a, b) for a, b in itertools.combinations(measured, 2)]
    return _compared(contrasts)


def _rates(criteria: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(rate for one in criteria for rate in CRITERIA[one].rates))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contrast:
    """One rate of two groups: differences of labels (R, L), their errors, that of their mean."""

    difference: np.ndarray
    error: np.ndarray | None = None
    error_of_mean: np.ndarray | None = None


def _contrast(a: standard_errors.Measured, b: standard_errors.Measured) -> Contrast:
    difference = a.rate - b.rate
    kept = ~np.isnan(difference[0])
    return Contrast(
        difference=difference[:, kept],
        error=np.sqrt(a.variance + b.variance)[:, kept],
        error_of_mean=np.sqrt(a.variance_of_mean(kept) + b.variance_of_mean(kept)),
    )


def _kept(difference: np.ndarray) -> np.ndarray:
    """Leave out the labels that the data, in the first row, cannot estimate in both groups."""
    return difference[:, ~np.isnan(difference[0])]


def _compared(
    contrasts: Mapping[str, list[Contrast]],
) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Make gaps and their errors of the contrasts of all pairs; the largest of several pairs."""
    found = {}
    for name, criterion in CRITERIA.items():
        if not set(criterion.rates) <= set(contrasts):
            continue
        pairs = list(zip(*(contrasts[rate] for rate in criterion.rates), strict=True))
        for definition in DEFINITIONS:
            if applies(name, definition) and (len(pairs) == 1 or definition != "signed"):
                each = [_gap(criterion, definition, pair) for pair in pairs]
                each = [gap for gap in each if not np.isnan(gap[0][0])] or each[:1]
                values, errors = zip(*each, strict=True)
                found[name, definition] = np.max(values, axis=0), np.max(errors, axis=0)
    return found


def _gap(
    criterion: Criterion, definition: str, pair: Sequence[Contrast]
) -> tuple[np.ndarray, np.ndarray]:
    if not all(contrast.difference.shape[1] for contrast in pair):
        missing = np.full(len(pair[0].difference), np.nan)
        return missing, missing
    compute = DEFINITIONS[definition]
    values = compute(criterion, [contrast.difference for contrast in pair])
    if any(contrast.error is None for contrast in pair):
        return values, np.full(len(values), np.nan)
    if definition == "signed" or (
        definition == "published" and criterion.published is absolute_of_mean
    ):
        return values, np.sum([contrast.error_of_mean for contrast in pair], axis=0)
    return values, compute(criterion, [contrast.error for contrast in pair])

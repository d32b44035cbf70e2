"""Gaps between two groups: criteria say what is compared, definitions how labels become a number.

Criteria: equal opportunity and equalized odds after Hardt, Price & Srebro 2016; demographic
parity after Dwork et al. 2012, as a gap of selection rates. What Domnich & Anbarjafari 2021 call
demographic parity is a gap of accuracies and is named so here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from facebias.evaluation import rates

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
    """Rates that should not differ between groups, and how the published study averages them."""

    rates: tuple[str, ...]
    published: Callable[[Differences], np.ndarray]


# The published forms are confirmed by recomputing that paper's conclusions from its tables 11-28.
CRITERIA: dict[str, Criterion] = {
    "equal_opportunity": Criterion(("tpr",), absolute_of_mean),
    "equalized_odds": Criterion(("tpr", "fpr"), absolute_of_mean),
    "accuracy_gap": Criterion(("accuracy",), mean_of_absolute),
    "demographic_parity": Criterion(("selection_rate",), absolute_of_mean),
}


def signed(criterion: Criterion, differences: Differences) -> np.ndarray:
    """Mean over labels of (a - b): -1 to 1."""
    return rates.average(differences[0])


def published(criterion: Criterion, differences: Differences) -> np.ndarray:
    """As Domnich & Anbarjafari 2021 compute the criterion: 0 to 1 per rate."""
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
    """Tell whether a definition exists: two rates at once have no signed gap."""
    return definition != "signed" or len(CRITERIA[criterion].rates) == 1


def cancels(criterion: str, definition: str, *, exclusive: bool) -> bool:
    """Tell whether a gap is 0 whatever the model does, and so says nothing."""
    return exclusive and criterion == "demographic_parity" and definition in ("signed", "published")


def gap(criterion: str, definition: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute one gap a - b for the data and all resamples.

    Parameters
    ----------
    criterion, definition
        Keys of ``CRITERIA`` and ``DEFINITIONS``.
    a, b
        (1 + B, L, 4) counts of the two groups; the first row is the data.

    Returns
    -------
    (1 + B,). Labels that the data cannot estimate in one of the groups are left out of the
    average; where no label is left, and in resamples in which a label is lost, it is NaN.

    Examples
    --------
    Every one of 10 samples of a label found in group a, 8 of 10 in group b:

    >>> import numpy as np
    >>> a, b = np.array([[[10, 0, 0, 10]]]), np.array([[[8, 0, 2, 10]]])
    >>> gap("equal_opportunity", "signed", a, b).round(3).tolist()
    [0.2]
    """
    differences = []
    for name in CRITERIA[criterion].rates:
        difference = rates.rate(name, a) - rates.rate(name, b)
        differences.append(difference[:, ~np.isnan(difference[0])])
    if not all(difference.shape[1] for difference in differences):
        return np.full(len(a), np.nan)
    return DEFINITIONS[definition](CRITERIA[criterion], differences)

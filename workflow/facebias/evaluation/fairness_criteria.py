"""Criteria of fairness: what is compared between two groups, and how labels become one number.

Equal opportunity and equalized odds after Hardt, Price & Srebro 2016; demographic parity after
Dwork et al. 2012, as a gap of selection rates. What Domnich & Anbarjafari 2021 call demographic
parity is a gap of accuracies and is named so here. F1 moves with the base rate, and groups differ
in base rates: beside a gap of F1, as Deuschel, Finzel & Rieger 2020 compare it, stand gaps of the
skew-normalised F1 and of the area under the ROC curve, which do not.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

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
    """Rates that should not differ between groups, and the definitions that make them a number.

    ``published``: how a published study averages them, and ``published_rates``: of labels, where
    ``rates`` are over all of them. ``labels``: the gap of every single label is asked for too.
    """

    rates: tuple[str, ...]
    definitions: tuple[str, ...]
    published: Callable[[Differences], np.ndarray] | None = None
    published_rates: tuple[str, ...] = ()
    labels: bool = False

    def rates_of(self, definition: str) -> tuple[str, ...]:
        """Name the rates behind a definition."""
        return self.published_rates or self.rates if definition in UNSIGNED else self.rates

    @property
    def all_rates(self) -> tuple[str, ...]:
        """Name the rates behind all definitions."""
        return tuple(dict.fromkeys(itertools.chain(*map(self.rates_of, self.definitions))))

    @property
    def sized(self) -> bool:
        """Tell whether the largest gap of any label is asked for."""
        return LARGEST in self.definitions


LARGEST = "worst_class"
SIZES = ("per_class_mean", LARGEST)
UNSIGNED = ("published", *SIZES)
# The published forms are confirmed by recomputing that paper's conclusions from its tables 11-28.
# Accuracy is the share of right decisions; the published gap is one of accuracies of each label
# against the rest, of which a reader sees 2 / L: never to say a label is right in all that lack it.
OF_CLASSES: dict[str, Criterion] = {
    "equal_opportunity": Criterion(("tpr",), ("signed", *UNSIGNED), absolute_of_mean, labels=True),
    "equalized_odds": Criterion(("tpr", "fpr"), UNSIGNED, absolute_of_mean),
    "accuracy_gap": Criterion(
        ("right_classes",), ("signed", "absolute", "published"), mean_of_absolute, ("accuracy",)
    ),
    "balanced_accuracy_gap": Criterion(("tpr",), ("signed", "absolute")),
    # The selection rates of exclusive classes add up to 1 in every group: their mean never differs.
    "demographic_parity": Criterion(("selection_rate",), SIZES, labels=True),
    "f1_gap": Criterion(("f1",), ("signed", "absolute", *SIZES), labels=True),
}
OF_UNITS: dict[str, Criterion] = {
    "equal_opportunity": OF_CLASSES["equal_opportunity"],
    "equalized_odds": OF_CLASSES["equalized_odds"],
    "accuracy_gap": dataclasses.replace(OF_CLASSES["accuracy_gap"], rates=("right_units",)),
    "balanced_accuracy_gap": Criterion(
        ("balanced_accuracy",), ("signed", "absolute", *SIZES), labels=True
    ),
    "demographic_parity": Criterion(
        ("selection_rate",), ("signed", *UNSIGNED), absolute_of_mean, labels=True
    ),
    "f1_gap": Criterion(("f1",), ("signed", *UNSIGNED), absolute_of_mean, labels=True),
    "f1_skew_normalised_gap": Criterion(("f1_skew_normalised",), ("signed", *SIZES), labels=True),
    "auc_gap": Criterion(("auc",), ("signed", *SIZES), labels=True),
}


def of_labels(*, exclusive: bool, ranked: bool = False) -> dict[str, Criterion]:
    """Return the criteria for classes (``exclusive``) or for units.

    ``ranked``: with the area under the ROC curve, which needs concordant pairs beside the counts.
    """
    if exclusive:
        return OF_CLASSES
    return {name: found for name, found in OF_UNITS.items() if ranked or "auc" not in found.rates}


def signed(criterion: Criterion, differences: Differences) -> np.ndarray:
    """Mean over labels of (a - b): -1 to 1."""
    return rates.average(differences[0])


def absolute(criterion: Criterion, differences: Differences) -> np.ndarray:
    """Size of the mean over labels of (a - b): 0 to 1."""
    return absolute_of_mean(differences)


def published(criterion: Criterion, differences: Differences) -> np.ndarray:
    """As Domnich & Anbarjafari 2021 compute the criterion, or its first user: 0 to 1 per rate."""
    assert criterion.published is not None  # asked for where it is defined
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
    "absolute": absolute,
    "published": published,
    "per_class_mean": per_class_mean,
    "worst_class": worst_class,
}
# The gap of one label, signed: no average, and judged together with those of the other labels.
PER_LABEL = "per_label"


def why_not(criterion: str, definition: str, *, exclusive: bool) -> str | None:
    """Say why a definition of a criterion does not exist, or nothing where it does."""
    found = of_labels(exclusive=exclusive, ranked=True)
    if criterion not in found:
        return f"labels of this kind have no {criterion}"
    if definition in found[criterion].definitions:
        return None
    if criterion == "demographic_parity" and definition in OF_UNITS[criterion].definitions:
        return (
            "it is 0 by construction: the selection rates of exclusive classes add up to 1 in "
            "every group"
        )
    return f"{criterion} is measured as {', '.join(found[criterion].definitions)}"


def defined(criteria: Mapping[str, Criterion] = OF_CLASSES) -> list[tuple[str, str]]:
    """List every criterion with every definition that exists for it."""
    return [
        (name, definition) for name, each in criteria.items() for definition in each.definitions
    ]

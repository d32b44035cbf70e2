"""Groups of subjects side by side: what they differ in, and how much chance alone would give."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from facebias.evaluation import permutation, rates, resampling
from facebias.evaluation.attributes import Grouping
from facebias.study import GroupComparison


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """The subjects that take part, by group.

    Attributes
    ----------
    members
        Places of each group's subjects among all S.
    large
        The groups with enough subjects to be compared.
    note
        Which groups are too small, and who has no group; None where there is nothing to say.
    drawn
        (1 + B, n) how often each subject of a group stands in each resample; the first row is the
        data.
    permuted
        Permutations of the subjects of ``large`` across groups; None for fewer than two.
    confidence
        Level of intervals and of the size that chance gives.
    """

    members: Mapping[str, np.ndarray]
    large: tuple[str, ...]
    note: str | None
    drawn: Mapping[str, np.ndarray]
    permuted: permutation.Assignments | None
    confidence: float

    def resampled(self, name: str, values: np.ndarray) -> np.ndarray:
        """Add up (S, ...) values in one group: (1 + B, ...), the data first."""
        return resampling.weighted(self.drawn[name], values[self.members[name]])

    @property
    def places(self) -> np.ndarray:
        """Places of the subjects of ``large`` among all S, group after group."""
        return np.concatenate([np.array([], int), *(self.members[name] for name in self.large)])

    def by_chance(self, values: np.ndarray) -> list[np.ndarray]:
        """Add up (S, ...) values in each group of ``large``: (1 + P, ...), the data first."""
        permuted = self.permuted.members if self.permuted else ()
        return [resampling.weighted(group, values[self.places]) for group in permuted]

    def smallest(self, *names: str) -> int:
        """Count the subjects of the smallest of some groups."""
        return min((len(self.members[name]) for name in names), default=0)

    def interval(self, values: np.ndarray, *names: str) -> tuple[float, float]:
        """Interval of a number (1 + B,) of the named groups; missing for a single subject."""
        smallest = self.smallest(*names)
        if smallest < 2:
            return np.nan, np.nan
        return resampling.interval(values, confidence=self.confidence, subjects=smallest)

    def judge(self, value: float, largest: np.ndarray) -> tuple[float, float]:
        """Hold a size against the largest of its kind in every assignment.

        Parameters
        ----------
        value
            What the data show, 0 or more.
        largest
            (1 + P,) sizes, the data's own first.

        Returns
        -------
        The p-value, and the size that ``confidence`` of the assignments do not exceed; both NaN
        where it cannot be said.
        """
        if self.permuted is None or np.isnan(value):
            return np.nan, np.nan
        values = np.concatenate([[value], largest[1:]])
        chance = permutation.compare(values, np.ones(len(values)), self.permuted, signed=False)
        return chance.p_value, chance.band(confidence=self.confidence, signed=False)[2]


def compare(
    subjects: np.ndarray, found: Grouping, taking_part: np.ndarray, *, evaluation: GroupComparison
) -> Comparison:
    """Put those of ``subjects`` (S,) who take part (S,) side by side by group.

    ``evaluation`` says how to resample and permute, and how many subjects a group needs.
    """
    members = {
        name: np.flatnonzero(np.isin(subjects, names) & taking_part)
        for name, names in found.members.items()
    }
    who = {name: subjects[places] for name, places in members.items()}
    large = tuple(name for name in who if len(who[name]) >= max(evaluation.min_subjects, 1))
    notes = [
        f"{name}: {counted(len(names))}, {evaluation.min_subjects} needed"
        for name, names in who.items()
        if name not in large
    ]
    missing = int((np.isin(subjects, found.missing) & taking_part).sum())
    if missing:
        notes.append(f"{counted(missing)} without {found.attribute} left out")
    resamples, seed = evaluation.resamples, evaluation.seed
    return Comparison(
        members=members,
        large=large,
        note="; ".join(notes) or None,
        drawn={
            name: resampling.weights(names, resamples=resamples, seed=seed)
            for name, names in who.items()
        },
        permuted=permutation.assignments(
            [who[name] for name in large], draws=evaluation.permutations, seed=seed
        )
        if len(large) > 1
        else None,
        confidence=evaluation.confidence,
    )


def ratio(members: np.ndarray, sums: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return means over the samples of groups of subjects, and their variances over subjects.

    The variance of a ratio of sums is that of its linearisation (Cochran 1977, section 6.4).

    Parameters
    ----------
    members
        (R, S) 1 for the members of a group, else 0.
    sums, samples
        (S, Q) sum over the samples of each subject, and how many they are.

    Returns
    -------
    Means and variances, (R, Q) each; NaN without samples, and the variance of a single subject.
    """
    total, size = members @ samples, members.sum(axis=1, keepdims=True)
    mean = rates.divide(members @ sums, total)
    spread = members @ sums**2 - 2 * mean * (members @ (sums * samples))
    spread += mean**2 * (members @ samples**2)
    return mean, rates.divide(np.maximum(spread, 0), total**2) * rates.divide(size, size - 1)


def in_units(differences: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Divide sizes of differences by their standard errors; beyond all others where that is 0."""
    sizes, errors = np.abs(differences), np.sqrt(variances)
    endless = np.where(sizes > permutation.TOLERANCE, np.inf, 0.0)
    return np.divide(sizes, errors, out=endless, where=errors > permutation.TOLERANCE)


def counted(n: int) -> str:
    """Write a number of subjects: ``1 subject``, ``12 subjects``."""
    return f"{n} subject" if n == 1 else f"{n} subjects"

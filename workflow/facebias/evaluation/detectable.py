"""The smallest true gap that a study like a given one would find in 80 of 100 repetitions.

Found by bisection over simulated studies. People are resampled within their groups, which gives the
noise of rates and of their standard errors; one group is then shifted by the gap in question, and
the statistic of the package's own test is compared with what chance makes unusual at the level that
the verdict needs. Two things are followed besides:

- The variance between people is uncertain too: taken for the truth, that of few people promises
  too much. The true one is drawn from about its fiducial distribution (Fisher 1935), (people - 1)
  over chi-squared, made a little smaller by ``FEWER``. The standard error of the largest gap of a
  label is the largest too, and needs no such care.
- The spread of a rate depends on the rate r: that of the shifted group moves as r (1 - r) does.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from facebias.evaluation import gaps, permutation, rates, resampling, standard_errors
from facebias.evaluation.counts import Counts
from facebias.evaluation.fairness_criteria import Criterion
from facebias.evaluation.gaps import Contrast, Kept
from facebias.evaluation.permutation import Chance
from facebias.evaluation.power import POWER

STUDIES = 1_000  # simulated ones: a power of .8 is then known to 1.3 in 100
HALVINGS = 12
# With 1, power was .84 in simulations where .80 is meant, with 2 it was .74 at a level of .05 / 6.
FEWER = 1.5
# Rates nearer to 0 or 1 spread as if they were here: people who were not tested are not all alike.
EDGE = 0.02
FAR = 30.0  # standard errors


def of_shift(
    values: np.ndarray, errors: np.ndarray, chance: Chance, *, level: float, subjects: int
) -> float:
    """Find the detectable size of a signed estimate that a true effect only shifts.

    Parameters
    ----------
    values
        (1 + B,) estimates of resampled people, the data's own first.
    errors
        (1 + P,) standard errors of permuted data, the data's own first.
    chance
        What comes from chance alone.
    level
        Largest p-value that counts as found, after any correction.
    subjects
        Number of people in the smallest group, by which resamples spread too little.

    Returns
    -------
    On the scale of the estimate; NaN where no p-value could be small enough.
    """
    critical = chance.critical(level)
    permuted = errors[1:][errors[1:] > 0]
    noise = values[1:][~np.isnan(values[1:])] - values[0]
    if not (0 < critical < np.inf and chance.error > 0 and len(noise) and len(permuted)):
        return np.nan
    noise = noise * np.sqrt(subjects / (subjects - 1))
    random = np.random.default_rng(0)
    study, truth = random.choice(permuted / permuted.mean(), (2, len(noise)))

    def power(size: float) -> float:
        return float((np.abs(noise + size * truth) >= critical * study).mean())

    return _smallest(power, most=FAR * chance.error)


def of_gaps(
    parts: Sequence[Counts],
    found: Mapping[tuple[str, str], Chance],
    *,
    criteria: Mapping[str, Criterion],
    kept: Kept,
    level: float,
    seed: int,
) -> dict[tuple[str, str], float]:
    """Find the detectable gap of every criterion and definition.

    One group differs from all others, each group in turn: of ``worst_class`` in one label, each in
    turn, of other definitions in every label alike. It differs in the direction that leaves more
    room.

    Parameters
    ----------
    parts
        Counts of the groups.
    found
        What comes from chance alone.
    criteria, kept
        As of ``gaps.between``.
    level
        Largest p-value that counts as found, after any correction.
    seed
        Seed of the simulated studies.

    Returns
    -------
    On the scale of each gap; NaN where no p-value could be small enough, no possible gap is found
    so often, or no two people differ.
    """
    names = dict.fromkeys(itertools.chain(*(each.all_rates for each in criteria.values())))
    random = np.random.default_rng(seed)
    people = np.array([len(part.subjects) for part in parts])[:, None, None]
    truth = (people - FEWER) / random.chisquare(people - 1, (len(parts), STUDIES, 1))
    measured = {name: _simulated(name, parts, kept, seed=seed) for name in names}
    return {
        key: _Search(
            criterion=dataclasses.replace(criteria[key[0]], definitions=(key[1],)),
            kept=kept,
            exclusive=parts[0].exclusive,
            measured=measured,
            truth=np.ones_like(truth) if key[1] == "worst_class" else truth,
        ).smallest(chance, level=level)
        for key, chance in found.items()
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Rate:
    """One rate of G groups in R simulated studies.

    Attributes
    ----------
    own
        (G, L) rates of the data.
    noise, variance
        (G, R, L) how far rates are from the true ones, and their estimated variances.
    of_mean
        By pair of groups, estimated variances (2, R) of the means over the labels that count.
    """

    own: np.ndarray
    noise: np.ndarray
    variance: np.ndarray
    of_mean: Mapping[tuple[int, int], np.ndarray]

    def shifted(
        self, shift: np.ndarray, truth: np.ndarray, kept: Sequence[np.ndarray]
    ) -> list[Contrast]:
        """Compare every two groups whose true rates are shifted by (G, R, L).

        ``truth``: (G, R, 1) true variances in units of this study's.
        """
        wider = truth * _spread(self.own[:, None] + shift) / _spread(self.own)[:, None]
        rate = np.sqrt(wider) * self.noise + shift
        variance = wider * self.variance
        contrasts = []
        for ((a, b), of_mean), chosen in zip(self.of_mean.items(), kept, strict=True):
            mean = None
            if chosen.any():
                mean = np.sqrt((wider[[a, b]][..., chosen].mean(axis=-1) * of_mean).sum(axis=0))
            contrasts.append(
                Contrast(
                    difference=rate[a] - rate[b],
                    kept=chosen,
                    error=np.sqrt(variance[a] + variance[b]),
                    error_of_mean=mean,
                )
            )
        return contrasts


def _spread(rate: np.ndarray) -> np.ndarray:
    rate = np.clip(rate, EDGE, 1 - EDGE)
    return rate * (1 - rate)


def _pairs(groups: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(groups), 2))


def _simulated(name: str, parts: Sequence[Counts], kept: Kept, *, seed: int) -> _Rate:
    """Measure a rate in resampled groups."""
    own, noise, variance = [], [], []
    of_mean: dict[tuple[int, int], list[np.ndarray]] = {pair: [] for pair in _pairs(len(parts))}
    for place, part in enumerate(parts):
        chosen = {
            pair: each[name] for pair, each in zip(of_mean, kept, strict=True) if place in pair
        }
        rate, variances, of_means = _resampled(name, part, chosen, seed=seed)
        # Resamples of few people spread too little by this.
        scale = len(part.subjects) / (len(part.subjects) - 1)
        own.append(np.nan_to_num(rate[0], nan=0.5))
        noise.append(np.sqrt(scale) * (rate[1:] - rate[0]))
        variance.append(scale * variances[1:])
        for pair, found in of_means.items():
            of_mean[pair].append(scale * found[1:])
    return _Rate(
        own=np.stack(own),
        noise=np.stack(noise),
        variance=np.stack(variance),
        of_mean={pair: np.stack(each) for pair, each in of_mean.items()},
    )


def _resampled(
    name: str, part: Counts, chosen: Mapping[tuple[int, int], np.ndarray], *, seed: int
) -> tuple[np.ndarray, np.ndarray, dict[tuple[int, int], np.ndarray]]:
    """Return rates and variances (1 + R, L) of one group, variances (1 + R,) of means by pair."""
    table = part.table
    drawn: Iterable[np.ndarray]
    if part.kinds is None:
        drawn = resampling.blocks(part.subjects, resamples=STUDIES, seed=seed)
    else:
        table, kinds = part.kinds
        people = np.bincount(kinds)
        drawn = [resampling.of_kinds(part.subjects, people, resamples=STUDIES, seed=seed)]
    rate, variance = [], []
    of_mean: dict[tuple[int, int], list[np.ndarray]] = {pair: [] for pair in chosen}
    for members in drawn:
        found = standard_errors.measure(name, members, table, part.concordance)
        rate.append(found.rate)
        variance.append(found.variance)
        for pair, labels in chosen.items():
            missing = np.full(len(members), np.nan)
            of_mean[pair].append(found.variance_of_mean(labels) if labels.any() else missing)
    together = {pair: np.concatenate(each) for pair, each in of_mean.items()}
    return np.concatenate(rate), np.concatenate(variance), together


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Search:
    """The search for the detectable gap of one definition of one criterion."""

    criterion: Criterion
    kept: Kept
    exclusive: bool
    measured: Mapping[str, _Rate]
    truth: np.ndarray

    def smallest(self, chance: Chance, *, level: float) -> float:
        """Return the smallest gap that is found in 80 of 100 studies, or NaN."""
        critical = chance.critical(level) / chance.error if chance.error > 0 else np.nan
        # Where nobody's answers differ no chance is seen, and 0 would say that any gap is found.
        if not 0 < critical < np.inf:
            return np.nan
        pattern = self._pattern()

        def power(gap: float) -> float:
            contrasts = {
                name: self.measured[name].shifted(gap * shift, self.truth, self._kept(name))
                for name, shift in pattern.items()
            }
            ((values, errors),) = gaps.compared(contrasts, {"": self.criterion}).values()
            units = np.abs(permutation.in_units(values, errors)[~np.isnan(values)])
            return float((units >= critical).mean()) if len(units) else 0.0

        first = self._names[0]
        room = np.maximum(self._first, 1 - self._first).mean()
        return _smallest(power, most=room / np.nanmean(np.abs(pattern[first]).max(axis=(0, 2))))

    @property
    def _names(self) -> tuple[str, ...]:
        return self.criterion.rates_of(self.criterion.definitions[0])

    def _kept(self, name: str) -> list[np.ndarray]:
        return [each[name] for each in self.kept]

    @property
    def _first(self) -> np.ndarray:
        """Rates (G, L') behind the gap, of labels that count; of several rates the first."""
        return self.measured[self._names[0]].own[:, np.any(self._kept(self._names[0]), axis=0)]

    def _pattern(self) -> dict[str, np.ndarray]:
        """Return by rate the shifts (G, R, L) that make a gap of 1."""
        n_groups, row = len(self._first), np.arange(STUDIES)
        pattern, contrasts = {}, {}
        for name in self._names:
            one = self.measured[name]
            chosen = np.flatnonzero(np.any(self._kept(name), axis=0))
            alone = None
            if self.criterion.definitions == ("worst_class",):
                alone = chosen[row // n_groups % len(chosen)]
            profile = _profile(name, one.own.shape[1], alone, exclusive=self.exclusive)
            shift = np.zeros(one.noise.shape)
            shift[row % n_groups, row] = -profile if self._first.mean() >= 0.5 else profile
            pattern[name] = shift
            contrasts[name] = [
                Contrast(difference=shift[a] - shift[b], kept=labels)
                for (a, b), labels in zip(one.of_mean, self._kept(name), strict=True)
            ]
        ((size, _),) = gaps.compared(contrasts, {"": self.criterion}).values()
        scale = rates.divide(np.ones(STUDIES), np.abs(size))[:, None]
        return {name: shift * scale for name, shift in pattern.items()}


def _profile(name: str, labels: int, alone: np.ndarray | None, *, exclusive: bool) -> np.ndarray:
    """Return by how much the rates of labels rise (R, L) in a group that is better: up to 1.

    ``alone``: (R,) the label in which alone groups differ; None: all labels differ. Of exclusive
    classes selection rates add up to 1, so that none rises alone, and a wrong decision is a false
    alarm of one of the others.
    """
    profile = np.ones((STUDIES, labels)) if alone is None else np.eye(labels)[alone]
    if name == "fpr":
        # Where a single label differs its true positive rate is by far the largest gap.
        share = 1 / (labels - 1) if exclusive else 1.0
        return -share * profile if alone is None else 0 * profile
    if name == "selection_rate" and exclusive:
        if alone is None:
            profile[:, 1::2] = -1
        profile -= profile.mean(axis=1, keepdims=True)
    return profile


def _smallest(power: Callable[[float], float], *, most: float) -> float:
    """Find where a rising power reaches ``POWER``; NaN where it does not up to ``most``."""
    low, high = 0.0, most
    if not power(high) >= POWER:
        return np.nan
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high

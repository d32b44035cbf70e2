"""Permutation of group labels over subjects: how large gaps are where groups mean nothing.

Under no bias a subject's counts do not depend on the group, so every permutation of the group
labels out to the tested subjects is equally likely (Fisher 1935). Whole subjects change groups:
samples of one person stay together. A gap is compared with the gaps of all those assignments, or,
where there are too many, of some drawn at random.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from facebias.evaluation import resampling

# Instead of drawing assignments, up to so many times as many are listed: no chance is left then.
LISTED = 10
# Subjects times assignments that are looked at together: 32 MB per array.
ENTRIES = 4_000_000
# Sums of the same counts in another order differ in the last bits; such gaps are ties.
TOLERANCE = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawn:
    """How a reference came about.

    Attributes
    ----------
    enumerated
        True where it is all rearrangements there are, the data's own included.
    mirrored
        True where each row stands for itself and for the one with the opposite sign.
    floor
        The smallest p-value that any data could give.
    """

    enumerated: bool
    mirrored: bool
    floor: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assignments(Drawn):
    """Permutations of group labels over S subjects, ordered by group.

    Enumerated assignments of groups of one size that only exchange the groups' names are one. Drawn
    ones are drawn anew, the same ones, whenever they are asked for: all of them would take a
    gigabyte where 100,000 people are tested.

    Instead of subjects there may be kinds of subjects, all alike (``of_kinds``).

    Attributes
    ----------
    own
        One (1, S) array per group: who stands in it.
    permute
        Gives such arrays of so many assignments at a time.
    """

    own: tuple[np.ndarray, ...]
    permute: Callable[[int], Iterator[tuple[np.ndarray, ...]]] = dataclasses.field(repr=False)

    def blocks(self, entries: int = ENTRIES) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield one (1 + R, S) array per group, for some assignments after the others.

        The first row of every block is the data's own assignment. A block has about ``entries``
        entries per group, and one assignment at least.
        """
        for permuted in self.permute(max(1, entries // max(1, self.own[0].size))):
            yield tuple(map(np.concatenate, zip(self.own, permuted, strict=True)))

    @property
    def members(self) -> tuple[np.ndarray, ...]:
        """All blocks in one: (1 + P, S) per group."""
        first, *later = self.blocks()
        return tuple(
            np.concatenate([group, *(block[place][1:] for block in later)])
            for place, group in enumerate(first)
        )


def assignments(
    groups: Sequence[np.ndarray], *, draws: int, seed: int, most: int | None = None
) -> Assignments:
    """List all assignments if there are at most ``most``, else draw ``draws`` of them.

    Parameters
    ----------
    groups
        Names of the subjects of each of two or more groups.
    draws
        Number of random assignments where there are too many to list.
    seed
        Seed of the permutations, which depend on it and on who the subjects are alone.
    most
        Largest number that is listed; by default ``LISTED`` times ``draws``.
    """
    most = LISTED * draws if most is None else most
    sizes = tuple(len(names) for names in groups)
    equal = len(set(sizes)) == 1
    enumerated = distinct(sizes) <= most
    least = floor(sizes)
    if enumerated:
        permute = functools.partial(_listed, sizes, not equal)
    else:
        permute = functools.partial(_shuffled, np.concatenate(groups), sizes, draws, seed)
    return Assignments(
        own=_members(np.repeat(np.arange(len(sizes)), sizes)[None], sizes),
        permute=permute,
        enumerated=enumerated,
        mirrored=enumerated and equal and len(sizes) == 2,
        floor=least if enumerated else max(least, 1 / (1 + draws)),
    )


def of_kinds(
    groups: Sequence[np.ndarray], kinds: np.ndarray, *, draws: int, seed: int
) -> Assignments:
    """Draw assignments of many people of few kinds: how many of each kind fall into each group.

    Whoever has the same counts can stand for each other, so that who they are need not be drawn.
    The results have the distribution of ``assignments``, in a fraction of time and memory.

    Parameters
    ----------
    groups
        Names of the subjects of each of two or more groups.
    kinds
        (G, K) how many of each kind are in each group.
    draws, seed
        As of ``assignments``.
    """
    sizes = tuple(len(names) for names in groups)
    return Assignments(
        own=tuple(kinds[:, None].astype(float)),
        permute=functools.partial(_fallen, np.concatenate(groups), kinds, draws, seed),
        enumerated=False,
        mirrored=False,
        floor=max(floor(sizes), 1 / (1 + draws)),
    )


def _fallen(
    subjects: np.ndarray, kinds: np.ndarray, draws: int, seed: int, rows: int
) -> Iterator[tuple[np.ndarray, ...]]:
    random = resampling.generator(subjects, seed=seed, what="permutation of kinds")
    for start in range(0, draws, rows):
        left = np.repeat(kinds.sum(axis=0)[None], min(rows, draws - start), axis=0)
        permuted = []
        for size in kinds.sum(axis=1)[:-1]:
            permuted.append(
                np.array([random.multivariate_hypergeometric(row, size) for row in left])
            )
            left = left - permuted[-1]
        yield tuple(group.astype(float) for group in (*permuted, left))


def _members(permuted: np.ndarray, sizes: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Turn group numbers (R, S) into an array of 0 and 1 per group."""
    return tuple((permuted == group).astype(float) for group in range(len(sizes)))


def _listed(sizes: tuple[int, ...], exchanged: bool, rows: int) -> Iterator[tuple[np.ndarray, ...]]:
    permuted = _enumerated(sizes, exchanged=exchanged)
    for start in range(0, len(permuted), rows):
        yield _members(permuted[start : start + rows], sizes)


def _shuffled(
    subjects: np.ndarray, sizes: tuple[int, ...], draws: int, seed: int, rows: int
) -> Iterator[tuple[np.ndarray, ...]]:
    random = resampling.generator(subjects, seed=seed, what="permutation")
    lasts = np.cumsum(sizes)[:-1] - 1
    for start in range(0, draws, rows):
        # Those with the smallest of random numbers are the first group: a tenth of the time that
        # shuffling takes. Equal ones are as good as impossible among 2 to the power of 53.
        places = random.random((min(rows, draws - start), len(subjects)))
        limits = np.partition(places, lasts, axis=1)[:, lasts]
        permuted = sum((places > limit[:, None]).astype(np.int8) for limit in limits.T)
        yield _members(permuted, sizes)


def drawn(*, floor: float, draws: int) -> Drawn:
    """Describe random permutations of something other than group labels."""
    return Drawn(enumerated=False, mirrored=False, floor=max(floor, 1 / (1 + draws)))


def flips(subjects: np.ndarray, *, draws: int, seed: int) -> tuple[np.ndarray, Drawn]:
    """List all ways of exchanging two readings of each subject, or draw some if there are many.

    Returns
    -------
    (1 + P, S) of 1 and -1, the data first, and how they came about. Opposite rows are one.
    """
    n = len(subjects)
    if 2 ** (n - 1) <= LISTED * draws:
        bits = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
        listed = np.concatenate([np.ones((1, n)), 1.0 - 2 * bits])
        return listed, Drawn(enumerated=True, mirrored=True, floor=2 / 2**n)
    random = resampling.generator(subjects, seed=seed, what="flips")
    signs = 1.0 - 2 * random.integers(2, size=(1 + draws, n))
    signs[0] = 1
    return signs, drawn(floor=2 / 2**n, draws=draws)


def distinct(sizes: Sequence[int]) -> int:
    """Count the assignments; exchanging the names of groups that all have one size is none.

    >>> distinct((5, 5)), distinct((4, 6)), distinct((10, 10))
    (126, 210, 92378)
    """
    n = _arrangements(tuple(sizes))
    return n // math.factorial(len(sizes)) if len(set(sizes)) == 1 else n


def floor(sizes: Sequence[int]) -> float:
    """Return the smallest p-value that groups of these sizes can reach.

    A gap keeps its size when two groups of one size exchange their names, so with five against
    five it is reached at least twice in 252 assignments.

    >>> floor((5, 5)) == 2 / 252
    True
    """
    alike = math.prod(math.factorial(m) for m in collections.Counter(sizes).values())
    return alike / _arrangements(tuple(sizes))


@functools.lru_cache(maxsize=256)
def _arrangements(sizes: tuple[int, ...]) -> int:
    """Count the permutations of labels of groups of these sizes; slow for 100,000 people."""
    ends = itertools.accumulate(sizes)
    return math.prod(math.comb(end, size) for end, size in zip(ends, sizes, strict=True))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chance:
    """What comes from chance alone, and how unusual the data are beside it.

    Attributes
    ----------
    p_value, p_floor
        0 to 1, NaN where it cannot be said; the smallest that any data could give, with as many
        assignments to compare with.
    gaps
        (N,) gaps of the assignments, on the scale of the data's gap.
    error
        The standard error of the data's gap, in units of which gaps are compared.
    """

    p_value: float
    p_floor: float
    gaps: np.ndarray
    error: float

    def band(self, *, confidence: float, signed: bool) -> tuple[float, float, float]:
        """Return median, lower and upper end of the gaps that come from chance.

        The band holds ``confidence`` of them: of signed gaps the middle, of sizes the smallest,
        because the test calls only large sizes unusual. The data lie outside it where the p-value
        is below 1 - ``confidence``.
        """
        if not len(self.gaps):
            return np.nan, np.nan, np.nan
        tail = (1 - confidence) / 2 if signed else 0.0
        low, median, high = np.quantile(self.gaps, [tail, 0.5, tail + confidence])
        return float(median), float(low), float(high)

    def critical(self, level: float) -> float:
        """Return the critical value: the smallest gap with a p-value of at most ``level``."""
        as_large = int(level * len(self.gaps) + TOLERANCE)
        if not as_large or self.p_floor > level + TOLERANCE:
            return np.nan
        return float(np.sort(np.abs(self.gaps))[-as_large])


def compare(values: np.ndarray, errors: np.ndarray, permuted: Drawn, *, signed: bool) -> Chance:
    """Compare the data's gap with those of the assignments, either sign counting.

    Gaps are compared in units of their standard errors (Janssen 1997, Chung & Romano 2013). Plain
    gaps hold the level only where groups differ in nothing: with ten subjects of one sample per
    label against thirty of four to six, 25 of 100 simulated studies without bias gave p <= 0.05, in
    units of the standard error 3 (docs/calibration.md).

    Parameters
    ----------
    values, errors
        (1 + P,) gaps and their standard errors, the data's own first. Missing gaps (a label that
        one group cannot estimate) are passed over: the test then holds given that it can be
        estimated.
    permuted
        What the rows belong to. For drawn assignments the data count as one more (Phipson & Smyth
        2010), so that the level holds.
    signed
        Whether a gap may be below 0.

    Returns
    -------
    Without p-value if the data's gap is missing or more than half of the others are.
    """
    usable = ~(np.isnan(values[1:]) | np.isnan(errors[1:]))
    if np.isnan(values[0]) or 2 * usable.sum() < len(usable):
        return Chance(p_value=np.nan, p_floor=np.nan, gaps=values[:0], error=np.nan)
    others, own = values[1:][usable], values[0]
    units = in_units(values, errors)
    size, chance = abs(units[0]), units[1:][usable]
    hits = int((np.abs(chance) >= size * (1 - TOLERANCE) - TOLERANCE).sum())
    p_value = hits / len(chance) if permuted.enumerated else (1 + hits) / (1 + len(chance))
    # Back on the data's scale; a group without any spread leaves only the plain gaps.
    scaled = chance * errors[0] if errors[0] > 0 else others
    limit = max(1.0, float(np.abs(others).max(initial=abs(own))))
    scaled = np.clip(scaled, -limit, limit)
    both = signed and permuted.mirrored
    # With fewer to compare with, the most extreme data reach less.
    fewer = len(usable) / len(chance)
    return Chance(
        p_value=p_value,
        p_floor=permuted.floor * fewer
        if permuted.enumerated
        else max(permuted.floor, 1 / (1 + len(chance))),
        gaps=np.concatenate([scaled, -scaled]) if both else scaled,
        error=float(errors[0]),
    )


def simultaneous(
    values: np.ndarray, errors: np.ndarray, permuted: Drawn, *, confidence: float
) -> tuple[np.ndarray, float]:
    """Compare every label's gap with the largest of all labels in each assignment.

    The chance of a single false alarm among the labels is held (max-t: Westfall & Young 1993,
    "Resampling-based multiple testing").

    Parameters
    ----------
    values, errors
        (1 + P, L) gaps and their standard errors, the data's own first; NaN where a label does not
        count.
    permuted
        What the rows belong to.
    confidence
        Level of the second result.

    Returns
    -------
    p-values (L,), NaN where a label does not count; and the gap in units of its standard error that
    the largest of all labels stays within with this confidence, NaN without labels.
    """
    units = np.abs(in_units(values, errors))
    units[np.isnan(errors)] = np.nan
    own = units[0]
    chance = units[1:][:, ~np.isnan(own)]
    chance = chance[~np.isnan(chance).all(axis=1)]
    if not chance.size or 2 * len(chance) < len(values) - 1:
        return np.full(len(own), np.nan), np.nan
    largest = np.nanmax(chance, axis=1)
    hits = (largest[:, None] >= own * (1 - TOLERANCE) - TOLERANCE).sum(axis=0).astype(float)
    hits[np.isnan(own)] = np.nan
    p_values = hits / len(largest) if permuted.enumerated else (1 + hits) / (1 + len(largest))
    return p_values, float(np.quantile(largest, confidence, method="higher"))


def in_units(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Divide gaps by their errors; a gap without any spread behind it is beyond every other."""
    endless = np.where(np.abs(values) > TOLERANCE, np.copysign(np.inf, values), 0.0)
    return np.divide(values, errors, out=endless, where=errors > TOLERANCE)


@functools.lru_cache(maxsize=8)
def _enumerated(sizes: tuple[int, ...], *, exchanged: bool) -> np.ndarray:
    """List assignments as (P, S) group numbers, from the first group to the last.

    Unless ``exchanged``, groups have one size, and of assignments that only exchange their names
    the one is listed in which groups stand in the order of their first subjects.
    """
    n, taken = sum(sizes), sizes[0]
    if len(sizes) == 1:
        return np.zeros((1, n), dtype=np.int8)
    fixed = int(not exchanged)
    some = itertools.combinations(range(fixed, n), taken - fixed)
    rows = math.comb(n - fixed, taken - fixed)
    flat = np.fromiter(itertools.chain.from_iterable(some), dtype=np.int64)
    inside = np.zeros((rows, n), dtype=bool)
    inside[:, :fixed] = True
    inside[np.arange(rows)[:, None], flat.reshape(rows, taken - fixed)] = True
    later = _enumerated(sizes[1:], exchanged=exchanged) + np.int8(1)
    permuted = np.zeros((rows, len(later), n), dtype=np.int8)
    outside = np.broadcast_to(~inside[:, None], permuted.shape)
    permuted[outside] = np.broadcast_to(later, (rows, *later.shape)).ravel()
    return permuted.reshape(-1, n)

"""Other test subjects: what a gap and its verdict would be if the test people were drawn again.

The tested subjects stand for all people that could have been tested: test sets of a given size are
drawn from each group with replacement. Subsets without replacement would share their people and
differ too little: half of a group varies by 0.7 of what new people would. Models are not trained
again.

Where a gap has a sign, each redrawn test set gets its own verdict, from the expanded percentile
interval over its subjects (``resampling``): above 0, below 0, or including it. Gaps of the area
under the ROC curve are no function of counts and have no rows.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import (
    architectures,
    fairness_criteria,
    gaps,
    permutation,
    rates,
    resampling,
)
from facebias.evaluation import counts as counting
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.comparison import counted
from facebias.evaluation.counts import Counts
from facebias.stages.evaluation import Redraws
from facebias.study import Resampling
from facebias.tables import comparisons

REDRAWS = 500
AT_ONCE = 25  # test sets resampled together: bounds the memory
# Test subjects of each group: the published study has five; then as many as were tested.
SIZES = (5, 10, 20, 50)
# The side of 0 on which an interval lies.
SIDES = {1: "above 0", -1: "below 0", 0: "includes 0"}
NO_SIGN = "no verdict: a size cannot be below 0"
Key = tuple[str, str]


def redraws(
    models: Mapping[str, Counts], found: Grouping, train_split: str, *, evaluation: Resampling
) -> pd.DataFrame:
    """Draw the test subjects again, and say how gaps and verdicts of two groups change.

    Parameters
    ----------
    models
        Counts by architecture, all tested on the same subjects and trained on ``train_split``.
    found
        The groups.
    train_split
        Its name.
    evaluation
        Resamples, confidence, seed, and the subjects a group needs.

    Returns
    -------
    A ``tables.REDRAWS`` table. ``low`` to ``high`` hold the middle ``confidence`` of the redrawn
    gaps. ``share_sign_flipped``: with the sign opposite to that of all tested subjects;
    ``share_above``, ``share_below``, ``share_open``: verdicts; ``share_verdict_flipped``: another
    verdict than that of all tested subjects, which is ``verdict``; ``share_smallest``: how often
    this architecture has the smallest gap (by size) of all. Shares are of the ``n_redraws`` in
    which the gap can be estimated.
    """
    rows: list[dict[str, object]] = []
    for pair in itertools.combinations(found.members, 2):
        parts = {
            name: [counts.of(found.members[group]) for group in pair]
            for name, counts in models.items()
        }
        rows += ({**row, **comparisons.pair(*pair)} for row in _pair(pair, parts, evaluation))
    frame = pd.DataFrame(rows, columns=[*tables.REDRAWS.columns])
    frame = frame.assign(train_split=train_split, attribute=found.attribute)
    return tables.check(frame, tables.REDRAWS)


def sizes(smallest: int) -> list[int]:
    """List how many subjects of each group to draw where the smaller group has ``smallest``.

    >>> sizes(10), sizes(12), sizes(4)
    ([5, 10], [5, 10, 12], [4])
    """
    return [*(size for size in SIZES if size < smallest), smallest]


def _pair(
    pair: tuple[str, str], parts: Mapping[str, Sequence[Counts]], evaluation: Resampling
) -> Iterator[dict[str, object]]:
    first = next(iter(parts.values()))
    keys = fairness_criteria.defined(fairness_criteria.of_labels(exclusive=first[0].exclusive))
    people = [len(part.subjects) for part in first]
    few = [
        f"{name}: {counted(n)}, {evaluation.min_subjects} needed"
        for name, n in zip(pair, people, strict=True)
        if n < evaluation.min_subjects
    ]
    if few:
        for architecture, key in itertools.product(parts, keys):
            yield _row(architecture, key, 0, sum(people), note="; ".join(few))
        return
    for size in sizes(min(people)):
        drawn = [_drawn(part.subjects, size, seed=evaluation.seed) for part in first]
        gaps_drawn = {name: _gaps(part, drawn) for name, part in parts.items()}
        smallest = _smallest(gaps_drawn)
        for architecture, part in parts.items():
            sides = _sides(part, drawn, evaluation)
            for key in keys:
                row = _row(architecture, key, size, sum(people))
                row |= _spread(gaps_drawn[architecture][key], evaluation.confidence)
                row |= _flips(gaps_drawn[architecture][key], sides.get(key))
                if len(parts) > 1:
                    row["share_smallest"] = smallest[architecture, key]
                yield row


def _row(
    architecture: str, key: Key, size: int, people: int, *, note: str | None = None
) -> dict[str, object]:
    facts = {"architecture": architecture, "criterion": key[0], "definition": key[1]}
    return {**facts, "n_drawn": size, "n_subjects": people, "n_redraws": 0, "note": note}


def _drawn(subjects: np.ndarray, size: int, *, seed: int) -> np.ndarray:
    """Draw places among the subjects, (REDRAWS, size): the same for every model."""
    random = resampling.generator(subjects, seed=seed, what=f"redraw {size}")
    return random.integers(len(subjects), size=(REDRAWS, size))


def _gaps(parts: Sequence[Counts], drawn: Sequence[np.ndarray]) -> dict[Key, np.ndarray]:
    """Compute every gap of all tested subjects, then of each redrawn test set: (1 + D,)."""
    summed = [
        np.concatenate([part.table.sum(axis=0)[None], part.table[places].sum(axis=1)])
        for part, places in zip(parts, drawn, strict=True)
    ]
    return gaps.between(summed, criteria=fairness_criteria.of_labels(exclusive=parts[0].exclusive))


def _smallest(models: Mapping[str, Mapping[Key, np.ndarray]]) -> dict[tuple[str, Key], float]:
    """Say how often each model has the smallest gap of all; ties are shared out."""
    shares = {}
    for key in next(iter(models.values())):
        sizes_drawn = np.abs(np.stack([values[key][1:] for values in models.values()]))
        sizes_drawn = sizes_drawn[:, ~np.isnan(sizes_drawn).any(axis=0)]
        # 0.9 - 0.8 and 0.1 - 0 are one gap, but for the last bits.
        least = sizes_drawn <= sizes_drawn.min(axis=0, initial=np.inf) + permutation.TOLERANCE
        share = rates.divide(least.astype(float), least.sum(axis=0))
        for name, of_model in zip(models, share, strict=True):
            shares[name, key] = float(of_model.mean()) if of_model.size else np.nan
    return shares


def _spread(values: np.ndarray, confidence: float) -> dict[str, object]:
    usable = values[1:][~np.isnan(values[1:])]
    row: dict[str, object] = {"estimate": values[0], "n_redraws": len(usable)}
    if np.isnan(values[0]) or not len(usable):
        return {**row, "note": "not estimable"}
    tail = (1 - confidence) / 2
    low, median, high = np.quantile(usable, [tail, 0.5, 1 - tail])
    return {**row, "low": low, "median": median, "high": high}


def _flips(values: np.ndarray, sides: np.ndarray | None) -> dict[str, object]:
    """Compare signs and verdicts of the redrawn test sets with those of all tested subjects."""
    redrawn = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(redrawn):
        return {}
    if sides is None:
        return {"note": NO_SIGN}
    row: dict[str, object] = {}
    own = float(_signs(values[:1])[0])
    if own:
        row["share_sign_flipped"] = float((_signs(redrawn) == -own).mean())
    known = sides[1:][~np.isnan(sides[1:])]
    if np.isnan(sides[0]) or not len(known):
        return row
    shares = {side: float((known == side).mean()) for side in SIDES}
    return {
        **row,
        "verdict": SIDES[int(sides[0])],
        **dict(zip(("share_above", "share_below", "share_open"), shares.values(), strict=True)),
        "share_verdict_flipped": 1 - shares[int(sides[0])],
    }


# ----------------------------------------------------------------------------------------- verdicts


def _sides(
    parts: Sequence[Counts], drawn: Sequence[np.ndarray], evaluation: Resampling
) -> dict[Key, np.ndarray]:
    """Say on which side of 0 the interval of every signed gap lies: 1, -1, 0, NaN without one.

    Returns
    -------
    (1 + D,): of all tested subjects, then of each redrawn test set.
    """
    everybody = [np.arange(len(part.subjects))[None] for part in parts]
    found = {}
    for name, criterion in fairness_criteria.of_labels(exclusive=parts[0].exclusive).items():
        if "signed" in criterion.definitions:
            counted_of = [_Rated.of(criterion.rates[0], part.table) for part in parts]
            found[name, "signed"] = np.concatenate(
                [_sides_of(counted_of, places, evaluation) for places in (everybody, drawn)]
            )
    return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Rated:
    """What a rate is made of, per subject, and how: sums of (C, S, L) to the rate."""

    counts: np.ndarray
    rate: Callable[[Sequence[np.ndarray]], np.ndarray]
    known: np.ndarray

    @classmethod
    def of(cls, name: str, table: np.ndarray) -> _Rated:
        """Take a ratio as its two sums, which is half the work, and any other rate as counts."""
        known = rates.entering(name, table.sum(axis=0)) > 0
        if name not in rates.RATIOS:
            counts = np.moveaxis(table, -1, 0)
            return cls(
                counts=counts, rate=lambda sums: rates.rate(name, np.stack(sums, -1)), known=known
            )
        counts = np.stack(rates.RATIOS[name].sums(table))
        return cls(counts=counts, rate=lambda sums: rates.divide(*sums), known=known)


def _sides_of(
    counts: Sequence[_Rated], drawn: Sequence[np.ndarray], evaluation: Resampling
) -> np.ndarray:
    """Return the side of 0 of D test sets: (D, size) places among the subjects, per group."""
    kept = np.all([each.known for each in counts], axis=0)
    subjects = min(places.shape[1] for places in drawn)
    if subjects < 2:
        return np.full(len(drawn[0]), np.nan)
    # The same resamples for all test sets: places in a test set are drawn, not people.
    weights = [
        resampling.weights(
            np.array([f"group {group}, place {place}" for place in range(places.shape[1])]),
            resamples=evaluation.resamples,
            seed=evaluation.seed,
        )
        for group, places in enumerate(drawn)
    ]
    ends = []
    for start in range(0, len(drawn[0]), AT_ONCE):
        a, b = (
            each.rate(
                [weight @ count[:, kept][places[start : start + AT_ONCE]] for count in each.counts]
            )
            for weight, each, places in zip(weights, counts, drawn, strict=True)
        )
        ends += [
            resampling.interval(values, confidence=evaluation.confidence, subjects=subjects)
            for values in rates.average(a - b)
        ]
    low, high = np.array(ends).T
    return np.where(np.isnan(low), np.nan, (_signs(low) > 0).astype(float) - (_signs(high) < 0))


def _signs(values: np.ndarray) -> np.ndarray:
    """Return signs; sums of the same counts in another order may miss 0 by the last bits."""
    return np.where(np.abs(values) < permutation.TOLERANCE, 0.0, np.sign(values))


def main(arguments: list[str]) -> None:
    """Draw the test subjects of one train split again and see how its gaps change."""
    asked = Redraws.of(arguments)
    evaluation = asked.settings.evaluation
    found, models = architectures.compared(asked)
    counted_by_name = {
        name: counting.count(model.scores, weights=evaluation.weights)
        for name, model in models.items()
    }
    table = redraws(counted_by_name, found, asked.train_split, evaluation=evaluation)
    tables.write(table, asked.out, tables.REDRAWS)

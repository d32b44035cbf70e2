"""Relevance by group: how much of a heatmap lies where it should, and for whom more does.

The unit is the subject: a mean over samples is a ratio of sums over subjects, whose people are
resampled for intervals and permuted across groups for p-values, as for rates.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import detectable, permutation, power, rates, resampling, standard_errors
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.comparison import Comparison, compare
from facebias.evaluation.counts import SUBJECTS
from facebias.evaluation.outcomes import ANY, OUTCOMES
from facebias.study import Resampling, StudyError
from facebias.tables import comparisons

OVERALL = tables.OVERALL
# Where gaps are looked for: the label's own Action Units, and where nothing should be found.
OWN = "units"
COMPARED = (OWN, "background", "hair")
MEANS = (
    *("positive", "absolute", "signed", "rank_accuracy", "pointing", "area", "ratio"),
    *("absolute_ratio", "signed_ratio", "rank_accuracy_ratio", "pointing_ratio"),
)
HIT_RATE, NOWHERE = "hit_rate", "none"
CELL = ("method", "architecture", "train_split")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sums:
    """Sums of a measure over the samples of S subjects, by L labels.

    ``values``: weighted sums; ``weights``: what these samples weigh; ``samples``: how many they
    are; (S, L) each.
    """

    values: np.ndarray
    weights: np.ndarray
    samples: np.ndarray

    @property
    def both(self) -> np.ndarray:
        """Values and weights, (S, L, 2), so that subjects are drawn for both at once."""
        return np.stack([self.values, self.weights], axis=-1)


def sums(rows: pd.DataFrame, measure: str, subjects: np.ndarray, labels: Sequence[str]) -> Sums:
    """Add up a measure; samples in which it is missing do not count.

    Parameters
    ----------
    rows
        One per sample, with ``subject``, ``explained``, ``weight`` and the measure.
    measure
        A column.
    subjects, labels
        (S,) and L names, in the order of the result.
    """
    known = rows[rows[measure].notna()]
    places = (
        pd.Index(subjects).get_indexer(known["subject"].astype(str)),
        pd.Index(labels).get_indexer(known["explained"]),
    )
    weight = known["weight"].to_numpy()
    values, weights, samples = np.zeros((3, len(subjects), len(labels)))
    np.add.at(values, places, known[measure].to_numpy(dtype=float) * weight)
    np.add.at(weights, places, weight)
    np.add.at(samples, places, 1.0)
    return Sums(values=values, weights=weights, samples=samples)


def means(total: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return means by label and, last, over the ``kept`` labels: (R, L, 2) to (R, L + 1).

    NaN without samples; in rows in which a kept label is lost, the mean over labels is.
    """
    each = rates.divide(total[..., 0], total[..., 1])
    return np.concatenate([each, rates.average(each[:, kept])[:, None]], axis=1)


def cells(
    located: pd.DataFrame, explained: pd.DataFrame, *, weights: str = "samples"
) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Yield every method, architecture and train split with the rows of its samples and regions.

    ``weight`` says what each sample counts: 1, or with ``weights`` of ``subjects`` 1 / (explained
    samples of its person).

    Parameters
    ----------
    located
        ``tables.RELEVANCE`` of all models.
    explained
        From ``outcomes``.
    """
    key = ["method", *tables.MODEL, "sample"]
    facts = explained[[*key, "explained", "outcome"]]
    joined = located.merge(facts, on=key, how="left", validate="many_to_one")
    if joined["explained"].isna().any():
        row = joined[joined["explained"].isna()].iloc[0]
        raise StudyError(
            f"relevance: sample {row['sample']} of {row['architecture']}, {row['train_split']} is "
            "not among the explanations; run the target heatmaps again"
        )
    for names, rows in joined.groupby(list(CELL), sort=False):
        weighted = rows.assign(weight=_weight(rows) if weights == SUBJECTS else 1.0)
        yield dict(zip(CELL, map(str, names), strict=True)), weighted


def _weight(rows: pd.DataFrame) -> pd.Series:
    samples = rows.drop_duplicates(["seed", "sample"])["subject"].value_counts()
    return 1 / rows["subject"].map(samples)


def selections(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield region, outcome and rows of everything that is summed up.

    Outcomes are told apart only where gaps are looked for, and only those that occur.
    """
    for region, inside in rows.groupby("region", sort=False):
        yield str(region), ANY, inside
        if region in COMPARED:
            present = [name for name in OUTCOMES[1:] if (inside["outcome"] == name).any()]
            for outcome in present:
                yield str(region), outcome, inside[inside["outcome"] == outcome]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tested:
    """The explained people of a study, their groups, and the labels that are explained."""

    subjects: np.ndarray
    labels: tuple[str, ...]
    groups: Grouping
    beside: Comparison
    evaluation: Resampling


def tested(
    rows: pd.DataFrame, labels: Sequence[str], groups: Grouping, evaluation: Resampling
) -> Tested:
    """Put the subjects of ``rows`` side by side by group."""
    subjects = np.unique(rows["subject"].astype(str))
    everybody = np.ones(len(subjects), dtype=bool)
    return Tested(
        subjects=subjects,
        labels=tuple(name for name in labels if (rows["explained"] == name).any()),
        groups=groups,
        beside=compare(subjects, groups, everybody, evaluation=evaluation),
        evaluation=evaluation,
    )


def of_groups(rows: pd.DataFrame, people: Tested) -> list[dict[str, object]]:
    """Return the rows of ``tables.RELEVANCE_MEANS`` of one method, architecture and train split.

    ``n_samples`` and ``n_fitted`` are averaged over seeds and rounded.
    """
    found, n_seeds = [], rows["seed"].nunique()
    for region, outcome, chosen in selections(rows):
        counted = {name: sums(chosen, name, people.subjects, people.labels) for name in MEANS}
        fitted = chosen[chosen["landmarks"] == tables.FITTED]
        fitted = sums(fitted, "positive", people.subjects, people.labels).samples
        for group, places in people.beside.members.items():
            found += [
                {"region": region, "outcome": outcome, "group": group, **row}
                for row in _group(counted, fitted, group, places, people, n_seeds)
            ]
    return found


def _group(
    counted: Mapping[str, Sums],
    fitted: np.ndarray,
    group: str,
    places: np.ndarray,
    people: Tested,
    n_seeds: int,
) -> Iterator[dict[str, object]]:
    drawn = people.beside.resampled(group, counted["positive"].both)
    kept = drawn[0, :, 1] > 0
    intervals = means(drawn, kept)
    plain = {
        name: means(total.both[places].sum(axis=0)[None], kept)[0]
        for name, total in counted.items()
    }
    samples = counted["positive"].samples[places]
    for place, label in enumerate([*people.labels, OVERALL]):
        here = slice(None) if label == OVERALL else [place]
        own = samples[:, here]
        entering = int((own.sum(axis=1) > 0).sum())
        ends = (np.nan, np.nan)
        if entering >= 2:
            ends = resampling.interval(
                intervals[:, place], confidence=people.evaluation.confidence, subjects=entering
            )
        yield {
            "label": label,
            **{name: value[place] for name, value in plain.items()},
            **dict(zip(("ci_low", "ci_high"), ends, strict=True)),
            "n_subjects": entering,
            "n_samples": round(float(own.sum()) / n_seeds),
            "n_fitted": round(float(fitted[places][:, here].sum()) / n_seeds),
        }


def pairs(people: Tested) -> list[Pair]:
    """Put every two groups side by side, in their order."""
    return [Pair.of(names, people) for names in itertools.combinations(people.beside.members, 2)]


def gaps(rows: pd.DataFrame, pair: Pair) -> list[dict[str, object]]:
    """Return the gaps of two groups for one method, architecture and train split, not yet judged.

    Rows of ``tables.RELEVANCE_GAPS`` without its columns ``tables.JUDGED``, in every selection; of
    the own units also in the ratio to the area, and in the rate at which the explained label is
    hit where it is present. ``n_samples`` is averaged over seeds and rounded.
    """
    found, n_seeds = [], rows["seed"].nunique()
    for region, outcome, chosen in selections(rows):
        for measure in ("positive", "ratio") if region == OWN else ("positive",):
            found += [
                {"region": region, "outcome": outcome, "measure": measure, **row}
                for row in pair.gaps(chosen, measure, n_seeds)
            ]
    found += [
        {"region": NOWHERE, "outcome": ANY, "measure": HIT_RATE, **row}
        for row in pair.gaps(with_label(rows), HIT_RATE, n_seeds)
    ]
    return found


def with_label(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep one row per sample that shows the explained label, and say whether it is a hit."""
    once = rows[(rows["region"] == OWN) & rows["outcome"].isin(["hit", "miss"])]
    return once.assign(**{HIT_RATE: (once["outcome"] == "hit").astype(float)})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pair:
    """Two groups side by side: the first minus the second."""

    names: tuple[str, str]
    people: Tested
    permuted: permutation.Assignments | None

    @classmethod
    def of(cls, names: tuple[str, str], people: Tested) -> Pair:
        """Deal the subjects of two groups; None where one of them is too small."""
        members, permuted = people.beside.members, None
        if set(names) <= set(people.beside.large):
            permuted = permutation.assignments(
                [people.subjects[members[name]] for name in names],
                draws=people.evaluation.permutations,
                seed=people.evaluation.seed,
                # A study has hundreds of these gaps: sooner than of rates, ways are drawn.
                most=people.evaluation.permutations,
            )
        return cls(names=names, people=people, permuted=permuted)

    @property
    def places(self) -> list[np.ndarray]:
        """Places of the subjects of both groups among all."""
        return [self.people.beside.members[name] for name in self.names]

    def resampled(self, counted: Sums) -> np.ndarray:
        """Return the gap of every label and, last, their mean: (1 + B, L + 1), the data first."""
        return difference([self.people.beside.resampled(name, counted.both) for name in self.names])

    def by_chance(self, counted: Sums) -> tuple[np.ndarray, np.ndarray]:
        """Return the same gaps for every permutation of the subjects, and their standard errors."""
        assert self.permuted is not None  # both groups are large enough
        together = np.concatenate(self.places)
        parts = [
            standard_errors.of_sums(members, counted.values[together], counted.weights[together])
            for members in self.permuted.members
        ]
        each = parts[0].rate - parts[1].rate
        kept = ~np.isnan(each[0])
        values = np.concatenate([each, rates.average(each[:, kept])[:, None]], axis=1)
        variances = np.sum([part.variance for part in parts], axis=0)
        overall = (
            np.sum([part.variance_of_mean(kept) for part in parts], axis=0)
            if kept.any()
            else np.full(len(each), np.nan)
        )
        return values, np.sqrt(np.concatenate([variances, overall[:, None]], axis=1))

    def gaps(self, rows: pd.DataFrame, measure: str, n_seeds: int) -> Iterator[dict[str, object]]:
        """Yield a row per label and for their mean."""
        people = self.people
        counted = sums(rows, measure, people.subjects, people.labels)
        entering = np.stack([(counted.samples[places] > 0).sum(axis=0) for places in self.places])
        overall = [(counted.samples[places].sum(axis=1) > 0).sum() for places in self.places]
        entering = np.column_stack([entering, overall])
        enough = np.all(entering >= people.evaluation.min_subjects, axis=0)
        samples = sum(counted.samples[places].sum(axis=0) for places in self.places)
        if self.permuted is not None and enough.any():
            values, left_out = self.resampled(counted), self._left_out(counted)
            by_chance, errors = self.by_chance(counted)
        for place, label in enumerate([*people.labels, OVERALL]):
            row: dict[str, object] = {
                "label": label,
                **comparisons.pair(*self.names),
                "n_subjects": int(entering[:, place].sum()),
                "n_samples": round(
                    float(samples.sum() if label == OVERALL else samples[place]) / n_seeds
                ),
                **dict.fromkeys(("estimate", "ci_low", "ci_high", *tables.CHANCE), np.nan),
                "note": None,
            }
            if self.permuted is None or not enough[place]:
                few = [
                    f"{name}: {n} subjects with such a sample, "
                    f"{people.evaluation.min_subjects} needed"
                    for name, n in zip(self.names, entering[:, place], strict=True)
                    if n < people.evaluation.min_subjects
                ]
                yield row | {"note": "; ".join(few) or None}
                continue
            chance = permutation.compare(
                by_chance[:, place], errors[:, place], self.permuted, signed=True
            )
            ends = resampling.interval(
                values[:, place],
                confidence=people.evaluation.confidence,
                subjects=int(entering[:, place].min()),
                left_out=None if left_out is None else [part[:, place] for part in left_out],
            )
            level = 1 - people.evaluation.confidence
            smallest = detectable.of_shift(
                values[:, place],
                errors[:, place],
                chance,
                level=level,
                subjects=int(entering[:, place].min()),
            )
            yield row | {
                "estimate": resampling.exact(values[0, place]),
                "ci_low": ends[0],
                "ci_high": ends[1],
                **power.beside(chance, level=level, signed=True, detectable=smallest),
            }

    def _left_out(self, counted: Sums) -> list[np.ndarray] | None:
        if self.people.evaluation.interval != "bca":
            return None
        both = [counted.both[places] for places in self.places]
        return [
            difference([resampling.weighted(*part) for part in zip(drawn, both, strict=True)])[1:]
            for drawn in resampling.left_out([len(places) for places in self.places])
        ]


def difference(totals: Sequence[np.ndarray]) -> np.ndarray:
    """Return the gaps a - b of two totals (R, L, 2): by label and, last, their mean, (R, L + 1).

    The mean is over the labels that the data, in the first row, can estimate in both groups.
    """
    kept = np.all([total[0, :, 1] > 0 for total in totals], axis=0)
    first, second = (means(total, kept) for total in totals)
    return first - second

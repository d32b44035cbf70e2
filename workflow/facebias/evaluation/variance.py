"""Sources of variance apart: how much of a gap's uncertainty is people, and how much is training.

Every seed scores every test subject, so both are crossed random effects. A gap is linearised: each
subject and seed moves it by its share of the derivative (infinitesimal jackknife, Jaeckel 1972;
Efron 1982, chapter 6), which turns any gap into a sum over a table of subjects by seeds, and this
is taken apart (``components``). Of sizes of gaps near 0, which fold there, it is rough.

Intervals of subjects and seeds together draw both with replacement and multiply the numbers of
times that they are drawn (Owen 2007, "The pigeonhole bootstrap"; Owen & Eckles 2012, "Bootstrapping
data arrays of arbitrary order"). It counts the interaction up to three times, which errs on the
safe side. They are widened for few subjects and few seeds by the degrees of freedom of the total
(Satterthwaite 1946): in simulated studies with 5 to 20 subjects a group they held the truth in 92
to 98 of 100 with three seeds or more, and with two seeds that differ much in 87 to 96.

Train splits and architectures are what is compared: fixed, and no source of variance.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import architectures, fairness_criteria, gaps, resampling
from facebias.evaluation import seeds as counting
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.comparison import counted
from facebias.evaluation.components import (
    FOLDS,
    INTERACTION,
    SEEDS,
    SUBJECTS,
    Components,
    components,
    freedom,
)
from facebias.evaluation.seeds import SeedCounts
from facebias.stages.evaluation import Variance
from facebias.study import Resampling
from facebias.tables import comparisons

TOTAL = "total"
# Small enough for a derivative, large enough for the digits of a double.
STEP = 1e-5
ONE_SEED = "one seed: what training leaves to chance cannot be told; give `seeds` more than one"
ONE_FOLD = "one hold-out: what another choice of training subjects would change cannot be told"
NO_GROUP = "a fold holds nobody of one group, so folds cannot be compared"
Key = tuple[str, str]


def variance(
    counted_by_seed: SeedCounts,
    found: Grouping,
    model: Mapping[str, str],
    *,
    evaluation: Resampling,
) -> pd.DataFrame:
    """Split the variance of every gap between two groups into its sources.

    Rows per gap: ``subjects``; ``folds``, what is left of differences between folds after their
    test subjects; ``seeds``, retraining in all folds; ``interaction`` of subjects and seeds; and
    ``total``. Gaps of the area under the ROC curve are no function of counts and have no rows.
    ``subjects``, ``seeds`` and ``total`` have the interval that comes from drawing only
    that anew, or both.

    With a single seed the interaction is part of ``subjects``, and ``seeds`` and ``interaction``
    are missing; with a single fold ``folds`` is. What is missing is not in ``total``.

    Parameters
    ----------
    counted_by_seed
        Counts of all tested subjects.
    found
        The groups; pairs with a group of fewer than ``min_subjects`` are missing.
    model
        ``architecture``, ``train_split``.
    evaluation
        Resamples, confidence, seed, and the subjects a group needs.

    Returns
    -------
    A ``tables.VARIANCE`` table.
    """
    parts = {name: counted_by_seed.of(members) for name, members in found.members.items()}
    rows = []
    for pair in itertools.combinations(parts, 2):
        rows += _pair(pair, [parts[name] for name in pair], evaluation)
    frame = pd.DataFrame(rows, columns=[*tables.VARIANCE.columns])
    return tables.check(frame.assign(**model, attribute=found.attribute), tables.VARIANCE)


def _pair(
    pair: tuple[str, str], parts: Sequence[SeedCounts], evaluation: Resampling
) -> list[dict[str, object]]:
    needed = evaluation.min_subjects
    few = [
        f"{name}: {counted(len(part.subjects))}, {needed} needed"
        for name, part in zip(pair, parts, strict=True)
        if len(part.subjects) < needed
    ]
    keys = fairness_criteria.defined(fairness_criteria.of_labels(exclusive=parts[0].exclusive))
    moved = {} if few else influence(parts)
    drawn = {} if few else intervals(parts, moved, evaluation=evaluation)
    rows = []
    for key in keys:
        facts = {**comparisons.pair(*pair), "criterion": key[0], "definition": key[1]}
        known = not few and not np.isnan(drawn[key][TOTAL][0])
        split = components(moved[key], [part.folds for part in parts]) if known else None
        for row in _rows(split, drawn.get(key, {}), parts):
            note = "; ".join(few) if few else row["note"] if known else "not estimable"
            rows.append({**facts, **row, "note": note})
    return rows


# ------------------------------------------------------------------------------ subjects and seeds


def influence(parts: Sequence[SeedCounts]) -> dict[Key, list[np.ndarray]]:
    """Say how much every subject and seed moves each gap.

    Returns
    -------
    (criterion, definition) to one array (n, R) per group. Drawing other subjects or seeds changes
    the gap by about the sum over groups of the means of what is drawn.
    """
    criteria = fairness_criteria.of_labels(exclusive=parts[0].exclusive)
    means = [part.table.sum(axis=(0, 1))[None] / len(part.seeds) for part in parts]
    found: dict[Key, list[np.ndarray]] = {}
    for position, part in enumerate(parts):
        n, n_seeds = part.table.shape[:2]
        cells = part.table.reshape(n * n_seeds, *part.table.shape[2:]) / n_seeds
        moved = [np.broadcast_to(mean, (1 + len(cells), *mean.shape[1:])) for mean in means]
        moved[position] = np.concatenate([means[position], means[position] + STEP * cells])
        for key, values in gaps.between(moved, criteria=criteria).items():
            slope = (values[1:] - values[0]) / STEP
            found.setdefault(key, []).append(slope.reshape(n, n_seeds) * n * n_seeds)
    return found


def intervals(
    parts: Sequence[SeedCounts],
    moved: Mapping[Key, Sequence[np.ndarray]],
    *,
    evaluation: Resampling,
) -> dict[Key, dict[str, tuple[float, float, float]]]:
    """Draw subjects, seeds, or both anew: estimate and interval of every gap, by what is drawn.

    ``moved`` is the ``influence``, from which the degrees of freedom of both together come.
    """
    seeds, smallest = parts[0].seeds, min(len(part.subjects) for part in parts)
    criteria = fairness_criteria.of_labels(exclusive=parts[0].exclusive)
    people = [_draws(part.subjects, evaluation) for part in parts]
    training = _draws(np.array([f"seed {seed}" for seed in seeds]), evaluation)
    everybody, every_seed = [np.ones_like(drawn) for drawn in people], np.ones_like(training)
    drawn = {
        SUBJECTS: (people, every_seed),
        SEEDS: (everybody, training),
        TOTAL: (people, training),
    }
    found: dict[Key, dict[str, tuple[float, float, float]]] = {}
    for source, (of_people, of_seeds) in drawn.items():
        summed = [
            _crossed(weights, of_seeds, part.table)
            for weights, part in zip(of_people, parts, strict=True)
        ]
        for key, values in gaps.between(summed, criteria=criteria).items():
            levels: float = len(seeds) if source == SEEDS else smallest
            if source == TOTAL:
                levels = min(smallest, 1 + freedom(moved[key], [part.folds for part in parts]))
            ends = (np.nan, np.nan)
            if levels > 1:
                ends = resampling.interval(
                    values, confidence=evaluation.confidence, subjects=levels
                )
            found.setdefault(key, {})[source] = (float(values[0]), *ends)
    return found


def _draws(names: np.ndarray, evaluation: Resampling) -> np.ndarray:
    return resampling.weights(names, resamples=evaluation.resamples, seed=evaluation.seed)


def _crossed(people: np.ndarray, seeds: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Add up (S, R, L, 4) counts, each as often as its subject and its seed are drawn."""
    summed = np.zeros((len(people), *table.shape[2:]))
    for position, times in enumerate(seeds.T):
        summed += times[:, None, None] * resampling.weighted(people, table[:, position])
    return summed / seeds.sum(axis=1)[:, None, None]


# --------------------------------------------------------------------------------------------- rows


def _rows(
    split: Components | None,
    drawn: Mapping[str, tuple[float, float, float]],
    parts: Sequence[SeedCounts],
) -> list[dict[str, object]]:
    n_seeds = len(parts[0].seeds)
    folds = len(np.unique(np.concatenate([part.folds for part in parts])))
    n = sum(len(part.subjects) for part in parts)
    levels = {
        SUBJECTS: n,
        FOLDS: folds,
        SEEDS: n_seeds,
        INTERACTION: n * n_seeds,
        TOTAL: n * n_seeds,
    }
    notes = dict.fromkeys(levels)
    if n_seeds == 1:
        notes |= {SEEDS: ONE_SEED, INTERACTION: ONE_SEED, SUBJECTS: "holds the interaction"}
    if folds == 1:
        notes[FOLDS] = ONE_FOLD
    nothing = dict.fromkeys(levels, np.nan)
    own = split.parts(n_seeds=n_seeds) if split else nothing
    single = split.parts(n_seeds=1) if split else nothing
    missing = [name for name in (FOLDS, SEEDS) if np.isnan(own[name])]
    if split and folds > 1 and FOLDS in missing:
        notes[FOLDS] = NO_GROUP
    rough = ["two seeds: rough interval"] if n_seeds == 2 else []
    without = [f"without {' and '.join(missing)}"] if missing else []
    notes[TOTAL] = "; ".join([*without, *rough]) or None
    rows = []
    for source, level in levels.items():
        estimate, low, high = drawn.get(source, (np.nan, np.nan, np.nan))
        rows.append(
            {
                "source": source,
                "levels": level,
                **_share("", own, source),
                **_share("_one_seed", single, source),
                "estimate": estimate,
                "ci_low": low,
                "ci_high": high,
                "note": notes[source],
            }
        )
    return rows


def _share(ending: str, parts: Mapping[str, float], source: str) -> dict[str, float]:
    known = [value for name, value in parts.items() if name != TOTAL and not np.isnan(value)]
    total = sum(known) if known else np.nan
    value = total if source == TOTAL else parts[source]
    return {f"variance{ending}": value, f"share{ending}": value / total if total else np.nan}


def main(arguments: list[str]) -> None:
    """Split the variance of the gaps of one train split into subjects, folds and seeds."""
    asked = Variance.of(arguments)
    evaluation = asked.settings.evaluation
    found, models = architectures.compared(asked)
    parts = [
        variance(
            counting.count(model.scores, model.folds, weights=evaluation.weights),
            found,
            {"architecture": architecture, "train_split": asked.train_split},
            evaluation=evaluation,
        )
        for architecture, model in models.items()
    ]
    tables.write(pd.concat(parts, ignore_index=True), asked.out, tables.VARIANCE)

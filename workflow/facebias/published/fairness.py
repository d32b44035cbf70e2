"""Fairness gaps of published models, and how sure one can be of them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import fairness_criteria, gaps, resampling
from facebias.published import contracts, recovery, uncertainty
from facebias.published.papers import Paper
from facebias.study import StudyError
from facebias.tables import comparisons

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEED = 1
WIDEST = "alike_subjects"
NARROWEST = "independent_samples"
ROUNDING = 9  # decimals: equal gaps come out of sums in another order

# What papers print rates of: of accuracies, each label against the rest, also averaged our way.
PRINTED = {
    name: fairness_criteria.OF_CLASSES[name]
    for name in ("equal_opportunity", "equalized_odds", "accuracy_gap", "demographic_parity")
}
PRINTED["accuracy_gap"] = dataclasses.replace(
    PRINTED["accuracy_gap"], definitions=("signed", *fairness_criteria.UNSIGNED)
)

# Training split and architecture, attribute, assumption; then criterion and definition to the gap
# of the paper and of B resamples, (1 + B,).
Draws = Mapping[tuple[str, str, str, str], Mapping[tuple[str, str], np.ndarray]]


def draws(values: pd.DataFrame, paper: Paper, *, resamples: int = RESAMPLES) -> Draws:
    """Recompute every gap of a paper, and draw it anew under every assumption.

    Groups and architectures are drawn apart from each other. Architectures were tested on the
    same people, but how their errors go together was not published.

    Parameters
    ----------
    values
        From ``papers.values``.
    paper
        With the people and samples of its test sets.
    resamples
        Number B of resamples.

    Raises
    ------
    StudyError
        If the rates of a group contradict each other.
    """
    models, counts, entering = recovery.arrays(recovery.counted(values, paper), paper)
    rest = recovery.one_against_rest(counts, entering)
    found: dict[tuple[str, str, str, str], dict[tuple[str, str], np.ndarray]] = {}
    for (architecture, train), own in zip(
        models.itertuples(index=False, name=None), rest, strict=True
    ):
        for (attribute, pair), (assumption, draw) in itertools.product(
            paper.pairs.items(), uncertainty.ASSUMPTIONS.items()
        ):
            drawn = []
            for group in pair:
                table = own[list(paper.tests).index(group)]
                people = range(paper.tests[group].subjects)
                names = [f"{architecture}/{train}/{group}/{person}" for person in people]
                try:
                    drawn.append(draw(table, np.array(names), resamples=resamples, seed=SEED))
                except StudyError as error:
                    where = f"{architecture}, trained on {train}, tested on {group}"
                    raise StudyError(f"published rates of {where}: {error}") from None
            found[train, architecture, attribute, assumption] = {
                key: np.round(gap, ROUNDING)
                for key, gap in gaps.between(drawn, criteria=PRINTED).items()
            }
    return found


def intervals(drawn: Draws, paper: Paper, *, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Put the gaps of a paper into a table, with an interval under each assumption.

    Returns
    -------
    A ``contracts.INTERVALS`` table.
    """
    rows = []
    for (train, architecture, attribute, assumption), found in drawn.items():
        pair = paper.pairs[attribute]
        for (criterion, definition), gap in found.items():
            low, high = resampling.interval(
                gap, confidence=confidence, subjects=units(assumption, pair, paper)
            )
            rows.append(
                {
                    "architecture": architecture,
                    "train_split": train,
                    "attribute": attribute,
                    **comparisons.pair(*pair),
                    "criterion": criterion,
                    "definition": definition,
                    "assumption": assumption,
                    "estimate": gap[0],
                    "ci_low": low,
                    "ci_high": high,
                    "n_subjects": sum(paper.tests[group].subjects for group in pair),
                    "n_samples": len(paper.labels)
                    * sum(paper.tests[group].samples for group in pair),
                }
            )
    return tables.check(pd.DataFrame(rows), contracts.INTERVALS)


def units(assumption: str, pair: tuple[str, str], paper: Paper) -> int:
    """Return what is drawn of the smaller group: people, or samples of one label."""
    tests = [paper.tests[group] for group in pair]
    of = "subjects" if assumption == WIDEST else "samples"
    return min(getattr(test, of) for test in tests)


def fairness(assumed: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps as a ``tables.FAIRNESS`` table.

    The interval is the widest one; ``note`` names its assumption and gives the narrowest. What
    needs people's own results (p-values, verdicts) is missing.

    Parameters
    ----------
    assumed
        From ``intervals``.
    """
    key = list(tables.GAP_KEY)
    widest = assumed[assumed["assumption"] == WIDEST].set_index(key)
    narrowest = assumed[assumed["assumption"] == NARROWEST].set_index(key).loc[widest.index]
    notes = [
        "assumed: people fare alike in all their samples, the most that chance could do; "
        f"with independent samples {row.ci_low:.3g} to {row.ci_high:.3g}"
        for row in narrowest.itertuples()
    ]
    table = widest.assign(note=notes, label=tables.OVERALL).drop(columns="assumption").reset_index()
    for name, kind in tables.FAIRNESS.columns.items():
        if name not in table:
            table[name] = None if kind == "text" else np.nan
    return tables.check(table, tables.FAIRNESS)


def extremes(drawn: Draws, paper: Paper, *, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Ask whether the most and the least biased architecture differ by more than chance could do.

    The two are picked after seeing all, so the corrected interval is that of every pair at once
    (Bonferroni); so far out it ends where the resamples end. Drawing anew pushes sizes of gaps up,
    small ones most, and so brings them closer: a difference that is not told apart may be real.

    Returns
    -------
    A ``contracts.EXTREMES`` table. ``told_apart`` says whether the corrected interval excludes 0.
    """
    rows = []
    groups = dict.fromkeys((train, *rest) for train, _, *rest in drawn)
    for train, attribute, assumption in groups:
        found = {
            architecture: gap
            for (own, architecture, *rest), gap in drawn.items()
            if (own, *rest) == (train, attribute, assumption)
        }
        n = units(assumption, paper.pairs[attribute], paper)
        pairs = len(found) * (len(found) - 1) / 2
        corrected = 1 - (1 - confidence) / pairs
        for criterion, definition in next(iter(found.values())):
            if definition == "signed":
                continue
            sizes = np.array([gap[criterion, definition] for gap in found.values()])
            least, most = int(sizes[:, 0].argmin()), int(sizes[:, 0].argmax())
            apart = sizes[most] - sizes[least]
            low, high = resampling.interval(apart, confidence=confidence, subjects=n)
            lower, upper = resampling.interval(apart, confidence=corrected, subjects=n)
            rows.append(
                {
                    "train_split": train,
                    "criterion": criterion,
                    "definition": definition,
                    "assumption": assumption,
                    "least": _named(found, sizes, least),
                    "most": _named(found, sizes, most),
                    "difference": apart[0],
                    "ci_low": low,
                    "ci_high": high,
                    "corrected_low": lower,
                    "corrected_high": upper,
                    "least_kept": (sizes[least] <= sizes.min(axis=0))[1:].mean(),
                    "most_kept": (sizes[most] >= sizes.max(axis=0))[1:].mean(),
                    "told_apart": lower > 0,
                }
            )
    return tables.check(pd.DataFrame(rows), contracts.EXTREMES)


def _named(found: Mapping[str, object], sizes: np.ndarray, place: int) -> str:
    """Name an architecture, and those that share its value."""
    same = np.flatnonzero(sizes[:, 0] == sizes[place, 0])
    names = list(found)
    return ", ".join(names[i] for i in [place, *(i for i in same if i != place)])

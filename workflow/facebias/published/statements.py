"""What papers say about their numbers, held against the numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from facebias import tables
from facebias.published import contracts
from facebias.published.fairness import ROUNDING
from facebias.published.papers import Paper
from facebias.study import StudyError
from facebias.tables import comparisons

DEFINITIONS = ("published", "per_class_mean", "worst_class")
MEAN, OVERALL = "mean", "overall"


def rankings(gaps: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Hold statements about the most and least biased against gaps in every unsigned definition.

    Parameters
    ----------
    gaps
        A ``tables.FAIRNESS`` table of the paper.
    said
        From ``papers.rankings``.

    Returns
    -------
    A ``contracts.STATEMENTS`` table. Equal gaps share a rank, and a statement agrees if its
    architecture has the rank that it claims.

    Raises
    ------
    StudyError
        If a statement is about a gap that the table does not have.
    """
    rows = []
    for claim, definition in itertools.product(said.to_dict("records"), DEFINITIONS):
        chosen = gaps[
            (gaps["train_split"] == claim["train_split"])
            & (gaps["criterion"] == claim["criterion"])
            & (gaps["definition"] == definition)
        ]
        sizes = chosen.set_index("architecture")["estimate"].round(ROUNDING)
        if claim["architecture"] not in sizes.index:
            raise StudyError(f"published rankings: no gap for the claim: {claim['claim']}")
        ranks = sizes.rank(method="dense", ascending=claim["end"] == "least").astype(int)
        rank = int(ranks[claim["architecture"]])
        tied = [name for name in ranks.index[ranks == rank] if name != claim["architecture"]]
        agrees = rank == claim["place"]
        holders = ranks.index[ranks == claim["place"]]
        rows.append(
            {
                **claim,
                "definition": definition,
                "value": sizes[claim["architecture"]],
                "rank": rank,
                "tied_with": ", ".join(tied) or None,
                "agrees": agrees,
                "instead": None if agrees else ", ".join(holders) or None,
            }
        )
    return tables.check(pd.DataFrame(rows), contracts.STATEMENTS)


def contrasts(values: pd.DataFrame, said: pd.DataFrame, paper: Paper) -> pd.DataFrame:
    """Hold statements about two printed numbers against them.

    Higher and lower go by the sign; alike is a difference of at most ``paper.resolution``.

    Parameters
    ----------
    values
        From ``papers.values``.
    said
        From ``papers.contrasts``.
    paper
        The paper that printed them.

    Returns
    -------
    A ``contracts.CONTRASTS_CHECKED`` table.
    """
    rows = []
    for claim in said.to_dict("records"):
        a = _average(values, claim, claim["train_a"], claim["test_a"])
        b = _average(values, claim, claim["train_b"], claim["test_b"])
        difference = round(a - b, ROUNDING)
        small = abs(difference) <= paper.resolution
        holds = {"higher": difference > 0, "lower": difference < 0, "alike": small}
        relation = claim["relation"]
        note = f"the difference is no larger than {paper.resolution:g}"
        rows.append(
            {
                **claim,
                "value_a": a,
                "value_b": b,
                "difference": difference,
                "agrees": holds[relation],
                "note": note if small and relation != "alike" else None,
            }
        )
    return tables.check(pd.DataFrame(rows), contracts.CONTRASTS_CHECKED)


def _average(values: pd.DataFrame, claim: dict[str, str], train: str, test: str) -> float:
    """Average a metric over what the claim leaves open: architectures and labels."""
    chosen = values[
        (values["metric"] == claim["metric"])
        & (values["train_split"] == train)
        & (values["test_split"] == test)
    ]
    if claim["architecture"] != MEAN:
        chosen = chosen[chosen["architecture"] == claim["architecture"]]
    if claim["label"] in set(chosen["label"]) or claim["label"] != OVERALL:
        chosen = chosen[chosen["label"] == claim["label"]]
    if chosen.empty:
        raise StudyError(f"published contrasts: no printed number for the claim: {claim['claim']}")
    return float(chosen["printed"].mean())


def differences(values: pd.DataFrame, paper: Paper) -> pd.DataFrame:
    """Subtract the printed numbers of the two groups of every attribute.

    Returns
    -------
    A ``contracts.DIFFERENCES`` table: first group minus second. ``rounding`` is how far the true
    difference may be from the printed one; no more is known of its uncertainty.
    """
    key = ["paper_table", "architecture", "train_split", "metric"]
    rows = []
    for attribute, (a, b) in paper.pairs.items():
        first = values[values["test_split"] == a].set_index(key)
        second = values[values["test_split"] == b].set_index(key)
        for place in first.index.intersection(second.index, sort=False):
            both = [first.loc[place], second.loc[place]]
            decimals = [len(number["value"].partition(".")[2]) for number in both]
            rows.append(
                {
                    **dict(zip(key, place, strict=True)),
                    "attribute": attribute,
                    **comparisons.pair(a, b),
                    "value_a": both[0]["printed"],
                    "value_b": both[1]["printed"],
                    "difference": np.round(both[0]["printed"] - both[1]["printed"], ROUNDING),
                    "rounding": sum(10.0**-places / 2 for places in decimals),
                }
            )
    return tables.check(pd.DataFrame(rows), contracts.DIFFERENCES)

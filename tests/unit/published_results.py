"""Published results for tests: the real tables, and made-up papers of the same shape."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import study_tables as made

from facebias.published import comparison, contracts, fairness, numbered, papers

DOMNICH, DEUSCHEL = (papers.paper(papers.FOLDER / name) for name in ("domnich2021", "deuschel2020"))
RESAMPLES = 400


def path(paper: str, table: str = "printed"):
    return papers.FOLDER / paper / f"{table}.csv"


def items(paper: str) -> list[numbered.Item]:
    return list(numbered.items(papers.paper(papers.FOLDER / paper)))


def values() -> pd.DataFrame:
    return papers.values(path("domnich2021"), DOMNICH)


@functools.cache
def draws() -> fairness.Draws:
    return fairness.draws(values(), DOMNICH, resamples=RESAMPLES)


def intervals() -> pd.DataFrame:
    return fairness.intervals(draws(), DOMNICH)


def compared(**changes: object) -> pd.DataFrame:
    return comparison.gaps(made.fairness(**changes), intervals(), drawn=True)


def printed_by(
    confusion: dict[str, np.ndarray], *, architecture: str = "vgg16", train: str = "regular"
) -> pd.DataFrame:
    """Print what a paper would of one model: rates of confusion matrices (L, L) per test set."""
    rows = []
    for test, matrix in confusion.items():
        total = matrix.sum()
        for place, label in enumerate(DOMNICH.labels):
            true = matrix[place, place]
            false = matrix[:, place].sum() - true
            positive = matrix[place].sum()
            rates = {
                "accuracy": (total - positive - false + true) / total,
                "tpr": true / positive,
                "fpr": false / (total - positive),
            }
            rows += [
                (1, architecture, train, test, label, metric, f"{rate:.3f}")
                for metric, rate in rates.items()
            ]
    frame = pd.DataFrame(rows, columns=list(contracts.VALUES.columns))
    return frame.assign(printed=frame["value"].astype(float))


def tested(seed: int, *, one_draw: bool, skill: float = 0.6) -> dict[str, np.ndarray]:
    """Test a made-up model on both genders and on all, six samples of upset per person.

    ``one_draw``: the same third of the upset samples stands for both genders and for all.
    """
    random = np.random.default_rng(seed)
    n = len(DOMNICH.labels)
    upset = DOMNICH.labels.index("upset")
    answers = {}
    for gender in ("female", "male"):
        for place in range(n):
            size = 30 if place == upset else 10
            odds = np.full(n, (1 - skill) / (n - 1))
            odds[place] = skill
            answers[gender, place] = random.choice(n, size=size, p=odds)
    drawn = {gender: random.permutation(30)[:10] for gender in ("female", "male")}
    found = {}
    for gender in ("female", "male"):
        chosen = [
            answers[gender, place][drawn[gender]] if place == upset else answers[gender, place]
            for place in range(n)
        ]
        found[gender] = np.array([np.bincount(row, minlength=n) for row in chosen])
    whole = found["female"] + found["male"]
    if not one_draw:
        both = np.concatenate([answers["female", upset], answers["male", upset]])
        whole[upset] = np.bincount(random.permutation(both)[:20], minlength=n)
    return {"all": whole, **found}

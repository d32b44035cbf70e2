"""Association of labels and groups: against scipy, scikit-learn and a simulation."""

import numpy as np
import pytest
from scipy.stats import contingency
from sklearn.metrics import normalized_mutual_info_score

from facebias.evaluation import association, resampling


def bergsma(table: np.ndarray) -> float:
    """Bias-corrected V by hand, from scipy's uncorrected one."""
    rows, columns = table.shape
    n = table.sum()
    plain = contingency.association(table.astype(int), method="cramer", correction=False)
    phi = plain**2 * min(rows - 1, columns - 1)
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    rows -= (rows - 1) ** 2 / (n - 1)
    columns -= (columns - 1) ** 2 / (n - 1)
    return np.sqrt(phi / (min(rows, columns) - 1))


def spelt_out(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One pair of labels per count."""
    pairs = [(i, j) for (i, j), n in np.ndenumerate(table.astype(int)) for _ in range(n)]
    rows, columns = np.array(pairs).T
    return rows, columns


@pytest.mark.parametrize("shape", [(2, 2), (2, 6), (3, 4), (5, 2)])
def test_values_are_those_of_scipy_and_scikit_learn(shape):
    random = np.random.default_rng(sum(shape))
    tables = random.integers(1, 30, size=(20, *shape)).astype(float)
    found = association.cramers_v(tables)
    assert found == pytest.approx([bergsma(table) for table in tables])
    shared = [normalized_mutual_info_score(*spelt_out(table)) for table in tables]
    assert association.normalised_mutual_information(tables) == pytest.approx(shared)


def test_no_association_is_0_and_a_perfect_one_is_1():
    even, perfect = np.full((3, 3), 7.0), 9.0 * np.eye(3)
    assert association.cramers_v(even) == 0
    assert association.normalised_mutual_information(even) == pytest.approx(0, abs=1e-12)
    assert association.cramers_v(perfect) == pytest.approx(1)
    assert association.normalised_mutual_information(perfect) == pytest.approx(1)


def test_rows_and_columns_without_counts_do_not_exist():
    table = np.array([[5.0, 9.0], [8.0, 2.0]])
    wide = np.array([[5.0, 0.0, 9.0], [0.0, 0.0, 0.0], [8.0, 0.0, 2.0]])
    for measure in (association.cramers_v, association.normalised_mutual_information):
        assert measure(wide) == pytest.approx(measure(table))


@pytest.mark.parametrize(
    "table",
    [np.zeros((2, 3)), np.array([[4.0, 5.0], [0.0, 0.0]]), np.array([[4.0, 0.0], [6.0, 0.0]])],
    ids=["nothing", "one group", "one label"],
)
def test_nothing_to_associate_is_missing(table):
    assert np.isnan(association.cramers_v(table))
    assert np.isnan(association.normalised_mutual_information(table))


def test_square_is_not_cut_at_0_and_has_no_bias():
    random = np.random.default_rng(1)
    tables = random.multinomial(40, np.full(8, 1 / 8), size=20_000).reshape(-1, 2, 4).astype(float)
    squares = association.squared_v(tables)
    assert (squares < 0).any()
    assert np.nanmean(squares) == pytest.approx(0, abs=0.002)


def test_moved_resamples_keep_the_true_0_where_plain_ones_lose_it():
    random = np.random.default_rng(2)
    people, studies, lost = 10, 150, {"plain": 0, "moved": 0}
    for _ in range(studies):
        counts = [
            np.stack([random.multinomial(12, random.dirichlet(np.ones(4))) for _ in range(people)])
            for _ in range(2)
        ]
        weights = [random.multinomial(people, np.full(people, 0.1), size=300) for _ in range(2)]
        drawn = [
            np.vstack([each.sum(axis=0), weight @ each])
            for weight, each in zip(weights, counts, strict=True)
        ]
        squares = association.squared_v(np.stack(drawn, axis=1).astype(float))
        settings = {"confidence": 0.95, "subjects": people}
        lost["moved"] += association.interval(squares, **settings)[0] > 0
        lost["plain"] += resampling.interval(association.root(squares), **settings)[0] > 0
    assert lost["plain"] > 0.08 * studies
    assert lost["moved"] < 0.05 * studies


def test_interval_without_any_resample_is_missing():
    nothing = association.interval(np.array([0.2, np.nan]), confidence=0.95, subjects=5)
    assert np.isnan(nothing).all()

"""The bootstrap of subjects."""

import numpy as np
import pytest
from scipy import stats

import scored
from facebias.evaluation import counts, rates, resampling

PEOPLE = np.array([f"p{number:03d}" for number in range(12)])


def test_first_row_is_the_data_and_every_other_draws_as_many_people():
    drawn = resampling.weights(PEOPLE, resamples=50, seed=1)
    assert drawn.shape == (51, 12)
    assert (drawn[0] == 1).all()
    assert (drawn.sum(axis=1) == 12).all()


def test_draw_hangs_on_seed_and_people_alone():
    drawn = resampling.weights(PEOPLE, resamples=50, seed=1)
    np.testing.assert_array_equal(drawn, resampling.weights(PEOPLE, resamples=50, seed=1))
    assert (drawn != resampling.weights(PEOPLE, resamples=50, seed=2)).any()
    renamed = np.char.replace(PEOPLE, "p", "q")
    assert (drawn != resampling.weights(renamed, resamples=50, seed=1)).any()


def test_nobody_can_be_drawn_from_nobody():
    assert resampling.weights(PEOPLE[:0], resamples=3, seed=1).shape == (4, 0)


def test_vectorised_resamples_match_a_slow_loop_over_rows():
    frame = scored.classes(np.random.default_rng(4))
    data = scored.scored(frame)
    counted = counts.count(data)
    drawn = resampling.weights(counted.subjects, resamples=40, seed=1)
    fast = rates.rate("tpr", resampling.weighted(drawn, counted.table))
    for weights, row in zip(drawn, fast, strict=True):
        rows = np.concatenate(
            [
                np.flatnonzero(data.subject == subject)
                for subject, times in zip(counted.subjects, weights.astype(int), strict=True)
                for _ in range(times)
            ]
        )
        truth, decision = data.truth[rows] == 1, data.decision[rows]
        slow = [
            decision[truth[:, label], label].mean() if truth[:, label].any() else np.nan
            for label in range(3)
        ]
        np.testing.assert_allclose(row, slow)


def test_spread_is_the_known_one_of_a_mean_of_subjects():
    # Every subject one sample, half of them right: the bootstrap variance of the share is p(1-p)/n.
    table = np.zeros((100, 1, 4))
    table[:50, 0, 0], table[50:, 0, 2] = 1, 1
    people = np.array([f"s{number:03d}" for number in range(100)])
    drawn = resampling.weights(people, resamples=4000, seed=3)
    share = rates.rate("tpr", resampling.weighted(drawn, table))[1:, 0]
    assert share.std() == pytest.approx(0.05, rel=0.05)


MANY = 10**9


def test_interval_of_many_people_is_the_percentile_interval():
    values = np.concatenate([[0.5], np.linspace(0, 1, 101)])
    found = resampling.interval(values, confidence=0.9, subjects=MANY)
    assert found == pytest.approx((0.05, 0.95))


@pytest.mark.parametrize("subjects", [2, 5, 25])
def test_interval_of_few_people_is_expanded(subjects):
    """Hesterberg 2015, section 5.3.2, with scipy's distributions."""
    scale = (subjects / (subjects - 1)) ** 0.5
    tail = stats.norm.cdf(-scale * stats.t.ppf(0.975, subjects - 1))
    assert resampling.expanded(0.025, subjects=subjects) == pytest.approx(tail)
    values = np.concatenate([[0.5], np.linspace(0, 1, 10_001)])
    found = resampling.interval(values, confidence=0.95, subjects=subjects)
    assert found == pytest.approx((tail, 1 - tail))
    assert tail < 0.025


def test_interval_passes_over_some_missing_resamples_but_not_over_most():
    values = np.array([0.5, 0.4, 0.6, np.nan, np.nan])
    found = resampling.interval(values, confidence=0.9, subjects=MANY)
    assert found == pytest.approx((0.41, 0.59))
    most = np.append(values, np.nan)
    assert np.isnan(resampling.interval(most, confidence=0.9, subjects=MANY)).all()
    values[0] = np.nan
    assert np.isnan(resampling.interval(values, confidence=0.9, subjects=MANY)).all()


@pytest.mark.parametrize("sizes", [(12,), (8, 14)])
def test_bca_is_scipys(sizes):
    random = np.random.default_rng(6)
    data = [random.gamma(1.5, size=n) for n in sizes]

    def statistic(*parts, axis=-1):
        means = [np.mean(part, axis=axis) for part in parts]
        return means[0] - (means[1] if len(means) > 1 else 0)

    theirs = stats.bootstrap(
        data, statistic, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    tables = [part[:, None] for part in data]

    def value(weights):
        pairs = zip(weights, tables, strict=True)
        means = [w @ t / w.sum(axis=1, keepdims=True) for w, t in pairs]
        return statistic(*means, axis=1)

    names = [np.array([f"{place}{i:02d}" for i in range(n)]) for place, n in enumerate(sizes)]
    weights = [resampling.weights(part, resamples=20_000, seed=2) for part in names]
    left_out = []
    for place, n in enumerate(sizes):
        without = [np.ones((n, size)) for size in sizes]
        without[place] = 1 - np.eye(n)
        left_out.append(value(without))
    ours = resampling.interval(
        value(weights), confidence=0.95, subjects=min(sizes), left_out=left_out
    )
    assert ours == pytest.approx(tuple(theirs), abs=0.03)


@pytest.mark.parametrize(("sizes", "n"), [([2], 3), ([3, 3], 100), ([5, 5], 126**2), ([], 1)])
def test_different_resamples_are_counted(sizes, n):
    assert resampling.distinct(sizes) == n
    for size in sizes[:1]:
        drawn = resampling.weights(PEOPLE[:size], resamples=20_000, seed=1)
        each = {tuple(row) for row in drawn}
        assert len(each) == resampling.distinct([size])


def test_interval_of_a_size_begins_at_0_unless_chance_rarely_makes_it():
    values = np.concatenate([[0.3], np.linspace(0.2, 0.6, 101)])
    size = {"excess": 0.05, "confidence": 0.95, "subjects": 10}
    reach = stats.t.ppf(0.975, 9) * values[1:].std(ddof=1) * np.sqrt(10 / 9)
    for p_value in (0.06, np.nan):
        low, high = resampling.of_size(values, (0.25, 0.9), p_value=p_value, **size)
        assert (low, high) == (0, 0.9)
    narrow = 0.3 + (values - 0.3) / 10
    low, high = resampling.of_size(narrow, (0.25, 0.3), p_value=0.05, **size)
    assert (low, high) == pytest.approx((0.25 - reach / 10, 0.3))
    _, high = resampling.of_size(values, (0.25, 0.3), p_value=0.05, **size)
    assert high == pytest.approx(0.25 + reach)
    assert resampling.of_size(values, (0.15, 0.5), p_value=0.01, **size)[0] == 0
    assert np.isnan(resampling.of_size(values, (np.nan, np.nan), p_value=0.01, **size)).all()

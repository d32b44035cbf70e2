"""Intervals of rates: against statsmodels, and how often they hold the truth for few people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from facebias.evaluation import proportions, resampling, standard_errors

NORMAL = 1.959963984540054


@given(st.integers(1, 60), st.floats(0, 1))
def test_score_intervals_are_those_of_statsmodels(number, share):
    found = round(number * share)
    low, high = proportions.score(found / number, number, NORMAL)
    assert (low, high) == pytest.approx(proportion_confint(found, number, method="wilson"))


@given(st.integers(0, 20), st.integers(20, 30), st.integers(0, 10), st.integers(10, 40))
def test_intervals_of_differences_are_newcombes(a, n_a, b, n_b):
    ends = [proportions.score(x / n, n, NORMAL) for x, n in ((a, n_a), (b, n_b))]
    found = proportions.difference(a / n_a, ends[0], b / n_b, ends[1])
    wanted = confint_proportions_2indep(a, n_a, b, n_b, method="newcomb", compare="diff")
    assert found == pytest.approx(wanted)


@given(st.floats(0, 1), st.floats(0, 0.3), st.integers(2, 40), st.integers(1, 9))
def test_an_interval_has_a_width_and_holds_the_rate(rate, variance, people, each):
    low, high = proportions.interval(
        rate, variance, people=people, samples=people * each, confidence=0.95
    )
    assert 0 <= low <= rate <= high <= 1
    assert high - low > 1 / (3 * people * each)


def test_samples_that_are_independent_count_each_and_those_of_people_all_alike_count_once():
    assert proportions.effective(0.5, 0.25 / 40, people=10, samples=40) == pytest.approx(40)
    assert proportions.effective(1.0, 0.0, people=10, samples=40) == 10
    assert proportions.effective(0.5, 1e-9, people=10, samples=40) == 40


def draw(random, people, rate, samples, *, correlation=0.25):
    """Right decisions and samples of people who differ: (R, S) each."""
    spread = (1 - correlation) / correlation
    own = random.beta(rate * spread, (1 - rate) * spread, size=people)
    shown = random.integers(samples[0], samples[1] + 1, size=people)
    return random.binomial(shown, own), shown


@pytest.mark.parametrize("samples", [(1, 1), (2, 3), (10, 10)])
@pytest.mark.parametrize("rate", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("people", [5, 10, 20])
def test_intervals_hold_the_truth_also_where_nobody_differs(people, rate, samples):
    random = np.random.default_rng([people, round(100 * rate), samples[0]])
    held = 0
    for _ in range(400):
        right, shown = draw(random, people, rate, samples)
        one = standard_errors.of_sums(np.ones((1, people)), right[:, None], shown[:, None])
        low, high = proportions.interval(
            one.rate[0, 0],
            one.variance[0, 0],
            people=people,
            samples=shown.sum(),
            confidence=0.95,
        )
        held += low <= rate <= high
    # 380 expected; fewer than 364 come by chance in about 1 of 2,000 such tests.
    assert held >= 364


def test_a_bootstrap_of_people_all_alike_would_have_no_width():
    random = np.random.default_rng(1)
    held = bootstrapped = 0
    for number in range(200):
        right, shown = draw(random, 5, 0.9, (2, 3))
        drawn = resampling.weights(
            np.array([f"p{n}" for n in range(5)]), resamples=300, seed=number
        )
        values = (drawn @ right) / (drawn @ shown)
        low, high = resampling.interval(values, confidence=0.95, subjects=5)
        bootstrapped += low <= 0.9 <= high
        low, high = proportions.interval(
            values[0],
            resampling.spread(values, subjects=5) ** 2,
            people=5,
            samples=shown.sum(),
            confidence=0.95,
        )
        held += low <= 0.9 <= high
    assert bootstrapped < 150
    assert held >= 188

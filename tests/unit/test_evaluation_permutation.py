"""Permutation of group labels over subjects, sign flips, and standard errors behind them."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from facebias.evaluation import (
    fairness_criteria,
    gaps,
    permutation,
    rates,
    simulation,
    standard_errors,
)
from facebias.evaluation.simulation import Population

NAMES = [f"p{number:02d}" for number in range(40)]


def groups_of(*sizes):
    ends = np.cumsum([0, *sizes])
    return [np.array(NAMES[a:b]) for a, b in itertools.pairwise(ends)]


def permuted(*sizes, **options):
    return permutation.assignments(groups_of(*sizes), **{"draws": 500, "seed": 1, **options})


def people(seed=0, sizes=(4, 5), **lower):
    parts = simulation.draw(
        [Population()] * len(sizes), sizes, np.random.default_rng(seed), lower=[0.0] * len(sizes)
    )
    return np.concatenate([part.table for part in parts])


# ---------------------------------------------------------------------------------- assignments


@pytest.mark.parametrize("sizes", [(2, 2), (3, 4), (2, 2, 2), (2, 3, 3), (1, 2, 3)])
def test_every_assignment_stands_once(sizes):
    found = permuted(*sizes)
    labels = sum(number * group for number, group in enumerate(found.members)).astype(int)
    own = np.repeat(range(len(sizes)), sizes)
    np.testing.assert_array_equal(labels[0], own)
    wanted = set(itertools.permutations(own))
    if len(set(sizes)) == 1:  # groups of one size: exchanged names are the same assignment
        wanted = {tuple(np.unique(w, return_index=True)[1][list(w)]) for w in wanted}
        labels = [np.unique(row, return_index=True)[1][row] for row in labels]
    assert sorted(map(tuple, labels[1:])) == sorted(wanted)
    assert found.enumerated
    for group, size in zip(found.members, sizes, strict=True):
        assert (group.sum(axis=1) == size).all()


def test_few_assignments_are_listed_and_many_are_drawn():
    names = [np.array([f"{group}{n:02d}" for n in range(10)]) for group in "ab"]
    for draws in (9_238, 9_237):  # ten times as many are more than there are, or fewer
        found = permutation.assignments(names, draws=draws, seed=1)
        assert found.enumerated == (draws * permutation.LISTED >= permutation.distinct((10, 10)))
        assert found.floor == pytest.approx(1 / 92_378 if found.enumerated else 1 / (1 + draws))
    drawn = permuted(12, 12)
    assert not drawn.enumerated
    assert len(drawn.members[0]) == 501
    again = permuted(12, 12)
    np.testing.assert_array_equal(drawn.members[0], again.members[0])
    assert (drawn.members[0] != permuted(12, 12, seed=2).members[0]).any()


@pytest.mark.parametrize(
    ("sizes", "smallest"),
    [((5, 5), 2 / 252), ((4, 6), 1 / 210), ((3, 3, 3), 6 / 1680), ((2, 2, 5), 2 / 756)],
)
def test_smallest_p_value_is_reached_by_the_most_extreme_data(sizes, smallest):
    assert permutation.floor(sizes) == pytest.approx(smallest)
    found = permuted(*sizes)
    # Nothing varies within groups: no other assignment has as much variance between them.
    values = np.repeat([0.0, 100.0, 10_000.0][: len(sizes)], sizes)
    means = np.array([group @ values / group.sum(axis=1) for group in found.members])
    between = sum(
        size * (mean - values.mean()) ** 2 for size, mean in zip(sizes, means, strict=True)
    )
    assert between[0] == pytest.approx(between.max())
    p = permutation.compare(between, np.ones_like(between), found, signed=False)
    assert p.p_value == pytest.approx(smallest) == p.p_floor


def test_drawn_assignments_cannot_go_below_their_number():
    assert permuted(12, 12).floor == 1 / 501


# ---------------------------------------------------------------------------------- comparison


@pytest.mark.parametrize("sizes", [(5, 5), (4, 6)])
def test_plain_p_value_is_scipys(sizes):
    random = np.random.default_rng(3)
    values = random.normal(size=10)
    values[: sizes[0]] += 0.8
    a, b = values[: sizes[0]], values[sizes[0] :]
    found = permuted(*sizes)
    means = [group @ values / group.sum(axis=1) for group in found.members]
    difference = means[0] - means[1]
    wanted = stats.permutation_test(
        (a, b), lambda x, y: abs(np.mean(x) - np.mean(y)), alternative="greater"
    ).pvalue
    chance = permutation.compare(difference, np.ones_like(difference), found, signed=True)
    assert chance.p_value == pytest.approx(wanted)
    median, low, high = chance.band(confidence=0.95, signed=True)
    if sizes == (5, 5):  # mirrored: all 252 differences
        assert len(chance.gaps) == 252
        assert (median, low) == pytest.approx((0, -high))


def test_every_studentised_gap_and_p_value_match_a_slow_loop():
    table = people(sizes=(4, 5))
    found = permuted(4, 5)
    fast = gaps.studentised(found.members, table)

    def slow(chosen):
        a, b = table[list(chosen)], np.delete(table, list(chosen), axis=0)
        value = error = 0.0
        for x, n in ((0, (0, 2)), (1, (1, 3))):  # true, false positive rate
            difference, errors = [], []
            for label in range(4):
                variance = 0.0
                rate = []
                for part in (a[:, label], b[:, label]):
                    size, total = len(part), part[:, n].sum()
                    r = part[:, x].sum() / total
                    moved = (part[:, x] - r * part[:, n].sum(axis=1)) / total
                    spread = (moved**2).sum() * size / (size - 1)
                    if spread < 1e-12:  # two successes and two failures more
                        more = (r * size + 2) / (size + 4)
                        spread = more * (1 - more) / (size + 4)
                    variance += spread
                    rate.append(r)
                difference.append(abs(rate[0] - rate[1]))
                errors.append(variance**0.5)
            value += np.mean(difference)
            error += np.mean(errors)
        return value, error

    ways = [slow(chosen) for chosen in itertools.combinations(range(9), 4)]
    units = [value / error for value, error in ways]
    own = slow(range(4))
    values, errors = fast["equalized_odds", "per_class_mean"]
    assert (values[0], errors[0]) == pytest.approx(own)
    np.testing.assert_allclose(sorted(values[1:] / errors[1:]), sorted(units))
    p = permutation.compare(values, errors, found, signed=False).p_value
    assert p == pytest.approx(np.mean(np.array(units) >= own[0] / own[1] - 1e-9))


@pytest.mark.parametrize("sizes", [(4, 5), (3, 3, 4)])
def test_studentised_gaps_are_the_gaps(monkeypatch, sizes):
    table = people(sizes=sizes)
    found = permuted(*sizes)
    sums = [np.einsum("rs,slk->rlk", group, table) for group in found.members]
    plain = gaps.between(sums)
    few = functools.partialmethod(permutation.Assignments.blocks, entries=60)
    monkeypatch.setattr(permutation.Assignments, "blocks", few)
    some = gaps.by_chance(found, table)
    for key, (values, errors) in gaps.studentised(found.members, table).items():
        if key[1] == fairness_criteria.PER_LABEL:
            each = [
                np.subtract(*(rates.rate(rate, group) for group in pair))
                for pair in itertools.combinations(sums, 2)
                for rate in fairness_criteria.OF_CLASSES[key[0]].rates
            ]
            np.testing.assert_allclose(values, np.hstack(each))
        else:
            np.testing.assert_allclose(values, plain[key])
        np.testing.assert_allclose(some[key], (values, errors))


@pytest.mark.parametrize("sizes", [(4, 5), (15, 25)])
def test_some_assignments_at_a_time_are_the_assignments(sizes):
    found = permuted(*sizes)
    whole, (first, *later) = found.members, list(found.blocks(entries=7 * sum(sizes)))
    assert len(later) > 2
    assert {len(block[0]) for block in later[:-1]} == {8}
    for place, group in enumerate(whole):
        parts = [first[place], *(block[place][1:] for block in later)]
        np.testing.assert_array_equal(np.concatenate(parts), group)
        assert all((block[place][0] == group[0]).all() for block in later)


def test_error_of_a_signed_gap_is_that_of_the_mean_over_labels():
    # Labels of one subject go together, so the errors of labels alone would not do.
    table = people(sizes=(15, 15), seed=2)
    found = permuted(15, 15)
    _, errors = gaps.studentised(found.members, table)["equal_opportunity", "signed"]
    random, takes = np.random.default_rng(1), []
    for part in (table[:15], table[15:]):
        weights = random.multinomial(15, np.full(15, 1 / 15), size=4000).astype(float)
        takes.append(rates.rate("tpr", np.einsum("rs,slk->rlk", weights, part)).mean(axis=1))
    assert errors[0] == pytest.approx(np.std(takes[0] - takes[1]) * (15 / 14) ** 0.5, rel=0.05)


def test_drawn_assignments_count_the_data_once_more():
    found = permuted(12, 12)
    values = np.linspace(1, 0, 501)
    chance = permutation.compare(values, np.ones(501), found, signed=False)
    assert chance.p_value == 1 / 501
    band = permutation.compare(values, np.ones(501), found, signed=False)
    assert band.critical(0.05) == pytest.approx(np.quantile(values[1:], 0.95, method="higher"))


def test_missing_gaps_are_passed_over_and_most_missing_give_none():
    found = permuted(5, 5)
    values = np.zeros(127)
    values[0], values[1:41] = 0.5, np.nan
    chance = permutation.compare(values, np.ones(127), found, signed=False)
    assert chance.p_value == 0
    assert len(chance.gaps) == 86
    values[1:80] = np.nan
    chance = permutation.compare(values, np.ones(127), found, signed=False)
    assert np.isnan(chance.p_value)
    assert np.isnan(chance.critical(0.05))
    assert np.isnan(chance.band(confidence=0.95, signed=False)).all()


@pytest.mark.parametrize(("sizes", "smallest"), [((4, 4), 1 / 19), ((12, 12), 1 / 302)])
def test_no_p_value_is_smaller_than_the_assignments_left_allow(sizes, smallest):
    found = permuted(*sizes)
    values = np.zeros(len(found.members[0]))
    values[0] = 1
    # All assignments that are listed, hold the data's own once more.
    values[1:2] = found.enumerated
    values[20 if found.enumerated else 302 :] = np.nan
    chance = permutation.compare(values, np.ones_like(values), found, signed=False)
    assert chance.p_value == pytest.approx(smallest) == chance.p_floor
    assert np.isnan(chance.critical(0.05)) == (smallest > 0.05)


def test_a_gap_without_any_spread_is_beyond_all_others_but_not_beyond_its_ties():
    # One group always right, the other always wrong: nothing varies within groups.
    table = np.zeros((10, 1, 4))
    table[:5, 0, 0], table[5:, 0, 2] = 2, 2
    found = permuted(5, 5)
    values, errors = gaps.studentised(found.members, table)["equal_opportunity", "signed"]
    assert errors[0] ** 2 == pytest.approx(2 * (2 / 9 * 7 / 9) / 9)
    for spread in (errors, np.where(errors == errors[0], 0, errors)):
        chance = permutation.compare(values, spread, found, signed=True)
        assert chance.p_value == pytest.approx(2 / 252)
        assert np.abs(chance.gaps).max() == pytest.approx(1)


def test_people_who_are_all_alike_leave_their_number_to_say_how_sure_a_rate_is():
    # Five are right in everything, of the second label one is wrong once.
    table = np.zeros((5, 2, 4))
    table[:, :, 0] = 3
    table[4, 1, [0, 2]] = 2, 1
    alike, varied = standard_errors.measure("tpr", np.ones((1, 5)), table).variance[0]
    assert alike == pytest.approx((7 / 9) * (2 / 9) / 9)
    moved = (table[:, 1, 0] - 14 / 15 * 3) / 15
    assert varied == pytest.approx((moved**2).sum() * 5 / 4)
    both = standard_errors.measure("tpr", np.ones((1, 5)), table).variance_of_mean(np.ones(2, bool))
    assert both[0] == pytest.approx((alike + varied) / 4)


def test_drawn_assignments_are_equally_likely():
    found = permutation.assignments(
        [np.array(NAMES[:2]), np.array(NAMES[2:3]), np.array(NAMES[3:5])],
        draws=6_000,
        seed=1,
        most=0,
    )
    ways, often = np.unique(
        sum(g * m for g, m in enumerate(found.members)), axis=0, return_counts=True
    )
    assert len(ways) == 30
    # 200 of each; the largest of 30 deviations is beyond 4 standard errors in 1 of 500 tests.
    assert np.abs(often - 200).max() < 4 * 200**0.5


def test_band_holds_its_share_and_the_test_calls_the_rest_unusual():
    table = people(sizes=(6, 6), seed=5)
    found = permuted(6, 6)
    for key, (values, errors) in gaps.studentised(found.members, table).items():
        if key[1] == fairness_criteria.PER_LABEL:
            continue
        signed = key[1] == "signed"
        chance = permutation.compare(values, errors, found, signed=signed)
        _, low, high = chance.band(confidence=0.95, signed=signed)
        outside = values[0] > high + 1e-9 or values[0] < low - 1e-9
        assert outside == (chance.p_value < 0.05) or abs(chance.p_value - 0.05) < 0.01
        assert np.mean((low <= chance.gaps) & (chance.gaps <= high)) >= 0.94


def test_level_holds_where_groups_differ_in_size_and_samples_and_plain_gaps_do_not():
    few, many = Population(samples=(1, 1)), Population(samples=(4, 6))
    alarms = np.zeros(2)
    for number in range(200):
        random = np.random.default_rng([7, number])
        parts = simulation.draw([few, many], (10, 30), random, lower=[0.0, 0.0])
        found = permutation.assignments(
            [part.subjects for part in parts], draws=199, seed=number, most=0
        )
        table = np.concatenate([part.table for part in parts])
        asked = {"equalized_odds": fairness_criteria.OF_CLASSES["equalized_odds"]}
        values, errors = gaps.studentised(found.members, table, criteria=asked)[
            "equalized_odds", "per_class_mean"
        ]
        for place, scale in enumerate((errors, np.ones_like(errors))):
            p = permutation.compare(values, scale, found, signed=False).p_value
            alarms[place] += p <= 0.05
    # 3 standard errors of 200 studies at 0.05 are 0.046.
    assert alarms[0] / 200 <= 0.05 + 0.046
    assert alarms[1] / 200 > 0.15


# ---------------------------------------------------------------------------------- sign flips


def test_flips_are_all_ways_up_to_their_opposite():
    signs, how = permutation.flips(np.array(NAMES[:4]), draws=9, seed=1)
    assert (signs[0] == 1).all()
    both = {tuple(row) for row in np.concatenate([signs[1:], -signs[1:]])}
    assert both == set(itertools.product([1.0, -1.0], repeat=4))
    assert how.enumerated
    assert how.floor == 2 / 16


def test_flips_of_many_subjects_are_drawn():
    signs, how = permutation.flips(np.array(NAMES[:30]), draws=99, seed=1)
    assert signs.shape == (100, 30)
    assert (signs[0] == 1).all()
    assert set(np.unique(signs[1:])) == {-1, 1}
    assert len(np.unique(signs, axis=0)) == 100
    assert not how.enumerated
    assert how.floor == 1 / 100


# ---------------------------------------------------------------------------------- many groups


@given(st.permutations(range(9)))
def test_range_is_the_largest_pair_whatever_the_order_of_subjects(order):
    table = people(sizes=(3, 3, 3))
    members = [np.zeros((1, 9)) for _ in range(3)]
    for place, subject in enumerate(order):
        members[place // 3][0, subject] = 1
    found = gaps.studentised(members, table)
    pairs = [
        gaps.studentised(list(pair), table)["equalized_odds", "worst_class"]
        for pair in itertools.combinations(members, 2)
    ]
    # Gap and standard error.
    assert found["equalized_odds", "worst_class"] == tuple(map(max, zip(*pairs, strict=True)))
    assert ("equal_opportunity", "signed") not in found


def test_variance_of_a_ratio_is_cochrans():
    x, n = np.array([[1.0], [2.0], [0.0]]), np.array([[2.0], [2.0], [3.0]])
    found = standard_errors.of_sums(np.ones((1, 3)), x, n)
    moved = (x[:, 0] - 3 / 7 * n[:, 0]) / 7
    assert found.rate[0, 0] == pytest.approx(3 / 7)
    assert found.variance[0, 0] == pytest.approx((moved**2).sum() * 3 / 2)
    assert found.variance_of_mean(np.array([True]))[0] == pytest.approx(found.variance[0, 0])


# ------------------------------------------------------------------------- labels, and kinds


def test_the_largest_gap_of_any_label_judges_each_by_the_slow_way():
    table = people(sizes=(4, 5), seed=3)
    found = permuted(4, 5)
    values, errors = gaps.studentised(found.members, table)[
        "equal_opportunity", fairness_criteria.PER_LABEL
    ]
    p_values, reach = permutation.simultaneous(values, errors, found, confidence=0.9)
    units = np.abs(values / errors)
    largest = [max(row) for row in units[1:].tolist()]
    for label in range(4):
        assert p_values[label] == np.mean([one >= units[0, label] - 1e-9 for one in largest])
    assert np.mean(np.array(largest) <= reach) >= 0.9
    assert np.mean(np.array(largest) < reach) < 0.9


def test_labels_that_do_not_count_change_nothing():
    table = people(sizes=(4, 5), seed=3)
    found = permuted(4, 5)
    both = gaps.studentised(found.members, table)["equal_opportunity", fairness_criteria.PER_LABEL]
    without = [np.where([True, True, False, True], each, np.nan) for each in both]
    some = [each[:, [0, 1, 3]] for each in both]
    p_values, reach = permutation.simultaneous(*without, found, confidence=0.9)
    wanted, same = permutation.simultaneous(*some, found, confidence=0.9)
    assert reach == same
    np.testing.assert_array_equal(p_values, [*wanted[:2], np.nan, wanted[2]])
    nothing = [np.full_like(each, np.nan) for each in both]
    p_values, reach = permutation.simultaneous(*nothing, found, confidence=0.9)
    assert np.isnan([*p_values, reach]).all()


def test_a_false_alarm_about_any_label_is_as_rare_as_the_level():
    alarms = 0
    for number in range(200):
        table = people(seed=number, sizes=(6, 9))
        found = permuted(6, 9, draws=199, most=0, seed=number)
        pair = gaps.studentised(found.members, table)[
            "equal_opportunity", fairness_criteria.PER_LABEL
        ]
        p_values, _ = permutation.simultaneous(*pair, found, confidence=0.9)
        alarms += np.nanmin(p_values) <= 0.1
    # 20 expected of 200; more than 34 come by chance in about 1 of 1,000 such tests.
    assert 7 <= alarms <= 34


def test_few_people_who_are_all_alike_raise_no_false_alarm():
    # In docs/calibration.md; .15 of studies where variances of people all alike were 0.
    varied, even = Population(correlation=0.5), Population(correlation=0.05)
    asked = {"equal_opportunity": fairness_criteria.OF_CLASSES["equal_opportunity"]}
    alarms = 0
    for number in range(200):
        random = np.random.default_rng([8, number])
        parts = simulation.draw([varied, even], (5, 30), random, lower=[0.0, 0.0])
        found = permuted(5, 30, draws=199, most=0, seed=number)
        table = np.concatenate([part.table for part in parts])
        pair = gaps.studentised(found.members, table, criteria=asked)
        p_values, _ = permutation.simultaneous(
            *pair["equal_opportunity", fairness_criteria.PER_LABEL], found, confidence=0.95
        )
        alarms += np.nanmin(p_values) <= 0.05
    # 3 standard errors of 200 studies at 0.05 are 0.046.
    assert alarms / 200 <= 0.05 + 0.046


@pytest.mark.parametrize("sizes", [(600, 400), (300, 300, 400)])
def test_kinds_of_people_fall_into_groups_as_people_do(sizes):
    random = np.random.default_rng(4)
    places = random.choice(3, size=1000, p=[0.6, 0.3, 0.1])
    names = np.split(np.array([f"p{n:04d}" for n in range(1000)]), np.cumsum(sizes)[:-1])
    ends = np.cumsum([0, *sizes])
    kinds = np.array([np.bincount(places[a:b], minlength=3) for a, b in itertools.pairwise(ends)])
    found = permutation.of_kinds(names, kinds, draws=4000, seed=1)
    slow = permutation.assignments(names, draws=4000, seed=1)
    one_hot = np.eye(3)[places]
    for own, group, people_in_it in zip(kinds, found.members, slow.members, strict=True):
        np.testing.assert_array_equal(group[0], own)
        np.testing.assert_array_equal(group.sum(axis=1), own.sum())
        counted = people_in_it @ one_hot
        np.testing.assert_allclose(group[1:].mean(axis=0), counted[1:].mean(axis=0), atol=0.7)
        np.testing.assert_allclose(group[1:].std(axis=0), counted[1:].std(axis=0), rtol=0.06)
    np.testing.assert_array_equal(sum(found.members), np.tile(kinds.sum(axis=0), (4001, 1)))
    assert found.floor == slow.floor

"""Simulated studies of known truth: what is true of them, and that they are judged as any is."""

import numpy as np
import pytest

from facebias.evaluation import counts, designs, rates, simulation
from facebias.evaluation.designs import Design
from facebias.evaluation.simulation import Population

NAMED = {design.name: design for design in designs.DESIGNS}


def true(study, criterion, definition):
    return study.of(criterion, definition)["true"].to_numpy(float)


def test_designs_have_names_of_their_own():
    assert len(NAMED) == len(designs.DESIGNS)


def test_samples_of_simulated_people_are_counted_as_they_were_drawn():
    population = Population(showing=(0.5, 1, 1, 1), constant=0.3)
    parts = simulation.draw([population] * 2, (4, 6), np.random.default_rng(1), lower=(0.0, 0.2))
    counted = counts.count(simulation.scored(parts))
    np.testing.assert_array_equal(counted.subjects, np.concatenate([p.subjects for p in parts]))
    np.testing.assert_array_equal(counted.table, np.concatenate([p.table for p in parts]))


@pytest.mark.parametrize(
    "population", [Population(), Population(showing=(0.2, 1, 1, 0.5)), Population(constant=0.6)]
)
def test_true_rates_are_those_of_very_many_people(population):
    lower = (0.3, 0.1, 0.0, 0.0)
    (part,) = simulation.draw([population], [20_000], np.random.default_rng(1), lower=[lower])
    expected = simulation.expected(population, 20_000, lower)[0]
    for name in ("tpr", "fpr", "selection_rate", "f1", "right_classes"):
        found = rates.rate(name, part.table.sum(axis=0))
        np.testing.assert_allclose(found, rates.rate(name, expected), atol=0.01)


def test_true_gaps_by_hand():
    # All labels: what is read wrongly falls on six others alike. Of one in seven, a seventh.
    every = designs.judged(NAMED["25 + 25, all 7 labels worse by .15"], 0, seed=1)
    assert true(every, "accuracy_gap", "absolute") == pytest.approx([0.15])
    assert true(every, "equal_opportunity", "signed") == pytest.approx([0.15])
    assert true(every, "equal_opportunity", "per_label") == pytest.approx(7 * [0.15])
    assert true(every, "equalized_odds", "per_class_mean") == pytest.approx([0.15 + 0.15 / 6])
    one = designs.judged(NAMED["10 + 10, one of 7 labels worse by .3"], 0, seed=1)
    assert true(one, "accuracy_gap", "absolute") == pytest.approx([0.3 / 7])
    assert true(one, "equal_opportunity", "worst_class") == pytest.approx([0.3])
    assert true(one, "equal_opportunity", "per_label") == pytest.approx([0.3, *6 * [0]], abs=1e-9)


def test_a_label_that_few_people_show_is_refused_with_the_reason():
    study = designs.judged(NAMED["10 + 10, one label shown by 2 + 2"], 0, seed=1)
    assert len(study.of("equal_opportunity", "per_label")) == 3
    labels = study.gaps[study.gaps["definition"] == "per_label"]
    refused = labels[labels["estimate"].isna() & (labels["criterion"] == "equal_opportunity")]
    assert list(refused["verdict"]) == ["not estimable"]
    assert "2 subjects behind its tpr in first, 3 needed" in refused["note"].iloc[0]


def test_the_same_seed_gives_the_same_study():
    design = Design(name="x", sizes=(5, 5))
    first, again, other = (
        designs.judged(design, number, seed=1).gaps["ci_low"] for number in (3, 3, 4)
    )
    assert first.equals(again)
    assert not first.equals(other)

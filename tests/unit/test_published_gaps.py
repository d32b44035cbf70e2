"""Gaps of published studies: recomputed, with what chance could have done to them."""

import numpy as np
import pandas as pd
import published_results as published
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_results import DOMNICH

from facebias import tables
from facebias.published import fairness, uncertainty
from facebias.study import StudyError

KEY = ["architecture", "train_split", "criterion", "definition"]


def by_hand():
    """Compute gaps from the printed rates, digits cut off as they are."""
    rates = published.values().pivot(
        index=["architecture", "train_split", "metric", "label"],
        columns="test_split",
        values="printed",
    )
    gap = (rates["female"] - rates["male"]).unstack("label")
    tpr, fpr, accuracy = (gap.xs(name, level="metric") for name in ("tpr", "fpr", "accuracy"))
    mean_size = {
        name: part.abs().mean(axis=1)
        for name, part in {"tpr": tpr, "fpr": fpr, "accuracy": accuracy}.items()
    }
    return {
        ("equal_opportunity", "signed"): tpr.mean(axis=1),
        ("equal_opportunity", "published"): tpr.mean(axis=1).abs(),
        ("equal_opportunity", "per_class_mean"): mean_size["tpr"],
        ("equal_opportunity", "worst_class"): tpr.abs().max(axis=1),
        ("equalized_odds", "published"): tpr.mean(axis=1).abs() + fpr.mean(axis=1).abs(),
        ("equalized_odds", "per_class_mean"): mean_size["tpr"] + mean_size["fpr"],
        # Labels are shown equally often: the share of right decisions is the mean of their rates.
        ("accuracy_gap", "signed"): tpr.mean(axis=1),
        ("accuracy_gap", "published"): mean_size["accuracy"],
        ("accuracy_gap", "per_class_mean"): mean_size["accuracy"],
        ("accuracy_gap", "worst_class"): accuracy.abs().max(axis=1),
    }


def table():
    return fairness.fairness(published.intervals())


def test_gaps_are_those_of_the_printed_rates():
    found = table().set_index(KEY)["estimate"]
    for (criterion, definition), wanted in by_hand().items():
        got = found.xs((criterion, definition), level=("criterion", "definition"))
        # False positive rates lose up to 0.007 to their digits, true ones and accuracies nothing.
        tolerance = 0.007 if criterion == "equalized_odds" else 1e-6
        assert np.abs(got - wanted.loc[got.index]).max() < tolerance, (criterion, definition)


def test_the_table_is_one_of_a_study():
    found = table()
    assert list(found.columns) == list(tables.FAIRNESS.columns)
    assert found.groupby(["architecture", "train_split"]).ngroups == 18
    assert set(found["groups"]) == {"female - male"}
    assert set(found["n_subjects"]) == {10}
    assert set(found["n_samples"]) == {80}
    assert found["estimate"].notna().all()
    assert found["note"].str.contains("independent samples").all()
    assert set(found["label"]) == {"overall"}
    later = [name for name in ("p_value", "verdict") if name in found]
    assert found[later].isna().all(axis=None)


def test_published_equalized_odds_are_four_thirds_of_equal_opportunity():
    found = table().pivot(
        index=["architecture", "train_split"],
        columns=["criterion", "definition"],
        values="estimate",
    )
    odds = found["equalized_odds", "published"]
    assert np.allclose(odds, 4 / 3 * found["equal_opportunity", "published"])
    # With four labels, accuracies of each against the rest differ by half of what decisions do.
    assert np.allclose(found["accuracy_gap", "signed"], found["equal_opportunity", "signed"])
    halves = found["equal_opportunity", "signed"].abs() / 2
    assert (halves <= found["accuracy_gap", "published"] + 1e-9).all()


def test_intervals_hold_the_identity_of_the_gaps():
    key = ["architecture", "train_split", "assumption"]
    found = published.intervals().pivot(
        index=key, columns=["criterion", "definition"], values="ci_high"
    )
    assert np.allclose(
        found["equalized_odds", "published"], 4 / 3 * found["equal_opportunity", "published"]
    )


def test_alike_subjects_leave_more_to_chance_than_independent_samples():
    found = published.intervals().set_index([*KEY, "assumption"])
    signed = found.xs("equal_opportunity", level="criterion").xs("signed", level="definition")
    width = (signed["ci_high"] - signed["ci_low"]).unstack("assumption")
    assert len(width) == 18
    assert (width["alike_subjects"] > 1.5 * width["independent_samples"]).all()


def test_no_signed_gap_is_told_from_zero():
    found = published.intervals()
    signed = found[found["definition"] == "signed"].dropna(subset="estimate")
    assert len(signed) == 18 * 2 * 2
    assert ((signed["ci_low"] <= 0) & (signed["ci_high"] >= 0)).all()


def test_draws_are_the_same_every_time():
    again = fairness.draws(published.values(), DOMNICH, resamples=published.RESAMPLES)
    for model, gaps in published.draws().items():
        for key, gap in gaps.items():
            assert np.array_equal(gap, again[model][key])


def test_a_higher_level_gives_wider_intervals():
    narrow, wide = (
        fairness.intervals(published.draws(), DOMNICH, confidence=level) for level in (0.8, 0.99)
    )
    width = {id(table): (table["ci_high"] - table["ci_low"]).mean() for table in (narrow, wide)}
    assert width[id(narrow)] < width[id(wide)]


@st.composite
def confusions(draw, n=4):
    rows = draw(
        st.lists(st.lists(st.integers(0, 5), min_size=n, max_size=n), min_size=n, max_size=n)
    )
    matrix = np.array(rows)
    return matrix + np.diag(40 - matrix.sum(axis=1))


@given(confusions())
def test_confusion_has_the_margins_that_were_published(matrix):
    counts = uncertainty.against_rest(matrix)
    found = uncertainty.confusion(counts)
    assert (found >= 0).all()
    assert np.allclose(found.sum(axis=1), matrix.sum(axis=1))
    assert np.allclose(found.sum(axis=0), matrix.sum(axis=0), atol=0.01)
    assert np.allclose(np.diagonal(found), np.diagonal(matrix))


@pytest.mark.parametrize(
    "counts",
    [
        [[8, 1, 2, 29], [9, 1, 1, 29], [9, 0, 1, 30], [10, 0, 0, 30]],  # 2 false for 4 missed
        [[8, 2, 2, 28], [10, 0, 0, 30], [10, 0, 0, 30], [10, 0, 0, 30]],  # taken for itself
    ],
)
def test_counts_that_no_confusion_matrix_has_are_refused(counts):
    with pytest.raises(StudyError, match="no confusion matrix has the false negatives"):
        uncertainty.confusion(np.array(counts))


def people(matrix, random, n=5):
    """Deal the samples of every label out to n people at random, as many to each."""
    permuted = np.zeros((n, *matrix.shape), dtype=int)
    for label, row in enumerate(matrix):
        samples = random.permutation(np.repeat(np.arange(len(row)), row)).reshape(n, -1)
        for person, own in enumerate(samples):
            permuted[person, label] = np.bincount(own, minlength=len(row))
    return permuted


@given(confusions(), st.integers(0, 99))
def test_no_way_of_spreading_samples_makes_people_differ_more(matrix, seed):
    def spread(permuted):
        return np.einsum("pll->p", permuted).var()

    stacked = uncertainty.stacked(matrix.astype(float), 5)
    assert np.allclose(stacked.sum(axis=0), matrix)
    assert np.allclose(stacked.sum(axis=2), matrix.sum(axis=1) / 5)
    assert spread(stacked) >= spread(people(matrix, np.random.default_rng(seed))) - 1e-9


def test_independent_samples_vary_as_binomials_do():
    counts = uncertainty.against_rest(
        np.array([[7, 1, 1, 1], [2, 5, 2, 1], [0, 3, 6, 1], [1, 0, 0, 9]])
    )
    drawn = uncertainty.independent_samples(counts, np.array(["p"]), resamples=20_000, seed=1)
    assert np.array_equal(drawn[0], counts)
    share = counts[:, 0] / 10
    assert np.allclose(drawn[1:, :, 0].mean(axis=0), 10 * share, atol=0.05)
    assert np.allclose(drawn[1:, :, 0].var(axis=0), 10 * share * (1 - share), rtol=0.05)
    # Every sample gets one label.
    assert (drawn.sum(axis=-1) == 40).all()
    assert np.allclose(drawn[..., 1].sum(axis=1), drawn[..., 2].sum(axis=1))


def test_the_ends_of_the_rankings_are_not_told_apart():
    found = fairness.extremes(fairness.draws(published.values(), DOMNICH), DOMNICH)
    assert len(found) == 3 * 11 * 2
    assert not found["told_apart"].any()
    as_published = found[found["definition"] == "published"]
    assert (as_published["ci_low"] < 0).all()
    assert as_published["least_kept"].max() < 0.6


def test_ends_that_lie_far_apart_are_told_apart():
    right, wrong = np.diag([10] * 4), np.roll(np.diag([10] * 4), 1, axis=1)
    models = {"vgg16": (right, wrong), "cnn3d": (right, right), "senet50": (wrong, wrong)}
    printed = pd.concat(
        [
            published.printed_by({"all": a + b, "female": a, "male": b}, architecture=name)
            for name, (a, b) in models.items()
        ]
    )
    found = fairness.extremes(fairness.draws(printed, DOMNICH, resamples=200), DOMNICH)
    first = found[found["criterion"] == "equal_opportunity"].iloc[0]
    assert (first["least"], first["most"]) == ("cnn3d, senet50", "vgg16")
    assert first[["difference", "corrected_low", "least_kept", "most_kept"]].tolist() == [
        1,
        1,
        1,
        1,
    ]
    # All select every label equally often.
    equal = found["criterion"] == "demographic_parity"
    assert (found["told_apart"] == ~equal).all()

"""Counts and rates against scikit-learn and fairlearn."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sk

import scored
from facebias.evaluation import counts, rates


def predicted(frame):
    columns = [name for name in frame if name.startswith("score_")]
    return frame[columns].to_numpy().argmax(axis=1), [name[6:] for name in columns]


@pytest.mark.parametrize("seed", range(5))
def test_rates_of_classes_match_scikit_learn(seed):
    frame = scored.classes(np.random.default_rng(seed))
    counted = counts.count(scored.scored(frame))
    decided, names = predicted(frame)
    table = counted.table.sum(axis=0)
    for position, name in enumerate(names):
        true, said = frame["label"] == name, decided == position
        expected = {
            "accuracy": sk.accuracy_score(true, said),
            "tpr": sk.recall_score(true, said),
            "fpr": sk.recall_score(~true, said),
            "precision": sk.precision_score(true, said),
            "f1": sk.f1_score(true, said),
            "selection_rate": said.mean(),
        }
        for rate, value in expected.items():
            assert rates.rate(rate, table)[position] == pytest.approx(value), rate
    said = np.array(names)[decided]
    f1 = rates.rate("f1", table)[None]
    assert rates.rate("right_classes", table) == [sk.accuracy_score(frame["label"], said)]
    assert rates.macro(f1)[0] == pytest.approx(sk.f1_score(frame["label"], said, average="macro"))
    assert rates.f1_weighted(table) == pytest.approx(
        sk.f1_score(frame["label"], said, average="weighted")
    )
    assert rates.macro(rates.rate("tpr", table)[None])[0] == pytest.approx(
        sk.balanced_accuracy_score(frame["label"], said)
    )
    np.testing.assert_array_equal(
        counted.confusion.sum(axis=0), sk.confusion_matrix(frame["label"], said, labels=names)
    )


@pytest.mark.parametrize("seed", range(3))
def test_rates_of_groups_match_fairlearn(seed):
    frame = scored.classes(np.random.default_rng(seed), n_subjects=9)
    counted = counts.count(scored.scored(frame))
    decided, names = predicted(frame)
    reference = {
        "tpr": true_positive_rate,
        "fpr": false_positive_rate,
        "selection_rate": selection_rate,
        "accuracy": sk.accuracy_score,
    }
    for position, name in enumerate(names):
        by_group = MetricFrame(
            metrics=reference,
            y_true=(frame["label"] == name).astype(int),
            y_pred=(decided == position).astype(int),
            sensitive_features=frame["gender"],
        ).by_group
        for group in by_group.index:
            people = frame.loc[frame["gender"] == group, "subject"].unique()
            table = counted.of(people).table.sum(axis=0)[position]
            for rate in reference:
                assert rates.rate(rate, table) == pytest.approx(by_group.loc[group, rate])


@pytest.mark.parametrize("seed", range(3))
def test_rates_of_units_pass_over_missing_labels(seed):
    frame = scored.units(np.random.default_rng(seed), missing=0.3)
    table = counts.count(scored.scored(frame)).table.sum(axis=0)
    for position, name in enumerate(("AU1", "AU4", "AU12")):
        known = frame[frame[f"label_{name}"].notna()]
        true, said = known[f"label_{name}"] == 1, known[f"score_{name}"] >= 0.5
        assert table[position].sum() == len(known)
        assert rates.rate("f1", table)[position] == pytest.approx(sk.f1_score(true, said))
        assert rates.rate("fpr", table)[position] == pytest.approx(sk.recall_score(~true, said))
    truth = frame.filter(like="label_").to_numpy()
    right = (truth == 1) == (frame.filter(like="score_").to_numpy() >= 0.5)
    expected = right[~np.isnan(truth)].mean()
    assert rates.rate("right_units", table) == pytest.approx([expected])


def test_seeds_are_averaged_and_samples_counted_once():
    random = np.random.default_rng(0)
    first, second = (scored.classes(random).assign(seed=seed) for seed in (1, 2))
    second["label"] = first["label"]
    both = counts.count(scored.scored(pd.concat([first, second])))
    parts = [counts.count(scored.scored(frame)) for frame in (first, second)]
    np.testing.assert_allclose(both.table, (parts[0].table + parts[1].table) / 2)
    assert both.samples.sum() == len(first)


def test_empty_denominators_are_missing_and_zeros_are_not():
    nothing, missed, quiet = [0, 0, 0, 0], [0, 0, 3, 4], [0, 0, 0, 4]
    table = np.array([nothing, missed, quiet])
    np.testing.assert_equal(rates.rate("tpr", table), [np.nan, 0, np.nan])
    np.testing.assert_equal(rates.rate("fpr", table), [np.nan, 0, 0])
    np.testing.assert_equal(rates.rate("precision", table), [np.nan, np.nan, np.nan])
    np.testing.assert_equal(rates.rate("f1", table), [np.nan, 0, np.nan])
    np.testing.assert_equal(rates.rate("accuracy", table), [np.nan, 4 / 7, 1])
    assert np.isnan(rates.rate("right_classes", np.zeros((3, 4))))
    assert np.isnan(rates.f1_weighted(np.array([nothing, quiet])))


def test_macro_leaves_out_what_the_data_cannot_estimate_and_marks_lost_resamples():
    values = np.array([[0.5, np.nan, 1.0], [0.1, 0.3, 0.3], [np.nan, 0.2, 0.8]])
    np.testing.assert_allclose(rates.macro(values), [0.75, 0.2, np.nan])
    assert np.isnan(rates.macro(np.full((1, 3), np.nan)))[0]


@given(arrays(np.int64, (3, 4), elements=st.integers(0, 5)))
def test_a_rate_is_missing_exactly_where_nothing_enters_it(table):
    for name in rates.RATIOS:
        value, samples = rates.rate(name, table), rates.entering(name, table)
        np.testing.assert_array_equal(np.isnan(value), samples == 0)
        assert ((value >= 0) & (value <= 1))[samples > 0].all()


# ---------------------------------------------------------------------- area under the ROC curve


@pytest.mark.parametrize("make", [scored.classes, scored.units])
def test_area_of_resampled_subjects_matches_scikit_learn_on_repeated_rows(make):
    random = np.random.default_rng(1)
    frame = make(random, n_subjects=8)
    data = scored.scored(frame)
    counted, pairs = counts.count(data), counts.concordance(data)
    drawn = random.multinomial(8, np.full(8, 1 / 8), size=20).astype(float)
    for position in range(3):
        areas = rates.auc(drawn, pairs[position], counted.table[:, position])
        for area, times in zip(areas, drawn, strict=True):
            weight = dict(zip(counted.subjects, times.astype(int), strict=True))
            repeat = np.array([weight[subject] for subject in data.subject])
            truth = np.repeat(data.truth[:, position], repeat)
            score = np.repeat(data.score[:, position], repeat)
            known = ~np.isnan(truth)
            assert area == pytest.approx(sk.roc_auc_score(truth[known], score[known]))


@pytest.mark.parametrize("make", [scored.classes, scored.units])
def test_pairs_of_samples_are_those_of_subjects(make, monkeypatch):
    random = np.random.default_rng(3)
    first = make(random)
    known = [name for name in first if name.startswith("label")]
    second = make(random).assign(seed=2, **first[known])
    data = scored.scored(pd.concat([first, second]))
    drawn = random.multinomial(12, np.full(12, 1 / 12), size=70).astype(float)
    of_subjects = counts.concordant(data, drawn)
    monkeypatch.setattr(counts, "PAIRS_PER_SAMPLE", 0)
    np.testing.assert_allclose(counts.concordant(data, drawn), of_subjects, rtol=1e-12)
    assert (of_subjects > 0).all()


def test_many_subjects_are_not_paired_with_each_other(monkeypatch):
    data = scored.scored(scored.classes(np.random.default_rng(4), n_subjects=400, n_samples=2))
    expected = np.stack([pairs.sum() for pairs in counts.concordance(data)])
    monkeypatch.delattr(counts, "concordance")
    assert counts.concordant(data, np.ones((1, 400))).tolist() == [expected.tolist()]


def test_area_is_averaged_over_seeds():
    random = np.random.default_rng(2)
    first = scored.classes(random)
    second = scored.classes(random).assign(seed=2, label=first["label"])
    data = scored.scored(pd.concat([first, second]))
    area = rates.auc(np.ones((1, 12)), counts.concordance(data)[0], counts.count(data).table[:, 0])
    each = [
        sk.roc_auc_score(frame["label"] == "joy", frame["score_joy"]) for frame in (first, second)
    ]
    assert area[0] == pytest.approx(np.mean(each))


def test_area_without_negatives_is_missing():
    frame = scored.classes(np.random.default_rng(0)).assign(label="joy")
    data = scored.scored(frame)
    area = rates.auc(np.ones((1, 12)), counts.concordance(data)[0], counts.count(data).table[:, 0])
    assert np.isnan(area[0])

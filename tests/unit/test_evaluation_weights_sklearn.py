"""People who weigh the same: metrics against those of scikit-learn with sample weights."""

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.dummy import DummyClassifier
from weighing import (
    MODEL,
    columns,
    fairness,
    metrics,
    unequal,
    weight_of,
)

import scored
from facebias.evaluation import (
    baselines,
    cells,
)


@pytest.mark.parametrize("seed", range(4))
def test_metrics_of_classes_are_those_of_scikit_learn(seed):
    frame = unequal("classes", seed=seed)
    frame = frame[frame["seed"] == 1]
    weight, names = weight_of(frame), [name[6:] for name in columns(frame)]
    said = np.array(names)[frame[columns(frame)].to_numpy().argmax(axis=1)]
    found = metrics(frame, "subjects").set_index(["label", "metric"])["value"]
    for name in names:
        true, given = frame["label"] == name, said == name
        options = {"sample_weight": weight, "zero_division": np.nan}
        expected = {
            "accuracy": sk.accuracy_score(true, given, sample_weight=weight),
            "tpr": sk.recall_score(true, given, **options),
            "fpr": sk.recall_score(~true, given, **options),
            "precision": sk.precision_score(true, given, **options),
            "f1": sk.f1_score(true, given, **options),
            "selection_rate": np.average(given, weights=weight),
            "auc": sk.roc_auc_score(true, frame[f"score_{name}"], sample_weight=weight),
        }
        for metric, value in expected.items():
            assert found[name, metric] == pytest.approx(value, nan_ok=True), metric
    overall = {
        "accuracy": sk.accuracy_score(frame["label"], said, sample_weight=weight),
        "f1_weighted": sk.f1_score(frame["label"], said, average="weighted", sample_weight=weight),
        "f1_macro": sk.f1_score(frame["label"], said, average="macro", sample_weight=weight),
        "tpr_macro": sk.balanced_accuracy_score(frame["label"], said, sample_weight=weight),
    }
    for metric, value in overall.items():
        assert found["overall", metric] == pytest.approx(value), metric
    table = cells.confusion(
        scored.scored(frame), {**MODEL, "test_split": "all"}, weights="subjects"
    )
    shares, numbers = (
        table.pivot(index="true", columns="predicted", values=name).loc[names, names].to_numpy()
        for name in ("share", "n_samples")
    )
    expected = sk.confusion_matrix(
        frame["label"], said, labels=names, sample_weight=weight, normalize="true"
    )
    np.testing.assert_allclose(shares, expected)
    np.testing.assert_array_equal(numbers, sk.confusion_matrix(frame["label"], said, labels=names))


@pytest.mark.parametrize("n_subjects", [9, 60])  # pairs of subjects, and of samples
@pytest.mark.parametrize("seed", range(2))
def test_metrics_of_units_are_those_of_scikit_learn(seed, n_subjects):
    frame = unequal("units", seed=seed, n_subjects=n_subjects)
    frame = frame[frame["seed"] == 1].reset_index(drop=True)
    names = [name[6:] for name in columns(frame)]
    annotated = frame[[f"label_{name}" for name in names]].notna()
    known = annotated.any(axis=1)
    weight = np.zeros(len(frame))
    weight[known] = weight_of(frame[known])
    found = metrics(frame, "subjects").set_index(["label", "metric"])["value"]
    gap = fairness(frame, "subjects").set_index(["criterion", "definition", "label"])["estimate"]
    right = total = 0.0
    for name in names:
        own = annotated[f"label_{name}"]
        true, score = frame.loc[own, f"label_{name}"] == 1, frame.loc[own, f"score_{name}"]
        given, options = score >= 0.5, {"sample_weight": weight[own]}
        expected = {
            "accuracy": sk.accuracy_score(true, given, **options),
            "tpr": sk.recall_score(true, given, **options),
            "f1": sk.f1_score(true, given, **options),
            "auc": sk.roc_auc_score(true, score, **options),
        }
        for metric, value in expected.items():
            assert found[name, metric] == pytest.approx(value), metric
        right += sk.accuracy_score(true, given, normalize=False, **options)
        total += weight[own].sum()
        women = frame["gender"] == "female"
        each = [
            sk.roc_auc_score(
                frame.loc[own & group, f"label_{name}"] == 1,
                frame.loc[own & group, f"score_{name}"],
                sample_weight=weight[own & group],
            )
            for group in (women, ~women)
        ]
        assert gap["auc_gap", "per_label", name] == pytest.approx(each[0] - each[1])
    assert found["overall", "accuracy"] == pytest.approx(right / total)


def test_constant_answers_are_weighted_too():
    frame = unequal("classes", seed=2)
    dummy = DummyClassifier(strategy="most_frequent")
    weight = weight_of(frame)
    dummy.fit(frame[columns(frame)], frame["label"], sample_weight=weight)
    expected = dummy.score(frame[columns(frame)], frame["label"], sample_weight=weight)
    answer = baselines.majority(metrics(frame, "subjects"))
    assert answer.label == dummy.predict([[0]])[0]
    assert answer.share == pytest.approx(expected)
    assert answer.share != pytest.approx(baselines.majority(metrics(frame, "samples")).share)

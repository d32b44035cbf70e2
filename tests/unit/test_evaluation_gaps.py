"""Definitions of the gaps: against fairlearn, the published conclusions, and their own bounds."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equal_opportunity_difference,
    equalized_odds_difference,
    selection_rate,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score

import scored
from facebias.evaluation import counts, fairness_criteria, gaps, rates, simulation

PUBLISHED = Path(__file__).parents[3] / "shared" / "published" / "domnich2021_tables.csv"
FAIRLEARN = {
    "equal_opportunity": equal_opportunity_difference,
    "equalized_odds": equalized_odds_difference,
    "demographic_parity": demographic_parity_difference,
}

tables_of_labels = arrays(np.int64, (1, 3, 4), elements=st.integers(0, 6))


OF_COUNTS = fairness_criteria.of_labels(exclusive=False)


def gap(criterion, definition, a, b):
    return gaps.between([a, b], criteria=OF_COUNTS)[criterion, definition]


def of_group(frame, group):
    people = frame.loc[frame["gender"] == group, "subject"].unique()
    return counts.count(scored.scored(frame)).of(people).table.sum(axis=0)[None]


@pytest.mark.parametrize("make", [scored.classes, scored.units])
@pytest.mark.parametrize("criterion", list(FAIRLEARN))
def test_per_label_gaps_match_fairlearn(make, criterion):
    for seed in range(3):
        options = {"missing": 0.0} if make is scored.units else {}
        frame = make(np.random.default_rng(seed), **options)
        data = scored.scored(frame)
        gender = frame["gender"].to_numpy()
        each = [
            FAIRLEARN[criterion](
                data.truth[:, label], data.decision[:, label], sensitive_features=gender
            )
            for label in range(3)
        ]
        a, b = of_group(frame, "female"), of_group(frame, "male")
        assert gap(criterion, "worst_class", a, b)[0] == pytest.approx(max(each))
        if criterion != "equalized_odds":  # fairlearn takes the worse rate, we add the two
            assert gap(criterion, "per_class_mean", a, b)[0] == pytest.approx(np.mean(each))


def holes(random, kind):
    """A random table in which a label is lost, a group has one label, or a group is missing."""
    frame = scored.classes(random, n_subjects=6, n_samples=int(random.integers(1, 6)))
    third = frame["subject"].str[1:].astype(int) % 3
    frame["gender"] = np.array(["female", "male", "other"])[third]
    if kind == "empty cell":
        frame = frame[(frame["gender"] != "male") | (frame["label"] != "joy")]
    if kind == "one label":
        frame = frame[(frame["gender"] != "male") | (frame["label"] == "joy")]
    if kind == "missing group":
        frame = frame[frame["gender"] != "male"]
    return frame


@pytest.mark.parametrize("kind", ["whole", "empty cell", "one label", "missing group"])
def test_rates_and_gaps_of_tables_with_holes_match_fairlearn_and_scikit_learn(kind):
    for seed in range(8):
        frame = holes(np.random.default_rng([5, seed]), kind)
        groups = frame["gender"].unique().tolist()
        if len(groups) < 2:
            continue
        data = scored.scored(frame)
        gender = frame.set_index("sample").loc[data.sample, "gender"].to_numpy()
        tables = [of_group(frame, group) for group in groups]
        for label in range(3):
            truth, said = data.truth[:, label], data.decision[:, label]
            theirs = MetricFrame(
                metrics={"tpr": recall, "fpr": false_positives, "selection_rate": selection_rate},
                y_true=truth,
                y_pred=said,
                sensitive_features=gender,
            ).by_group
            for group, table in zip(groups, tables, strict=True):
                for name in ("tpr", "fpr", "selection_rate"):
                    ours = rates.rate(name, table)[0, label]
                    assert ours == pytest.approx(theirs.loc[group, name], nan_ok=True)
        found = gaps.between(tables, criteria=OF_COUNTS)
        for criterion in OF_COUNTS:
            by_rate = [
                [rates.rate(name, table)[0] for table in tables]
                for name in OF_COUNTS[criterion].rates
            ]
            if "worst_class" not in OF_COUNTS[criterion].definitions:
                continue
            widest = [
                abs(a - b)
                for rated in by_rate
                for one, two in itertools.combinations(rated, 2)
                for a, b in zip(one, two, strict=True)
            ]
            # A rate that no label has in a pair of groups makes that pair's gap missing.
            if not np.isnan(widest).any():
                assert found[criterion, "worst_class"][0] == pytest.approx(max(widest))


def recall(y_true, y_pred):
    return recall_score(y_true, y_pred, zero_division=np.nan)


def false_positives(y_true, y_pred):
    return recall_score(1 - y_true, y_pred == 0, zero_division=np.nan) * -1 + 1


def test_gaps_of_labels_cancel_in_the_published_form_and_those_of_rates_do_not():
    # True positive rates 0.9 against 0.7, false positive rates 0.1 against 0.4.
    a, b = np.array([[[9, 1, 1, 9]]]), np.array([[[7, 4, 3, 6]]])
    assert gap("equalized_odds", "published", a, b) == pytest.approx(0.2 + 0.3)
    assert gap("equalized_odds", "per_class_mean", a, b) == pytest.approx(0.2 + 0.3)
    turned = [np.concatenate(pair, axis=1) for pair in ((a, b), (b, a))]
    assert gap("equalized_odds", "published", *turned) == pytest.approx(0)
    assert gap("equalized_odds", "per_class_mean", *turned) == pytest.approx(0.2 + 0.3)


def test_definitions_by_hand():
    # True positive rates 1.0, 0.5 against 0.8, 0.9; false positive rates 0.1, 0.2 against 0.2, 0.4.
    a = np.array([[[10, 1, 0, 9], [5, 2, 5, 8]]])
    b = np.array([[[8, 2, 2, 8], [9, 4, 1, 6]]])
    expected = {
        ("equal_opportunity", "signed"): -0.1,
        ("equal_opportunity", "published"): 0.1,
        ("equal_opportunity", "per_class_mean"): 0.3,
        ("equal_opportunity", "worst_class"): 0.4,
        ("equalized_odds", "published"): 0.1 + 0.15,
        ("equalized_odds", "per_class_mean"): 0.3 + 0.15,
        ("equalized_odds", "worst_class"): 0.4,
        ("accuracy_gap", "signed"): (15 - 17) / 20,
        ("accuracy_gap", "absolute"): 0.1,
        ("accuracy_gap", "published"): (0.15 + 0.10) / 2,
        ("balanced_accuracy_gap", "signed"): -0.1,
        ("balanced_accuracy_gap", "absolute"): 0.1,
        ("demographic_parity", "per_class_mean"): (0.30 + 0.05) / 2,
        ("demographic_parity", "worst_class"): 0.30,
        ("f1_gap", "signed"): (20 / 21 - 16 / 20 + 10 / 17 - 18 / 23) / 2,
        ("f1_gap", "absolute"): abs(20 / 21 - 16 / 20 + 10 / 17 - 18 / 23) / 2,
        ("f1_gap", "per_class_mean"): (20 / 21 - 16 / 20 + 18 / 23 - 10 / 17) / 2,
        ("f1_gap", "worst_class"): 18 / 23 - 10 / 17,
    }
    assert {key: value[0] for key, value in gaps.between([a, b]).items()} == pytest.approx(expected)
    of_units = {
        ("accuracy_gap", "signed"): (32 - 31) / 40,
        ("demographic_parity", "signed"): (0.05 - 0.30) / 2,
        ("demographic_parity", "published"): (0.30 - 0.05) / 2,
    }
    for key, value in of_units.items():
        assert gap(*key, a, b)[0] == pytest.approx(value)


@pytest.mark.parametrize("seed", range(3))
def test_gaps_of_accuracy_are_those_that_scikit_learn_gives_readers(seed):
    frame = scored.classes(np.random.default_rng(seed), n_samples=8)
    names = ["joy", "grief", "rage"]
    said = frame[[f"score_{name}" for name in names]].to_numpy().argmax(axis=1)
    frame["said"] = np.array(names)[said]
    of_groups = dict(iter(frame.groupby("gender")))
    found = gaps.between([of_group(frame, name) for name in ("female", "male")])
    for criterion, compute in (
        ("accuracy_gap", accuracy_score),
        ("balanced_accuracy_gap", balanced_accuracy_score),
        ("f1_gap", lambda true, said: f1_score(true, said, average="macro")),
    ):
        a, b = (compute(rows["label"], rows["said"]) for _, rows in sorted(of_groups.items()))
        assert found[criterion, "signed"][0] == pytest.approx(a - b)
        assert found[criterion, "absolute"][0] == pytest.approx(abs(a - b))


def test_only_the_published_gap_of_accuracies_is_2_of_l_of_what_a_reader_sees():
    # Of 7 labels, one group is right in 8 of 10 samples of each, the other in 6 of 10.
    def table(right):
        return np.array([[[right, 10 - right, 10 - right, 60 - (10 - right)]] * 7])

    found = gaps.between([table(8), table(6)])
    assert found["accuracy_gap", "signed"][0] == pytest.approx(0.2)
    assert found["accuracy_gap", "published"][0] == pytest.approx(0.2 * 2 / 7)


def test_labels_that_too_few_people_show_are_left_out_of_every_gap():
    # Of the second label two of group a and all of group b tell.
    a, b = np.tile([2, 1, 1, 4], (6, 2, 1)), np.tile([1, 1, 2, 4], (6, 2, 1))
    a[2:, 1, [0, 2]] = 0
    for fewest, left in ((2, [True, True]), (3, [True, False]), (7, [False, False])):
        (chosen,) = gaps.kept([a, b], fewest=fewest)
        assert chosen["tpr"].tolist() == left
    table = np.concatenate([a, b]).astype(float)
    members = [np.repeat([[1.0, 0.0]], 6, axis=1), np.repeat([[0.0, 1.0]], 6, axis=1)]
    kept = gaps.kept([a, b], fewest=3)
    values, errors = gaps.studentised(members, table, kept=kept)["equal_opportunity", "per_label"]
    assert np.isnan(values[0]).tolist() == np.isnan(errors[0]).tolist() == [False, True]
    both = gaps.studentised(members, table, kept=kept)
    for definition in ("signed", "per_class_mean", "worst_class"):
        assert both["equal_opportunity", definition][0] == pytest.approx(values[0, 0])


@given(tables_of_labels, tables_of_labels)
def test_bounds_and_symmetry(a, b):
    for criterion, declared in OF_COUNTS.items():
        value = {
            definition: gap(criterion, definition, a, b)[0] for definition in declared.definitions
        }
        if "absolute" in value and not np.isnan(value["absolute"]):
            assert 0 <= value["absolute"] <= 1
            assert abs(value["signed"]) == pytest.approx(value["absolute"])
        if np.isnan(value.get("worst_class", np.nan)):
            continue
        n_rates = len(declared.rates)
        assert 0 <= value.get("published", 0) <= value["per_class_mean"] + 1e-12
        assert value["per_class_mean"] <= n_rates * value["worst_class"] + 1e-12
        assert value["worst_class"] <= 1
        if "signed" in value:
            assert abs(value["signed"]) <= value["per_class_mean"] + 1e-12
            assert gap(criterion, "signed", b, a)[0] == pytest.approx(-value["signed"])
        for definition in set(value) - {"signed"}:
            turned = gap(criterion, definition, b, a)[0]
            assert turned == pytest.approx(value[definition])


@given(tables_of_labels)
def test_no_gap_between_equal_groups(a):
    for criterion in OF_COUNTS:
        definition = OF_COUNTS[criterion].definitions[-1]
        value = gap(criterion, definition, a, 3 * a)[0]
        assert np.isnan(value) or value == pytest.approx(0)


def test_label_lost_in_one_group_drops_from_the_mean_and_lost_in_a_resample_makes_it_missing():
    a = np.array([[[1, 0, 1, 2], [0, 1, 0, 3]], [[2, 0, 0, 2], [0, 1, 0, 3]], [[0, 1, 0, 3]] * 2])
    b = np.array([[[2, 0, 0, 2], [2, 0, 0, 2]]] * 3)
    found = gap("equal_opportunity", "signed", a, b)
    np.testing.assert_allclose(found, [-0.5, 0.0, np.nan])


@pytest.mark.parametrize("definition", ["published", "per_class_mean", "worst_class"])
def test_nothing_estimable_is_missing(definition):
    a, b = np.array([[[0, 1, 0, 3]]]), np.array([[[2, 0, 0, 2]]])
    for criterion in ("equal_opportunity", "equalized_odds"):
        assert np.isnan(gap(criterion, definition, a, b)[0])


@given(arrays(np.float64, (20, 3), elements=st.floats(0, 1)))
def test_selection_rates_of_classes_cancel(score):
    frame = pd.DataFrame(score, columns=["score_x", "score_y", "score_z"])
    frame = frame.assign(sample=[f"c{i}" for i in range(20)], subject=list("ab") * 10, seed=1)
    frame["label"] = "x"
    counted = counts.count(scored.scored(frame))
    a, b = counted.table[:1], counted.table[1:]
    assert gap("demographic_parity", "signed", a, b)[0] == pytest.approx(0, abs=1e-12)
    for definition in ("signed", "published"):
        reason = fairness_criteria.why_not("demographic_parity", definition, exclusive=True)
        assert "0 by construction" in reason
        assert fairness_criteria.why_not("demographic_parity", definition, exclusive=False) is None
    assert fairness_criteria.why_not("demographic_parity", "worst_class", exclusive=True) is None


@pytest.fixture(scope="module")
def published_gaps():
    """Gaps of the models trained on everybody, from the paper's tables 11-28."""
    if not PUBLISHED.exists():
        pytest.skip(f"the published numbers are not here: {PUBLISHED.name}")
    table = pd.read_csv(PUBLISHED)
    table = table[(table["train_split"] == "regular") & (table["test_split"] != "all")]
    wide = table.pivot_table(
        index="architecture", columns=["metric", "test_split", "label"], values="value"
    )

    def difference(metric):
        return wide[metric]["female"].to_numpy() - wide[metric]["male"].to_numpy()

    differences = {
        "equal_opportunity": [difference("true_positive_rate")],
        "equalized_odds": [difference("true_positive_rate"), difference("false_positive_rate")],
        "accuracy_gap": [difference("accuracy")],
    }
    return pd.DataFrame(
        {
            criterion: fairness_criteria.published(fairness_criteria.OF_CLASSES[criterion], gap)
            for criterion, gap in differences.items()
        },
        index=wide.index,
    )


def test_published_definitions_lead_to_the_published_conclusions(published_gaps):
    for criterion in ("equal_opportunity", "equalized_odds"):
        assert published_gaps[criterion].idxmin() == "resnet3d"
        assert published_gaps[criterion].nlargest(2).index.tolist() == ["vggface", "cnn3d"]
    assert published_gaps["accuracy_gap"].nsmallest(2).index.tolist() == ["vgg16", "resnet3d"]
    assert set(published_gaps["accuracy_gap"].nlargest(2).index) == {"cnn3d", "vggface"}


# ----------------------------------------------------------------------------- excess of sizes


def between_people(people, *, lower=0.0, seed=0):
    parts = simulation.draw(
        [simulation.Population()] * 2, (people, people), np.random.default_rng(seed),
        lower=[0.0, lower],
    )  # fmt: skip
    sizes = np.repeat([0, 1], people)
    members = [(sizes == group)[None].astype(float) for group in (0, 1)]
    return members, np.concatenate([part.table for part in parts])


@pytest.mark.parametrize("lower", [0.0, (0.3, 0.0, 0.0, 0.0)])
def test_sizes_without_their_excess_are_about_the_true_ones(lower):
    found = []
    for seed in range(150):
        members, table = between_people(20, lower=lower, seed=seed)
        values = gaps.studentised(members, table)
        excess = gaps.excess(members, table)
        assert set(excess) == {key for key in fairness_criteria.defined() if key[1] != "signed"}
        assert min(excess.values()) > -1e-12
        found.append({key: (values[key][0][0], excess[key]) for key in excess})
    true = np.abs(np.broadcast_to(lower, 4)).mean()
    key = "equal_opportunity", "per_class_mean"
    raw = np.mean([one[key][0] for one in found])
    corrected = np.mean([one[key][0] - one[key][1] for one in found])
    assert raw - true > 0.05
    assert abs(corrected - true) < 0.35 * (raw - true)


def test_large_gaps_have_no_excess():
    members, table = between_people(200, lower=0.5)
    assert gaps.excess(members, table)["equal_opportunity", "per_class_mean"] < 0.01
    assert gaps.excess(members, table)["equal_opportunity", "published"] < 0.01

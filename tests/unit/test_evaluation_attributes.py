"""Groups from recorded attributes: crossed ones, bins and trends of numbers."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import scored
from facebias.evaluation import attributes, counts, groups, resampling, trends
from facebias.study import StudyError, crossed

MODEL = {"architecture": "vgg16", "train_split": "regular"}


@pytest.fixture
def frame():
    made = scored.classes(np.random.default_rng(7), n_subjects=24)
    number = made["subject"].str[1:].astype(int)
    return made.assign(skin=np.where(number % 3 == 0, "dark", "light"), age=20.0 + 2 * number)


# --------------------------------------------------------------------------------------- crossed


@pytest.mark.parametrize("name", ["gender x skin", "gender_x_skin"])
def test_crossed_attributes_have_every_combination(frame, name):
    found = attributes.grouping(frame, name)
    combinations = ["female x dark", "female x light", "male x dark", "male x light"]
    assert list(found.members) == combinations
    people = frame.drop_duplicates("subject").set_index("subject")
    for group, members in found.members.items():
        gender, skin = group.split(" x ")
        assert (people.loc[members, "gender"] == gender).all()
        assert (people.loc[members, "skin"] == skin).all()
    assert sum(map(len, found.members.values())) == 24


def test_a_study_writes_crossed_attributes_as_one_name():
    evaluation = dataclasses.replace(scored.EVALUATION, attributes=("gender x skin", "age"))
    assert evaluation.attributes == ("gender_x_skin", "age")
    assert crossed("gender_x_skin") == ["gender", "skin"]
    assert dataclasses.replace(evaluation).attributes == evaluation.attributes


def test_combination_of_nobody_is_shown_with_its_count(frame):
    frame.loc[(frame["gender"] == "female") & (frame["skin"] == "dark"), "skin"] = "light"
    found = attributes.grouping(frame, "gender x skin")
    table = groups.fairness(
        counts.count(scored.scored(frame)), found, MODEL, evaluation=scored.EVALUATION
    )
    empty = table[table["groups"] == "female x dark - female x light"]
    assert empty["estimate"].isna().all()
    assert empty["note"].str.contains("female x dark: 0 subjects, 3 needed").all()
    whole = table[table["groups"].str.startswith("range over female x dark, ")]
    known = whole[whole["definition"] == "worst_class"]
    assert known["p_value"].between(0, 1).all()


def test_crossed_with_a_missing_value_is_left_out(frame):
    frame["skin"] = frame["skin"].where(frame["subject"] != "p000")
    found = attributes.grouping(frame, "gender x skin")
    assert found.missing.tolist() == ["p000"]


def test_crossed_with_an_attribute_that_is_not_there_names_it(frame):
    with pytest.raises(StudyError, match="no attribute ethnicity"):
        attributes.grouping(frame, "gender x ethnicity")


# ------------------------------------------------------------------------------------------ bins


def test_bins_hold_their_lower_edge_and_keep_their_order(frame):
    found = attributes.grouping(frame, "age", bins={"age": (0, 30, 50, 100)})
    assert list(found.members) == ["0 to under 30", "30 to under 50", "50 to under 100"]
    people = frame.drop_duplicates("subject").set_index("subject")["age"]
    assert people[found.members["30 to under 50"]].min() == 30
    assert people[found.members["0 to under 30"]].max() == 28
    assert found.values["p001"] == 22


def test_crossed_with_bins(frame):
    found = attributes.grouping(frame, "gender x age", bins={"age": (0, 30, 100)})
    assert list(found.members)[1] == "female x 30 to under 100"


def test_number_outside_its_bins_is_refused(frame):
    message = r"evaluation\.bins\.age: subject p020 has 60.*expected a number from 0 to under 60"
    with pytest.raises(StudyError, match=message):
        attributes.grouping(frame, "age", bins={"age": (0, 30, 60)})


def test_text_in_an_attribute_of_numbers_is_refused(frame):
    frame["age"] = frame["age"].astype(object).where(frame["subject"] != "p002", "old")
    with pytest.raises(StudyError, match="subject p002 has old"):
        attributes.grouping(frame, "age", bins={"age": (0, 30, 100)})


# ----------------------------------------------------------------------------------------- trends


def by_age(frame, **changes):
    found = attributes.grouping(frame, "age", bins={"age": (0, 40, 100)})
    evaluation = dataclasses.replace(scored.EVALUATION, **changes)
    table = groups.fairness(counts.count(scored.scored(frame)), found, MODEL, evaluation=evaluation)
    return table[table["definition"] == "trend"].set_index("criterion")


def test_slope_is_the_mean_of_least_squares_over_samples(frame):
    said = frame[["score_joy", "score_grief", "score_rage"]].to_numpy().argmax(axis=1)
    hit = np.array(["joy", "grief", "rage"])[said] == frame["label"]
    slopes = [
        stats.linregress(some["age"], hit[some.index].astype(float)).slope
        for _, some in frame.groupby("label")
    ]
    found = by_age(frame).loc["equal_opportunity"]
    assert found["estimate"] == pytest.approx(np.mean(slopes))
    assert found["groups"] == "trend in age"
    assert (found["n_subjects"], found["n_samples"]) == (24, 120)
    assert found["ci_low"] < found["estimate"] < found["ci_high"]


def test_interval_of_a_slope_is_that_of_its_resamples_widened_for_few_people(frame):
    counted = counts.count(scored.scored(frame))
    ages = frame.groupby("subject")["age"].first()[counted.subjects].to_numpy()
    weights = resampling.weights(counted.subjects, resamples=200, seed=5)
    x, n = counted.table[..., 0], counted.table[..., 0] + counted.table[..., 2]
    slopes, _ = trends.slope(x, n, weights, np.broadcast_to(ages, weights.shape))
    expected = resampling.interval(slopes, confidence=0.95, subjects=len(ages))
    found = by_age(frame).loc["equal_opportunity"]
    assert found[["ci_low", "ci_high"]].tolist() == pytest.approx(expected)


def test_planted_trend_is_found_and_none_is_not(frame):
    age = frame["age"].to_numpy()
    truth = frame["label"].to_numpy()
    random = np.random.default_rng(0)
    hit = random.random(len(frame)) < 1.3 - age / 60
    other = np.where(truth == "joy", "grief", "joy")
    for name in ("joy", "grief", "rage"):
        frame[f"score_{name}"] = (np.where(hit, truth, other) == name) * 1.0
    found = by_age(frame).loc["equal_opportunity"]
    assert found["estimate"] < 0
    assert found["ci_high"] < 0
    assert found["p_value"] <= 0.01
    people = frame["subject"].unique()
    ages = dict(zip(people, random.permutation(len(people)), strict=True))
    shuffled = frame.assign(age=frame["subject"].map(ages) + 20.0)
    assert by_age(shuffled).loc["equal_opportunity", "p_value"] > 0.05


def test_selection_rates_of_classes_have_no_trend(frame):
    found = by_age(frame)
    assert "demographic_parity" not in found.index
    assert found.loc["accuracy_gap", "n_samples"] > 0


def test_trend_needs_two_values(frame):
    found = by_age(frame.assign(age=35.0))
    assert found["estimate"].isna().all()
    assert "1 different values" in found.loc["equal_opportunity", "note"]


def test_two_people_have_no_trend(frame):
    few = frame[frame["subject"].isin(frame["subject"].unique()[:2])]
    found = by_age(few, min_subjects=2)
    assert found["estimate"].isna().all()
    assert "needs 3 subjects" in found.loc["equal_opportunity", "note"]


def test_level_of_the_trend_holds_where_ages_differ_in_samples():
    random = np.random.default_rng(5)
    alarms = 0
    for _ in range(200):
        n = np.where(np.arange(20) < 10, 2.0, 12.0)[:, None]
        x = random.binomial(n.astype(int), random.beta(2, 1, size=(20, 1)))
        ages = np.arange(20.0) - 9.5
        order = random.permuted(np.tile(ages, (200, 1)), axis=1)
        numbers = np.concatenate([ages[None], order[1:]])
        values, errors = trends.slope(x.astype(float), n, np.ones_like(numbers), numbers)
        units = np.abs(values / errors)
        alarms += (units[1:] >= units[0]).mean() <= 0.05
    # 3 standard errors of 200 studies are 0.046.
    assert alarms / 200 <= 0.05 + 0.046


def test_slope_of_resampled_subjects_is_that_of_repeated_rows():
    random = np.random.default_rng(2)
    n = random.integers(1, 5, size=(8, 2)).astype(float)
    x = random.binomial(n.astype(int), 0.6).astype(float)
    ages = random.normal(size=8)
    weights = np.stack([np.ones(8), random.multinomial(8, np.full(8, 1 / 8))])
    values, _ = trends.slope(x, n, weights, np.broadcast_to(ages, weights.shape))
    rows = np.repeat(np.arange(8), weights[1].astype(int))
    slopes = []
    for label in range(2):
        fitted = np.polyfit(ages[rows], x[rows, label] / n[rows, label], 1, w=n[rows, label] ** 0.5)
        slopes.append(fitted[0])
    assert values[1] == pytest.approx(np.mean(slopes))


def test_table_of_bins_keeps_pairs_and_trend_apart(frame):
    found = attributes.grouping(frame, "age", bins={"age": (0, 40, 100)})
    table = groups.fairness(
        counts.count(scored.scored(frame)), found, MODEL, evaluation=scored.EVALUATION
    )
    assert isinstance(table, pd.DataFrame)
    assert set(table["groups"]) == {"0 to under 40 - 40 to under 100", "trend in age"}

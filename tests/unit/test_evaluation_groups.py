"""Fairness tables: pairs, ranges, groups that are too small or missing, intervals."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import scored
from facebias.evaluation import attributes, counts, fairness_criteria, groups, rates, resampling
from facebias.study import StudyError

MODEL = {"architecture": "vgg16", "train_split": "regular"}


def fairness(frame, attribute="gender", **changes):
    evaluation = dataclasses.replace(scored.EVALUATION, **changes)
    return groups.fairness(
        counts.count(scored.scored(frame)),
        attributes.grouping(frame, attribute),
        MODEL,
        evaluation=evaluation,
    )


def row(table, criterion, definition, names):
    chosen = table[
        (table["criterion"] == criterion)
        & (table["definition"] == definition)
        & (table["groups"] == names)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def by_turns(frame, *names):
    """Return the subjects the groups ``names`` in turn; None leaves it unrecorded."""
    number = frame["subject"].str[1:].astype(int)
    return frame.assign(skin=[names[n % len(names)] for n in number])


@pytest.fixture
def frame():
    return scored.classes(np.random.default_rng(7), n_subjects=18)


def test_two_groups_have_one_row_per_criterion_and_definition(frame):
    table = fairness(frame)
    assert set(table["groups"]) == {"female - male"}
    averaged = table[table["definition"] != fairness_criteria.PER_LABEL]
    expected = fairness_criteria.defined()
    assert list(zip(averaged["criterion"], averaged["definition"], strict=True)) == expected
    assert (averaged["n_subjects"] == 18).all()
    assert (averaged["n_samples"] == len(frame)).all()
    assert (averaged["label"] == "overall").eq(averaged["definition"] != "worst_class").all()


def test_order_of_rows_is_nothing(frame):
    shuffled = frame.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(fairness(frame), fairness(shuffled))


def test_interval_is_the_slow_bootstrap_within_groups(frame):
    found = row(fairness(frame), "equal_opportunity", "signed", "female - male")
    counted = counts.count(scored.scored(frame))
    female = counted.of(frame.loc[frame["gender"] == "female", "subject"].unique())
    male = counted.of(frame.loc[frame["gender"] == "male", "subject"].unique())
    drawn = [resampling.weights(part.subjects, resamples=200, seed=5) for part in (female, male)]
    values = []
    for take in range(201):
        means = []
        for part, weights in zip((female, male), drawn, strict=True):
            table = sum(times * one for times, one in zip(weights[take], part.table, strict=True))
            means.append(rates.rate("tpr", table).mean())
        values.append(means[0] - means[1])
    assert found["estimate"] == pytest.approx(values[0])
    # As many as show a label, on average: the smaller group's.
    showing = min(rates.people("tpr", part.table).mean() for part in (female, male))
    tail = resampling.expanded(0.025, subjects=int(showing))
    assert found["ci_low"] == pytest.approx(np.nanquantile(values[1:], tail))
    assert found["ci_high"] == pytest.approx(np.nanquantile(values[1:], 1 - tail))


def test_more_than_two_groups_have_all_pairs_and_a_range(frame):
    table = fairness(by_turns(frame, "light", "dark", "middle"), "skin")
    pairs = ["dark - light", "dark - middle", "light - middle"]
    whole = "range over dark, light, middle"
    signed = table[(table["criterion"] == "accuracy_gap") & (table["definition"] == "signed")]
    assert signed["groups"].tolist() == pairs
    for definition in fairness_criteria.UNSIGNED:
        parts = [row(table, "equalized_odds", definition, pair)["estimate"] for pair in pairs]
        found = row(table, "equalized_odds", definition, whole)
        assert found["estimate"] == max(parts)
        assert found["n_subjects"] == 18


def test_group_too_small_is_not_estimable_and_stays_out_of_the_range(frame):
    frame = by_turns(frame, "light", "dark", "middle")
    frame.loc[frame["subject"] == "p000", "skin"] = "east_asian/white"
    table = fairness(frame, "skin")
    note = "east_asian/white: 1 subject, 3 needed"
    small = row(table, "equal_opportunity", "worst_class", "dark - east_asian/white")
    assert small[["estimate", "ci_low", "ci_high"]].isna().all()
    assert (small["note"], small["n_subjects"], small["n_samples"]) == (note, 7, 35)
    whole = row(
        table,
        "equal_opportunity",
        "worst_class",
        "range over dark, light, middle",
    )
    assert whole["note"] == note
    assert whole["n_subjects"] == 17
    assert not np.isnan(whole["estimate"])


@pytest.mark.parametrize(("n", "estimable"), [(2, False), (3, True)])
def test_group_of_just_enough_subjects_is_estimable(n, estimable):
    frame = scored.classes(np.random.default_rng(3), n_subjects=2 * n)
    found = row(fairness(frame, min_subjects=3), "accuracy_gap", "signed", "female - male")
    assert np.isnan(found["estimate"]) != estimable


def test_group_nobody_was_tested_of_is_named(frame):
    frame = by_turns(frame, "light", "dark")
    tested = counts.count(scored.scored(frame[frame["skin"] == "light"]))
    table = groups.fairness(
        tested, attributes.grouping(frame, "skin"), MODEL, evaluation=scored.EVALUATION
    )
    assert table["estimate"].isna().all()
    assert table["note"].str.startswith("dark: 0 subjects, 3 needed").all()


def test_one_group_alone_says_so(frame):
    table = fairness(frame.assign(gender="female"))
    assert set(table["groups"]) == {"female"}
    assert table["estimate"].isna().all()
    assert set(table["note"]) == {"female is the only group and a gap needs two"}


def test_attribute_recorded_for_nobody_says_so(frame):
    table = fairness(frame.assign(gender=None))
    assert table["estimate"].isna().all()
    assert set(table["note"]) == {"no recorded value; 18 subjects without gender left out"}


def test_subjects_without_the_attribute_are_left_out_and_counted(frame):
    table = fairness(by_turns(frame, "light", "dark", None), "skin")
    averaged = table["definition"] != fairness_criteria.PER_LABEL
    assert (table.loc[averaged, "n_subjects"] == 12).all()
    assert table["note"].str.contains("6 subjects without skin left out").all()
    known = by_turns(frame, "light", "dark", None).dropna()
    pd.testing.assert_series_equal(table["estimate"], fairness(known, "skin")["estimate"])


def test_label_that_a_group_never_shows_drops_with_a_note(frame):
    frame.loc[(frame["gender"] == "female") & (frame["label"] == "rage"), "label"] = "joy"
    table = fairness(frame)
    found = row(table, "equal_opportunity", "per_class_mean", "female - male")
    assert found["note"] == "rage left out: 0 subjects behind its tpr in female, 2 needed"
    assert not np.isnan(found["estimate"])
    assert row(table, "accuracy_gap", "signed", "female - male")["note"] is None


def per_label(table, criterion="equal_opportunity"):
    rows = table[
        (table["criterion"] == criterion) & (table["definition"] == fairness_criteria.PER_LABEL)
    ]
    return rows.set_index("label")


def test_gaps_of_labels_make_up_their_averages_and_the_largest_is_named(frame):
    frame.loc[(frame["gender"] == "male") & (frame["label"] == "grief"), "score_grief"] = 1.0
    table = fairness(frame)
    for criterion in ("equal_opportunity", "demographic_parity", "f1_gap"):
        each = per_label(table, criterion)
        sizes = each["estimate"].abs()
        largest = row(table, criterion, "worst_class", "female - male")
        assert largest["estimate"] == pytest.approx(sizes.max())
        assert largest["label"] == sizes.idxmax()
        mean = row(table, criterion, "per_class_mean", "female - male")["estimate"]
        assert mean == pytest.approx(sizes.mean())
        assert ((each["ci_low"] < each["estimate"]) & (each["estimate"] < each["ci_high"])).all()
        # Of labels that differ alike the one that looks worst is no surer than any of them.
        assert largest["ci_low"] <= max(0, each["ci_low"].max(), -each["ci_high"].min())
    assert row(table, "equal_opportunity", "worst_class", "female - male")["label"] == "grief"


def test_gaps_of_labels_count_those_who_show_them(frame):
    only = frame["label"].ne("rage") | frame["subject"].isin(["p000", "p001", "p002", "p003"])
    found = per_label(fairness(frame[only]))
    assert found.loc["rage", "n_subjects"] <= 4
    assert found.loc["rage", "n_samples"] == (frame[only]["label"] == "rage").sum()
    strict = per_label(fairness(frame[only], min_subjects_per_label=3)).loc["rage"]
    assert np.isnan(strict["estimate"])
    assert np.isnan(strict["p_value"])
    assert strict["note"].startswith("rage left out: 2 subjects behind its tpr in female, 3 needed")


@pytest.mark.parametrize("names", [("light", "dark"), ("light", "dark", "middle")])
def test_many_people_of_one_sample_each_are_drawn_as_kinds_with_the_same_results(
    monkeypatch, names
):
    random = np.random.default_rng(2)
    frame = by_turns(scored.classes(random, n_subjects=1200, n_samples=1), *names)
    lower = (frame["skin"] == "dark") & (random.random(len(frame)) < 0.3)
    frame.loc[lower, "score_joy"] = 1.0
    alike = fairness(frame, "skin", resamples=1500, permutations=1500)
    monkeypatch.setattr(counts, "FEWEST_ALIKE", 10_000)
    apart = fairness(frame, "skin", resamples=1500, permutations=1500)
    assert len(counts.count(scored.scored(frame)).table) == 1200
    exact = ["groups", "criterion", "definition", "label", "n_subjects", "n_samples", "note"]
    pd.testing.assert_frame_equal(alike[exact], apart[exact])
    np.testing.assert_allclose(alike["estimate"], apart["estimate"], atol=1e-12)
    drawn = ["ci_low", "ci_high", "p_value", "null_high", "detectable"]
    np.testing.assert_allclose(alike[drawn], apart[drawn], atol=0.05)


def test_leaving_one_out_is_counting_the_others():
    for make in (scored.classes, scored.units):
        counted = counts.count(
            scored.scored(make(np.random.default_rng(3), n_subjects=6)), ranked=True
        )
        whole, *without = counted.left_out()
        np.testing.assert_allclose(whole, counted.summed(np.ones((1, 6)))[0])
        for place, found in enumerate(without):
            others = counted.take(np.delete(np.arange(6), place))
            np.testing.assert_allclose(found, others.summed(np.ones((1, 5)))[0], atol=1e-12)


# --------------------------------------------------------------------------------------- grouping


def test_numbers_with_many_values_cannot_be_groups(frame):
    frame["age"] = frame["subject"].str[1:].astype(int) + 0.5
    with pytest.raises(StudyError, match=r"evaluation\.attributes: age has 18.*text column"):
        attributes.grouping(frame, "age")
    attributes.grouping(frame.assign(age=frame["age"] // 4), "age")


def test_whole_numbers_keep_their_names_beside_missing_values(frame):
    frame["band"] = frame["subject"].map({"p000": 1, "p001": 2})
    assert list(attributes.grouping(frame, "band").members) == ["1", "2"]


def test_subject_in_two_groups_is_refused(frame):
    frame.loc[0, "gender"] = "male"
    with pytest.raises(StudyError, match="subject p000 is in two groups, male and female"):
        attributes.grouping(frame, "gender")


def test_unknown_attribute_is_refused(frame):
    with pytest.raises(StudyError, match="no attribute skin"):
        attributes.grouping(frame, "skin")


# ------------------------------------------------------------------------------------- simulation


def test_signed_gap_is_covered_and_found():
    """25 + 25 subjects whose true positive rates differ by 0.15 and vary between people."""
    random = np.random.default_rng(11)
    people = np.array([f"p{number:03d}" for number in range(50)])
    truth = 0.15
    members = {"a": people[:25], "b": people[25:]}
    grouping = attributes.Grouping(attribute="gender", members=members, missing=people[:0])
    evaluation = dataclasses.replace(scored.EVALUATION, resamples=300)
    covered = excluded_zero = 0
    for _ in range(100):
        mean = np.where(np.arange(50) < 25, 0.7, 0.7 - truth)
        skill = random.beta(8 * mean, 8 * (1 - mean))
        found = random.binomial(10, skill[:, None], size=(50, 2))
        table = np.stack([found, 0 * found, 10 - found, 0 * found + 10], axis=-1).astype(float)
        counted = counts.Counts(
            labels=("x", "y"),
            exclusive=False,
            subjects=people,
            samples=np.full(50, 20.0),
            table=table,
            confusion=None,
        )
        result = row(
            groups.fairness(counted, grouping, MODEL, evaluation=evaluation),
            "equal_opportunity",
            "signed",
            "a - b",
        )
        covered += result["ci_low"] <= truth <= result["ci_high"]
        excluded_zero += result["ci_low"] > 0
    # Nominal 95; 3 standard errors are 7.
    assert 88 <= covered <= 100
    # The standard error of the gap is 0.053 by the beta-binomial variance, so the power of a
    # normal interval is P(Z > 1.96 - 0.15 / 0.053) = 0.80, a little less for the expanded one;
    # 3 standard errors of 100 draws are 12.
    assert 65 <= excluded_zero <= 92


def read_as(frame, said):
    """Let the model be sure of ``said``, a label for each sample."""
    scores = {
        name: np.where(said == name.removeprefix("score_"), 0.98, 0.01)
        for name in frame
        if name.startswith("score_")
    }
    return frame.assign(**scores)


@pytest.mark.parametrize("seed", range(4))
def test_no_interval_reaches_beyond_what_a_gap_can_be(frame, seed):
    """One group is nearly always read rightly and the other nearly never."""
    random = np.random.default_rng(seed)
    names = sorted(frame["label"].unique())
    wrong = frame["label"].map(dict(zip(names, names[1:] + names[:1], strict=True)))
    right = (frame["gender"] == "female") ^ (random.random(len(frame)) < 0.1)
    table = fairness(read_as(frame, np.where(right, frame["label"], wrong)))
    known = table[table["estimate"].notna()]
    most = known["criterion"].eq("equalized_odds") & known["definition"].ne("worst_class")
    assert (known["ci_high"] <= np.where(most, 2, 1)).all()
    signed = known["definition"].isin(("signed", fairness_criteria.PER_LABEL))
    assert (known["ci_low"] >= np.where(signed, -1, 0)).all()


@pytest.mark.parametrize("who", ["everybody", "nobody", "one group"])
def test_gaps_of_people_who_are_all_alike_have_intervals_with_a_width(frame, who):
    """Nine and nine who are all read rightly are no proof that the next ones will be."""
    names = sorted(frame["label"].unique())
    wrong = frame["label"].map(dict(zip(names, names[1:] + names[:1], strict=True)))
    right = {"everybody": True, "nobody": False, "one group": frame["gender"] == "female"}[who]
    table = fairness(read_as(frame, np.where(right, frame["label"], wrong)))
    known = table[table["estimate"].notna()]
    assert len(known) > 20
    width = known["ci_high"] - known["ci_low"]
    assert (width > 0).all()
    # False positives of people who show other labels may differ, which resamples notice.
    assert (width > 0.1)[known["criterion"] != "equalized_odds"].all()
    assert (known["ci_low"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["ci_high"]).all()
    still = known[(known["null_low"] == 0) & (known["null_high"] == 0)]
    assert bool(len(still)) == (who != "one group")
    # No chance was seen: that is no proof that any gap would be found.
    assert still["detectable"].isna().all()
    recall = row(table, "equal_opportunity", "signed", "female - male")
    assert recall["estimate"] == (1.0 if who == "one group" else 0.0)
    assert (recall["ci_low"] > 0) == (who == "one group")

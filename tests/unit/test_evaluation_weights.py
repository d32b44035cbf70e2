"""Every person weighs the same: what that changes, and what it leaves alone."""

import located
import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from weighing import (
    BOTH,
    KINDS,
    MODEL,
    assert_same,
    columns,
    evaluation,
    fairness,
    metrics,
    repeated,
    two_seeds,
    unequal,
    weight_of,
)

import scored
from facebias import tables
from facebias.evaluation import (
    attributes,
    audit,
    by_group,
    cells,
    counts,
    fairness_criteria,
    pairing,
    rates,
    redraws,
    relevance_stage,
    seeds,
    variance,
)
from facebias.study import StudyError


def everything(frame, weights):
    """All tables of one model, by name."""
    scores, found = scored.scored(frame), attributes.grouping(frame, "gender")
    counted = counts.count(scores, weights=weights)
    others = np.roll(frame[columns(frame)].to_numpy(), 1, axis=1)
    other = frame.assign(**dict(zip(columns(frame), others.T, strict=True)))
    trained = {
        "regular": counted,
        "other": counts.count(scored.scored(other), weights=weights),
    }
    folds = dict.fromkeys(scores.subject, 0)
    given = evaluation(weights)
    return {
        "gaps": fairness(frame, weights),
        "accelerated": fairness(frame, weights, interval="bca"),
        "trends": fairness(frame, weights, attribute="age"),
        "metrics": metrics(frame, weights),
        "by_group": by_group.metrics(scores, [found], MODEL, evaluation=given),
        "confusion": cells.confusion(scores, {**MODEL, "test_split": "all"}, weights=weights),
        "effects": pairing.effects(trained, found, "vgg16", evaluation=given),
        "redraws": redraws.redraws({"vgg16": counted}, found, "regular", evaluation=given),
        "variance": variance.variance(
            seeds.count(scores, folds, weights=weights), found, MODEL, evaluation=given
        ),
    }


# --------------------------------------------------------------------- equal numbers of samples


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_equal_numbers_of_samples_give_the_same_with_both(kind, seed):
    options = {"missing": 0} if kind == "units" else {}
    frame = two_seeds(KINDS[kind](np.random.default_rng(seed), n_samples=7, **options))
    plain, weighted = (everything(frame, weights) for weights in BOTH)
    for name, table in plain.items():
        # Of labels whose gaps are equal but for the last bits, either is that of the largest gap;
        # of resamples that are equal to the estimate, an accelerated interval counts half as below.
        but = ["weight", *(["label"] if "definition" in table else [])]
        but += ["ci_low", "ci_high"] if name == "accelerated" else []
        assert_same(table, weighted[name], *but)
    assert set(plain["gaps"]["criterion"]) == set(
        fairness_criteria.of_labels(exclusive=kind == "classes", ranked=True)
    )


def test_people_who_are_all_alike_have_no_error_from_rounding():
    """Thirds and sevenths have none in binary: their squares cancel but for the last bits."""
    one = scored.classes(np.random.default_rng(3), n_subjects=1, n_samples=7)
    frame = pd.concat(
        [
            one.assign(
                subject=f"p{number}",
                sample=one["sample"] + f"-{number}",
                gender=("female", "male")[number % 2],
            )
            for number in range(11)
        ],
        ignore_index=True,
    )
    for weights in BOTH:
        found = fairness(frame, weights)["p_value"].dropna()
        assert len(found) and (found == 1).all()


def test_equal_numbers_of_explained_samples_give_the_same_relevance():
    study = located.manifest()
    explained = located.explained(study)
    found = [relevance(study, explained, weights) for weights in BOTH]
    for plain, weighted in zip(*found, strict=True):
        assert_same(plain, weighted)


# ------------------------------------------------------------------- one person's samples again


@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 50),
    who=st.integers(0, 11),
    times=st.integers(2, 5),
)
def test_more_samples_of_one_person_change_nothing(kind, seed, who, times):
    frame = unequal(kind, seed=seed)
    again = repeated(frame, f"p{who:03d}", times)
    before, after = (everything(each, "subjects") for each in (frame, again))
    for name, table in before.items():
        scored_intervals = name in ("metrics", "by_group", "gaps", "accelerated")
        ends = ("ci_low", "ci_high") if scored_intervals else ()
        assert_same(table, after[name], "n_samples", *ends)
        if not scored_intervals:
            continue
        # Score intervals rest on no more samples than there are: more can only make them shorter.
        one, other = table, after[name]
        if "definition" in table:
            of_labels = table["definition"] == fairness_criteria.PER_LABEL
            assert_same(one[~of_labels], other[~of_labels], "n_samples")
            one, other = one[of_labels], other[of_labels]
        known = one["ci_low"].notna()
        assert (other["ci_low"].notna() == known).all()
        assert (other["ci_low"] - one["ci_low"])[known].min() >= -1e-9
        assert (one["ci_high"] - other["ci_high"])[known].min() >= -1e-9


def test_more_samples_of_one_person_change_no_interval_where_people_differ():
    """Whoever is right is always right: fewer samples say as much as these."""
    frame = unequal("classes", seed=4)
    names = columns(frame)
    score = np.full((len(frame), len(names)), 0.1)
    right = frame["subject"].isin([f"p{number:03d}" for number in (0, 1, 2, 5, 6, 9)])
    truth = [names.index(f"score_{label}") for label in frame["label"]]
    score[np.arange(len(frame)), np.where(right, truth, (np.array(truth) + 1) % len(names))] = 0.8
    frame[names] = score
    again = repeated(frame, "p003", 4)
    found = [metrics(each, "subjects") for each in (frame, again)]
    rates_of_right = [
        table[(table["metric"] == "tpr") | (table["metric"] + table["label"] == "accuracyoverall")]
        for table in found
    ]
    assert_same(*rates_of_right, "n_samples")


@pytest.mark.parametrize("kind", KINDS)
def test_more_samples_of_one_person_count_where_samples_weigh_the_same(kind):
    frame = unequal(kind, seed=7)
    again = repeated(frame, "p003", 4)
    before, after = (fairness(each, "samples") for each in (frame, again))
    compared = before["definition"] == "per_class_mean"
    assert (before["estimate"] - after["estimate"])[compared].abs().max() > 1e-3
    assert not np.allclose(before["p_value"], after["p_value"], equal_nan=True)
    one, other = (metrics(each, "samples") for each in (frame, again))
    accuracy = one["metric"] == "accuracy"
    assert (one["value"] - other["value"])[accuracy].abs().max() > 1e-3


def relevance(study, explained, weights):
    facts = relevance_facts(explained)
    return relevance_stage.compared(
        facts, explained, study, labels=located.labels(), evaluation=located.evaluation(
            weights=weights, permutations=999, resamples=200
        ),
    )  # fmt: skip


def relevance_facts(explained):
    """Measures that follow from the sample alone, whatever it is called."""
    first = explained.assign(
        name=explained["sample"], sample=explained["sample"].str.split("=").str[0]
    )
    once = located.relevance(first.drop_duplicates("sample").drop(columns="name"))
    names = first[["sample", "name"]]
    table = names.merge(once, on="sample").assign(sample=lambda rows: rows["name"])
    return tables.check(table.drop(columns="name"), tables.RELEVANCE)


def test_more_explained_samples_of_one_person_change_no_relevance():
    study = located.manifest()
    explained = located.explained(study)

    def more(frame):
        own = frame[frame["subject"] == "p03"]
        copies = [own.assign(sample=own["sample"] + f"={number}") for number in range(3)]
        return pd.concat([frame, *copies], ignore_index=True)

    rows = more(explained).assign(row=lambda frame: range(len(frame)))
    found = {
        weights: (relevance(study, explained, weights), relevance(more(study), rows, weights))
        for weights in BOTH
    }
    counted = ("n_samples", "n_fitted")
    for before, after in zip(*found["subjects"], strict=True):
        assert_same(before, after, *counted)
    means, more_means = (tables_of[0] for tables_of in found["samples"])
    assert not np.allclose(means["positive"], more_means["positive"], equal_nan=True)
    assert (more_means["n_samples"] >= means["n_samples"]).all()


# ------------------------------------------------------------------------------ what it is for


def few_with_many(random):
    """3 people with 1,400 clips each, hardly recognised, beside 87 with one; men are right."""
    numbers = [1400] * 3 + [1] * 87
    frame = pd.DataFrame({"subject": np.repeat([f"p{place:03d}" for place in range(90)], numbers)})
    place = frame["subject"].str[1:].astype(int)
    n = len(frame)
    found = np.where(place < 3, random.random(n) < 0.5, random.random(n) < 0.9)
    women = (place < 3) | (place % 2 == 0)
    truth = random.integers(2, size=n)
    said = np.where(found, truth, 1 - truth)
    return frame.assign(
        sample=[f"c{number:04d}" for number in range(n)],
        seed=1,
        gender=np.where(women, "female", "male"),
        label=np.array(["joy", "rage"])[truth],
        score_joy=np.where(said == 0, 0.8, 0.2),
        score_rage=np.where(said == 0, 0.2, 0.8),
    )


def test_three_people_with_many_clips_do_not_decide():
    frame = few_with_many(np.random.default_rng(1))
    signed = {}
    for weights in BOTH:
        table = fairness(frame, weights)
        row = table[(table["criterion"] == "accuracy_gap") & (table["definition"] == "signed")]
        signed[weights] = row["estimate"].item()
        assert row["n_samples"].item() == 4287
        assert row["n_subjects"].item() == 90
    people = frame.assign(
        right=frame[columns(frame)].to_numpy().argmax(axis=1) == (frame["label"] == "rage")
    )
    by_person = people.groupby(["gender", "subject"])["right"].mean().groupby("gender").mean()
    assert signed["subjects"] == pytest.approx(by_person["female"] - by_person["male"])
    assert signed["samples"] < -0.3 < -0.2 < signed["subjects"]


def test_numbers_stay_those_counted():
    frame = unequal("units", seed=5)
    plain, weighted = (metrics(frame, weights) for weights in BOTH)
    names = ["label", "metric", "n_subjects", "n_samples"]
    assert_same(plain[names], weighted[names])
    assert "weight" not in plain
    overall = weighted[(weighted["label"] == "overall") & (weighted["metric"] == "accuracy")]
    assert overall["weight"].item() == pytest.approx(overall["n_subjects"].item())
    names = ["criterion", "definition", "label", "n_subjects", "n_samples"]
    plain, weighted = (fairness(frame, weights) for weights in BOTH)
    assert_same(plain[names].drop(columns="label"), weighted[names].drop(columns="label"))


def test_people_that_a_label_needs_are_counted_not_weighed():
    frame = unequal("classes", seed=6)
    rare = frame["label"].eq("rage") & ~frame["subject"].isin(["p000", "p001", "p002", "p003"])
    frame.loc[rare, "label"] = "grief"
    notes = [
        set(fairness(frame, weights, min_subjects_per_label=3)["note"].dropna()) for weights in BOTH
    ]
    assert notes[0] == notes[1]
    assert any("rage left out" in note for note in notes[0])


def test_intervals_rest_on_no_more_samples_than_the_weights_leave():
    """15 people who are right once, and 5 of 200 samples: hardly more than 20 samples say so."""
    frame = scored.classes(np.random.default_rng(0), n_subjects=20, n_samples=200)
    place = frame["subject"].str[1:].astype(int)
    frame = frame[(place < 5) | ~frame["subject"].duplicated()]
    counted = counts.count(scored.scored(frame), weights="subjects")
    assert counted.samples.sum() == 1015
    weight = weight_of(frame)
    kish = weight.sum() ** 2 / (weight**2).sum()
    entering = rates.entering_by_subject("right_classes", counted.table)[:, 0]
    assert counted.independent(entering) == pytest.approx(kish)
    assert 20 < kish < 27
    plain = counts.count(scored.scored(frame))
    entering = rates.entering_by_subject("right_classes", plain.table)[:, 0]
    assert plain.independent(entering) == 1015


def test_many_people_who_answer_alike_are_of_a_kind_whatever_their_numbers():
    numbers = np.arange(1200) % 3 + 1
    people = pd.DataFrame({"subject": np.repeat([f"p{n:04d}" for n in range(1200)], 2 * numbers)})
    half = people.groupby("subject").cumcount() % 2
    frame = people.assign(
        sample=[f"c{number:04d}" for number in range(len(people))],
        seed=1,
        label="joy",
        score_joy=np.where(half == 0, 0.8, 0.2),
        score_rage=np.where(half == 0, 0.2, 0.8),
    )
    table, places = counts.count(scored.scored(frame), weights="subjects").kinds
    assert table[:, 0].tolist() == [[0.5, 0.0, 0.5, 0.0]]
    assert (places == 0).all()


def test_train_splits_tested_on_other_numbers_of_samples_are_refused():
    """Shares of two tests can be alike where their samples are not."""
    frame = unequal("classes", seed=8)
    trained = {
        name: counts.count(scored.scored(each), weights="subjects")
        for name, each in (("regular", frame), ("other", repeated(frame, "p001", 2)))
    }
    found = attributes.grouping(frame, "gender")
    with pytest.raises(StudyError, match="not tested on the same samples"):
        pairing.effects(trained, found, "vgg16", evaluation=evaluation("subjects"))


# ---------------------------------------------------------------------------------- evaluate


def test_evaluate_weighs_people_and_says_so(tmp_path, capsys):
    frame = few_with_many(np.random.default_rng(1)).drop(columns="seed")
    path = tmp_path / "given.csv"
    frame.to_csv(path, index=False)
    given = ["--predictions", str(path), "--attribute", "gender", "--resamples", "100"]
    said, accuracy = {}, {}
    for weights in BOTH:
        out = tmp_path / weights
        audit.main([*given, "--out", str(out), "--weights", weights])
        said[weights] = capsys.readouterr().out
        table = tables.read(out / "metrics.csv", tables.METRICS).set_index(
            ["test_split", "label", "metric"]
        )
        assert ("weight" in table) == (weights == "subjects")
        accuracy[weights] = table.loc[("all", "overall", "accuracy"), "value"]
    assert "Every person weighs the same" in said["subjects"]
    assert "weighs the same" not in said["samples"]
    assert accuracy["samples"] < 0.55 < 0.8 < accuracy["subjects"]


def test_evaluate_refuses_other_weights(tmp_path, capsys):
    with pytest.raises(SystemExit):
        audit.main(["--predictions", "x", "--attribute", "y", "--out", "z", "--weights", "people"])
    assert "argument --weights: invalid choice: 'people'" in capsys.readouterr().err

"""Relevance by group: means, gaps, verdicts, and gaps beside errors."""

from __future__ import annotations

import dataclasses

import located as made
import numpy as np
import pandas as pd
import pytest
from located import judged, row

import scored
from facebias import tables
from facebias.evaluation import (
    outcomes,
    rates,
    relevance,
    relevance_stage,
    resampling,
)
from facebias.study import StudyError, settings


@pytest.fixture(scope="module")
def study():
    people = made.manifest()
    facts = made.explained(people)
    random = np.random.default_rng(1)
    shift = np.where(people["gender"] == "female", 0.25, 0.0)
    where = made.relevance(facts, background=shift + 0.1 * random.random(len(people)))
    return people, facts, where, *judged(facts, where, people)


def test_means_are_those_of_the_samples(study):
    people, facts, where, means, _, _ = study
    joined = where.merge(facts).merge(people[["sample", "gender"]])
    for region in ("units", "background", "eyes"):
        here = joined[(joined["region"] == region) & (joined["gender"] == "male")]
        found = row(means, region=region, group="male", label="surprise", outcome="any")
        own = here[here["explained"] == "surprise"]
        for name in relevance.MEANS:
            assert found[name] == pytest.approx(own[name].mean()), name
        assert (found["n_subjects"], found["n_samples"]) == (6, len(own))
        overall = row(means, region=region, group="male", label="overall", outcome="any")
        each = here.groupby("explained")["positive"].mean()
        assert overall["positive"] == pytest.approx(each.mean())
        assert overall["ci_low"] <= overall["positive"] <= overall["ci_high"]


def test_samples_on_a_template_are_counted(study):
    people, facts, where, _, _, _ = study
    alone = where["subject"].isin(["p01", "p03"])
    changed = where.assign(landmarks=where["landmarks"].mask(alone, "own"))
    means, _, _ = relevance_stage.compared(
        changed, facts, people, labels=made.labels(), evaluation=made.evaluation()
    )
    for group, of_template in (("female", 1.0), ("male", 4 / 6)):
        rows = means[means["group"] == group]
        assert (rows["n_fitted"] <= rows["n_samples"]).all()
        whole = rows[rows["outcome"] == "any"]
        assert whole["n_fitted"].tolist() == (of_template * whole["n_samples"]).round().tolist()


def test_a_sample_that_several_seeds_explain_counts_once(study):
    people, facts, where, means, gaps, _ = study
    seeds = (1, 2, 3)
    again = (
        pd.concat([table.assign(seed=seed) for seed in seeds], ignore_index=True)
        for table in (facts, where)
    )
    more_means, more_gaps, _ = judged(*again, people)
    pd.testing.assert_frame_equal(more_means, means)
    columns = ["estimate", "ci_low", "ci_high", "p_value", "n_subjects", "n_samples"]
    pd.testing.assert_frame_equal(more_gaps[columns], gaps[columns])


def test_outcomes_are_told_apart_where_gaps_are_looked_for(study):
    people, facts, where, means, _, _ = study
    assert set(means.loc[means["region"] == "eyes", "outcome"]) == {"any"}
    assert set(means.loc[means["region"] == "units", "outcome"]) == {"any", "hit", "miss"}
    hit = (facts["predicted"] == facts["explained"]).to_numpy()
    inside = where[(where["region"] == "hair").to_numpy()].reset_index(drop=True)
    chosen = (people["gender"] == "female").to_numpy() & (facts["label"] == "sadness").to_numpy()
    found = {"region": "hair", "group": "female", "label": "sadness"}
    for outcome, rows in (("hit", chosen & hit), ("miss", chosen & ~hit)):
        mean = row(means, outcome=outcome, **found)
        assert mean["positive"] == pytest.approx(inside.loc[rows, "positive"].mean())
        assert mean["n_samples"] == rows.sum()


def test_a_planted_gap_is_found_and_no_other(study):
    *_, gaps, _ = study
    found = row(gaps, region="background", label="overall", outcome="any", measure="positive")
    assert found["groups"] == "female - male"
    assert found["estimate"] == pytest.approx(0.25, abs=0.03)
    assert found["ci_low"] > 0.2
    assert found["verdict"] == "gap found"
    assert found["family"] == "exploratory"
    assert found["n_subjects"] == 12
    others = gaps[(gaps["region"] == "hair") & (gaps["verdict"] == "gap found")]
    assert others.empty


def test_the_primary_family_is_the_relevance_in_own_units(study):
    *_, gaps, _ = study
    primary = gaps[gaps["family"] == "primary"]
    assert len(primary) == 1
    assert primary.iloc[0][["region", "label", "outcome", "measure"]].tolist() == [
        "units", "overall", "any", "positive",
    ]  # fmt: skip


def test_a_ratio_is_never_held_against_the_margin(study):
    people, facts, where, *_ = study
    same = where.assign(ratio=2.0 + 0.001 * where["positive"])
    _, gaps, _ = judged(facts, same, people)
    ratios = gaps[gaps["measure"] == "ratio"]
    assert len(ratios)
    assert not ratios["verdict"].str.startswith("no gap larger").any()


def test_hit_rates_are_those_of_the_predictions(study):
    people, facts, _, _, gaps, _ = study
    hits = (facts["predicted"] == facts["label"]).groupby([people["gender"], people["label"]])
    rates = hits.mean()
    for label in made.LABELS:
        found = row(gaps, measure="hit_rate", label=label)
        assert found["estimate"] == pytest.approx(rates["female", label] - rates["male", label])


def test_only_samples_that_show_the_label_have_a_hit_rate():
    outcomes = ["hit", "miss", "hit", "false alarm", "correct rejection", None]
    rows = pd.DataFrame({"region": "units", "outcome": outcomes, "subject": "p00"})
    both = pd.concat([rows, rows.assign(region="hair")])
    assert relevance.with_label(both)["hit_rate"].tolist() == [1, 0, 1]


def test_interval_of_a_gap_is_that_of_a_slow_loop_and_widened_for_those_who_enter(study):
    people, facts, where, *_ = study
    # Three women alone show surprise.
    few = facts["subject"].isin([f"p{number:02d}" for number in (0, 2, 4, *range(1, 12, 2))])
    kept = facts["sample"][(facts["label"] != "surprise") | few]
    facts, where = (part[part["sample"].isin(kept)] for part in (facts, where))
    _, gaps, _ = judged(facts, where, people)
    found = row(gaps, region="hair", label="surprise", outcome="any", measure="positive")
    inside = where.merge(facts).query("region == 'hair' and explained == 'surprise'")
    means = []
    for numbers in (range(0, 12, 2), range(1, 12, 2)):
        names = np.array([f"p{number:02d}" for number in numbers])
        weights = resampling.weights(names, resamples=400, seed=1)
        each = [inside.loc[inside["subject"] == name, "positive"] for name in names]
        sums = weights @ np.array([values.sum() for values in each])
        means.append(rates.divide(sums, weights @ np.array([len(values) for values in each])))
    expected = resampling.interval(means[0] - means[1], confidence=0.95, subjects=3)
    assert found[["ci_low", "ci_high"]].tolist() == pytest.approx(expected)
    assert found["n_subjects"] == 3 + 6


def test_missing_relevance_is_no_zero(study):
    people, facts, where, *_ = study
    lost = (where["region"] == "units") & where["sample"].str.contains("surprise")
    holed = where.assign(positive=where["positive"].mask(lost), ratio=where["ratio"].mask(lost))
    means, gaps, _ = judged(facts, holed, people)
    found = row(means, region="units", group="male", label="surprise", outcome="any")
    assert np.isnan(found["positive"])
    assert (found["n_subjects"], found["n_samples"]) == (0, 0)
    overall = row(means, region="units", group="male", label="overall", outcome="any")
    assert not np.isnan(overall["positive"])
    gap = row(gaps, region="units", label="surprise", outcome="any", measure="positive")
    assert np.isnan(gap["estimate"])
    assert gap["verdict"] == "not estimable"
    assert gap["note"] == (
        "female: 0 subjects with such a sample, 3 needed; "
        "male: 0 subjects with such a sample, 3 needed"
    )


def test_a_group_that_is_too_small_has_no_gap():
    people = made.manifest(subjects=4)
    facts = made.explained(people)
    _, gaps, joint = judged(facts, made.relevance(facts), people)
    assert gaps["estimate"].isna().all()
    assert gaps["note"].notna().all()
    assert joint["estimate"].isna().all()
    assert set(joint["note"]) == {"a group is too small"}


def test_more_groups_are_compared_two_by_two():
    people = made.manifest(subjects=12)
    people["skin"] = ["abc"[int(name[1:]) % 3] for name in people["subject"]]
    facts = made.explained(people)
    _, gaps, joint = judged(facts, made.relevance(facts), people, attributes=("skin",))
    assert list(gaps["groups"].unique()) == ["a - b", "a - c", "b - c"]
    assert len(joint) == 9
    estimates = gaps[gaps["label"] == "overall"].groupby("groups")["estimate"]
    assert estimates.count().gt(0).all()


def test_bca_intervals_differ_and_hold_the_estimate(study):
    people, facts, where, _, gaps, _ = study
    _, other, _ = judged(facts, where, people, interval="bca")
    wanted = {"region": "background", "label": "overall", "outcome": "any", "measure": "positive"}
    first, second = row(gaps, **wanted), row(other, **wanted)
    assert first["estimate"] == second["estimate"]
    assert first["ci_low"] != second["ci_low"]
    assert second["ci_low"] < second["estimate"] < second["ci_high"]


# ---------------------------------------------------------------------------------------- outcomes


def test_outcomes_of_units_leave_out_what_is_not_annotated():
    names = ("AU1", "AU2")
    people = pd.DataFrame(
        {
            "sample": list("abcde"), "subject": "p", "path": "x", "publishable": True,
            "label_AU1": [1, 1, 0, 0, None], "label_AU2": 1,
        }
    )  # fmt: skip
    facts = made.explained(people.assign(label="AU1"))
    facts = facts.assign(explained="AU1", predicted=["AU1+AU2", "AU2", "AU1", "", "AU1"])
    found = outcomes.outcomes(facts, people, made.labels("units", names))
    assert found["outcome"].tolist()[:4] == ["hit", "miss", "false alarm", "correct rejection"]
    assert found["outcome"].isna().tolist() == [False] * 4 + [True]


def test_a_sample_of_another_study_is_refused():
    people = made.manifest(subjects=4)
    facts = made.explained(people)
    with pytest.raises(StudyError, match="sample p00-happiness-0 is not in the manifest"):
        outcomes.outcomes(facts, people.iloc[1:], made.labels())
    where = made.relevance(facts)
    with pytest.raises(StudyError, match="not among the explanations"):
        judged(facts.iloc[1:], where, people)


def test_a_study_does_not_hang_on_the_order_of_rows(study):
    people, facts, where, _, gaps, _ = study
    shuffled = where.sample(frac=1, random_state=0)
    _, again, _ = judged(facts.sample(frac=1, random_state=1), shuffled, people)
    key = list(tables.RELEVANCE_GAPS.key)
    pd.testing.assert_frame_equal(
        gaps.sort_values(key, ignore_index=True),
        again.sort_values(key, ignore_index=True),
        check_exact=False,
    )


def test_a_second_method_asks_no_question_of_its_own(study):
    people, facts, where, _, gaps, _ = study
    other = "integrated_gradients"
    both = (pd.concat([table, table.assign(method=other)]) for table in (facts, where))
    _, found, _ = judged(*both, people)
    declared = found[found["family"] == "primary"]
    assert set(declared["method"]) == {"lrp"}
    alone = gaps[gaps["family"] == "primary"]
    np.testing.assert_array_equal(declared["p_holm"], alone["p_holm"])
    assert other in set(found["method"])


def test_the_stage_writes_three_tables(study, tmp_path):
    people, facts, where, *_ = study
    tables.write(people, tmp_path / "m.csv", tables.MANIFEST)
    tables.write(facts, tmp_path / "e.csv", tables.EXPLANATIONS)
    tables.write(where, tmp_path / "r.parquet", tables.RELEVANCE)
    evaluation = dataclasses.replace(made.evaluation(), resamples=100)
    declared = {"questions": [scored.question("regular")]}
    declared["architectures"] = list(facts["architecture"].unique())
    declared["method"] = "lrp"
    declared["compared_by"] = {name: ["gender"] for name in facts["train_split"].unique()}
    given = settings(labels=made.labels(), evaluation=evaluation, **declared)
    relevance_stage.main(
        [
            *("--settings", given, "--manifest", str(tmp_path / "m.csv")),
            *("--explanations", str(tmp_path / "e.csv")),
            *("--relevance", str(tmp_path / "r.parquet")),
            *("--means", str(tmp_path / "a.csv"), "--gaps", str(tmp_path / "b.csv")),
            *("--joint", str(tmp_path / "c.csv")),
        ]
    )  # fmt: skip
    for name, table in (
        ("a", tables.RELEVANCE_MEANS),
        ("b", tables.RELEVANCE_GAPS),
        ("c", tables.RELEVANCE_JOINT),
    ):
        assert len(tables.read(tmp_path / f"{name}.csv", table))

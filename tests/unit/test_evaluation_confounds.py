"""Confounds: numbers against slow loops, what is missing, and when there is a warning."""

import dataclasses
import itertools

import diagnosed
import numpy as np
import pandas as pd
import pytest
from confounding import EVALUATION, measured, row

from facebias import tables
from facebias.evaluation import association, comparison, permutation, resampling
from facebias.study import Labels


@pytest.fixture
def manifest():
    return diagnosed.people(n=10, uneven=0.5)


def test_by_an_attribute_only_its_own_train_splits_are_compared(manifest):
    roles = diagnosed.splits(manifest)
    # Another hold-out: whom it tests trains the others, and the other way round.
    swapped = {"train": "test", "test": "train"}
    other = roles[roles["train_split"] == "regular"].assign(train_split="apart")
    other["role"] = other["role"].replace(swapped)
    both = pd.concat([roles, other], ignore_index=True)
    own = dict.fromkeys(roles["train_split"].unique(), ("gender",))
    table = measured(manifest, roles=both, compared_by={**own, "apart": ()})
    pd.testing.assert_frame_equal(table, measured(manifest, roles=roles))
    assert "apart" in set(measured(manifest, roles=both)["train_split"])


# ------------------------------------------------------------------------------------------- labels


def test_shares_of_labels_are_those_of_the_rows(manifest):
    table = measured(manifest)
    women = manifest[manifest["gender"] == "female"]
    for label in diagnosed.NAMES:
        found = row(table, "label_share", groups="female", label=label)
        assert found["estimate"] == pytest.approx((women["label"] == label).mean())
        assert (found["n_subjects"], found["n_samples"]) == (5, len(women))
        assert found["ci_low"] <= found["estimate"] <= found["ci_high"]


def test_association_is_that_of_the_crossed_table(manifest):
    crossed = pd.crosstab(manifest["gender"], manifest["label"]).to_numpy(dtype=float)
    table = measured(manifest)
    assert row(table, "cramers_v")["estimate"] == association.cramers_v(crossed)
    shared = row(table, "normalised_mutual_information")["estimate"]
    assert shared == pytest.approx(association.normalised_mutual_information(crossed))


def test_p_value_of_an_association_is_that_of_all_assignments(manifest):
    people = manifest["subject"].unique()
    counts = pd.crosstab(manifest["subject"], manifest["label"]).loc[people].to_numpy(dtype=float)
    women = manifest.drop_duplicates("subject")["gender"].to_numpy() == "female"

    def value(chosen):
        both = np.stack([counts[chosen].sum(axis=0), counts[~chosen].sum(axis=0)])
        return association.cramers_v(both)

    own = value(women)
    permuted = [value(np.isin(np.arange(10), c)) for c in itertools.combinations(range(10), 5)]
    found = row(measured(manifest), "cramers_v")
    assert len(permuted) == 252
    assert found["p_value"] == pytest.approx(np.mean(np.array(permuted) >= own - 1e-9))
    assert found["null_high"] == pytest.approx(np.quantile(permuted, 0.95), abs=0.02)


def test_even_labels_have_no_association_and_no_warning():
    found = row(measured(diagnosed.people(n=12)), "cramers_v")
    assert (found["estimate"], found["ci_low"], found["ci_high"]) == (0, 0, 0)
    assert found["p_value"] == 1
    assert found["warning"] is None


def test_one_label_alone_is_not_estimable(manifest):
    found = row(measured(manifest.assign(label="joy")), "cramers_v")
    assert np.isnan(found["estimate"])
    assert found["note"] == "fewer than two labels occur"


def units(manifest, *, missing=0.1, of_women=0.0, seed=4):
    random = np.random.default_rng(seed)
    women = manifest["gender"] == "female"
    columns = {}
    for name in ("AU1", "AU4", "AU12"):
        present = random.random(len(manifest)) < 0.4 + of_women * women * (name == "AU4")
        columns[f"label_{name}"] = np.where(random.random(len(manifest)) < missing, np.nan, present)
    return manifest.drop(columns="label").assign(**columns)


UNITS = Labels(kind="units", names=("AU1", "AU4", "AU12"), fuse={}, subsample_fused=False, seed=1)


def test_units_are_compared_one_by_one_with_the_largest_of_all():
    manifest = units(diagnosed.people(n=10), of_women=0.35)
    table = measured(manifest, labels=UNITS)
    known = manifest.dropna(subset="label_AU4")
    crossed = pd.crosstab(known["gender"], known["label_AU4"] == 0).to_numpy(dtype=float)
    found = row(table, "cramers_v", label="AU4")
    assert found["estimate"] == pytest.approx(association.cramers_v(crossed))
    assert found["n_samples"] == len(known)
    assert "AU4 is spread unevenly" in found["warning"]
    # One limit for all units: of the largest V of each assignment.
    assert (
        table.loc[table["measure"] == "cramers_v"].groupby("role")["null_high"].nunique().max() == 1
    )
    share = row(table, "label_share", groups="male", label="AU1")
    men = manifest[manifest["gender"] == "male"]["label_AU1"]
    assert share["estimate"] == pytest.approx(men.mean())


def test_unit_that_nobody_annotated_is_missing():
    manifest = units(diagnosed.people(n=10)).assign(label_AU12=np.nan)
    table = measured(manifest, labels=UNITS)
    for measure, groups in (("cramers_v", "all"), ("label_share", "female")):
        found = row(table, measure, groups=groups, label="AU12")
        assert np.isnan(found["estimate"])
        assert found["n_samples"] == 0
    assert row(table, "cramers_v", label="AU1")["p_value"] > 0


# ------------------------------------------------------------------- samples left out, and pictures


def test_difference_and_interval_are_those_of_a_slow_loop(manifest):
    quality = diagnosed.quality(manifest, smaller=6.0)
    found = row(measured(manifest, quality=quality), "face_size", groups="female - male")
    joined = manifest.merge(quality, on="sample")
    values = np.zeros(EVALUATION.resamples + 1)
    for group, sign in (("female", 1), ("male", -1)):
        of_group = joined[joined["gender"] == group]
        people = np.unique(of_group["subject"])
        drawn = resampling.weights(people, resamples=EVALUATION.resamples, seed=EVALUATION.seed)
        sizes = [of_group.loc[of_group["subject"] == name, "face_size"] for name in people]
        for take, weights in enumerate(drawn):
            total = sum(times * size.sum() for times, size in zip(weights, sizes, strict=True))
            n = sum(times * len(size) for times, size in zip(weights, sizes, strict=True))
            values[take] += sign * total / n
    low, high = resampling.interval(values, confidence=0.95, subjects=5)
    assert found["estimate"] == pytest.approx(values[0])
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high))


def test_ratio_is_that_of_a_slow_loop():
    random = np.random.default_rng(5)
    sums, samples = random.normal(50, 9, (7, 2)), random.integers(1, 6, (7, 2)).astype(float)
    members = (random.random((40, 7)) < 0.6).astype(float)
    members[0] = 0
    members[1] = np.eye(7)[2]
    mean, variance = comparison.ratio(members, sums, samples)
    assert np.isnan(mean[0]).all()
    assert np.isnan(variance[:2]).all()
    for group, own, spread in zip(members[2:], mean[2:], variance[2:], strict=True):
        inside = group > 0
        m = inside.sum()
        if m < 2:
            continue
        for column in range(2):
            x, n = sums[inside, column], samples[inside, column]
            assert own[column] == pytest.approx(x.sum() / n.sum())
            moved = (x - own[column] * n) / n.sum()
            assert spread[column] == pytest.approx((moved**2).sum() * m / (m - 1))


def test_p_value_of_a_difference_is_that_of_all_assignments(manifest):
    # Unequal numbers of samples, so that differences and their standard errors disagree.
    few = manifest["subject"].isin(["p00", "p01", "p04"])
    manifest = manifest[~few | (manifest["label"] == "rage")].reset_index(drop=True)
    quality = diagnosed.quality(manifest, smaller=-4.0)
    joined = manifest.merge(quality, on="sample")
    per_subject = joined.groupby("subject")["face_size"]
    sums, n = per_subject.sum().to_numpy()[:, None], per_subject.size().to_numpy(float)[:, None]
    women = np.arange(10) % 2 == 0

    def size(chosen):
        means = [comparison.ratio(part[None].astype(float), sums, n) for part in (chosen, ~chosen)]
        (a, va), (b, vb) = means
        return float(abs(a - b)[0, 0] / np.sqrt(va + vb)[0, 0])

    own = size(women)
    permuted = [size(np.isin(np.arange(10), c)) for c in itertools.combinations(range(10), 5)]
    found = row(measured(manifest, quality=quality), "face_size", groups="female - male")
    assert 0.02 < found["p_value"] < 0.9
    assert found["p_value"] == pytest.approx(np.mean(np.array(permuted) >= own - 1e-9))


def test_samples_left_out_count_with_their_subjects_also_without_any_clip(manifest):
    lost = diagnosed.excluded(manifest, of_women=2)
    nobody = lost.iloc[:1].assign(sample="x", subject="p99", gender="male")
    table = measured(manifest, excluded=pd.concat([lost, nobody], ignore_index=True))
    women = row(table, "left_out", groups="female")
    assert women["estimate"] == pytest.approx(10 / (45 + 10))
    men = row(table, "left_out", groups="male")
    assert men["estimate"] == pytest.approx(1 / 46)
    assert (men["n_subjects"], men["n_samples"]) == (6, 46)
    assert row(table, "left_out", role="test", groups="male")["estimate"] == 0
    assert row(table, "brightness", groups="male")["n_subjects"] == 5


def test_nothing_left_out_is_a_share_of_0_and_no_warning(manifest):
    table = measured(manifest)
    found = row(table, "left_out", groups="female - male")
    assert (found["estimate"], found["p_value"]) == (0, 1)
    assert found["warning"] is None


def test_everybody_of_one_group_left_out_as_often_is_beyond_chance():
    manifest = diagnosed.people(n=12)
    table = measured(manifest, excluded=diagnosed.excluded(manifest, of_women=3))
    found = row(table, "left_out", groups="female - male")
    assert found["estimate"] == pytest.approx(3 / 12)
    assert found["p_value"] == pytest.approx(2 / 924)
    assert "25.0% in female and 0.0% in male" in found["warning"]


def test_pairs_of_three_groups_are_held_against_the_largest():
    manifest = diagnosed.people(n=15, groups=("dark", "light", "medium"))
    table = measured(manifest, quality=diagnosed.quality(manifest, seed=8))
    rows = table[(table["measure"] == "brightness") & (table["role"] == "all")]
    pairs = rows[rows["comparison"] == "pair"]
    assert set(pairs["groups"]) == {"dark - light", "dark - medium", "light - medium"}
    joined = manifest.merge(diagnosed.quality(manifest, seed=8), on="sample")
    per_subject = joined.groupby("subject")["brightness"]
    sums, n = per_subject.sum().to_numpy()[:, None], per_subject.size().to_numpy(float)[:, None]
    names = [np.array([f"p{i:02d}" for i in range(start, 15, 3)]) for start in range(3)]
    permuted = permutation.assignments(names, draws=EVALUATION.permutations, seed=EVALUATION.seed)
    order = [int(name[1:]) for part in names for name in part]
    means = [comparison.ratio(group, sums[order], n[order]) for group in permuted.members]
    sizes = [
        comparison.in_units(a - b, va + vb)[:, 0]
        for (a, va), (b, vb) in itertools.combinations(means, 2)
    ]
    largest = np.max(sizes, axis=0)[1:]
    for pair, size in zip(("dark - light", "dark - medium", "light - medium"), sizes, strict=True):
        hits = (largest >= size[0] - 1e-9).sum()
        found = row(table, "brightness", groups=pair)
        assert found["p_value"] == pytest.approx((1 + hits) / (1 + len(largest)))


def test_group_too_small_is_not_compared():
    manifest = diagnosed.people(n=10)
    manifest.loc[manifest["subject"].isin(["p00", "p02"]), "gender"] = "other"
    table = measured(manifest)
    found = row(table, "face_size", groups="female - other")
    assert np.isnan(found["estimate"])
    assert found["note"] == "other: 2 subjects, 3 needed"
    assert row(table, "face_size", groups="other")["n_subjects"] == 2
    assert row(table, "face_size", groups="female - male")["p_value"] > 0
    assert row(table, "cramers_v")["n_subjects"] == 8


def test_one_group_alone_has_nothing_to_compare():
    manifest = diagnosed.people(n=6).assign(gender="female")
    table = measured(manifest)
    found = row(table, "cramers_v")
    assert np.isnan(found["estimate"])
    assert found["note"] == "fewer than two groups to compare"
    assert row(table, "subject_ratio", split="regular", role="train")["note"] == found["note"]
    assert table["warning"].isna().all()


def test_subjects_without_the_attribute_are_left_out_and_named(manifest):
    manifest.loc[manifest["subject"] == "p00", "gender"] = None
    table = measured(manifest)
    assert row(table, "cramers_v")["n_subjects"] == 9
    assert row(table, "cramers_v")["note"] == "1 subject without gender left out"
    assert row(table, "subjects", split="regular", role="train", groups="female")["estimate"] == 0


# ----------------------------------------------------------------------------------------- warnings


def test_planted_confounds_are_warned_of():
    table = diagnosed.confound_table()
    said = " ".join(table["warning"].dropna())
    assert "Labels are spread unevenly over gender among all subjects: Cramer's V" in said
    assert "Size of the face in pixels differs by gender among the test subjects" in said
    assert "Share of samples left out differs by gender" in said


def test_without_confounds_warnings_are_as_rare_as_the_level():
    evaluation = dataclasses.replace(EVALUATION, resamples=100)
    judged = warned = 0
    for seed in range(40):
        manifest = diagnosed.people(n=12, seed=seed)
        random = np.random.default_rng(seed)
        manifest["label"] = random.permuted(manifest["label"].to_numpy())
        table = measured(
            manifest,
            quality=diagnosed.quality(manifest, seed=100 + seed),
            evaluation=evaluation,
        )
        table = table[table["role"] == "all"].dropna(subset="p_value")
        table = table[~table["measure"].isin(["left_out", "normalised_mutual_information"])]
        judged += len(table)
        warned += table["warning"].notna().sum()
    # key_frame_span never varies and never warns; the others should in 5 of 100.
    assert judged == 40 * 7
    assert warned / (40 * 6) < 0.09


def test_order_of_rows_is_nothing(manifest):
    shuffled = manifest.sample(frac=1, random_state=1)
    quality = diagnosed.quality(manifest)
    once, again = (
        measured(
            rows,
            quality=quality.sample(frac=1, random_state=2),
            excluded=diagnosed.excluded(manifest),
            roles=diagnosed.splits(manifest),
        )
        for rows in (manifest, shuffled)
    )
    pd.testing.assert_frame_equal(once, again)


def test_table_holds_its_contract_and_never_an_interval_without_an_estimate():
    table = diagnosed.confound_table(folds=3)
    tables.check(table, tables.CONFOUNDS)
    missing = table["estimate"].isna()
    assert table.loc[missing, ["ci_low", "ci_high", "p_value"]].isna().all(axis=None)
    assert table.loc[missing & (table["measure"] != "label_share"), "note"].notna().all()
    assert (table["ci_low"] <= table["ci_high"]).loc[table["ci_low"].notna()].all()


def test_bins_and_crossed_attributes_make_the_groups_of_the_gaps():
    manifest = diagnosed.people(n=24)
    number = manifest["subject"].str[1:].astype(int)
    manifest = manifest.assign(age=20.0 + number, skin=np.where(number % 4 < 2, "dark", "light"))
    evaluation = dataclasses.replace(
        EVALUATION, attributes=("age", "gender x skin"), bins={"age": (0, 32, 100)}
    )
    lost = diagnosed.excluded(manifest)
    table = measured(manifest, excluded=lost.assign(age=None, skin=None), evaluation=evaluation)
    assert set(table["attribute"]) == {"age", "gender_x_skin"}
    ages = table[(table["attribute"] == "age") & (table["measure"] == "subjects")]
    assert set(ages["groups"]) == {"0 to under 32", "32 to under 100"}
    crossed = table[(table["attribute"] == "gender_x_skin") & (table["measure"] == "cramers_v")]
    assert crossed["n_subjects"].max() == 24

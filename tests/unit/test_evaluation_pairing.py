"""What another training split changes for the same subjects."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

import scored
from facebias import tables
from facebias.evaluation import (
    attributes,
    by_group,
    counts,
    judgement,
    pairing,
    permutation,
    rates,
    resampling,
    stage,
)
from facebias.study import StudyError, settings

NAMES = ("joy", "grief", "rage")


def said(frame, right, random):
    """Scores of a model that reads each row correctly with its own probability."""
    truth = np.array([NAMES.index(name) for name in frame["label"]])
    hit = random.random(len(frame)) < right
    guess = np.where(hit, truth, (truth + random.integers(1, 3, len(frame))) % 3)
    return frame.assign(**{f"score_{name}": (guess == i) * 1.0 for i, name in enumerate(NAMES)})


@pytest.fixture
def two():
    """Predictions before and after, on 12 people: women lose, men do not."""
    random = np.random.default_rng(3)
    frame = scored.classes(random, n_samples=9)
    woman = (frame["gender"] == "female").to_numpy()
    return {
        "regular": said(frame, 0.9, random),
        "male": said(frame, np.where(woman, 0.2, 0.9), random),
    }


def effects(made, **changes):
    counted = {name: counts.count(scored.scored(frame)) for name, frame in made.items()}
    groups = attributes.grouping(next(iter(made.values())), "gender")
    evaluation = dataclasses.replace(scored.EVALUATION, **changes)
    return pairing.effects(counted, groups, "vgg16", evaluation=evaluation)


def row(table, groups, metric="tpr_macro"):
    chosen = table[(table["groups"] == groups) & (table["metric"] == metric)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def recalls(frame, gender):
    some = frame[frame["gender"] == gender]
    hit = some[[f"score_{name}" for name in NAMES]].to_numpy().argmax(axis=1)
    hit = pd.Series(np.array(NAMES)[hit] == some["label"].to_numpy(), index=some.index)
    return hit.groupby(some["label"]).mean().mean()


def test_changes_are_differences_of_the_metrics(two):
    table = effects(two)
    change = {g: recalls(two["male"], g) - recalls(two["regular"], g) for g in ("female", "male")}
    assert set(table["train_splits"]) == {"male - regular"}
    for gender, value in change.items():
        assert row(table, gender)["estimate"] == pytest.approx(value)
    both = row(table, "female - male")
    assert both["estimate"] == pytest.approx(change["female"] - change["male"])
    assert (both["n_subjects"], both["n_samples"]) == (12, 108)


def test_planted_interaction_is_found_and_its_direction_named(two):
    table = effects(two)
    both = row(table, "female - male")
    assert both["ci_high"] < 0
    assert both["p_value"] <= 0.01
    assert row(table, "female")["p_value"] == pytest.approx(2 / 64)
    assert row(table, "male")["p_value"] > 0.05


@pytest.mark.parametrize("gender", ["female", "male"])
def test_sign_flips_match_a_slow_loop(two, gender):
    # Women are at the smallest p-value that there is, men are not.
    counted = [counts.count(scored.scored(two[name])) for name in ("regular", "male")]
    group = np.unique(two["regular"].loc[two["regular"]["gender"] == gender, "subject"])
    before, after = (part.of(group).table for part in counted)
    units = []
    for signs in itertools.product([False, True], repeat=6):
        flip = np.array(signs)[:, None, None]
        first, second = np.where(flip, after, before), np.where(flip, before, after)
        total = (first[..., 0] + first[..., 2]).sum(axis=0)
        each = (second[..., 0] - first[..., 0]).sum(axis=0) / total
        shown = first[..., 0] + first[..., 2]
        moved = ((second[..., 0] - first[..., 0] - each * shown) / total).mean(axis=1)
        units.append(each.mean() / np.sqrt((moved**2).sum() * 6 / 5))
    wanted = np.mean(np.abs(units) >= abs(units[0]) - 1e-9)
    found = row(effects(two), gender)
    assert found["p_value"] == pytest.approx(wanted)
    assert found["p_floor"] == 2 / 64
    signs, _ = permutation.flips(group, draws=999, seed=1)
    shown = before[..., 0] + before[..., 2]
    values, errors = pairing._flipped(signs, after[..., 0] - before[..., 0], shown)
    assert (values / errors)[0] == pytest.approx(units[0])
    assert np.sort(np.abs(values / errors)[1:]) == pytest.approx(np.sort(np.abs(units))[::2])


def test_interval_is_the_bootstrap_of_subjects(two):
    found = row(effects(two), "female")
    counted = [counts.count(scored.scored(two[name])) for name in ("regular", "male")]
    women = np.unique(two["regular"].loc[two["regular"]["gender"] == "female", "subject"])
    drawn = resampling.weights(women, resamples=200, seed=5)
    before, after = (
        rates.rate("tpr", resampling.weighted(drawn, part.of(women).table)) for part in counted
    )
    values = rates.macro(after - before)
    wanted = resampling.interval(values, confidence=0.95, subjects=6)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(wanted)


def test_bca_is_another_interval_around_the_same_change(two):
    plain, other = row(effects(two), "female"), row(effects(two, interval="bca"), "female")
    assert other["estimate"] == plain["estimate"]
    assert plain["ci_low"] != other["ci_low"] < other["estimate"] < other["ci_high"]


def test_a_change_for_everybody_is_no_interaction():
    random = np.random.default_rng(8)
    frame = scored.classes(random, n_samples=9, n_subjects=16)
    table = effects({"regular": said(frame, 0.9, random), "male": said(frame, 0.3, random)})
    assert row(table, "female")["p_value"] <= 2 / 256 + 1e-9
    assert row(table, "male")["p_value"] <= 2 / 256 + 1e-9
    assert row(table, "female - male")["p_value"] > 0.05


def test_three_train_splits_are_compared_in_pairs(two):
    table = effects({**two, "female": two["regular"]})
    found = table["train_splits"].unique().tolist()
    assert found == ["male - regular", "female - regular", "female - male"]
    same = table[(table["train_splits"] == "female - regular") & (table["groups"] == "female")]
    assert (same["estimate"] == 0).all()
    assert (same["p_value"] == 1).all()


def test_a_single_train_split_has_nothing_to_be_compared_with(two):
    table = effects({"regular": two["regular"]})
    assert table.empty
    declared = judgement.primary_effects(
        table, scored.EVALUATION.primary, [scored.question("regular")]
    )
    judged = judgement.judge(table, declared, scored.EVALUATION)
    assert tables.check(judged, tables.EFFECTS).empty


def test_groups_too_small_are_not_estimable(two):
    table = effects(two, min_subjects=7)
    assert table["estimate"].isna().all()
    assert row(table, "female")["note"] == "female: 6 subjects, 7 needed"


def test_other_samples_are_refused(two):
    with pytest.raises(StudyError, match="regular and male were not tested on the same samples"):
        effects({**two, "male": two["male"].iloc[9:]})


def test_samples_are_the_same_however_many_seeds_scored_them():
    random = np.random.default_rng(1)
    frame = scored.classes(random, n_subjects=30, n_samples=12)
    made = {
        name: pd.concat(
            [said(frame, right, random).assign(seed=seed) for seed in range(3)], ignore_index=True
        )
        for name, right in (("regular", 0.9), ("male", 0.2))
    }
    sums = [counts.count(scored.scored(each)).table.sum(axis=2) for each in made.values()]
    assert (sums[0] != sums[1]).any()  # in the last bits
    assert effects(made)["estimate"].notna().all()


def test_units_count_every_known_label_for_accuracy():
    frame = scored.units(np.random.default_rng(1))
    table = effects({"a": frame, "b": frame.assign(score_AU1=1 - frame["score_AU1"])})
    assert row(table, "female", "accuracy")["estimate"] < 0


def test_only_interactions_from_the_first_train_split_are_primary(two):
    table = effects({**two, "female": two["regular"]})
    asked = [scored.question("regular", "male", "female")]
    chosen = table[judgement.primary_effects(table, scored.EVALUATION.primary, asked)]
    assert set(chosen["metric"]) == {"tpr_macro"}
    assert set(chosen["groups"]) == {"female - male"}
    assert chosen["train_splits"].tolist() == ["male - regular", "female - regular"]


def test_effects_answer_the_question_of_their_own_hold_out(two):
    by_gender = effects({**two, "female": two["regular"]})
    by_skin = by_gender.assign(attribute="skin")
    table = pd.concat([by_gender, by_skin], ignore_index=True)
    asked = [
        scored.question("regular", "male"),
        scored.question("female", "male", attribute="skin"),
        scored.question("regular", attribute="skin"),
    ]
    chosen = table[judgement.primary_effects(table, scored.EVALUATION.primary, asked)]
    # "female - male" is the change of another order than the one that was asked about.
    assert chosen[["attribute", "train_splits"]].to_numpy().tolist() == [
        ["gender", "male - regular"]
    ]


def test_from_files_to_files(tmp_path, two):
    listed = two["regular"][["sample", "subject", "label", "gender"]]
    listed = listed.assign(path="x.mp4", publishable=True)
    tables.write(listed, tmp_path / "manifest.csv", tables.MANIFEST)
    paths = []
    for train, frame in two.items():
        made = frame.drop(columns=["label", "gender"])
        made = made.assign(architecture="vgg16", train_split=train, fold=0, seed=1)
        paths.append(str(tmp_path / f"{train}.parquet"))
        tables.write(made, paths[-1], tables.PREDICTIONS)
    # Of another hold-out: tested on other subjects, so compared with neither.
    made = made.iloc[9:].assign(train_split="apart")
    paths.append(str(tmp_path / "apart.parquet"))
    tables.write(made, paths[-1], tables.PREDICTIONS)
    given = settings(
        labels=scored.labels(*NAMES),
        evaluation=scored.EVALUATION.resampling,
        together=[list(two), ["apart"]],
    )
    part, whole = str(tmp_path / "part.csv"), str(tmp_path / "effects.csv")
    stage.effects(
        [
            *("--settings", given, "--architecture", "vgg16", "--attribute", "gender"),
            *("--manifest", str(tmp_path / "manifest.csv"), "--predictions", *paths),
            *("--out", part),
        ]
    )
    declared = {"questions": [scored.question("regular", "male")], "architectures": ("vgg16",)}
    given = settings(evaluation=scored.EVALUATION, **declared)
    models = [
        by_group.metrics(
            scored.scored(frame),
            [],
            {"architecture": "vgg16", "train_split": train},
            evaluation=scored.EVALUATION,
        )
        for train, frame in two.items()
    ]
    beside = str(tmp_path / "metrics_by_group.csv")
    tables.write(pd.concat(models), beside, tables.METRICS_BY_GROUP)
    judgement.main(["effects", "--settings", given, "--by-group", beside, "--out", whole, part])
    found = tables.read(whole, tables.EFFECTS)
    assert set(found["train_splits"]) == {"male - regular"}
    assert row(found, "female - male")["verdict"] == "gap found"
    assert row(found, "female - male")["family"] == "primary"

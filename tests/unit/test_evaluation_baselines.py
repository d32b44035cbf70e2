"""What is reached without looking at any sample, and which models are no better."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.dummy import DummyClassifier

import scored
from facebias import tables
from facebias.evaluation import attributes, baselines, by_group, cells

NAMES = ("neutral", "joy", "rage")
MODEL = {"architecture": "vgg16", "train_split": "regular"}
CELL = {**MODEL, "test_split": "all"}


def people(shares=(0.6, 0.3, 0.1), *, seed=1):
    random = np.random.default_rng(seed)
    frame = scored.classes(random, n_subjects=20, n_samples=15, names=NAMES)
    return frame.assign(label=random.choice(NAMES, size=len(frame), p=shares))


def measured(frame):
    return cells.metrics(scored.scored(frame), CELL, evaluation=scored.EVALUATION)


def value(cell, metric, label="overall"):
    return cell[(cell["metric"] == metric) & (cell["label"] == label)]["value"].item()


def test_the_majority_is_what_the_dummy_of_scikit_learn_reaches():
    frame = people()
    cell = measured(frame)
    dummy = DummyClassifier(strategy="most_frequent").fit(frame[["seed"]], frame["label"])
    assert baselines.majority(cell).label == dummy.predict(frame[["seed"]])[0] == "neutral"
    wanted = dummy.score(frame[["seed"]], frame["label"])
    assert baselines.majority(cell).share == pytest.approx(wanted)
    reached = baselines.reached(cell)
    assert reached["accuracy"] == pytest.approx(wanted)
    said = dummy.predict(frame[["seed"]])
    assert reached["tpr_macro"] == pytest.approx(sk.balanced_accuracy_score(frame["label"], said))
    assert reached["auc_macro"] == 0.5


@pytest.mark.parametrize("said", NAMES)
@pytest.mark.parametrize("shares", [(0.6, 0.3, 0.1), (0.5, 0.5, 0), (1, 0, 0)])
def test_whatever_is_always_said_beats_nothing(said, shares):
    frame = people(shares)
    cell = measured(scored.constant(frame, said, 1.0))
    there = sorted(set(frame["label"]))
    if said in there:
        assert baselines.reached(cell)["tpr_macro"] == pytest.approx(value(cell, "tpr_macro"))
    assert not baselines.beaten(cell)
    assert baselines.in_words(cell) == f"says {said} to 100 % of samples"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.91])
def test_guesses_beat_nothing_and_the_commonest_is_named(share):
    cell = measured(scored.constant(people(), "joy", share))
    assert not baselines.beaten(cell)
    assert baselines.commonest(cell).share == pytest.approx(share + (1 - share) / 3, abs=0.05)


def test_a_model_that_looks_beats_it():
    assert baselines.beaten(measured(people(seed=2).pipe(_right, 0.7)))


def test_with_too_few_people_nothing_is_sure():
    frame = people().pipe(_right, 0.7)
    assert not baselines.beaten(measured(frame[frame["subject"] == "p000"]))


def test_accuracy_of_one_label_is_that_of_the_better_constant_answer():
    frame = people()
    found = baselines.accuracy(measured(frame))
    share = frame["label"].value_counts(normalize=True)
    assert found["overall"] == pytest.approx(share["neutral"])
    for name in NAMES:
        assert found[name] == pytest.approx(max(share[name], 1 - share[name]))


def test_units_that_are_never_or_always_found_beat_nothing():
    frame = scored.units(np.random.default_rng(1), n_subjects=20, n_samples=10)
    assert baselines.beaten(measured(frame))
    scores = [name for name in frame if name.startswith("score_")]
    for low, high in ((0.0, 0.4), (0.6, 1.0)):
        # They rank samples well, and decide nothing.
        squeezed = frame.assign(**{name: low + frame[name] * (high - low) for name in scores})
        cell = measured(squeezed)
        assert value(cell, "auc_macro") > 0.6
        assert value(cell, "balanced_accuracy_macro") == 0.5
        assert not baselines.beaten(cell)
        assert baselines.in_words(cell) == "no better than guessing"
    cell = measured(frame)
    right = 0
    for name in scores:
        truth = frame[name.replace("score", "label")].dropna()
        right += max(truth.sum(), (1 - truth).sum())
    known = frame.filter(like="label_").notna().to_numpy().sum()
    assert baselines.reached(cell)["accuracy"] == pytest.approx(right / known)
    assert baselines.majority(cell) is None


def test_balanced_accuracy_of_units_is_that_of_scikit_learn():
    frame = scored.units(np.random.default_rng(1), n_subjects=20, n_samples=10)
    wanted = []
    for name in ("AU1", "AU4", "AU12"):
        part = frame.dropna(subset=f"label_{name}")
        wanted.append(
            sk.balanced_accuracy_score(part[f"label_{name}"], part[f"score_{name}"] >= 0.5)
        )
    found = value(measured(frame), "balanced_accuracy_macro")
    assert found == pytest.approx(np.mean(wanted))


def test_every_group_has_its_own_and_everybody_decides():
    frame = people()
    women = frame["gender"] == "female"
    frame.loc[women, "label"] = "joy"
    grouped = attributes.grouping(frame, "gender")
    parts = []
    for train, said in (
        ("regular", frame.pipe(_right, 0.9)),
        ("male", scored.constant(frame, "joy", 1)),
    ):
        model = {**MODEL, "train_split": train}
        parts.append(
            by_group.metrics(scored.scored(said), [grouped], model, evaluation=scored.EVALUATION)
        )
    table = pd.concat(parts, ignore_index=True)
    assert table[["attribute", "group"]].drop_duplicates().to_numpy().tolist() == [
        ["all", "all"],
        ["gender", "female"],
        ["gender", "male"],
    ]
    by = dict(list(table.groupby(["train_split", "group"])))
    for train in ("regular", "male"):
        assert baselines.majority(by[train, "female"]) == baselines.Answer("joy", 1.0)
        assert baselines.majority(by[train, "male"]).label == "neutral"
    assert baselines.guessing(table) == {("vgg16", "male"): "says joy to 100 % of samples"}


def test_groups_that_are_too_small_have_counts_and_no_values():
    frame = people()
    frame["gender"] = np.where(frame["subject"] < "p002", "male", "female")
    grouped = attributes.grouping(frame.assign(gender=frame["gender"]), "gender")
    table = by_group.metrics(scored.scored(frame), [grouped], MODEL, evaluation=scored.EVALUATION)
    men = table[(table["group"] == "male") & (table["label"] == "overall")]
    assert men["value"].isna().all()
    assert set(men.loc[men["metric"] == "accuracy", "n_subjects"]) == {2}
    assert table.loc[table["group"] != "male", "value"].notna().any()
    # What is true of them needs no model.
    assert baselines.majority(table[table["group"] == "male"]) is not None
    assert baselines.commonest(table[table["group"] == "male"]) is None


def test_by_group_is_what_test_splits_of_the_groups_would_give():
    frame = people()
    grouped = attributes.grouping(frame, "gender")
    table = by_group.metrics(scored.scored(frame), [grouped], MODEL, evaluation=scored.EVALUATION)
    for group, part in itertools.chain([("all", frame)], frame.groupby("gender")):
        mine = table[table["group"] == group].drop(columns=["attribute", "group"])
        wanted = tables.check(measured(part), tables.METRICS).drop(columns="test_split")
        pd.testing.assert_frame_equal(mine.reset_index(drop=True), wanted)


def _right(frame, share):
    """Let the model be right about ``share`` of samples."""
    random = np.random.default_rng(5)
    names = [f"score_{name}" for name in NAMES]
    truth = frame["label"].map(NAMES.index).to_numpy()
    said = np.where(random.random(len(frame)) < share, truth, random.integers(3, size=len(frame)))
    score = np.full((len(frame), 3), 0.1) + 0.6 * (said[:, None] == np.arange(3))
    return frame.assign(**dict(zip(names, score.T, strict=True)))

"""Several hold-outs in one study: who trains and tests, and what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from splitting import SUBJECTS, declared

from facebias.data import splits
from facebias.study import Holdout, Split, Validation, settings


def held(n, *balance, **more):
    return Holdout(**{"n_subjects": n, "balance": balance, "where": {}, "subjects": None, **more})


def two(**over):
    values = {
        "holdout": None,
        "holdouts": {"gender": held(10, "gender"), "skin": held(12, "skin")},
        "train": {
            "female": Split(where={"gender": "female"}, holdout="gender"),
            "male": Split(where={"gender": "male"}, holdout="gender"),
            "light": Split(where={"skin": "light"}, holdout="skin"),
        },
        "test": {
            "women": Split(where={"gender": "female"}, holdout="gender"),
            "dark": Split(where={"skin": "dark"}, holdout="skin"),
        },
    }
    return declared(**{**values, **over})


def subjects(table, train, *roles):
    chosen = (table["train_split"] == train) & table["role"].isin(roles)
    return set(table.loc[chosen, "subject"])


def own(table, *trains):
    return table[table["train_split"].isin(trains)].reset_index(drop=True)


def test_draws_of_a_hold_out_without_a_name_are_those_of_before():
    """The digest is that of the draws before hold-outs could have names."""
    train = {
        **declared().train,
        "mixed": Split(where={}, drawn_from=("female", "male"), n_subjects=12, balance="gender"),
        "small": Split(where={}, match_size_to="smallest"),
    }
    made = splits.with_matched(declared(match_sizes=True, train=train), SUBJECTS)
    text = splits.draw(made, [1, 2], SUBJECTS).to_csv(index=False)
    expected = "c63dff7e02546f65062895c936fac5b8de91835b478276a4d860ec8c41168aaa"
    assert hashlib.sha256(text.encode()).hexdigest() == expected


@given(st.integers(0, 40), st.integers(2, 14), st.integers(2, 14))
@hypothesis_settings(max_examples=40)
def test_no_test_subject_of_a_hold_out_trains_its_models(seed, n_gender, n_skin):
    asked = {"gender": held(n_gender, "gender"), "skin": held(n_skin, "skin")}
    table = splits.draw(two(seed=seed, holdouts=asked), [1, 2], SUBJECTS)
    tested = {name: subjects(table, name, "test") for name in ("female", "male", "light")}
    assert tested["female"] == tested["male"]
    assert (len(tested["female"]), len(tested["light"])) == (n_gender, n_skin)
    for name in tested:
        assert not tested[name] & subjects(table, name, "train", "validation")
    light = set(SUBJECTS.loc[SUBJECTS["skin"] == "light", "subject"])
    # Those whom the other experiment tests are free to train here.
    assert subjects(table, "light", "train", "validation") == light - tested["light"]


def test_hold_outs_are_drawn_apart_from_one_another():
    table = splits.draw(two(), [1], SUBJECTS)
    same = {name: held(10, "gender") for name in ("gender", "skin")}
    alike = splits.draw(two(holdouts=same), [1], SUBJECTS)
    assert subjects(alike, "female", "test") != subjects(alike, "light", "test")
    pd.testing.assert_frame_equal(own(alike, "female", "male"), own(table, "female", "male"))
    assert not own(alike, "light").equals(own(table, "light"))


def test_settings_of_a_train_split_hold_its_own_hold_out_alone():
    before = two()
    skin = held(20, "skin", attributes=("skin",))
    edited = dataclasses.replace(before, holdouts={**before.holdouts, "skin": skin})
    kept = {name: settings(splits=splits.alone(before, name)) for name in before.train}
    now = {name: settings(splits=splits.alone(edited, name)) for name in before.train}
    assert [name for name in kept if kept[name] != now[name]] == ["light"]
    for name in before.train:
        drawn = splits.draw(splits.alone(before, name), [1], SUBJECTS)
        whole = splits.draw(before, [1], SUBJECTS)
        pd.testing.assert_frame_equal(own(drawn, name), own(whole, name))
    # By whom models are compared says nothing about whom they are trained on.
    named = held(12, "skin", attributes=("skin",))
    compared = dataclasses.replace(before, holdouts={**before.holdouts, "skin": named})
    assert settings(splits=splits.alone(compared, "light")) == kept["light"]


def test_sizes_are_matched_within_a_hold_out():
    train = {
        "eight": Split(where={}, n_subjects=8, holdout="gender"),
        "ten": Split(where={}, n_subjects=10, holdout="gender"),
        "four": Split(where={}, n_subjects=4, holdout="skin"),
        "six": Split(where={}, n_subjects=6, holdout="skin"),
    }
    few = Validation(n_subjects=1, share=None)
    made = splits.with_matched(two(train=train, match_sizes=True, validation=few), SUBJECTS)
    assert list(made.train) == [*train, "ten_matched", "six_matched"]
    table = splits.draw(made, [1], SUBJECTS)
    sizes = {name: len(subjects(table, name, "train", "validation")) for name in made.train}
    assert (sizes["ten_matched"], sizes["six_matched"]) == (8, 4)
    for name in ("ten", "six"):
        learning = subjects(table, name, "train", "validation")
        assert subjects(table, f"{name}_matched", "train", "validation") < learning
        assert subjects(table, f"{name}_matched", "test") == subjects(table, name, "test")


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            {"holdouts": {"gender": held(41), "skin": held(12)}},
            "splits.holdouts.gender.n_subjects: 41 asked for, but only 40",
        ),
        (
            {"holdouts": {"gender": held(4), "skin": held(None, where={"skin": "green"})}},
            "splits.holdouts.skin.where: {'skin': 'green'} selects nobody",
        ),
        (
            {"holdouts": {"gender": held(4), "skin": held(None, subjects=("S99",))}},
            "splits.holdouts.skin.subjects: no such subject: S99",
        ),
        (
            {
                "train": {
                    **two().train,
                    "x": Split(where={}, drawn_from=("light",), holdout="gender"),
                }
            },
            "splits.train.x.drawn_from: light has hold-out skin, x has gender",
        ),
        (
            {"train": {**two().train, "x": Split(where={}, match_size_to="male", holdout="skin")}},
            "splits.train.x.match_size_to: male has hold-out gender, x has skin",
        ),
    ],
)
def test_what_cannot_be_drawn(over, message):
    with pytest.raises(splits.SplitError) as caught:
        splits.draw(two(**over), [1], SUBJECTS)
    assert message in str(caught.value)


def test_a_test_split_selects_among_the_subjects_of_its_own_hold_out():
    people = SUBJECTS["subject"].tolist()
    named = {"gender": held(None, subjects=(*people[:6],)), "skin": held(None, subjects=("S39",))}
    test = {"x": Split(where={}, subjects=("S00", "S39"), holdout="gender")}
    with pytest.raises(splits.SplitError, match=r"S39 not held out.*splits\.holdouts\.gender\."):
        splits.check_tests(two(holdouts=named, test=test), SUBJECTS)
    splits.check_tests(
        two(holdouts=named, test={"x": Split(where={}, subjects=("S39",), holdout="skin")}),
        SUBJECTS,
    )


def test_a_subject_without_the_attribute_takes_part_in_the_other_experiment():
    people = SUBJECTS.copy()
    people.loc[people["subject"].isin(["S00", "S01"]), "gender"] = None
    people.loc[people["subject"].isin(["S02", "S03"]), "skin"] = math.nan
    asked = {
        "gender": held(10, "gender", where={"gender": ["female", "male"]}),
        "skin": held(12, "skin", where={"skin": ["light", "dark"]}),
    }
    for seed in range(5):
        table = splits.draw(two(seed=seed, holdouts=asked), [1], people)
        unused = {name: subjects(table, name, "unused") for name in two().train}
        assert {"S00", "S01"} <= unused["female"] & unused["male"]
        assert {"S02", "S03"} <= unused["light"]
        assert not {"S00", "S01"} & unused["light"]
        assert "S02" not in unused["female"]
        assert "S03" not in unused["male"]

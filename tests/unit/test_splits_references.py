"""Train splits that name one another: drawn from others, matched in size."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from splitting import SUBJECTS, declared, pools, roles

from facebias.data import splits
from facebias.study import Holdout, Rotation, Split, Validation

GENDERS = {
    "mixed": Split(where={}, drawn_from=("female", "male"), match_size_to="male", balance="gender"),
    "female": Split(where={"gender": "female"}, match_size_to="male"),
    "male": Split(where={"gender": "male"}),
}


def test_a_mixed_split_is_drawn_from_the_subjects_of_others():
    train = {**GENDERS, "male": Split(where={"gender": "male"}, n_subjects=9)}
    found = pools(splits.draw(declared(train=train), [1], SUBJECTS))
    assert found["mixed"] <= found["female"] | found["male"]
    assert {name: len(pool) for name, pool in found.items()} == dict.fromkeys(train, 9)
    genders = SUBJECTS.set_index("subject")["gender"]
    assert sorted(genders[list(found["mixed"])].value_counts()) == [4, 5]


def test_the_gender_experiment_of_deuschel_2020_can_be_declared():
    """Three training sets of 37, the same 10 women and 10 men tested; 47 men in all."""
    people = pd.DataFrame(
        {
            "subject": [f"S{n:03d}" for n in range(144)],
            "gender": ["male"] * 47 + ["female"] * 97,
        }
    )
    holdout = Holdout(n_subjects=20, balance=("gender",), where={}, subjects=None)
    drawn = splits.draw(
        declared(train=GENDERS, holdout=holdout, validation=Validation(n_subjects=4, share=None)),
        [1],
        people,
    )
    found = pools(drawn)
    assert {name: len(pool) for name, pool in found.items()} == dict.fromkeys(GENDERS, 37)
    genders = people.set_index("subject")["gender"]
    assert set(genders[list(found["female"])]) == {"female"}
    men = set(genders[genders == "male"].index)
    assert found["male"] == men - set(roles(drawn, "male")["test"])
    assert found["mixed"] <= found["female"] | found["male"]
    tested = {tuple(roles(drawn, name)["test"]) for name in GENDERS}
    assert len(tested) == 1
    assert genders[list(*tested)].value_counts().to_dict() == {"female": 10, "male": 10}


def test_the_skin_experiment_of_deuschel_2020_can_be_declared():
    """104 light-skinned subjects train, the other light-skinned and all 19 dark are tested."""
    people = pd.DataFrame(
        {"subject": [f"S{n:03d}" for n in range(144)], "skin": ["dark"] * 19 + ["light"] * 125}
    )
    holdout = Holdout(n_subjects=40, balance=("skin",), where={}, subjects=None)
    train = {"light": Split(where={"skin": "light"}, n_subjects=104)}
    drawn = splits.draw(declared(train=train, holdout=holdout), [1], people)
    skins = people.set_index("subject")["skin"]
    assert len(pools(drawn)["light"]) == 104
    tested = skins[roles(drawn, "light")["test"]].value_counts().to_dict()
    assert tested == {"dark": 19, "light": 21}


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 5),
    st.sampled_from([None, 3, 7]),
    st.sampled_from([None, 5]),
    st.booleans(),
    st.integers(1, 3),
)
def test_splits_drawn_from_others_keep_their_promises(seed, n_female, n_male, folded, n_mixed):
    train = {
        "mixed": Split(where={}, drawn_from=("female", "male"), n_subjects=n_mixed),
        "dark": Split(where={"skin": "dark"}, drawn_from=("both",)),
        "both": Split(where={}, drawn_from=("male", "female")),
        "female": Split(where={"gender": "female"}, n_subjects=n_female),
        "male": Split(where={"gender": "male"}, n_subjects=n_male),
        "smallest_both": Split(where={}, drawn_from=("both",), match_size_to="smallest"),
    }
    changes = {"holdout": None, "folds": Rotation(k=4, balance=("gender", "skin"))}
    asked = declared(
        train=train,
        seed=seed,
        validation=Validation(n_subjects=0, share=None),
        **(changes if folded else {}),
    )
    try:
        table = splits.draw(asked, [1], SUBJECTS)
    except splits.SplitError as error:
        assert "splits.train.dark.where" in str(error)  # nobody dark was drawn
        return
    skins = SUBJECTS.set_index("subject")["skin"]
    for fold in range(asked.n_folds):
        found = pools(table, fold)
        tested = set(table.loc[(table["role"] == "test") & (table["fold"] == fold), "subject"])
        assert not tested & set().union(*found.values())
        assert found["both"] == found["female"] | found["male"]
        assert found["mixed"] <= found["both"]
        assert len(found["mixed"]) == n_mixed
        assert found["dark"] == {one for one in found["both"] if skins[one] == "dark"}
        others = [len(pool) for name, pool in found.items() if name != "smallest_both"]
        assert len(found["smallest_both"]) == min(others)
        assert found["smallest_both"] <= found["both"]
    for name in train:
        alone = splits.draw(
            dataclasses.replace(asked, train=splits.needed(train, name)), [1], SUBJECTS
        )
        same = [part[part["train_split"] == name].reset_index(drop=True) for part in (table, alone)]
        pd.testing.assert_frame_equal(*same)


def test_a_split_names_only_what_it_needs():
    train = {
        **GENDERS,
        "other": Split(where={}),
        "of_mixed": Split(where={}, drawn_from=("mixed",)),
    }
    assert list(splits.needed(train, "male")) == ["male"]
    assert list(splits.needed(train, "female")) == ["female", "male"]
    assert list(splits.needed(train, "of_mixed")) == ["mixed", "female", "male", "of_mixed"]


@pytest.mark.parametrize("folded", [False, True])
def test_matched_splits_are_subsets_as_large_as_the_smallest(folded):
    changes = {"holdout": None, "folds": Rotation(k=4, balance=("gender",))}
    train = {
        "regular": Split(where={}, balance="skin"),
        "female": Split(where={"gender": "female"}),
        "male": Split(where={"gender": "male"}, n_subjects=6),
    }
    asked = declared(train=train, match_sizes=True, **(changes if folded else {}))
    matched = splits.with_matched(asked, SUBJECTS)
    assert list(matched.train) == [*train, "regular_matched", "female_matched"]
    assert not matched.match_sizes
    table = splits.draw(matched, [1, 2], SUBJECTS)
    before = splits.draw(declared(train=train, **(changes if folded else {})), [1, 2], SUBJECTS)
    kept = table[table["train_split"].isin(train)].reset_index(drop=True)
    order = ["train_split", "fold", "seed", "subject"]
    pd.testing.assert_frame_equal(
        kept.sort_values(order, ignore_index=True), before.sort_values(order, ignore_index=True)
    )
    for fold in range(matched.n_folds):
        found = pools(table, fold)
        for name in ("regular", "female"):
            assert found[f"{name}_matched"] < found[name]
            assert len(found[f"{name}_matched"]) == 6


def test_matched_splits_are_made_only_if_asked_for_and_their_names_must_be_free():
    asked = declared()
    assert splits.with_matched(asked, SUBJECTS) is asked
    taken = {**asked.train, "regular_matched": Split(where={})}
    with pytest.raises(splits.SplitError, match=r"splits\.match_sizes makes a train split"):
        splits.with_matched(declared(train=taken, match_sizes=True), SUBJECTS)


def test_equal_splits_need_no_match():
    train = {"female": GENDERS["female"], "male": GENDERS["male"]}
    matched = splits.with_matched(declared(train=train, match_sizes=True), SUBJECTS)
    assert matched.train == train


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (
            {"x": Split(where={}, drawn_from=("y",))},
            "splits.train.x.drawn_from: no train split 'y'",
        ),
        (
            {
                "x": Split(where={}, drawn_from=("y",)),
                "y": Split(where={}, match_size_to="x"),
            },
            "goes round in a circle: x -> y -> x",
        ),
        (
            {"x": Split(where={}, match_size_to="smallest")},
            "splits.train.x.match_size_to: every train split matches another",
        ),
        ({"smallest": Split(where={})}, "splits.train.smallest: match_size_to gives this name"),
        (
            {
                "x": Split(where={}, n_subjects=3),
                "y": Split(where={}, drawn_from=("x",), n_subjects=4),
            },
            "4 subjects asked for, but only 3 fulfil the condition of those it is drawn from",
        ),
    ],
)
def test_splits_that_cannot_be_drawn_from_others(train, message):
    with pytest.raises(splits.SplitError) as caught:
        splits.draw(declared(train=train), [1], SUBJECTS)
    assert message in str(caught.value)

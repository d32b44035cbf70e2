import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from facebias import splits, tables
from facebias.splits import stage
from facebias.study import Holdout, Rotation, Split, Splits, Validation, settings

SUBJECTS = pd.DataFrame(
    {
        "subject": [f"S{n:02d}" for n in range(40)],
        "gender": ["female", "male"] * 20,
        "skin": ["light"] * 28 + ["dark"] * 12,
        "age": [20.0 + n for n in range(39)] + [np.nan],
    }
)


def declared(**over):
    values = {
        "seed": 1,
        "holdout": Holdout(n_subjects=10, balance=("gender",), where={}, subjects=None),
        "folds": None,
        "validation": Validation(n_subjects=4, share=None),
        "train": {
            "regular": Split(where={}),
            "female": Split(where={"gender": "female"}),
            "male": Split(where={"gender": "male"}),
        },
        "test": {"all": Split(where={})},
    }
    return Splits(**{**values, **over})


def roles(table, train_split="regular", fold=0, seed=1):
    return {
        role: splits.subjects_of(table, train_split=train_split, fold=fold, seed=seed, role=role)
        for role in splits.ROLES
    }


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, 40),
        ({"gender": "female"}, 20),
        ({"gender": ["female", "male"]}, 40),
        ({"gender": "female", "skin": "dark"}, 6),
        ({"any": [{"gender": "female"}, {"skin": "dark"}]}, 26),
        ({"all": [{"gender": "female"}, {"any": [{"skin": "dark"}, {"skin": "light"}]}]}, 20),
        ({"age": {"min": 30, "max": 39}}, 10),
        ({"age": {"min": 0}}, 39),  # the subject without an age fulfils nothing
        ({"gender": "diverse"}, 0),
    ],
)
def test_conditions(where, expected):
    assert splits.selects(where, SUBJECTS).sum() == expected


def test_holdout_is_balanced_and_the_same_for_all_models():
    table = splits.draw(declared(), [1, 2], SUBJECTS)
    tested = {
        tuple(roles(table, name, 0, seed)["test"])
        for name in ("regular", "female", "male")
        for seed in (1, 2)
    }
    assert len(tested) == 1
    (subjects,) = tested
    genders = SUBJECTS.set_index("subject").loc[list(subjects), "gender"]
    assert genders.value_counts().to_dict() == {"female": 5, "male": 5}


def test_train_splits_follow_their_condition_and_validation_is_drawn_anew():
    table = splits.draw(declared(), [1, 2], SUBJECTS)
    first, second = roles(table, "female", 0, 1), roles(table, "female", 0, 2)
    women = set(SUBJECTS.loc[SUBJECTS["gender"] == "female", "subject"])
    assert set(first["train"]) | set(first["validation"]) == women - set(first["test"])
    assert len(first["validation"]) == len(second["validation"]) == 4
    assert first["validation"] != second["validation"]


def test_draws_do_not_depend_on_row_order_or_on_other_splits():
    table = splits.draw(declared(), [1], SUBJECTS)
    shuffled = splits.draw(declared(), [1], SUBJECTS.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(table, shuffled)
    fewer = declared(train={"female": Split(where={"gender": "female"})})
    alone = splits.draw(fewer, [1], SUBJECTS)
    same = table[table["train_split"] == "female"].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, alone)


def test_match_size_balance_and_number():
    train = {
        "light": Split(where={"skin": "light"}),
        "dark": Split(where={"skin": "dark"}),
        "light_small": Split(where={"skin": "light"}, match_size_to="dark", balance="gender"),
        "eight": Split(where={}, n_subjects=8, balance="skin"),
    }
    table = splits.draw(declared(train=train), [1], SUBJECTS)
    sizes = {
        name: len(roles(table, name)["train"]) + len(roles(table, name)["validation"])
        for name in train
    }
    assert sizes["light_small"] == sizes["dark"]
    assert sizes["eight"] == 8
    chosen = roles(table, "eight")["train"] + roles(table, "eight")["validation"]
    skins = SUBJECTS.set_index("subject").loc[chosen, "skin"].value_counts()
    assert skins.to_dict() == {"light": 4, "dark": 4}


@given(st.integers(2, 12), st.integers(0, 5))
def test_folds_test_everyone_once_and_never_cross(k, seed):
    rotation = declared(
        holdout=None,
        folds=Rotation(k=k, balance=("gender", "skin")),
        seed=seed,
        validation=Validation(n_subjects=None, share=0.2),
    )
    table = splits.draw(rotation, [1], SUBJECTS)
    regular = table[table["train_split"] == "regular"]
    tested = regular[regular["role"] == "test"]
    assert sorted(tested["subject"]) == sorted(SUBJECTS["subject"])
    sizes = tested.groupby("fold").size()
    assert sizes.max() - sizes.min() <= 1
    women = (
        tested.merge(SUBJECTS, on="subject")
        .groupby("fold")["gender"]
        .apply(lambda group: (group == "female").sum())
    )
    assert women.max() - women.min() <= 2
    assert not regular.duplicated(["fold", "seed", "subject"]).any()


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            {"train": {"x": Split(where={"gender": "diverse"})}},
            "splits.train.x.where: {'gender': 'diverse'} selects nobody",
        ),
        (
            {
                "holdout": Holdout(
                    n_subjects=None, balance=(), where={"skin": "dark"}, subjects=None
                ),
                "train": {"dark": Split(where={"skin": "dark"})},
            },
            "12 fulfil it, all of them test subjects",
        ),
        (
            {"holdout": Holdout(n_subjects=41, balance=(), where={}, subjects=None)},
            "splits.holdout.n_subjects: 41 asked for, but only 40",
        ),
        (
            {
                "holdout": Holdout(n_subjects=None, balance=(), where={}, subjects=("S01",)),
                "train": {"x": Split(where={}, subjects=("S01", "S02"))},
            },
            "splits.train.x.subjects: S01 also among the test subjects",
        ),
        (
            {"train": {"x": Split(where={}, n_subjects=31)}},
            "splits.train.x.n_subjects: 31 subjects asked for, but only 30",
        ),
        (
            {
                "train": {
                    "x": Split(where={}, match_size_to="y"),
                    "y": Split(where={}, match_size_to="x"),
                }
            },
            "goes round in a circle",
        ),
        ({"train": {"x": Split(where={}, match_size_to="z")}}, "no train split 'z'; there are x"),
        (
            {"validation": Validation(n_subjects=30, share=None)},
            "splits.validation: 30 validation subjects leave none",
        ),
        (
            {"holdout": None, "folds": Rotation(k=41, balance=())},
            "splits.folds.k: 41 folds of 40 subjects",
        ),
        (
            {"holdout": Holdout(n_subjects=None, balance=(), where={}, subjects=("S99",))},
            "splits.holdout.subjects: no such subject: S99",
        ),
    ],
)
def test_splits_that_cannot_be_drawn(over, message):
    with pytest.raises(splits.SplitError) as caught:
        splits.draw(declared(**over), [1], SUBJECTS)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (Split(where={"skin": "green"}), "no subject fulfils it"),
        (
            Split(where={}, subjects=("S00", "S01", "S02", "S03", "S04", "S05", "S06", "S07")),
            "not held out, so models train on them",
        ),
    ],
)
def test_test_splits_that_cannot_be_tested(test, message):
    with pytest.raises(splits.SplitError, match=message):
        splits.check_tests(declared(test={"x": test}), SUBJECTS)


def test_a_subject_in_two_roles_is_refused_when_read(tmp_path):
    table = splits.draw(declared(), [1], SUBJECTS)
    crossed = pd.concat([table, table[table["role"] == "test"].head(1).assign(role="train")])
    path = tmp_path / "splits.csv"
    crossed.to_csv(path, index=False)
    with pytest.raises(tables.TableError, match="repeats train_split="):
        splits.read(path)


def test_stage_draws_from_the_manifest(tmp_path):
    manifest = SUBJECTS.assign(sample=SUBJECTS["subject"], path="x.jpg", publishable=True)
    tables.write(manifest, tmp_path / "manifest.csv", tables.MANIFEST)
    stage.main(
        [
            "--settings",
            settings(splits=declared(), seeds=(1,)),
            "--train-split",
            "female",
            "--manifest",
            str(tmp_path / "manifest.csv"),
            "--out",
            str(tmp_path / "splits.csv"),
        ]
    )
    written = splits.read(tmp_path / "splits.csv")
    drawn = splits.draw(declared(), [1], SUBJECTS)
    expected = drawn[drawn["train_split"] == "female"].reset_index(drop=True)
    pd.testing.assert_frame_equal(written, expected)


def test_a_train_split_is_drawn_alone_as_among_others():
    """The workflow draws each on its own, with the one whose size it takes."""
    train = {
        "regular": Split(where={}, match_size_to="female"),
        "female": Split(where={"gender": "female"}),
        "male": Split(where={"gender": "male"}),
    }
    whole = splits.draw(declared(train=train), [1, 2], SUBJECTS)
    for name, needed in (("female", ["female"]), ("regular", ["regular", "female"])):
        alone = splits.draw(declared(train={n: train[n] for n in needed}), [2], SUBJECTS)
        rows = [
            table[(table["train_split"] == name) & (table["seed"] == 2)].reset_index(drop=True)
            for table in (whole, alone)
        ]
        assert len(rows[0]) == len(SUBJECTS)
        pd.testing.assert_frame_equal(*rows)


# ------------------------------------------------------------- drawn from others, matched in size


def pools(table, fold=0, seed=1):
    """Everybody who trains or validates, by train split."""
    rows = table[(table["fold"] == fold) & (table["seed"] == seed)]
    rows = rows[rows["role"].isin(["train", "validation"])]
    return rows.groupby("train_split")["subject"].agg(set).to_dict()


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

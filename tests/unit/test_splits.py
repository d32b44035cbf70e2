import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from splitting import SUBJECTS, declared, pools, roles

from facebias import tables
from facebias.data import splits
from facebias.data.splits import stage
from facebias.study import (
    Holdout,
    Rotation,
    Split,
    TrainSplits,
    Validation,
    settings,
    slice_of,
)


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


def test_splits_of_one_condition_are_drawn_apart_from_each_other():
    both = declared(train={name: Split(where={}, n_subjects=15) for name in ("first", "second")})
    first, second = pools(splits.draw(both, [1], SUBJECTS)).values()
    assert first != second
    # All who may train: only the validation subjects are drawn.
    both = declared(train={name: Split(where={}) for name in ("first", "second")})
    table = splits.draw(both, [1], SUBJECTS)
    assert roles(table, "first")["validation"] != roles(table, "second")["validation"]


def test_draws_of_folds_are_no_copies_of_each_other():
    half = {"regular": Split(where={}, n_subjects=15)}
    rotation = declared(holdout=None, folds=Rotation(k=4, balance=()), train=half)
    table = splits.draw(rotation, [1], SUBJECTS)
    for drawn, among in (
        (["train", "validation"], ["train", "validation", "unused"]),
        (["validation"], ["train", "validation"]),
    ):
        places = set()
        for _, fold in table[table["role"].isin(among)].groupby("fold"):
            assert len(fold) == (30 if "unused" in among else 15)
            places.add(tuple(np.flatnonzero(fold["role"].isin(drawn))))
        assert len(places) == 4


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


def test_nobody_validates_where_nobody_is_asked_for():
    asked = declared(validation=Validation(n_subjects=None, share=None))
    found = roles(splits.draw(asked, [1], SUBJECTS))
    assert not found.get("validation")
    assert len(found["train"]) == len(SUBJECTS) - len(found["test"])


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
    for fold in range(k):
        found = roles(table, fold=fold)
        assert sorted(name for names in found.values() for name in names) == list(
            SUBJECTS["subject"]
        )
        assert set(found["test"]) == set(tested.loc[tested["fold"] == fold, "subject"])


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
    # In memory, where no key is looked at.
    with pytest.raises(tables.TableError, match="has two roles; subjects never cross"):
        splits.check_disjoint(crossed)
    with pytest.raises(tables.TableError, match=r"role \['trains'\]; expected one of"):
        splits.check_disjoint(table.assign(role=table["role"].replace("train", "trains")))


def test_stage_draws_from_the_manifest(tmp_path):
    manifest = SUBJECTS.assign(sample=SUBJECTS["subject"], path="x.jpg", publishable=True)
    tables.write(manifest, tmp_path / "manifest.csv", tables.MANIFEST)
    stage.main(
        [
            "--settings",
            settings(splits=slice_of(declared(), TrainSplits), seeds=(1,)),
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

"""Which job of a study is meant by what somebody types."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from facebias.stages.evaluation import Gather, Metrics
from facebias.stages.report import Figure
from facebias.study import StudyError
from facebias.workflow import by_hand

FIGURE = Figure.Settings.__new__(Figure.Settings)  # of no matter here


def metrics(train, test):
    settings = Metrics.Settings.__new__(Metrics.Settings)
    return Metrics(
        settings=settings, architecture="vgg16", train_split=train, test_split=test,
        manifest=Path("m.csv"), predictions=(Path(f"{train}.parquet"),),
        out=Path(f"{train}-{test}.csv"), confusion=Path("c.csv"),
    )  # fmt: skip


CELLS = {
    (train, test): metrics(train, test)
    for train in ("regular", "female")
    for test in ("all", "male")
}


@pytest.mark.parametrize(
    "typed",
    [
        {"train_split": "female", "test_split": "male"},
        # A file of theirs tells jobs apart as well.
        {"out": Path("female-male.csv")},
        # One that none has is a wish, and tells nothing.
        {"train_split": "female", "test_split": "male", "out": Path("mine.csv")},
    ],
)
def test_typed_values_choose_a_job(typed):
    assert by_hand.choose(CELLS, typed) == ("female", "male")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "4 jobs are meant; say which: --train-split female, regular; --test-split all, male"),
        ({"test_split": "all"}, "2 jobs are meant; say which: --train-split female, regular$"),
        ({"test_split": "old"}, "--test-split is old; the study has all, male"),
        ({"out": Path("mine.csv")}, "4 jobs are meant"),
    ],
)
def test_no_job_or_several_are_said(typed, said):
    with pytest.raises(StudyError, match=said):
        by_hand.choose(CELLS, typed)


def test_what_stands_without_its_name_and_what_is_selected_choose_too():
    tables = {
        (name,): Gather(table=name, out=Path("x"), inputs=(Path("y"),)) for name in ("a", "b")
    }
    assert by_hand.choose(tables, {"table": "b"}) == ("b",)
    figures = {
        (value,): Figure(
            name="gaps", settings=FIGURE, input=("x=y",), select=(f"attribute={value}",),
            note=None, out=Path(value),
        )
        for value in ("gender", "skin")
    }  # fmt: skip
    assert by_hand.choose(figures, {"select": ("attribute=skin",)}) == ("skin",)
    with pytest.raises(StudyError, match="say which: --select attribute=gender, attribute=skin"):
        by_hand.choose(figures, {"name": "gaps"})


def test_a_study_without_such_jobs():
    with pytest.raises(StudyError, match="no such job"):
        by_hand.choose({}, {})


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("training.epochs=3", 'training={"epochs": "3"}'),
        ("a.b.c=x=y", 'a={"b": {"c": "x=y"}}'),
        ("title=A: b", "title=A: b"),
    ],
)
def test_a_dotted_key_is_a_section(text, means):
    assert by_hand.change(text) == means


@pytest.mark.parametrize("text", ["training.epochs", "=3", "training..epochs=3", ".a=3"])
def test_what_is_no_key_with_a_value_is_said(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected KEY=VALUE"):
        by_hand.change(text)

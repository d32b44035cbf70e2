"""Printed numbers: counts behind them, and what they say about each other."""

import numpy as np
import pandas as pd
import published_results as published
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_results import DEUSCHEL, DOMNICH

from facebias.published import audit, papers, recovery
from facebias.study import StudyError
from facebias.tables import TableError


def test_the_tables_are_whole():
    values = published.values()
    assert len(values) == 27 * 24 == 648
    per_table = values.groupby("paper_table")[["train_split", "test_split", "metric"]].nunique()
    assert per_table.index.tolist() == list(range(2, 29))
    assert (per_table == 1).all(axis=None)
    assert len(papers.values(published.path("deuschel2020"), DEUSCHEL)) == 16


def test_every_printed_rate_is_the_rate_of_one_count():
    frame = recovery.counted(published.values(), DOMNICH)
    assert frame["count"].notna().all()
    error = frame["printed"] - frame["count"].astype(float) / frame["entering"]
    assert error.abs().max() < 0.01
    assert error.max() <= 0.005  # rounded up by at most half a unit
    assert frame.groupby(["metric", "test_split"])["entering"].first().to_dict() == {
        ("accuracy", "all"): 80,
        ("accuracy", "female"): 40,
        ("accuracy", "male"): 40,
        ("fpr", "all"): 60,
        ("fpr", "female"): 30,
        ("fpr", "male"): 30,
        ("tpr", "all"): 20,
        ("tpr", "female"): 10,
        ("tpr", "male"): 10,
    }


@given(
    entering=st.sampled_from([10, 20, 30, 40, 60, 80]),
    share=st.floats(0, 1),
    decimals=st.sampled_from([2, 3, 4]),
    cut=st.booleans(),
)
def test_a_count_is_found_again_however_it_was_printed(entering, share, decimals, cut):
    count = round(share * entering)
    unit = 10**decimals
    scaled = count * unit / entering
    rate = (np.floor(scaled + 1e-9) if cut else round(scaled)) / unit
    if cut and entering * (scaled / unit - rate) >= 0.5:
        return  # cut so far that another count is nearer
    assert recovery.nearest(f"{rate:.{decimals}f}".rstrip("0"), entering) == count


@pytest.mark.parametrize("printed", ["0.05", "0.019", "0.0325"])
def test_a_rate_of_no_count_is_none(printed):
    assert recovery.nearest(printed, 30) is None


def test_the_audit_finds_one_misprint_and_what_it_should_have_been():
    found = audit.audit(published.values(), DOMNICH)
    strict = found[found["rule"] != audit.ONE_DRAW]
    assert strict[["paper_table", "label", "metric", "printed", "implied", "rule"]].round(
        4
    ).to_numpy().tolist() == [
        [2, "upset", "accuracy", 0.8375, 0.9125, "cell"],
        [4, "overall", "fpr", 0.0582, 0.0833, "totals"],
        [4, "upset", "fpr", 0.1, 0.2, "groups"],
    ]
    where = strict[["architecture", "train_split", "test_split"]].drop_duplicates()
    assert where.to_numpy().tolist() == [["senet50", "regular", "all"]]
    wanted = "0.2 as false positive rate of upset, test set all, settles every rule"
    assert set(strict["note"]) == {wanted}


def test_samples_of_the_fused_label_were_drawn_anew_for_every_test_set():
    found = audit.audit(published.values(), DOMNICH)
    anew = found[found["rule"] == audit.ONE_DRAW]
    assert len(anew) == 106
    enters = (
        (anew["metric"] == "accuracy")
        | ((anew["metric"] == "tpr") & (anew["label"] == "upset"))
        | ((anew["metric"] == "fpr") & (anew["label"] != "upset"))
    )
    assert enters.all()
    assert set(anew["test_split"]) == {"all"}


@pytest.mark.parametrize("seed", range(5))
def test_a_paper_without_a_fault_has_no_finding(seed):
    printed = published.printed_by(published.tested(seed, one_draw=True))
    assert audit.audit(printed, DOMNICH).empty


@pytest.mark.parametrize("seed", range(5))
def test_samples_drawn_anew_break_only_the_rule_about_them(seed):
    printed = published.printed_by(published.tested(seed, one_draw=False))
    assert set(audit.audit(printed, DOMNICH)["rule"]) == {audit.ONE_DRAW}


@pytest.mark.parametrize(
    ("test", "label", "metric", "rules"),
    [
        ("female", "sadness", "tpr", {"cell", "totals", "groups"}),
        ("all", "happiness", "tpr", {"cell", "totals", "groups"}),
        ("male", "upset", "fpr", {"cell", "totals", "groups"}),
        ("male", "surprise", "fpr", {"cell", "totals", "groups_one_draw"}),
        ("all", "upset", "tpr", {"cell", "totals", "groups_one_draw"}),
        ("female", "surprise", "accuracy", {"cell", "groups_one_draw"}),
    ],
)
def test_a_planted_misprint_is_found_and_put_right(test, label, metric, rules):
    printed = published.printed_by(published.tested(3, one_draw=True))
    place = (
        (printed["test_split"] == test)
        & (printed["label"] == label)
        & (printed["metric"] == metric)
    )
    right = printed.loc[place, "printed"].item()
    steps = {"accuracy": 0.05, "tpr": 0.2, "fpr": 0.1}
    wrong = round(right + steps[metric] * (-1 if right > 0.5 else 1), 3)
    printed.loc[place, ["value", "printed"]] = [f"{wrong:.3f}", wrong]
    found = audit.audit(printed, DOMNICH)
    assert set(found["rule"]) == rules
    notes = set(found.loc[found["rule"] != audit.ONE_DRAW, "note"])
    (note,) = notes
    if "groups" in rules or metric != "accuracy":
        assert f"of {label}, test set {test}" in note
        assert float(note.split()[0]) == pytest.approx(right, abs=1e-3)


def test_a_rate_of_no_count_is_listed_with_the_nearest():
    printed = published.printed_by(published.tested(1, one_draw=True))
    place = printed.index[(printed["metric"] == "tpr") & (printed["test_split"] == "male")][0]
    printed.loc[place, ["value", "printed"]] = ["0.43", 0.43]
    row = audit.audit(printed, DOMNICH).iloc[0]
    assert (row["rule"], row["metric"], row["printed"], row["implied"]) == (
        "multiple",
        "tpr",
        0.43,
        0.4,
    )


def test_a_missing_number_is_named():
    values = published.values().drop(index=7)
    with pytest.raises(StudyError, match="resnet3d, regular, all, happiness, accuracy is missing"):
        audit.audit(values, DOMNICH)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("value", "1.2", "row 2: value is 1.2; expected a number from 0 to 1"),
        ("value", "none", "row 2: value is none; expected a number from 0 to 1"),
        ("test_split", "both", "row 2: test_split is both; expected all, female, male"),
        ("label", "anger", "row 2: label is anger; expected surprise, upset"),
    ],
)
def test_faults_of_the_printed_tables_are_named(tmp_path, column, value, said):
    frame = pd.read_csv(published.path("domnich2021"), dtype=str)
    frame.loc[0, column] = value
    frame.to_csv(tmp_path / "values.csv", index=False)
    with pytest.raises(TableError, match=said):
        papers.values(tmp_path / "values.csv", DOMNICH)


@pytest.mark.parametrize(
    ("read", "name", "column"),
    [
        (papers.rankings, ("domnich2021", "rankings"), "end"),
        (papers.contrasts, ("deuschel2020", "contrasts"), "relation"),
    ],
)
def test_faults_of_statements_are_named(tmp_path, read, name, column):
    frame = pd.read_csv(published.path(*name), dtype=str)
    frame.loc[1, column] = "same"
    frame.to_csv(tmp_path / "said.csv", index=False)
    with pytest.raises(TableError, match=f"row 3: {column} is same; expected"):
        read(tmp_path / "said.csv")

"""Corrections for many tests, and what a study makes of its gaps."""

import dataclasses
import gc
import itertools
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

import scored
from facebias import tables
from facebias.evaluation import by_group, judgement, multiplicity
from facebias.study import StudyError, settings
from facebias.tables import comparisons, verdicts

CORRECTIONS = {"holm": multiplicity.holm, "fdr_bh": multiplicity.benjamini_hochberg}
p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def nothing_old_is_garbage():
    """statsmodels looks for garbage at every call: a second where other tests left much behind."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("nothing_old_is_garbage")
@pytest.mark.parametrize("name", CORRECTIONS)
@given(p_lists)
def test_corrections_are_those_of_statsmodels(name, values):
    wanted = multipletests(values, method=name)[1]
    np.testing.assert_allclose(CORRECTIONS[name](np.array(values)), wanted, atol=1e-12)


@pytest.mark.parametrize("name", CORRECTIONS)
@given(p_lists, st.integers(0, 11))
def test_missing_p_values_count_for_nothing(name, values, place):
    with_gap = np.insert(np.array(values), min(place, len(values)), np.nan)
    found = CORRECTIONS[name](with_gap)
    kept = found[~np.isnan(with_gap)]
    np.testing.assert_allclose(kept, CORRECTIONS[name](np.array(values)))
    assert np.isnan(found[np.isnan(with_gap)]).all()


@pytest.mark.parametrize("name", CORRECTIONS)
@given(p_lists, st.data())
def test_corrections_never_fall_when_a_p_value_rises(name, values, data):
    # So the best that a row can reach is the correction of all the floors.
    raised = [data.draw(st.floats(value, 1)) for value in values]
    low, high = (CORRECTIONS[name](np.array(part)) for part in (values, raised))
    assert (low <= high + 1e-12).all()


# ----------------------------------------------------------------------------------- judgement


def gaps_of(**changes):
    """One row per architecture, train split, criterion and definition, nothing found."""
    rows = []
    for architecture, train, (criterion, definition) in itertools.product(
        ("vgg16", "cnn3d"),
        ("regular", "male"),
        (
            ("equal_opportunity", "signed"),
            ("equalized_odds", "per_class_mean"),
            ("equalized_odds", "worst_class"),
        ),
    ):
        rows.append(
            {
                "architecture": architecture,
                "train_split": train,
                "attribute": "gender",
                **comparisons.pair("female", "male"),
                "criterion": criterion,
                "definition": definition,
                "label": "overall",
                "estimate": 0.2,
                "ci_low": 0.0,
                "ci_high": 0.4,
                "n_subjects": 10,
                "n_samples": 80,
                "p_value": 0.5,
                "p_floor": 2 / 252,
                "null_median": 0.1,
                "null_low": 0.0,
                "null_high": 0.3,
                "detectable": 0.4,
                "note": None,
            }
        )
    return tables.check(pd.DataFrame(rows).assign(**changes), tables.GAPS)


REGULAR = scored.question("regular", "male")


def judged(frame, questions=(REGULAR,), **changes):
    evaluation = dataclasses.replace(scored.EVALUATION, **changes)
    declared = judgement.primary(frame, evaluation.primary, questions)
    return judgement.judge(frame, declared, evaluation)


def primary(**changes):
    return dataclasses.replace(scored.EVALUATION.primary, **changes)


def test_the_primary_family_is_one_gap_per_architecture_on_the_first_train_split():
    found = judged(gaps_of())
    declared = found[found["family"] == "primary"]
    assert declared["architecture"].tolist() == ["vgg16", "cnn3d"]
    assert set(declared["train_split"]) == {"regular"}
    assert set(declared["definition"]) == {"per_class_mean"}
    assert declared["p_holm"].notna().all()
    assert declared["q_bh"].isna().all()
    rest = found[found["family"] == "exploratory"]
    assert rest["q_bh"].notna().all()
    assert rest["p_holm"].isna().all()


def test_the_family_can_be_declared_otherwise():
    asked = primary(definition="worst_class")
    found = judged(gaps_of(), [scored.question("male", "regular")], primary=asked)
    declared = found[found["family"] == "primary"]
    assert set(declared["definition"]) == {"worst_class"}
    assert set(declared["train_split"]) == {"male"}


def test_a_family_that_is_not_there_is_refused():
    with pytest.raises(StudyError, match=r"evaluation\.primary: .* by gender, trained on women"):
        judged(gaps_of(), [REGULAR, scored.question("women")])


def test_the_questions_of_all_hold_outs_are_one_family():
    by_gender = gaps_of(p_value=0.01)
    by_skin = by_gender[by_gender["train_split"] == "male"].assign(attribute="skin")
    frame = pd.concat([by_gender, by_skin], ignore_index=True)
    found = judged(frame, [REGULAR, scored.question("male", attribute="skin")])
    declared = found[found["family"] == "primary"]
    assert declared[["attribute", "train_split"]].to_numpy().tolist() == [
        *[["gender", "regular"]] * 2,
        *[["skin", "male"]] * 2,
    ]
    # Two architectures, two questions.
    assert declared["p_holm"].tolist() == pytest.approx([0.04] * 4)


def test_the_range_over_groups_counts_in_the_question_that_has_one():
    three = [gaps_of(**comparisons.pair("a", "b")), gaps_of(**comparisons.over("abc"))]
    frame = pd.concat([*three, gaps_of(attribute="skin")], ignore_index=True)
    found = judged(frame, [REGULAR, scored.question("regular", attribute="skin")])
    declared = found[found["family"] == "primary"]
    assert set(declared.loc[declared["attribute"] == "gender", "groups"]) == {"range over a, b, c"}
    assert set(declared.loc[declared["attribute"] == "skin", "groups"]) == {"female - male"}


def test_of_more_than_two_groups_the_range_is_primary():
    compared = [comparisons.pair(*pair) for pair in ("ab", "ac", "bc")]
    parts = [gaps_of(**named) for named in (*compared, comparisons.over("abc"))]
    frame = pd.concat(parts, ignore_index=True)
    found = judged(frame)
    declared = found[found["family"] == "primary"]
    assert declared["comparison"].tolist() == ["range"] * 2


def test_what_five_against_five_can_reach_depends_on_the_number_of_architectures():
    frames = [
        gaps_of().assign(architecture=lambda f, k=k: f["architecture"] + str(k)) for k in range(3)
    ]
    six = judged(pd.concat(frames, ignore_index=True))
    assert six.loc[six["family"] == "primary", "p_reachable"].to_numpy() == pytest.approx(12 / 252)
    frames.append(gaps_of().assign(architecture="another").iloc[:3])
    seven = judged(pd.concat(frames, ignore_index=True))
    reachable = seven.loc[seven["family"] == "primary", "p_reachable"].to_numpy()
    assert reachable == pytest.approx(14 / 252)
    assert (reachable > 0.05).all()


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"p_value": 0.01}, "gap found"),
        ({"p_value": 0.04}, "cannot tell"),  # 0.08 after Holm
        ({"p_value": 0.5, "ci_high": 0.1}, "no gap larger than 0.1"),
        ({"p_value": 0.5, "ci_high": 0.11}, "cannot tell"),
        ({"p_value": 0.01, "ci_high": 0.1}, "gap found"),
        ({"p_value": 1, "estimate": 0.0, "ci_high": 0.0}, "cannot tell"),  # all people are alike
        ({"p_value": 1, "ci_high": 0.1, "p_floor": 1 / 3}, "cannot tell"),  # two people per group
        ({"p_value": 0.5, "ci_high": np.nan}, "cannot tell"),
        ({"p_value": np.nan, "estimate": np.nan, "ci_high": np.nan}, "not estimable"),
    ],
)
def test_rules_of_the_verdict(row, verdict):
    frame = gaps_of()
    place = (frame["definition"] == "per_class_mean") & (frame["train_split"] == "regular")
    first = frame.index[place][0]
    for name, value in row.items():
        frame.loc[first, name] = value
    assert judged(frame).loc[first, "verdict"] == verdict


def test_both_ends_of_a_signed_gap_must_lie_within_the_margin():
    frame = gaps_of(ci_low=-0.15, ci_high=0.05)
    assert "no gap larger than 0.1" not in set(judged(frame)["verdict"])
    assert set(judged(frame, margin=0.2)["verdict"]) == {"no gap larger than 0.2"}


def test_every_criterion_has_a_margin_on_its_own_scale():
    frame = gaps_of(ci_low=-0.15, ci_high=0.15, p_value=0.9, estimate=0.0)
    found = judged(frame, margin=0.1, margins={"equalized_odds": 0.2})
    verdicts_of = found.groupby("criterion")["verdict"].unique()
    assert list(verdicts_of["equalized_odds"]) == ["no gap larger than 0.2"]
    assert list(verdicts_of["equal_opportunity"]) == ["cannot tell"]


def test_gaps_of_labels_are_corrected_among_themselves_and_change_no_other_correction():
    frame = gaps_of(p_value=0.04)
    rows = frame[frame["definition"] == "signed"].assign(definition="per_label")
    labels = pd.concat([rows.assign(label=name, p_value=0.03) for name in ("joy", "rage")])
    both = judged(pd.concat([frame, labels], ignore_index=True))
    alone = judged(frame)
    pd.testing.assert_frame_equal(both.iloc[: len(frame)], alone)
    own = both.iloc[len(frame) :]
    assert set(own["family"]) == {"labels"}
    assert set(own["p_holm"]) == {0.03}
    assert own["q_bh"].isna().all()
    assert set(own["verdict"]) == {"gap found"}


def test_a_slope_is_not_compared_with_the_margin():
    frame = gaps_of(ci_low=-0.001, ci_high=0.001)
    trend = frame["definition"] == "signed"
    slope = {"definition": "trend", **comparisons.trend("age")}
    frame.loc[trend, [*slope]] = [*slope.values()]
    assert set(judged(frame).loc[trend, "verdict"]) == {"cannot tell"}


def test_no_word_says_unbiased():
    said = {verdicts.FOUND, verdicts.UNCLEAR, verdicts.MISSING, verdicts.no_larger(0.1)}
    assert not any("unbiased" in word or "no bias" in word for word in said)


def by_group_file(folder, guessing=()):
    """Write how well models do; those of the train splits ``guessing`` say joy to nearly all."""
    parts = []
    for architecture, train in itertools.product(("vgg16", "cnn3d"), ("regular", "male")):
        frame = scored.classes(np.random.default_rng(1), n_samples=20)
        if train in guessing:
            frame = scored.constant(frame, "joy", 0.9)
        model = {"architecture": architecture, "train_split": train}
        scores = scored.scored(frame)
        parts.append(by_group.metrics(scores, [], model, evaluation=scored.EVALUATION))
    path = folder / "metrics_by_group.csv"
    tables.write(pd.concat(parts), path, tables.METRICS_BY_GROUP)
    return str(path)


def test_of_a_model_that_looks_at_nothing_no_gap_is_called_small(tmp_path):
    frame = gaps_of(ci_low=-0.01, ci_high=0.01, estimate=0.005)
    found = frame["criterion"] == "equal_opportunity"
    frame.loc[found, "p_value"] = 1e-4
    frame.loc[frame["definition"] == "worst_class", "estimate"] = np.nan
    tables.write(frame, tmp_path / "part.csv", tables.GAPS)
    given = settings(
        evaluation=scored.EVALUATION, questions=[REGULAR], architectures=("vgg16", "cnn3d")
    )
    verdict = {}
    for guessing in ((), ("male",)):
        out = ["--by-group", by_group_file(tmp_path, guessing), "--out", str(tmp_path / "f.csv")]
        judgement.main(["fairness", "--settings", given, *out, str(tmp_path / "part.csv")])
        table = tables.read(tmp_path / "f.csv", tables.FAIRNESS)
        for row in table.itertuples():
            verdict[guessing, row.train_split, row.definition] = row.verdict
    for guessing, train in itertools.product(((), ("male",)), ("regular", "male")):
        assert verdict[guessing, train, "signed"] == "gap found"
        assert verdict[guessing, train, "worst_class"] == "not estimable"
        if train not in guessing:
            assert verdict[guessing, train, "per_class_mean"] == "no gap larger than 0.1"
    assert re.fullmatch(
        r"cannot tell: says joy to 9\d % of samples", verdict[("male",), "male", "per_class_mean"]
    )


def test_a_change_to_or_from_a_model_that_looks_at_nothing_is_never_called_small():
    rows = gaps_of(ci_low=-0.01, ci_high=0.01, estimate=0.005).iloc[:2]
    changed = pd.DataFrame([comparisons.change("male", name) for name in ("regular", "old")])
    changes = rows.assign(metric="tpr_macro").join(changed)
    changes = tables.check(
        changes.drop(columns=["train_split", "criterion", "definition", "label"]), tables.CHANGES
    )
    words = {("vgg16", "regular"): "says joy to 91 % of samples"}
    declared = pd.Series(False, index=changes.index)
    found = judgement.judge(changes, declared, scored.EVALUATION, words)
    assert found["verdict"].tolist() == [
        "cannot tell: says joy to 91 % of samples",
        "no gap larger than 0.1",
    ]


def test_the_stage_judges_files_together(tmp_path):
    frame = gaps_of(p_value=0.02)
    for name, rows in frame.groupby("architecture"):
        tables.write(rows, tmp_path / f"{name}.csv", tables.GAPS)
    evaluation = scored.EVALUATION
    declared = {"questions": [REGULAR], "architectures": ("vgg16", "cnn3d")}
    given = settings(evaluation=evaluation, **declared)
    out = tmp_path / "fairness.csv"
    inputs = [str(tmp_path / f"{name}.csv") for name in ("vgg16", "cnn3d")]
    beside = ["--by-group", by_group_file(tmp_path)]
    judgement.main(["fairness", "--settings", given, *beside, "--out", str(out), *inputs])
    found = tables.read(out, tables.FAIRNESS)
    assert found["architecture"].unique().tolist() == ["vgg16", "cnn3d"]
    assert found.loc[found["family"] == "primary", "p_holm"].tolist() == [0.04, 0.04]


def test_further_variants_of_a_network_stay_outside_the_primary_family(tmp_path):
    frame = gaps_of(p_value=0.02)
    tables.write(frame, tmp_path / "part.csv", tables.GAPS)
    given = settings(evaluation=scored.EVALUATION, questions=[REGULAR], architectures=("vgg16",))
    out = tmp_path / "fairness.csv"
    beside = ["--by-group", by_group_file(tmp_path), "--out", str(out)]
    judgement.main(["fairness", "--settings", given, *beside, str(tmp_path / "part.csv")])
    found = tables.read(out, tables.FAIRNESS)
    primary = found[found["family"] == "primary"]
    assert primary["architecture"].tolist() == ["vgg16"]
    # Alone in its family, it is corrected for nothing.
    assert primary["p_holm"].tolist() == [0.02]

"""What papers say, held against their own tables."""

import pandas as pd
import published_results as published
import pytest
from published_results import DEUSCHEL, DOMNICH

from facebias.published import fairness, papers, statements
from facebias.study import StudyError

RANKINGS = papers.rankings(published.path("domnich2021", "rankings"))


def checked(said=RANKINGS):
    return statements.rankings(fairness.fairness(published.intervals()), said)


def test_every_statement_on_bias_agrees_with_the_tables_as_published():
    found = checked()
    as_published = found[found["definition"] == "published"]
    assert len(as_published) == 24
    assert as_published["agrees"].all()
    # Both ends of all three kinds of models in all three criteria are stated.
    firsts = as_published[as_published["place"] == 1]
    assert firsts.groupby(["train_split", "criterion", "end"]).ngroups == 3 * 3 * 2


def test_most_statements_flip_where_nothing_cancels():
    found = checked().set_index(["train_split", "criterion", "end", "place", "architecture"])
    per_class = found[found["definition"] == "per_class_mean"]
    flipped = per_class[~per_class["agrees"]]
    assert len(flipped) == 12
    assert "accuracy_gap" not in flipped.index.get_level_values("criterion")
    least = flipped.loc[("regular", "equal_opportunity", "least", 1, "resnet3d")]
    assert (least["rank"], least["instead"]) == (5, "vgg16")
    kept = per_class[per_class["agrees"]].drop(index="accuracy_gap", level="criterion")
    assert set(kept.index.get_level_values("architecture")) == {"vggface"}
    worst = found[found["definition"] == "worst_class"]
    assert int((~worst["agrees"]).sum()) == 12


def test_ties_are_named():
    found = checked().set_index(["train_split", "criterion", "end", "architecture", "definition"])
    row = found.loc[("male", "equal_opportunity", "least", "senet50", "published")]
    assert (row["rank"], row["tied_with"], row["agrees"]) == (1, "vggface", True)


def test_a_wrong_statement_does_not_agree():
    said = RANKINGS.iloc[[0]].assign(architecture="vgg16", claim="VGG16 is the least biased")
    row = checked(said).iloc[0]
    assert not row["agrees"]
    assert (row["rank"], row["instead"]) == (2, "resnet3d")


def test_a_statement_about_no_gap_is_an_error():
    said = RANKINGS.iloc[[0]].assign(architecture="alexnet")
    with pytest.raises(StudyError, match="no gap for the claim: ResNet3D is the least biased"):
        checked(said)


def test_statements_on_emotions_that_disagree():
    said = papers.contrasts(published.path("domnich2021", "contrasts"))
    found = statements.contrasts(published.values(), said, DOMNICH)
    wrong = found[~found["agrees"]]
    assert list(zip(wrong["train_a"], wrong["label"], strict=True)) == [
        ("regular", "surprise"),
        ("female", "surprise"),
        ("female", "overall"),
    ]
    assert wrong["difference"].round(4).tolist() == [0.0083, -0.0333, 0.025]
    assert wrong["note"].notna().tolist() == [True, False, True]


def test_statements_of_study_b():
    values = papers.values(published.path("deuschel2020"), DEUSCHEL)
    said = papers.contrasts(published.path("deuschel2020", "contrasts"))
    found = statements.contrasts(values, said, DEUSCHEL)
    wrong = found[~found["agrees"]]
    assert wrong[["train_a", "test_a", "relation", "train_b"]].to_numpy().tolist() == [
        ["mixed", "male", "alike", "male"]
    ]
    assert wrong["difference"].tolist() == [0.05]


def test_a_statement_about_no_printed_number_is_an_error():
    values = papers.values(published.path("deuschel2020"), DEUSCHEL)
    said = papers.contrasts(published.path("deuschel2020", "contrasts")).assign(metric="auc")
    with pytest.raises(StudyError, match="no printed number for the claim"):
        statements.contrasts(values, said, DEUSCHEL)


def test_differences_of_study_b():
    values = papers.values(published.path("deuschel2020"), DEUSCHEL)
    found = statements.differences(values, DEUSCHEL)
    macro = found[found["metric"] == "f1_macro"].set_index("train_split")
    assert macro["groups"].to_dict() == {
        "female": "female - male",
        "male": "female - male",
        "mixed": "female - male",
        "light": "dark - light",
    }
    assert macro["difference"].to_dict() == {
        "female": -0.01,
        "male": -0.11,
        "mixed": -0.06,
        "light": -0.08,
    }
    assert set(found["rounding"]) == {0.01}
    assert isinstance(found, pd.DataFrame)

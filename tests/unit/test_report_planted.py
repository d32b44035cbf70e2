"""What the first page says of a bias that was planted."""

from __future__ import annotations

import pytest
import study_tables as made
from start_pages import page, planted, with_data, words

from facebias.presentation.report import planted_bias, wording


def test_a_planted_bias_is_found_when_signs_and_intervals_say_so(tmp_path):
    said = words(page(tmp_path, fairness=made.fairness(gap=-0.3, spread=0.1)))
    assert "People with gender female show sadness, anger, disgust and contempt at 0.4" in said
    assert "The study finds the planted bias: in all 6 architectures samples of the group" in said
    assert said.count("] as planted") == 6


def test_a_planted_bias_is_not_found_when_every_interval_includes_zero(tmp_path):
    said = words(page(tmp_path, fairness=made.fairness(gap=-0.05, spread=0.4)))
    assert "does not find the planted bias: in none of 6 architectures" in said
    assert "The study finds" not in said
    assert "interval includes 0" in said


def test_a_gap_of_the_wrong_sign_is_no_finding(tmp_path):
    said = words(page(tmp_path, fairness=made.fairness(gap=0.3, spread=0.1)))
    assert "does not find the planted bias" in said
    assert said.count("opposite sign") == 6


def test_some_architectures_find_it(tmp_path):
    table = made.fairness(gap=-0.3, spread=0.1)
    weak = table["architecture"].isin(["vgg16", "cnn3d", "resnet50", "senet50"])
    table.loc[weak, ["ci_low", "ci_high"]] = [-0.6, 0.1]
    assert "only in part: in 2 of 6 architectures" in words(page(tmp_path, fairness=table))


def test_only_the_first_train_split_counts_for_the_planted_bias(tmp_path):
    table = made.fairness(gap=-0.3, spread=0.1)
    regular = table["train_split"] == "regular"
    table.loc[regular, ["ci_low", "ci_high"]] = [-0.9, 0.9]
    assert "does not find the planted bias" in words(page(tmp_path, fairness=table))


def test_nothing_planted_is_said(tmp_path):
    said = words(page(tmp_path, settings=planted()))
    assert "Nothing was planted" in said
    assert "finds the planted" not in said


def test_real_data_has_no_section_on_planting(tmp_path):
    said = words(page(tmp_path, settings=with_data(adapter="pictures", drawn=None)))
    assert "planted" not in said.replace("Drawn faces with a planted bias", "")
    assert "How models treat real people" not in said


def test_a_bias_without_a_direction_is_not_judged(tmp_path):
    entry = {"kind": "frequencies", "group": {"gender": "female"}, "labels": {"anger": 0.5}}
    said = words(page(tmp_path, settings=planted(entry)))
    assert "anger times 0.5" in said
    assert "cannot be said beforehand" in said


def test_a_bias_in_an_attribute_that_is_not_evaluated_cannot_be_found(tmp_path):
    entry = {"kind": "label_noise", "group": {"skin": "dark"}, "share": 0.3}
    said = words(page(tmp_path, settings=planted(entry)))
    assert "30 % of the recorded labels of people with skin dark are wrong" in said
    assert "not among the attributes that the study evaluates" in said


def test_a_cue_favours_its_group():
    entry = {
        "kind": "cue",
        "group": {"gender": "male"},
        "label": "anger",
        "where": "hair",
        "strength": 1,
    }
    (target,) = planted_bias.targets([entry])
    assert (target.group, target.worse) == ("male", False)
    found = planted_bias.checks(made.fairness(gap=-0.3, spread=0.1), target, "regular")
    assert all(check.found for check in found)


def test_biases_of_both_directions_in_one_group_have_no_direction():
    worse = {"kind": "label_noise", "group": {"gender": "male"}, "share": 0.2}
    better = {
        "kind": "cue",
        "group": {"gender": "male"},
        "label": "anger",
        "where": "hair",
        "strength": 1,
    }
    assert planted_bias.targets([worse, better]) == []


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({}, "everybody"),
        ({"gender": "female"}, "gender female"),
        (
            {"age": {"min": 60}, "skin": ["dark", "medium"]},
            "age at least 60 and skin dark or medium",
        ),
        ({"any": [{"gender": "male"}, {"age": {"max": 30}}]}, "(gender male or age at most 30)"),
    ],
)
def test_conditions_are_put_into_words(where, said):
    assert wording.condition(where) == said

"""The first page of the report: what it says, and what it never says."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import diagnosed
import numpy as np
import pytest
import start_pages
import study_tables as made
from start_pages import page, planted, words

from facebias.presentation.report import findings, wording
from facebias.study import StudyError

# ------------------------------------------------------------------------------------ start page


def test_what_else_differs_stands_beside_the_gaps_that_were_found(tmp_path):
    confounds = diagnosed.confound_table()
    fairness = made.fairness()
    assert (fairness["verdict"] == "gap found").any()
    (said, *_) = confounds.loc[confounds["measure"] != "split_ratio", "warning"].dropna()
    assert said in words(page(tmp_path, confounds=confounds))
    silent = confounds.assign(warning=None)
    assert "What else could explain" not in words(page(tmp_path, confounds=silent))


def test_the_page_is_well_formed_and_loads_nothing(tmp_path):
    html = page(tmp_path)
    open_tags = []

    class Balanced(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "br"):
                open_tags.append(tag)
            assert not {"src", "href"} & {name for name, _ in attrs}

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Balanced().feed(html)
    assert not open_tags
    assert "<script" not in html
    assert "url(" not in html


def test_the_page_says_what_was_run(tmp_path):
    said = words(page(tmp_path))
    assert "36 people, 10 of them tested, with 432 samples" in said
    assert "18 models" in said
    assert "VGG16, VGGFace, ResNet50, SENet50, 3D-CNN and ResNet3D" in said
    assert "anger, disgust and contempt count as one label, upset" in said
    assert " ," not in said


def test_signed_gaps_are_counted_against_chance(tmp_path):
    table = made.fairness(gap=-0.3, spread=0.1)
    some = (table["train_split"] != "male") & (table["definition"] == "signed")
    table.loc[some, ["ci_low", "ci_high"]] = [-0.9, 0.9]
    said = words(page(tmp_path, fairness=table))
    assert "By gender, 6 of 18 signed gaps have a 95 % interval that excludes 0; about 0.9" in said
    assert "(6 in favour of male)" in said
    counted = findings.beyond_chance(table, "gender", 0.95)
    assert list(counted["models"]["male"]) == [("male", "female")]
    assert counted["models"]["regular"] == {}


def test_largest_and_smallest_gap_are_named(tmp_path):
    table = made.fairness()
    chosen = (
        (table["criterion"] == "equal_opportunity")
        & (table["definition"] == "per_class_mean")
        & (table["train_split"] == "female")
    )
    table.loc[chosen & (table["architecture"] == "senet50"), "estimate"] = 0.91
    table.loc[chosen & (table["architecture"] == "resnet3d"), "estimate"] = 0.01
    (row,) = (
        r
        for r in findings.extremes(table, "gender", made.by_group())
        if r["train_split"] == "female"
    )
    assert row["largest"][0] == "senet50"
    assert row["smallest"][0] == "resnet3d"
    said = words(page(tmp_path, fairness=table))
    assert "SENet50 0.91" in said
    assert "ResNet3D 0.01" in said
    assert "Trained on female, the smallest gap depends on the definition" in said


def test_gaps_that_cannot_be_estimated_are_said_to_be_missing(tmp_path):
    table = made.fairness()
    table[["estimate", "ci_low", "ci_high"]] = np.nan
    said = words(page(tmp_path, fairness=table))
    assert "No gap could be estimated" in said
    assert "18 could not be estimated" in said
    assert "By gender, no interval of a signed gap could be found" in said
    assert "0 of 0" not in said
    assert "cannot be said: no signed gap by gender" in said


@pytest.mark.parametrize("metric", ["tpr_macro", "auc_macro"])
def test_models_at_the_level_of_guessing_are_counted_and_named(tmp_path, metric):
    table = made.metrics()
    mine = (table["test_split"] == "all") & (table["architecture"] == "vgg16")
    place = mine & (table["label"] == "overall") & (table["metric"] == metric)
    # Accuracy may be high: of what is mostly happy, it is that of always saying so.
    table.loc[place, ["value", "ci_low", "ci_high"]] = [0.3, 0.2, 0.4]
    said_happy = mine & (table["metric"] == "selection_rate") & (table["label"] == "happiness")
    table.loc[said_happy, "value"] = 0.91
    said = words(page(tmp_path, metrics=table))
    assert "3 of 18 models cannot be told from guessing" in said
    assert "VGG16 trained on male (says happiness to 91 % of samples)" in said
    assert "cannot be told from guessing" not in words(page(tmp_path))


def test_sizes_have_the_rates_of_the_groups_beside_them(tmp_path):
    """Women .35, men .95: a gap of .6 does not say whom it is against."""
    table = made.metrics()
    rate = table["metric"] == "tpr"
    for group, value in (("female", 0.35), ("male", 0.95)):
        table.loc[rate & (table["test_split"] == group), "value"] = value
    said = words(page(tmp_path, metrics=table))
    rates = "true positive rate, mean over labels: female 0.35, male 0.95"
    # Of every declared gap, and of the largest and smallest of every training split.
    assert said.count(rates) == 6 + 2 * 3


def test_what_looking_at_nothing_reaches_stands_beside_accuracy(tmp_path):
    table = made.metrics()
    often = (table["label"] == "sadness") & (table["metric"] == "tpr")
    table.loc[often, "n_samples"] *= 2
    said = words(page(tmp_path, metrics=table))
    overall = table[(table["label"] == "overall") & (table["test_split"] == "all")]
    least, most = (
        wording.number(end)
        for end in overall.loc[overall["metric"] == "tpr_macro", "value"].agg(["min", "max"])
    )
    assert "always saying sadness would be right about 50 %" in said
    assert f"recall {least} to {most} (guessing: 0.25), ROC area" in said
    assert "(guessing: 0.50)" in said
    assert "Always sadness 0.50 0.25 0.50" in said
    assert "guessing evenly" not in said
    # And by group.
    assert "female 5 people, 40 samples male 5 people, 40 samples" in said
    assert "Looking at nothing always sadness 0.50 0.25 always sadness 0.50 0.25" in said


def test_only_people_who_were_tested_are_counted(tmp_path):
    """Of two women and a man of the ten, no clip could be cut; of another man, of one sample."""
    manifest = made.manifest()
    lost = manifest["subject"].isin(["s00", "s01", "s02"]) | (manifest["sample"] == "s03_anger_0")
    excluded = manifest.loc[lost, ["sample", "subject", "path"]]
    excluded = excluded.assign(stage="extract", reason="no face")
    said = words(page(tmp_path, excluded=excluded))
    assert f"33 people, 7 of them tested, with {432 - 3 * 12 - 1} samples" in said
    assert "Gaps by gender rest on 3 female, 4 male test people" in said
    people = said[said.index("People per training split") :]
    assert re.search(r"regular \d+ \d+ 7 ", people)


def test_what_was_left_out_is_told_per_group(tmp_path):
    said = words(page(tmp_path))
    assert "7 samples of 432 were left out: no face (6), too short (1)" in said
    assert "By skin: 4.2 % of dark against 0.0 % of medium" in said
    none = words(page(tmp_path, exclusions=made.exclusions(none=True)))
    assert "None of 432 samples was left out" in none


def test_accuracy_by_training_split_is_the_mean_over_architectures(tmp_path):
    table = made.metrics()
    rows = table[(table["label"] == "overall") & (table["metric"] == "accuracy")]
    rows = rows[(rows["train_split"] == "male") & (rows["test_split"] == "female")]["value"]
    wanted = f"{rows.mean():.2f} ({rows.min():.2f}\u2013{rows.max():.2f})"
    assert wanted in words(page(tmp_path))


def test_the_page_never_calls_anything_unbiased_or_fair(tmp_path):
    for gap in (0.0, -0.3):
        said = words(page(tmp_path, fairness=made.fairness(gap=gap))).lower()
        assert "unbiased" not in said
        assert "no bias was found" not in said
        assert "it cannot show that there are none" in said
        assert "no evidence that groups are treated alike" in said


def test_test_people_of_every_group_are_counted(tmp_path):
    assert "rest on 5 female, 5 male test people" in words(page(tmp_path))


def test_three_groups_compare_pairs(tmp_path):
    settings = planted(
        {"kind": "weaker", "group": {"skin": "dark"}, "labels": ["anger"], "factor": 0.5}
    )
    settings["evaluation"] = {**settings["evaluation"], "attributes": ["skin"]}
    table = made.fairness(attribute="skin", groups=("dark", "light", "medium"), gap=-0.3)
    said = words(page(tmp_path, settings=settings, fairness=table))
    assert "in all 12 comparisons (architecture by pair of groups)" in said
    assert "light \u2212 medium" not in said


def test_text_from_the_configuration_is_escaped(tmp_path):
    html = page(tmp_path, settings=start_pages.study_settings(title="a <b>& c"))
    assert "a &lt;b&gt;&amp; c" in html


def test_folds_and_seeds_give_ranges_of_people(tmp_path):
    settings = start_pages.study_settings(seeds=[1, 2], folds=5)
    said = words(page(tmp_path, settings=settings, splits=made.splits(folds=5)))
    assert "in 5 folds so that every person is tested once" in said
    assert "180 models" in said
    assert "7\u20138" in said


def test_metrics_without_overall_accuracy_are_an_error(tmp_path):
    table = made.metrics()
    with pytest.raises(StudyError, match="no overall accuracy on test split all"):
        page(tmp_path, metrics=table[table["label"] != "overall"])


def test_the_declared_question_has_its_verdicts_chance_and_rules(tmp_path):
    table = made.fairness(gap=-0.3, spread=0.1)
    said = words(page(tmp_path, fairness=table))
    assert "equalized odds (mean of absolute gaps per label) by gender trained on regular" in said
    assert "gap found for VGG16, VGGFace, ResNet50, SENet50, 3D-CNN and ResNet3D" in said
    assert "smallest corrected p that this design can reach is 0.048" in said
    assert "no gap larger than 0.1 where the whole interval lies within that, unless" in said


def test_for_whom_another_training_split_costs_more_is_told(tmp_path):
    said = words(page(tmp_path))
    assert "p corrected after Holm for 12 comparisons" in said
    assert "male instead of regular" in said
    assert "\u22120.20 [\u22120.30, \u22120.10] 0.036 gap found" in said


def test_the_page_says_which_verdicts_are_corrected(tmp_path):
    said = words(page(tmp_path))
    assert (
        "Only gap found is corrected for the number of gaps. No gap larger than 0.1 is not" in said
    )
    assert "each such claim by itself is wrong in at most about 5 of 100 studies" in said
    assert "interval and uncorrected p disagree in about 3 to 5 of 100" in said
    assert "verdicts are corrected for that" not in said


def test_a_design_that_can_find_nothing_says_so(tmp_path):
    table = made.fairness()
    table["p_reachable"] = 0.1
    table.loc[table["family"] == "primary", "verdict"] = "cannot tell"
    said = words(page(tmp_path, fairness=table))
    assert "the corrected p cannot fall below 0.1, whatever the models do" in said
    assert "cannot tell for VGG16" in said


def test_every_hold_out_has_its_own_numbers(tmp_path):
    metrics, fairness = made.metrics(), made.fairness()
    apart = (metrics["train_split"] == "male") == (metrics["test_split"] == "male")
    said = words(page(tmp_path, metrics=metrics[apart], fairness=fairness))
    found = said[said.index("What was found") : said.rindex("The question declared")]
    first, second = re.split(r"Test split ", found)[1:]
    assert first.startswith("all ")
    assert set(re.findall(r"(regular|female|male) 0", first)) == {"regular", "female"}
    assert second.startswith("male ")
    assert set(re.findall(r"(regular|female|male) 0", second)) == {"male"}
    assert "n/a" not in found
    changed = said[said.index("Does it matter who") : said.index("Does it cost")]
    assert re.findall(r"tested on (\w+)", changed) == ["all", "female"]
    whole = words(page(tmp_path))
    assert re.findall(r"Test split (\w+)", whole) == ["all"]


def test_page_says_where_every_person_weighs_the_same(tmp_path):
    given = start_pages.study_settings()
    assert "weighs the same" not in words(page(tmp_path, settings=given))
    given["evaluation"]["weights"] = "subjects"
    assert "Every person weighs the same" in words(page(tmp_path, settings=given))

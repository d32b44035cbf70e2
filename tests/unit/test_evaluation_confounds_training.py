"""Who is trained on: subjects per group, and the sizes of train splits."""

from __future__ import annotations

import diagnosed
import numpy as np
import pandas as pd
import pytest
from confounding import measured, row

from facebias.evaluation import association


def test_training_subjects_are_means_over_folds_and_seeds():
    manifest = diagnosed.people(n=12)
    roles = diagnosed.splits(manifest, folds=3, n_seeds=2)
    table = measured(manifest, roles=roles)
    train = roles[(roles["train_split"] == "regular") & (roles["role"] == "train")]
    groups = train["subject"].map(
        manifest.drop_duplicates("subject").set_index("subject")["gender"]
    )
    per_model = groups[groups == "female"].groupby([train["fold"], train["seed"]]).size()
    found = row(table, "subjects", split="regular", role="train", groups="female")
    assert found["estimate"] == pytest.approx(per_model.mean())
    assert found["n_subjects"] == 6
    samples = row(table, "samples", split="regular", role="train", groups="female")
    assert samples["estimate"] == pytest.approx(9 * per_model.mean())
    # A subject counts by the share of models that train on him or her: two of three.
    uneven = diagnosed.people(n=12, uneven=0.6)
    crossed = pd.crosstab(uneven["gender"], uneven["label"]).to_numpy(dtype=float)
    trained = row(measured(uneven, roles=roles), "cramers_v", split="regular", role="train")
    assert trained["estimate"] == pytest.approx(association.cramers_v(crossed * 2 / 3))
    # Everybody is tested once: labels and pictures of the test subjects are those of all.
    for measure in ("cramers_v", "face_size"):
        groups = "all" if measure == "cramers_v" else "male"
        tested = row(table, measure, role="test", groups=groups)
        assert tested["estimate"] == row(table, measure, groups=groups)["estimate"]


def test_label_shares_weigh_a_subject_by_the_models_that_train_on_it():
    manifest = diagnosed.people(n=12, uneven=0.6)
    roles = diagnosed.splits(manifest, folds=3)
    # One woman trains in one fold of three, the others in two.
    dropped = (roles["subject"] == "p00") & (roles["fold"] == 2)
    roles["role"] = roles["role"].mask(dropped, "unused")
    train = roles[(roles["train_split"] == "regular") & (roles["role"] == "train")]
    shown = train.merge(manifest[["subject", "label", "gender"]], on="subject")
    women = shown[shown["gender"] == "female"]
    table = measured(manifest, roles=roles)
    for label in diagnosed.NAMES:
        found = row(
            table, "label_share", split="regular", role="train", groups="female", label=label
        )
        assert found["estimate"] == pytest.approx((women["label"] == label).mean())


def test_group_that_a_split_leaves_out_is_0_subjects_and_a_note_but_no_warning():
    table = measured(diagnosed.people(n=24))
    absent = row(table, "subjects", split="female", role="train", groups="male")
    assert (absent["estimate"], absent["n_samples"]) == (0, 0)
    ratio = row(table, "subject_ratio", split="female", role="train")
    assert np.isnan(ratio["estimate"])
    assert ratio["note"] == "female trains on nobody of male"
    assert ratio["warning"] is None
    assert np.isnan(row(table, "cramers_v", split="female", role="train")["estimate"])


@pytest.mark.parametrize(("women", "warned"), [(8, False), (7, True)])
def test_unequal_training_groups_are_warned_of_beyond_the_factor(women, warned):
    manifest = diagnosed.people(n=40)
    roles = diagnosed.splits(manifest, tested=20)
    trained = roles[(roles["train_split"] == "regular") & (roles["role"] == "train")]
    of_women = [s for s in trained["subject"] if int(s[1:]) % 2 == 0]
    dropped = roles["subject"].isin(of_women[women:]) & (roles["train_split"] == "regular")
    found = row(
        measured(manifest, roles=roles.assign(role=roles["role"].mask(dropped, "unused"))),
        "subject_ratio",
        split="regular",
        role="train",
    )
    assert found["estimate"] == pytest.approx(10 / women)
    assert (found["warning"] is not None) == warned
    if warned:
        assert "7 of female, 10 of male" in found["warning"]


def test_exactly_the_factor_is_not_beyond_it_over_folds():
    # Ten women, eight men: 6.67 and 5.33 in training, whose ratio is 1.2500000000000002.
    manifest = diagnosed.people(n=18)
    manifest["gender"] = manifest["gender"].mask(manifest["subject"] == "p01", "female")
    found = row(
        measured(manifest, roles=diagnosed.splits(manifest, folds=3)),
        "subject_ratio",
        split="regular",
        role="train",
    )
    assert found["estimate"] == pytest.approx(1.25)
    assert found["warning"] is None


def test_smaller_train_split_is_warned_of():
    table = measured(diagnosed.people(n=24))
    small = row(table, "split_ratio", split="female", role="train")
    assert small["estimate"] == pytest.approx(2)
    assert small["warning"].startswith("female trains on 6 subjects, regular on 12")
    assert row(table, "split_ratio", split="regular", role="train")["warning"] is None

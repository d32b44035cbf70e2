"""Warnings joined to the gaps that were found."""

import diagnosed
import numpy as np
import pandas as pd
import study_tables as made

from facebias.presentation.report import coincidences


def confounds():
    table = diagnosed.confound_table()
    return table.assign(warning=None)


def warned(table, measure, words, *, split="all", role="all", groups=None):
    rows = (table["measure"] == measure) & (table["train_split"] == split) & (table["role"] == role)
    if groups:
        rows &= table["groups"] == groups
    table.loc[table.index[rows][0], "warning"] = words
    return table


def gaps(**found):
    """Gaps of three architectures; ``found`` names those with a gap, by train split."""
    frame = made.fairness(architectures=diagnosed.ARCHITECTURES, trains=diagnosed.TRAINS)
    verdicts = [
        "gap found" if architecture in found.get(train, ()) else "cannot tell"
        for architecture, train in zip(frame["architecture"], frame["train_split"], strict=True)
    ]
    return frame.assign(verdict=verdicts)


def test_gap_without_a_warning_and_warning_without_a_gap_are_silent():
    table = confounds()
    assert coincidences.warnings(table, gaps(regular=["vgg16"])) == []
    table = warned(table, "cramers_v", "labels differ", split="regular", role="train")
    assert coincidences.warnings(table, gaps(female=["vgg16"])) == []


def test_warnings_of_the_split_and_of_everybody_are_joined():
    table = warned(confounds(), "cramers_v", "labels differ", split="regular", role="train")
    table = warned(table, "face_size", "faces differ", groups="female - male")
    (found,) = coincidences.warnings(table, gaps(regular=["vgg16", "cnn3d"]))
    assert found.attribute == "gender"
    assert found.found == {"regular": ("vgg16", "cnn3d")}
    assert found.warnings == ("labels differ", "faces differ")


def test_what_is_true_of_the_test_subjects_is_not_said_twice():
    table = warned(confounds(), "face_size", "of all", groups="female - male")
    table = warned(table, "face_size", "of the tested", role="test", groups="female - male")
    table = warned(table, "contrast", "only of all", groups="female - male")
    (found,) = coincidences.warnings(table, gaps(regular=["vgg16"]))
    assert set(found.warnings) == {"of the tested", "only of all"}


def test_the_same_warnings_of_several_splits_are_said_once():
    table = warned(confounds(), "face_size", "faces differ", groups="female - male")
    (found,) = coincidences.warnings(table, gaps(regular=["vgg16"], female=["cnn3d"]))
    assert found.found == {"regular": ("vgg16",), "female": ("cnn3d",)}
    table = warned(table, "cramers_v", "labels differ", split="regular", role="train")
    first, second = coincidences.warnings(table, gaps(regular=["vgg16"], female=["cnn3d"]))
    assert (set(first.found), set(second.found)) == ({"regular"}, {"female"})


def test_other_attributes_stay_apart():
    table = warned(confounds(), "face_size", "faces differ", groups="female - male")
    assert coincidences.warnings(table.assign(attribute="skin"), gaps(regular=["vgg16"])) == []


def test_sizes_of_train_splits_are_about_splits_and_not_about_gaps():
    table = warned(confounds(), "split_ratio", "smaller", split="female", role="train")
    assert coincidences.warnings(table, gaps(female=["vgg16"])) == []
    twice = pd.concat([table, table.assign(attribute="skin")])
    assert coincidences.between_splits(twice) == ["smaller"]
    assert coincidences.between_splits(table.assign(warning=np.nan)) == []

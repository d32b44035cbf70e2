"""Who is drawn and which films exist."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from facebias.data.datasets.drawn.looks import HAIR_COLOURS, looks
from facebias.data.datasets.drawn.people import people, samples
from facebias.study import Drawn

NAMES = ("happiness", "surprise", "sadness", "anger", "disgust", "contempt")
DRAWN = Drawn(
    subjects=12, repetitions=2, seed=7, size=96, frames=12, fps=24, shards=3, bias=()
)  # fmt: skip


def test_gender_and_skin_are_balanced_and_independent():
    counts = people(DRAWN).groupby(["gender", "skin"]).size()
    assert len(counts) == 6
    assert set(counts) == {2}


def test_attributes_are_in_range_and_agree():
    persons = people(dataclasses.replace(DRAWN, subjects=60))
    assert persons["subject"].is_unique
    assert persons["age"].between(18, 75).all()
    assert pd.api.types.is_integer_dtype(persons["age"])
    assert persons["publishable"].all()
    bands = persons.groupby("skin")["skin_tone"]
    assert bands.max()["light"] <= 1 / 3 <= bands.min()["medium"]
    assert bands.max()["medium"] <= 2 / 3 <= bands.min()["dark"]
    assert persons["skin_tone"].between(0, 1).all()


def test_adding_people_changes_nobody():
    few, many = people(DRAWN), people(dataclasses.replace(DRAWN, subjects=30))
    pd.testing.assert_frame_equal(few, many.head(len(few)))


def test_another_seed_draws_other_people():
    other = people(dataclasses.replace(DRAWN, seed=8))
    assert (other["skin_tone"] != people(DRAWN)["skin_tone"]).all()


def test_every_person_shows_every_label_equally_often():
    films = samples(DRAWN, NAMES)
    assert len(films) == 12 * 6 * 2
    assert films["sample"].is_unique
    assert set(films.groupby(["subject", "label"]).size()) == {2}
    assert (films["label"] == films["true_label"]).all()


def test_paths_follow_shard_and_sample():
    films = samples(DRAWN, NAMES)
    first = films.iloc[0]
    assert (first["sample"], first["path"]) == (
        "P001-happiness-1",
        "shard-00/P001-happiness-1.mp4",
    )
    numbers = films["subject"].str[1:].astype(int) - 1
    assert (films["shard"] == numbers % DRAWN.shards).all()
    for row in films.itertuples():
        assert row.path == f"shard-{row.shard:02d}/{row.sample}.mp4"


def test_listing_needs_no_drawing_library():
    code = (
        "import sys; from facebias.data.datasets.drawn import people; "
        "sys.exit(bool({'cv2', 'torch', 'av'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("attribute", ["gender", "skin"])
def test_age_does_not_follow(attribute: str):
    persons = people(dataclasses.replace(DRAWN, subjects=600))
    means = persons.groupby(attribute)["age"].mean()
    assert all(abs(a - b) < 5 for a, b in itertools.combinations(means, 2))


def test_hair_turns_grey_after_forty():
    person = {"subject": "P001", "gender": "female", "skin_tone": 0.9}
    grey = np.array(HAIR_COLOURS["grey"])

    def far_from_grey(age: int) -> list[float]:
        drawn = [looks(seed, {**person, "age": age}).hair for seed in range(20)]
        return [float(np.linalg.norm(colour - grey)) for colour in drawn]

    young = far_from_grey(20)
    assert far_from_grey(40) == young
    assert far_from_grey(45) != young
    assert sum(far_from_grey(80)) < sum(young) / 2

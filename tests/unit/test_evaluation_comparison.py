"""Groups side by side: who takes part, and what chance alone would give."""

import numpy as np
import pandas as pd
import pytest

from facebias.evaluation import attributes, comparison
from facebias.study import Resampling

SUBJECTS = np.array([f"s{number}" for number in range(8)])
EVALUATION = Resampling(
    bins={}, min_subjects=3, min_subjects_per_label=2, weights="samples", confidence=0.95,
    interval="expanded", resamples=50, permutations=99, seed=1,
)  # fmt: skip


def compared(genders: str) -> comparison.Comparison:
    people = pd.DataFrame({"subject": SUBJECTS, "gender": list(genders)}).replace("?", None)
    found = attributes.grouping(people, "gender")
    return comparison.compare(SUBJECTS, found, np.ones(8, bool), evaluation=EVALUATION)


def test_a_size_that_is_not_known_or_not_compared_has_no_chance():
    largest = np.linspace(0, 1, 71)
    two, one = compared("ffffmmmm"), compared("ffffffmm")
    p, size = two.judge(0.5, largest)
    assert 0 < p < 1
    assert 0 < size <= 1
    for found in (two.judge(np.nan, largest), one.judge(0.5, largest)):
        assert np.isnan(found).all()


def test_small_groups_and_people_without_one_are_noted_and_not_compared():
    found = compared("fffffmm?")
    assert (found.large, found.permuted) == (("f",), None)
    assert found.note == "m: 2 subjects, 3 needed; 1 subject without gender left out"
    assert found.places.tolist() == [0, 1, 2, 3, 4]
    assert found.by_chance(np.ones(8)) == []


@pytest.mark.parametrize(("names", "smallest"), [(("f", "m"), 2), (("f",), 5), ((), 0)])
def test_the_smallest_of_some_groups_counts(names, smallest):
    assert compared("fffffmm?").smallest(*names) == smallest

"""Which way a gap goes is said by the rates of the groups."""

import numpy as np
import pandas as pd
import pytest

import scored
from facebias.evaluation import attributes, by_group, counts, direction, groups

MODEL = {"architecture": "vgg16", "train_split": "regular"}


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(1)
    frame = scored.classes(random, n_subjects=18, n_samples=12)
    number = frame["subject"].str[1:].astype(int)
    return frame.assign(skin=np.array(["dark", "light", "medium"])[number % 3])


def both(frame, attribute):
    """Measure the rates of the groups, and the gaps between them."""
    data, grouped = scored.scored(frame), attributes.grouping(frame, attribute)
    rates = by_group.metrics(data, [grouped], MODEL, evaluation=scored.EVALUATION)
    gaps = groups.fairness(counts.count(data), grouped, MODEL, evaluation=scored.EVALUATION)
    return rates[rates["attribute"] == attribute], gaps


@pytest.mark.parametrize("attribute", ["gender", "skin"])
def test_rates_agree_with_the_signed_gap(frame, attribute):
    rates, gaps = both(frame, attribute)
    for row in gaps[gaps["definition"] == "signed"].itertuples():
        asked = {"criterion": row.criterion, "definition": row.definition}
        found = direction.rates(rates, row.groups, **asked)
        a, b = row.groups.split(" - ")
        if not np.isnan(row.estimate):
            assert found.groups[a] - found.groups[b] == pytest.approx(row.estimate)


def test_of_the_largest_gap_of_a_label_the_label_is_named(frame):
    rates, gaps = both(frame, "gender")
    asked = {"criterion": "equal_opportunity", "definition": "worst_class"}
    row = gaps[(gaps["criterion"] == asked["criterion"]) & (gaps["definition"] == "worst_class")]
    found = direction.rates(rates, "female - male", **asked)
    sizes = np.diff(list(found.groups.values()))
    assert abs(sizes[0]) == pytest.approx(row["estimate"].item())
    assert found.words.startswith("true positive rate of ")


def test_a_range_has_the_rates_of_all_groups_that_are_large_enough(frame):
    asked = {"criterion": "equalized_odds", "definition": "per_class_mean"}
    rates, _ = both(frame, "skin")
    found = direction.rates(rates, "range over dark, light, medium", **asked)
    assert list(found.groups) == ["dark", "light", "medium"]
    few = rates.assign(value=rates["value"].where(rates["group"] != "dark"))
    found = direction.rates(few, "range over light, medium", **asked)
    assert list(found.groups) == ["light", "medium"]
    assert str(found).startswith("true positive rate, mean over labels: light 0.")


def test_without_a_common_label_or_a_second_group_nothing_is_said(frame):
    rates, _ = both(frame, "gender")
    asked = {"criterion": "equal_opportunity", "definition": "signed"}
    assert direction.rates(rates, "female", **asked) is None
    assert direction.rates(rates, "trend in age", **asked) is None
    empty = rates.assign(value=np.nan)
    assert direction.rates(empty, "female - male", **asked) is None
    assert direction.rates(pd.DataFrame(columns=rates.columns), "female - male", **asked) is None


def test_only_a_signed_gap_is_written_as_a_difference():
    assert direction.in_words("female - male", "signed") == "female - male"
    assert direction.in_words("female - male", "worst_class") == "female and male"

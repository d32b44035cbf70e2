"""Which way a gap goes is said by the rates of the groups."""

import numpy as np
import pandas as pd
import pytest

import scored
from facebias.evaluation import attributes, by_group, counts, direction, groups
from facebias.tables import comparisons

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


def gap(compared, criterion, definition, label="overall"):
    return {**compared, "criterion": criterion, "definition": definition, "label": label}


@pytest.mark.parametrize("attribute", ["gender", "skin"])
def test_rates_agree_with_the_gap(frame, attribute):
    rates, found = both(frame, attribute)
    signed = found[found["definition"].isin(["signed", "per_label", "absolute"])]
    checked = set()
    for _, row in signed.dropna(subset="estimate").iterrows():
        behind = direction.rates(rates, row)
        if row["comparison"] == "pair":
            value = behind.groups[row["first"]] - behind.groups[row["second"]]
            value = abs(value) if row["definition"] == "absolute" else value
            assert value == pytest.approx(row["estimate"])
            checked.add((row["criterion"], row["definition"]))
    assert ("accuracy_gap", "signed") in checked
    assert ("f1_gap", "per_label") in checked


def test_of_the_largest_gap_of_a_label_the_label_is_named(frame):
    rates, found = both(frame, "gender")
    for criterion in ("equal_opportunity", "equalized_odds"):
        rows = found[(found["criterion"] == criterion) & (found["definition"] == "worst_class")]
        behind = direction.rates(rates, rows.iloc[0])
        assert behind.range == pytest.approx(rows["estimate"].item())
        assert behind.words.endswith(f" positive rate of {rows['label'].item()}")


def test_a_range_has_the_rates_of_all_groups_that_are_large_enough(frame):
    asked = gap(comparisons.over(["dark"]), "equalized_odds", "per_class_mean")
    rates, _ = both(frame, "skin")
    assert list(direction.rates(rates, asked).groups) == ["dark", "light", "medium"]
    few = rates.assign(value=rates["value"].where(rates["group"] != "dark"))
    found = direction.rates(few, asked)
    assert list(found.groups) == ["light", "medium"]
    assert str(found).startswith("true positive rate, mean over labels: light 0.")


def test_without_a_common_label_or_a_second_group_nothing_is_said(frame):
    rates, _ = both(frame, "gender")
    pair = gap(comparisons.pair("female", "male"), "equal_opportunity", "signed")
    assert direction.rates(rates, pair) is not None
    for compared in (comparisons.group("female"), comparisons.trend("age")):
        assert direction.rates(rates, {**pair, **compared}) is None
    assert direction.rates(rates.assign(value=np.nan), pair) is None
    assert direction.rates(pd.DataFrame(columns=rates.columns), pair) is None


def test_only_a_signed_gap_is_written_as_a_difference():
    pair = comparisons.pair("female", "male")
    assert direction.in_words(gap(pair, "f1_gap", "signed")) == "female - male"
    assert direction.in_words(gap(pair, "f1_gap", "per_label", "joy")) == "female - male"
    assert direction.in_words(gap(pair, "f1_gap", "worst_class", "joy")) == "female and male"

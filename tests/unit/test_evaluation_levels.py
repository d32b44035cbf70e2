"""False alarms, coverage and false "no gap" of the hard designs, with few studies of each."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from facebias.evaluation import baselines, cells, designs, levels, proportions

QUICK = dataclasses.replace(designs.EVALUATION, resamples=200, permutations=199)
STUDIES = 25


def measured(*names, studies=STUDIES):
    chosen = [design for design in designs.DESIGNS if design.name in names]
    assert len(chosen) == len(names)
    return levels.measure(chosen, studies=studies, seed=3, evaluation=QUICK)


def beyond(table):
    """Tell which shares are 4 standard errors on the wrong side of what is promised."""
    far = 4 * np.sqrt(table["nominal"] * (1 - table["nominal"]) / table["studies"])
    least = table["part"] == "coverage"
    apart = np.where(least, table["nominal"] - table["share"], table["share"] - table["nominal"])
    return table[apart > far]


GUESSED = "10 + 10, 9 of 10 samples read as one label, others guessed"
RIGHT = "5 + 5, 9 of 10 samples read rightly"


@pytest.mark.parametrize(
    "name",
    [
        "5 + 30, one of 7 labels worse by .3",
        "12 + 12, labels shown by 1 in 4 and by 7 in 10",
        "25 + 25, all 7 labels worse by .2",
        GUESSED,
        RIGHT,
    ],
)
def test_nothing_is_far_from_what_is_promised(name):
    table = measured(name)
    assert beyond(table).empty, beyond(table).to_string()
    assert set(table.columns[:3]) == {"design", "part", "measure"}


def wald(rate, variance, *, people, samples, confidence):
    """Return intervals of zero width where all subjects are alike."""
    reach = proportions.student(np.array(1000), confidence) * variance**0.5
    return rate - reach, rate + reach


@pytest.mark.parametrize(
    ("name", "owner", "function", "broken", "wanted"),
    [
        (RIGHT, cells.proportions, "interval", wald, "rates of labels"),
        (GUESSED, baselines, "guessing", lambda by_group: {}, "any gap, though guessed"),
    ],
)
def test_what_is_broken_is_noticed(monkeypatch, name, owner, function, broken, wanted):
    monkeypatch.setattr(owner, function, broken)
    assert wanted in set(beyond(measured(name, studies=20))["measure"])


@pytest.mark.parametrize(
    ("least", "nominal", "yes", "off"),
    [
        (False, 0.05, 6, False),
        (False, 0.05, 11, True),
        (False, 0.05, 0, False),
        (True, 0.95, 94, False),
        (True, 0.95, 89, True),
        (True, 0.95, 100, False),
    ],
)
def test_a_share_is_off_where_its_whole_interval_is_on_the_wrong_side(least, nominal, yes, off):
    asked = levels.Measure(name="x", share=lambda study: None, nominal=nominal, least=least)
    found = levels._judge(asked, np.repeat([1.0, 0.0], [yes, 100 - yes]))
    wanted = proportion_confint(yes, 100, method="wilson")
    assert (found["low"], found["high"]) == pytest.approx(wanted)
    assert (found["share"], found["off"]) == (yes / 100, off)


def test_the_page_says_what_is_off_and_what_was_refused():
    rows = [
        ("a", "alarms", "primary", 0.05, 0.04, False, 0.0),
        ("b", "alarms", "primary", 0.05, 0.2, True, 1.0),
        ("a", "coverage", "signed", 0.95, 0.96, False, 0.0),
        ("b", "small", "primary", 0.05, 0.0, False, 1.0),
    ]
    names = ["design", "part", "measure", "nominal", "share", "off", "left_out"]
    table = pd.DataFrame(rows, columns=names).assign(low=0.01, high=0.3, studies=300)
    page = levels.section(table)
    assert "300 studies per row" in page
    assert "| a | 0.040 (0.01 to 0.30) |\n| b | **0.200 (0.01 to 0.30)** |" in page
    assert "- b; found without a gap, primary: **0.200 (0.01 to 0.30)**, promised 0.05" in page
    assert "Refused, with the reason in the row: in b, on average 1 of the labels" in page
    assert "Nowhere" in levels.section(table.assign(off=False))

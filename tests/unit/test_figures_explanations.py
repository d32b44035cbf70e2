from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import study_tables as made
from drawing import draw, texts


def test_conserved_shows_quantiles_of_every_model():
    table, _ = made.explanations()
    other = table.assign(architecture="cnn3d", conserved=np.linspace(0.1, 0.5, len(table)))
    _, numbers = draw("conserved", {"explanations": pd.concat([table, other])})
    numbers = numbers.set_index("architecture")
    assert numbers.loc["vgg16", "median"] == pytest.approx(0.97)
    assert numbers.loc["cnn3d", "median"] == pytest.approx(0.3)
    assert numbers.loc["cnn3d", "low"] == pytest.approx(0.12)
    assert numbers.loc["cnn3d", "n_samples"] == len(table)


def test_methods_that_promise_no_sum_are_not_drawn():
    table, _ = made.explanations()
    other = table.assign(method="occlusion", conserved=np.nan)
    _, numbers = draw("conserved", {"explanations": pd.concat([table, other])})
    assert set(numbers["method"]) == {"lrp"}
    figure, numbers = draw("conserved", {"explanations": other})
    assert numbers.empty
    assert any("No method used here promises a sum" in text for text in texts(figure))


def test_first_and_last_step_of_randomisation_lie_inside_their_panels():
    figure, numbers = draw("randomisation", {"randomisation": made.randomisation()})
    for axes in figure.axes:
        left, right = axes.get_xlim()
        assert left < 0 < numbers["share"].min() <= numbers["share"].max() == 1 < right


def test_randomisation_shows_means_and_range_of_both_measures():
    _, numbers = draw("randomisation", {"randomisation": made.randomisation()})
    assert len(numbers) == 2 * 3 * 2
    chosen = numbers[(numbers["architecture"] == "vgg16") & (numbers["layers"] == 5)]
    chosen = chosen.set_index("measure")
    alike = 1 - 5 / 12
    row = chosen.loc["rank_correlation"]
    assert row[["low", "mean", "high"]].tolist() == pytest.approx(
        [alike - 0.02, alike - 0.01, alike]
    )
    assert row["n_samples"] == 3
    assert chosen.loc["structural_similarity", "mean"] == pytest.approx((alike - 0.01) / 2)

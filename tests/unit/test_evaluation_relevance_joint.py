"""Gaps of relevance beside gaps of hits: do they go together?"""

from __future__ import annotations

import located as made
import numpy as np
import pandas as pd
import pytest
from located import judged, row
from scipy import stats

from facebias.evaluation import relevance, relevance_joint, resampling


def test_rank_correlation_is_that_of_scipy():
    random = np.random.default_rng(0)
    x, y = random.integers(0, 5, (2, 20, 9)).astype(float)
    found = relevance_joint.rank_correlation(x, y)
    expected = [stats.spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)]
    assert np.allclose(found, expected)
    x[0, 0] = np.nan
    y[1] = 3
    assert np.isnan(relevance_joint.rank_correlation(x, y)[:2]).all()


def several(link, *, n=24):
    """Make three architectures whose relevance gaps follow their hit-rate gaps by ``link``."""
    people = made.manifest(subjects=n, repetitions=4)
    female = (people["gender"] == "female").to_numpy()
    facts, where = [], []
    for number, name in enumerate(("vgg16", "resnet50", "cnn3d")):
        random = np.random.default_rng(number)
        place = people["label"].map({label: i for i, label in enumerate(made.LABELS)}).to_numpy()
        gap = np.linspace(-0.45, 0.45, 9)[3 * number + place]
        hits = random.random(len(people)) < 0.5 + np.where(female, gap, -gap)
        share = 0.4 + link * np.where(female, gap, -gap) / 2 + 0.05 * random.normal(size=len(hits))
        facts.append(made.explained(people, architecture=name, hits=hits))
        where.append(made.relevance(facts[-1], seed=number, units=share))
    return pd.concat(facts), pd.concat(where), people


def test_gaps_that_go_together_are_found_together():
    _, _, joint = judged(*several(1.0))
    found = row(joint, region="units")
    assert found["n_cells"] == 9
    assert found["n_subjects"] == 24
    assert found["estimate"] > 0.8
    assert 0 < found["ci_low"] <= found["estimate"] <= found["ci_high"] <= 1
    # Nine gaps that chance alone makes are in order, or nearly, far less often.
    assert found["p_value"] < 0.05
    assert found["null_low"] < 0 < found["null_high"]


def test_a_correlation_is_not_mirrored_where_groups_of_one_size_exchange_names():
    # Both gaps then change their signs, and the correlation keeps its own.
    _, _, joint = judged(*several(1.0, n=10))
    found = row(joint, region="units")
    assert found["p_floor"] == pytest.approx(2 / 252)
    assert found["null_low"] != pytest.approx(-found["null_high"], abs=0.01)


def test_interval_of_a_correlation_draws_all_cells_together_and_is_widened():
    facts, where, people = several(1.0, n=12)
    _, _, joint = judged(facts, where, people)
    drawn = {"units": [], relevance.NOWHERE: []}
    for name in facts["architecture"].unique():
        own = facts[facts["architecture"] == name].reset_index(drop=True)
        share = where[(where["architecture"] == name) & (where["region"] == "units")]
        values = {
            "units": share["positive"].to_numpy(),
            relevance.NOWHERE: (own["label"] == own["predicted"]).to_numpy(dtype=float),
        }
        for measure, of_sample in values.items():
            each = [_resampled(own, of_sample, label, people) for label in made.LABELS]
            drawn[measure].append(np.stack(each, axis=1))
    both = [np.concatenate(parts, axis=1) for parts in drawn.values()]
    values = relevance_joint.rank_correlation(*both)
    expected = resampling.interval(values, confidence=0.95, subjects=6)
    found = row(joint, region="units")
    assert found["estimate"] == pytest.approx(values[0])
    assert found[["ci_low", "ci_high"]].tolist() == pytest.approx(expected)


def _resampled(facts, values, label, people):
    """Draw the people of both groups anew: the gap in the mean over samples of a label."""
    gender, means = people.groupby("subject")["gender"].first(), []
    for group in ("female", "male"):
        names = gender.index[gender == group].to_numpy()
        weights = resampling.weights(names, resamples=400, seed=1)
        inside = [(facts["subject"] == name) & (facts["label"] == label) for name in names]
        sums = weights @ np.array([values[here].sum() for here in inside])
        means.append(sums / (weights @ np.array([here.sum() for here in inside])))
    return means[0] - means[1]


def test_gaps_that_go_apart_have_the_other_sign_and_no_link_none():
    _, _, joint = judged(*several(-1.0))
    assert row(joint, region="units")["ci_high"] < 0
    _, _, joint = judged(*several(0.0))
    found = row(joint, region="units")
    assert found["ci_low"] < 0 < found["ci_high"]
    assert found["p_value"] > 0.05


def test_few_cells_have_no_correlation():
    people = made.manifest()
    facts = made.explained(people)
    _, _, joint = judged(facts, made.relevance(facts), people)
    assert joint["n_cells"].tolist() == [3, 3, 3]
    assert joint["estimate"].isna().all()
    assert joint["note"].str.startswith("3 cells with both gaps; a correlation needs 4").all()

"""How long resampling takes: every metric of a study, its gaps and p-values, beside fairlearn.

`make bench`. Timings are printed, never asserted.
"""

import dataclasses
import time

import numpy as np
import pytest

import scored
from facebias.evaluation import attributes, calibration, cells, counts, groups
from facebias.evaluation import simulation as simulated

RESAMPLES = 10_000
MODELS, TESTS = 18, (None, "female", "male")
LABELS = ("happiness", "surprise", "sadness", "upset")
EVALUATION = dataclasses.replace(scored.EVALUATION, resamples=RESAMPLES, permutations=10_000)
CELL = {"architecture": "vgg16", "train_split": "regular", "test_split": "all"}


@pytest.fixture(scope="module")
def models():
    """Scores of 18 models on 10 + 10 subjects with 12 samples each."""
    random = np.random.default_rng(1)
    frames = [
        scored.classes(random, n_subjects=20, n_samples=12, names=LABELS, decimals=4)
        for _ in range(MODELS)
    ]
    return [(frame, scored.scored(frame)) for frame in frames]


def test_every_metric_of_a_study(benchmark, results, models):
    """18 models x 3 test sets, 10,000 resamples of 33 metrics: the goal is 3 s on one core."""

    def run():
        for frame, scores in models:
            for group in TESTS:
                rows = (
                    slice(None)
                    if group is None
                    else np.isin(scores.subject, frame.loc[frame["gender"] == group, "subject"])
                )
                cells.metrics(scores.where(rows), CELL, evaluation=EVALUATION)

    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    results.add(
        f"{RESAMPLES:,} resamples of every metric, 18 models x 3 test sets",
        f"{benchmark.stats.stats.median:.1f} s",
        goal="3 s",
    )


def test_every_gap_of_a_study(benchmark, results, models):
    """18 models, 10,000 resamples and all 92,378 assignments of 15 gaps."""

    def run():
        for frame, scores in models:
            grouping = attributes.grouping(frame, "gender")
            groups.fairness(counts.count(scores), grouping, CELL_OF_MODEL, evaluation=EVALUATION)

    benchmark.pedantic(run, rounds=1)
    results.add(
        f"{RESAMPLES:,} resamples and exact p-values of every gap, 18 models",
        f"{benchmark.stats.stats.median:.0f} s",
    )


CELL_OF_MODEL = {name: CELL[name] for name in ("architecture", "train_split")}


def test_a_resample_beside_one_of_fairlearn(results, models):
    """One gap of one model: seconds per resample."""
    random = np.random.default_rng(1)
    population = simulated.Population()
    parts = simulated.draw([population] * 2, (10, 10), random, lower=(0, 0))
    taken = {}
    for name, resamples, run in (
        ("fairlearn", 100, calibration.fairlearn_interval),
        ("facebias", RESAMPLES, calibration.subjects_interval),
    ):
        start = time.perf_counter()
        run(parts, resamples=resamples, seed=1)
        taken[name] = (time.perf_counter() - start) / resamples
    results.add(
        "one resample of the signed gap",
        f"{1e3 * taken['facebias']:.4f} ms",
        peer=f"{1e3 * taken['fairlearn']:.1f} ms (fairlearn)",
        ratio=taken["fairlearn"] / taken["facebias"],
        goal="500 times",
    )

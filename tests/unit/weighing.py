"""Counts, gaps and metrics of samples that weigh the same, or of people who do."""

import dataclasses

import numpy as np
import pandas as pd

import scored
from facebias.evaluation import (
    attributes,
    cells,
    counts,
    groups,
)

MODEL = {"architecture": "vgg16", "train_split": "regular"}
KINDS = {"classes": scored.classes, "units": scored.units}
BOTH = ("samples", "subjects")


def evaluation(weights, **changes):
    return dataclasses.replace(scored.EVALUATION, weights=weights, **changes)


def fairness(frame, weights, attribute="gender", **changes):
    bins = {"age": (0.0, 12.0, 100.0)}
    return groups.fairness(
        counts.count(scored.scored(frame), ranked=True, weights=weights),
        attributes.grouping(frame, attribute, bins=bins),
        MODEL,
        evaluation=evaluation(weights, bins=bins, **changes),
    )


def metrics(frame, weights):
    cell = {**MODEL, "test_split": "all"}
    return cells.metrics(scored.scored(frame), cell, evaluation=evaluation(weights))


def columns(frame):
    return [name for name in frame if name.startswith("score_")]


def two_seeds(frame):
    """The same samples, scored by a second model."""
    rolled = {name: np.roll(frame[name], 1) for name in columns(frame)}
    frame = frame.assign(age=frame["subject"].str[1:].astype(float))
    return pd.concat([frame, frame.assign(seed=2, **rolled)], ignore_index=True)


def unequal(kind, *, seed, n_subjects=12):
    """People of 1 to 9 samples each, two seeds."""
    random = np.random.default_rng(seed)
    frame = KINDS[kind](random, n_subjects=n_subjects, n_samples=9)
    numbers = random.integers(1, 10, size=n_subjects)
    place = frame.groupby("subject").cumcount()
    kept = place < frame["subject"].str[1:].astype(int).map(dict(enumerate(numbers)))
    return two_seeds(frame[kept])


def repeated(frame, subject, times):
    """Let all samples of one person stand so many times, under other names."""
    own = frame[frame["subject"] == subject]
    more = [own.assign(sample=own["sample"] + f"-{number}") for number in range(1, times)]
    return pd.concat([frame, *more], ignore_index=True)


def without(table, *names):
    return table.drop(columns=[*names], errors="ignore")


def assert_same(one, other, *but):
    pd.testing.assert_frame_equal(
        without(one, *but), without(other, *but), rtol=1e-7, atol=1e-9, check_exact=False
    )


def weight_of(frame):
    return (1 / frame["subject"].map(frame["subject"].value_counts())).to_numpy()

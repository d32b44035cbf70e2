"""How cost grows with a study: clips, models, subjects and resamples over a factor of 100.

A slope is that of the line through the logarithms of CPU seconds against those of the number: 1 is
linear. Everything is simulated and small, so that only the growth shows.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import scored
from facebias import tables
from facebias.clips import store
from facebias.data import cohort
from facebias.evaluation import cells
from facebias.evaluation.scores import Scores

STEPS = (1, 3, 10, 30, 100)
TRIES = 3
BATCH = 12
CELL = {"architecture": "vgg16", "train_split": "regular", "test_split": "all"}


def of_clips(n: int, folder: Path) -> Callable[[], object]:
    """Write clips and read them all once, batch by batch, as an epoch does."""
    clip = np.zeros((3, 48, 48, 3), np.uint8)
    rows = np.arange(n)
    samples = [f"s{row:06d}" for row in rows]
    empty = [[0.0]] * n
    table = pd.DataFrame({"sample": samples, "shard": 0, "row": rows, "reason": None}).assign(
        faces=1, probability=1.0, key_frames=empty, boxes=empty, landmarks=empty
    )

    def work() -> None:
        path = folder / f"{store.shard_name(0)}.npy"
        with store.writing(path, frames=len(clip), side=clip.shape[1]) as writer:
            for _ in rows:
                writer.append(clip)
        tables.write(table, folder / "index.parquet", tables.CLIPS)
        opened = store.open_clips(folder / "index.parquet")
        for _ in cohort.Reader(opened, samples, frames=None, limit=0).batches(BATCH):
            pass

    return work


def of_models(n: int, folder: Path) -> Callable[[], object]:
    """Evaluate so many models on the same people."""
    scores = people(20)

    def work() -> None:
        for _ in range(n):
            evaluate(scores)

    return work


def of_subjects(n: int, folder: Path) -> Callable[[], object]:
    """Evaluate one model on so many people."""
    scores = people(n)
    return lambda: evaluate(scores)


def of_resamples(n: int, folder: Path) -> Callable[[], object]:
    """Evaluate one model with so many resamples of its people."""
    scores = people(20)
    return lambda: evaluate(scores, resamples=n)


# What grows, from what number on.
SWEEPS = {
    "clips": (of_clips, 100),
    "models": (of_models, 1),
    "subjects": (of_subjects, 20),
    "resamples": (of_resamples, 1000),
}


def people(n: int) -> Scores:
    """Draw the scores of ``n`` subjects."""
    return scored.scored(scored.classes(np.random.default_rng(1), n_subjects=n, decimals=4))


def evaluate(scores: Scores, resamples: int = 1000) -> None:
    """Return every metric with its interval."""
    evaluation = dataclasses.replace(scored.EVALUATION, resamples=resamples)
    cells.metrics(scores, CELL, evaluation=evaluation)


def seconds(work: Callable[[], object]) -> float:
    """Return the least CPU seconds of some tries."""
    taken = []
    for _ in range(TRIES):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def test_cost_growth(results, request, tmp_path):
    figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    for name, (prepare, start) in SWEEPS.items():
        folder = tmp_path / name
        folder.mkdir()
        sizes = np.array([start * step for step in STEPS])
        taken = np.array([seconds(prepare(int(size), folder)) for size in sizes])
        slope = float(np.polyfit(np.log(sizes), np.log(taken), 1)[0])
        steepest = float((np.diff(np.log(taken)) / np.diff(np.log(sizes))).max())
        axes.loglog(
            STEPS, taken / taken[0], marker="o", label=f"{name} from {start:,}: {slope:.2f}"
        )
        results.add(
            f"cost growth with {name}, {sizes[0]:,} to {sizes[-1]:,}: slope",
            f"{slope:.2f} (steepest step {steepest:.2f}; {taken[0]:.3g} to {taken[-1]:.3g} s)",
            peer="1 (linear)",
            goal="none worse than linear",
        )
    axes.loglog(STEPS, STEPS, color="grey", linestyle="--", label="linear")
    axes.set(xlabel="times as many", ylabel="times the CPU seconds")
    axes.legend(title="slope")
    if page := request.config.getoption("--results"):
        figure.savefig(page.with_name("growth.png"), dpi=120)
        results.figures["growth.png"] = "CPU seconds against the size of a study"
    plt.close(figure)

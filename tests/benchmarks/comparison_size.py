"""One comparison of groups: ``python comparison_size.py PEOPLE GROUPS SAMPLES`` prints its cost.

CPU seconds, and the peak of the process in bytes.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path

import numpy as np

import scored
from facebias.evaluation import groups, simulation
from facebias.evaluation.attributes import Grouping
from facebias.evaluation.counts import Counts

LABELS, RIGHT = 8, 0.7
# As in a study by default.
EVALUATION = dataclasses.replace(
    scored.EVALUATION, resamples=2_000, permutations=10_000, min_subjects_per_label=3
)
MODEL = {"architecture": "vgg16", "train_split": "regular"}


def people(n: int, samples: int, random: np.random.Generator) -> Counts:
    """Draw the counts of people with so many samples each, of any labels."""
    confusion = np.zeros((n, LABELS, LABELS))
    for _ in range(samples):
        truth, guess = random.integers(LABELS, size=(2, n))
        said = np.where(random.random(n) < RIGHT, truth, guess)
        confusion[np.arange(n), truth, said] += 1
    return simulation.from_confusion(confusion, np.array([f"s{row:07d}" for row in range(n)]))


def peak() -> int:
    """Return the peak memory of this process in bytes; ru_maxrss may include that of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def main(n: int, n_groups: int, samples: int) -> None:
    random = np.random.default_rng(1)
    counted = people(n, samples, random)
    of = random.integers(n_groups, size=n)
    members = {f"group {k}": counted.subjects[of == k] for k in range(n_groups)}
    grouping = Grouping(attribute="group", members=members, missing=np.array([], dtype=str))
    start = time.process_time()
    groups.fairness(counted, grouping, MODEL, evaluation=EVALUATION)
    print(time.process_time() - start, peak())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

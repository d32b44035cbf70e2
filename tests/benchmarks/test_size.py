"""How large a comparison of groups may be: time, memory and slopes in people and in groups.

``make bench``. Each is measured in a process of its own, with the resamples and assignments that a
study has by default. A slope is that of the line through the logarithms of CPU seconds against
those of the number: 1 is linear.
"""

from __future__ import annotations

import os
import subprocess
import sys

import comparison_size
import numpy as np
import pytest
import studies

PEOPLE, GROUPS = (1_000, 10_000, 100_000), (2, 4, 7)
PEOPLE_OF_GROUPS = 5_000
# With one sample each, many people are alike and are drawn as kinds; with several no two are.
SAMPLES = {1: "one sample each", 5: "5 different samples each"}


def cost(n: int, n_groups: int, samples: int) -> tuple[float, float]:
    """Return CPU seconds and the peak of memory in bytes."""
    command = [sys.executable, comparison_size.__file__, *map(str, (n, n_groups, samples))]
    paths = (studies.ROOT / "workflow", studies.ROOT / "tests")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    seconds, memory = map(float, run.stdout.split())
    return seconds, memory


def report(results, what, numbers, costs, goal):
    seconds, memory = zip(*costs, strict=True)
    slope = float(np.polyfit(np.log(numbers), np.log(seconds), 1)[0])
    results.add(
        f"gaps of {what}: CPU s; memory; slope",
        f"{', '.join(f'{each:.3g}' for each in seconds)} s; "
        f"{', '.join(f'{each / 1e9:.2f}' for each in memory)} GB; {slope:.2f}",
        goal=goal,
    )


@pytest.mark.parametrize("samples", SAMPLES)
def test_size_in_people(results, samples):
    costs = [cost(n, 2, samples) for n in PEOPLE]
    what = f"{_in_words(PEOPLE)} people, 2 groups, {SAMPLES[samples]}"
    report(results, what, PEOPLE, costs, "under 180 s and 1.5 GB")


@pytest.mark.parametrize("samples", SAMPLES)
def test_size_in_groups(results, samples):
    """Pairs of groups grow with their square."""
    costs = [cost(PEOPLE_OF_GROUPS, n, samples) for n in GROUPS]
    what = f"{PEOPLE_OF_GROUPS:,} people, {_in_words(GROUPS)} groups, {SAMPLES[samples]}"
    report(results, what, GROUPS, costs, "under 600 s and 1.5 GB")


def _in_words(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"{number:,}" for number in numbers)

"""Emotions as Action Units over time, after the prototypes of the Facial Action Coding System.

Prototypes: Ekman, Friesen & Hager 2002, "Facial Action Coding System". An emotion starts neutral,
rises within the first third of the film and then holds with a small fluctuation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

UNITS = (1, 2, 4, 5, 6, 7, 9, 12, 14, 15, 16, 17, 23, 25, 26)
EXPRESSIONS: dict[str, dict[int, float]] = {
    "happiness": {6: 1.0, 12: 1.0},
    "surprise": {1: 1.0, 2: 1.0, 5: 0.9, 26: 1.0},
    "sadness": {1: 1.0, 4: 0.6, 15: 1.0},
    "anger": {4: 1.0, 5: 0.6, 7: 0.8, 23: 1.0},
    "disgust": {9: 1.0, 15: 0.6, 16: 0.9},
    "contempt": {12: 0.8, 14: 1.0},
}
ONE_SIDED = ("contempt",)
HABITS = (1, 2, 4, 7, 14, 15, 17, 25)
ACTIVE = 0.15
"""Intensity from which an Action Unit counts as shown."""

STRENGTH = (0.6, 1.0)
ASYMMETRY = 0.08
FLUCTUATION = 0.04
ONSET = (0.03, 0.08)
RISE = (0.12, 0.19)


@dataclasses.dataclass(frozen=True)
class Temperament:
    """How a person shows emotions: per label and unit, and which other unit slips in."""

    weights: Mapping[str, np.ndarray]
    habit: int
    habit_strength: float
    side: int


def temperament(random: np.random.Generator) -> Temperament:
    """Draw a person's own way to show the emotions."""
    weights = {label: random.uniform(0.65, 1.0, len(UNITS)) for label in EXPRESSIONS}
    return Temperament(
        weights=weights,
        habit=int(random.choice(HABITS)),
        habit_strength=float(random.uniform(0.0, 0.2)),
        side=int(random.integers(2)),
    )


def performance(
    random: np.random.Generator,
    manner: Temperament,
    label: str,
    *,
    frames: int,
    prototype: Mapping[int, float],
    one_sided: bool,
) -> np.ndarray:
    """Return the intensities of one film.

    Returns
    -------
    array, shape (frames, len(UNITS), 2)
        Intensity from 0 to 1 per frame, unit of ``UNITS`` and side (left and right of the image).
        The first frame is neutral. How many random numbers are drawn depends on nothing, so that
        a changed prototype leaves all other choices of the film as they were.
    """
    strength = random.uniform(*STRENGTH)
    varied = np.clip(random.normal(1.0, 0.08, len(UNITS)), 0.8, 1.2)
    asymmetry = np.clip(random.normal(0.0, ASYMMETRY, len(UNITS)), -0.2, 0.2)
    slip, slip_strength = int(random.choice(HABITS)), random.uniform(0.0, 0.2)
    other_side = random.random() < 0.2
    curve = _curve(random, frames)
    apex = np.zeros(len(UNITS))
    for unit, weight in prototype.items():
        apex[UNITS.index(unit)] = weight
    apex *= strength * varied * manner.weights[label]
    sides = np.stack([1 + asymmetry, 1 - asymmetry], axis=1) * apex[:, None]
    if one_sided:
        sides[:, 1 - (manner.side ^ int(other_side))] = 0.0
    for unit, extra in ((manner.habit, manner.habit_strength), (slip, slip_strength)):
        row = sides[UNITS.index(unit)]
        row[:] = np.maximum(row, extra)
    return np.clip(curve[:, :, None] * sides, 0.0, 1.0)


def _curve(random: np.random.Generator, frames: int) -> np.ndarray:
    """Rise from 0 to 1 with an own small delay per unit; shape (frames, len(UNITS))."""
    time = np.arange(frames) / max(frames - 1, 1)
    start = random.uniform(*ONSET) + random.uniform(0.0, 0.03, len(UNITS))
    rise = random.uniform(*RISE)
    share = np.clip((time[:, None] - start) / rise, 0.0, 1.0)
    phase, pace = random.uniform(0, 2 * np.pi, len(UNITS)), random.uniform(1.0, 2.5, len(UNITS))
    waves = FLUCTUATION * (np.sin(2 * np.pi * pace * time[:, None] + phase) - 1) / 2
    curve = share**2 * (3 - 2 * share) * (1 + waves)
    curve[0] = 0.0
    return curve

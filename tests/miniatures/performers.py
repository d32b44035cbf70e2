"""Drawn people who perform for the miniatures, and the truth about every frame."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from facebias.data.datasets.drawn import expressions, film
from facebias.data.datasets.drawn.bending import Bending
from facebias.data.datasets.drawn.expressions import EXPRESSIONS, ONE_SIDED, UNITS
from facebias.data.datasets.drawn.head import Head, head
from facebias.data.datasets.drawn.looks import looks
from facebias.data.datasets.drawn.seeds import generator

SEED = 20
SIZE = 112
TONES = {"light": 0.2, "dark": 0.9}
# Emotions that the data sets have and the drawn films have not, as Action Units.
PROTOTYPES = {
    **EXPRESSIONS,
    "fear": {1: 1.0, 2: 0.7, 4: 0.7, 5: 1.0, 25: 0.6, 26: 0.4},
    "neutral": {},
    "calm": {12: 0.2},
}


@dataclasses.dataclass(frozen=True)
class Performer:
    """A person: called ``subject`` in the miniature, with what is recorded of them."""

    subject: str
    gender: str
    skin: str = "light"
    age: int = 30


@dataclasses.dataclass(frozen=True)
class Take:
    """One film: RGB frames (T, S, S, 3), landmarks (T, 68, 2) in pixels, intensities (T, units).

    Intensities go from 0 to 1, in the order of ``UNITS``.
    """

    frames: np.ndarray
    landmarks: np.ndarray
    intensities: np.ndarray

    def shown(self, frame: int) -> dict[int, int]:
        """Return the units that a coder would see in a frame, at 1 to 5."""
        strengths = self.intensities[frame]
        return {
            unit: int(np.clip(np.ceil(5 * strength), 1, 5))
            for unit, strength in zip(UNITS, strengths, strict=True)
            if strength >= expressions.ACTIVE
        }


def perform(performer: Performer, emotion: str, *, frames: int, take: str = "") -> Take:
    """Film a person who shows an emotion, from a neutral face on."""
    person, bending = _painted(performer)
    name = f"{performer.subject}-{emotion}-{take}"
    acted = expressions.performance(
        generator(SEED, "acting", name),
        person.looks.manner,
        emotion if emotion in EXPRESSIONS else "surprise",
        frames=frames,
        prototype=PROTOTYPES[emotion],
        one_sided=emotion in ONE_SIDED,
    )
    setting = film.scene(generator(SEED, "scene", name), person, size=SIZE, frames=frames)
    pictures, landmarks = film.shoot(
        generator(SEED, "noise", name), person, bending, setting, acted
    )
    return Take(pictures, landmarks, acted.max(axis=2))


@functools.lru_cache(maxsize=1)
def _painted(performer: Performer) -> tuple[Head, Bending]:
    attributes = {
        "subject": performer.subject,
        "gender": performer.gender,
        "skin_tone": TONES[performer.skin],
        "age": performer.age,
    }
    person = head(looks(SEED, attributes), size=SIZE)
    return person, Bending(person)

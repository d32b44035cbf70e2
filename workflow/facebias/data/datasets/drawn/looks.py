"""The stable looks of a drawn person, from their attributes and an own seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from facebias.data.datasets.drawn.expressions import Temperament, temperament
from facebias.data.datasets.drawn.seeds import generator

Colour = np.ndarray
"""Red, green and blue from 0 to 255, float32."""

# Skin reflectance as a camera in even light records it, from the lightest to the darkest tone.
SKIN_TONES = (0.0, 0.25, 0.5, 0.75, 1.0)
SKIN_COLOURS = ((247, 219, 203), (229, 188, 162), (192, 143, 110), (141, 96, 70), (92, 60, 46))
HAIR_COLOURS = {
    "black": (32, 27, 26),
    "dark brown": (62, 43, 33),
    "brown": (104, 72, 48),
    "auburn": (128, 66, 38),
    "blond": (196, 158, 98),
    "grey": (158, 156, 154),
}
IRIS_COLOURS = ((66, 42, 28), (92, 62, 36), (98, 96, 58), (88, 112, 130), (94, 124, 92))
CLOTHES = (
    (62, 78, 104), (118, 52, 58), (70, 96, 82), (148, 132, 104), (52, 52, 58),
    (196, 190, 180), (94, 70, 108), (172, 112, 66), (44, 92, 112), (208, 180, 182),
)  # fmt: skip
HAIR_STYLES = {
    "female": (("long", 0.34), ("bob", 0.26), ("bun", 0.16), ("curly", 0.12), ("short", 0.12)),
    "male": (("short", 0.48), ("receding", 0.16), ("bald", 0.12), ("curly", 0.14), ("long", 0.10)),
}
BEARDS = (("none", 0.46), ("stubble", 0.22), ("moustache", 0.10), ("full", 0.22))
GLASSES_SHARE = 0.22


@dataclasses.dataclass(frozen=True)
class Shades:
    """The colours of soft and hard shadow and of shine on one person's skin."""

    deep: Colour
    fold: Colour
    shine: Colour


@dataclasses.dataclass(frozen=True)
class Looks:
    """How a person looks in every film. Lengths are in half face widths, colours RGB 0 to 255."""

    skin: Colour
    tone: float
    hair: Colour
    brow: Colour
    iris: Colour
    lip: Colour
    clothes: Colour
    hair_style: str
    parting: float
    fringe: float
    beard: str
    glasses: str
    age: int
    face_length: float
    jaw: float
    chin: float
    cheek: float
    brow_thickness: float
    brow_arch: float
    brow_height: float
    brow_length: float
    brow_tilt: float
    eye_size: float
    eye_opening: float
    eye_distance: float
    eye_tilt: float
    nose_width: float
    nose_length: float
    mouth_width: float
    mouth_tilt: float
    lips: float
    freckles: float
    manner: Temperament
    seed: int

    @property
    def shades(self) -> Shades:
        """The shadows and the shine of the skin; red goes least into the shadow."""
        return Shades(
            deep=self.skin * np.array([0.52, 0.44, 0.42], np.float32),
            fold=self.skin * np.array([0.36, 0.28, 0.27], np.float32),
            shine=self.skin + (255 - self.skin) * np.float32(0.42),
        )

    @property
    def wrinkles(self) -> float:
        """How much age shows, 0 to 1."""
        return float(np.clip((self.age - 28) / 45, 0.0, 1.0))


def looks(seed: int, person: Mapping[str, Any]) -> Looks:
    """Draw the looks of a person (a row of ``population.people``).

    Gender shifts the means of jaw, brows, lips, eyes, hair and beard, with overlap; the skin tone
    enters the colours of skin, lips, hair and iris and nothing else.
    """
    random = generator(seed, "looks", person["subject"])
    male = 1.0 if person["gender"] == "male" else 0.0
    age, tone = int(person["age"]), float(person["skin_tone"])

    def vary(mean: float, spread: float, gendered: float = 0.0) -> float:
        return float(mean + gendered * (male - 0.5) + spread * np.clip(random.normal(), -2, 2))

    skin = _between(tone, SKIN_TONES, SKIN_COLOURS) * random.uniform(0.97, 1.03, 3)
    hair = _hair_colour(random, age=age, tone=tone)
    style = _pick(random, HAIR_STYLES[person["gender"]])
    beard = _pick(random, BEARDS) if male else "none"
    glasses = ("thin", "thick")[int(random.integers(2))]
    if random.random() > GLASSES_SHARE:
        glasses = "none"
    lip = skin * np.array([0.86, 0.60, 0.60]) + np.array([22, 6, 12]) * (1 - 0.4 * tone)
    lip += np.array([14.0, -10.0, -4.0]) * random.uniform(0, 1) * (1 - male)
    return Looks(
        skin=_colour(skin),
        tone=tone,
        hair=hair,
        brow=_colour(np.minimum(hair * 0.62 + np.array([6, 4, 4]), skin * 0.42)),
        iris=_iris_colour(random, tone),
        lip=_colour(lip),
        clothes=_colour(np.array(CLOTHES[int(random.integers(len(CLOTHES)))])),
        hair_style=style,
        parting=float(random.uniform(-0.5, 0.5)),
        fringe=float(random.uniform(0.0, 1.0)),
        beard=beard,
        glasses=glasses,
        age=age,
        face_length=vary(1.43, 0.045, 0.05),
        jaw=vary(0.50, 0.10, 0.34),
        chin=vary(0.50, 0.10, 0.20),
        cheek=vary(0.5, 0.2, -0.2),
        brow_thickness=vary(0.085, 0.013, 0.036),
        brow_arch=vary(0.065, 0.014, -0.03),
        brow_height=vary(0.315, 0.025, -0.03),
        brow_length=vary(0.50, 0.02),
        brow_tilt=vary(0.0, 0.008),
        eye_size=vary(0.212, 0.010, -0.008),
        eye_opening=vary(0.086, 0.007, -0.010),
        eye_distance=vary(0.425, 0.014),
        eye_tilt=vary(0.012, 0.012, -0.008),
        nose_width=vary(0.225, 0.022, 0.02),
        nose_length=vary(0.60, 0.03, 0.02),
        mouth_width=vary(0.365, 0.02, 0.015),
        mouth_tilt=vary(0.0, 0.008),
        lips=vary(0.105, 0.014, -0.02),
        freckles=float(max(0.0, random.normal(-0.4, 0.5))) * (1 - tone),
        manner=temperament(generator(seed, "temperament", person["subject"])),
        seed=int(random.integers(2**31)),
    )


def _colour(values: np.ndarray) -> Colour:
    return np.clip(values, 0, 255).astype(np.float32)


def _between(position: float, places: tuple, colours: tuple) -> np.ndarray:
    return np.array([np.interp(position, places, [c[k] for c in colours]) for k in range(3)])


def _pick(random: np.random.Generator, choices: tuple[tuple[str, float], ...]) -> str:
    shares = np.array([share for _, share in choices])
    return choices[int(random.choice(len(choices), p=shares / shares.sum()))][0]


def _hair_colour(random: np.random.Generator, *, age: int, tone: float) -> Colour:
    shares = np.array([1.0, 1.0, 1.0, 0.45, 0.8]) * np.array([1.0, 1.0, *[1 - tone] * 3]) ** 2
    names = list(HAIR_COLOURS)[:5]
    base = np.array(HAIR_COLOURS[names[int(random.choice(5, p=shares / shares.sum()))]], float)
    grey = np.clip((age - 40) / 35 + random.normal(0, 0.2), 0, 1) if age > 40 else 0.0
    colour = base + grey * (np.array(HAIR_COLOURS["grey"]) - base)
    return _colour(colour * random.uniform(0.9, 1.1))


def _iris_colour(random: np.random.Generator, tone: float) -> Colour:
    shares = np.array([1.0, 1.0, 0.6, 0.8, 0.4]) * np.array([1.0, 1.0, *[1 - tone] * 3]) ** 2
    pick = int(random.choice(len(IRIS_COLOURS), p=shares / shares.sum()))
    return _colour(np.array(IRIS_COLOURS[pick], float))

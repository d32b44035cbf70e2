"""A miniature of SASE-FE: videos of 100 frames a second that start with a second of nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from facebias.data.datasets.drawn import film
from facebias.data.datasets.sase_fe import EMOTIONS
from miniatures.performers import Performer, perform

FPS = 100
NEUTRAL, ACTED = 102, 20


def people(n: int) -> list[Performer]:
    """Return ``n`` people, every other one a woman."""
    return [
        Performer(f"{number:02d}", ("female", "male")[number % 2], age=20 + number)
        for number in range(1, n + 1)
    ]


def write(
    folder: Path,
    performers: Iterable[Performer],
    *,
    kinds: str = "both",
    every: int = 1,
    neutral: int = NEUTRAL,
    acted: int = ACTED,
) -> Path:
    """Write the videos, and the table of subjects that a user adds.

    ``kinds``: both a genuine and a fake video of every emotion, or ``alternating``. ``every``: with
    3, a couple shows every third emotion, and the next couples the others.
    """
    rows = ["subject,gender,age"]
    for couple, performer in ((number // 2, one) for number, one in enumerate(performers)):
        rows.append(f"{performer.subject},{performer.gender},{performer.age}")
        (folder / performer.subject).mkdir(parents=True)
        for place, emotion in enumerate(EMOTIONS):
            if (place + couple) % every:
                continue
            alternating = ("genuine", "fake")[place % 2 :][:1]
            for kind in ("genuine", "fake") if kinds == "both" else alternating:
                shown = perform(performer, emotion, frames=acted, take=kind).frames
                frames = np.concatenate([np.repeat(shown[:1], neutral, axis=0), shown])
                path = folder / performer.subject / f"{emotion}_{kind}.mp4"
                film.write(frames, path, fps=FPS)
    (folder / "subjects.csv").write_text("\n".join(rows) + "\n")
    return folder

"""``python -m facebias draw``: draw the films of one shard, with the truth about every frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facebias import tables
from facebias.core import action_units, progress
from facebias.core.replacement import replacing
from facebias.data.datasets.drawn import background, bias, expressions, film
from facebias.data.datasets.drawn.bending import Bending
from facebias.data.datasets.drawn.expressions import EXPRESSIONS, UNITS
from facebias.data.datasets.drawn.head import Head, head
from facebias.data.datasets.drawn.looks import looks
from facebias.data.datasets.drawn.people import people, samples
from facebias.data.datasets.drawn.seeds import generator
from facebias.stages.clips import Draw
from facebias.study import Drawn, StudyError

TRUTH = tables.Table(
    "truth",
    {
        "sample": "text",
        "frame": "whole",
        "true_label": "text",
        "cues": "text",
        "landmarks": "numbers",
        **{f"au_{unit}": "number" for unit in UNITS},
        **{f"active_{unit}": "truth" for unit in UNITS},
        **{f"box_{unit}": "numbers" for unit in UNITS},
    },
    ("sample", "frame"),
)
"""One row per frame. ``au_<n>`` is the intensity (0 to 1, the stronger side), ``active_<n>``
whether it counts as shown, ``landmarks`` 68 x (x, y) and ``box_<n>`` boxes x (left, top, right,
bottom), in pixels, flattened. ``cues`` names the planted cues of the film."""


def main(arguments: list[str]) -> None:
    """Draw the films of a shard into a folder."""
    given = Draw.of(arguments)
    draw(given.settings.drawn, given.settings.labels, shard=given.shard, out=given.out)


def draw(drawn: Drawn, labels: tuple[str, ...], *, shard: int, out: Path) -> None:
    """Write ``out/{sample}.mp4`` for every film of a shard, and ``out/truth.parquet``.

    The folder appears when it is complete.

    Raises
    ------
    StudyError
        If the settings cannot be drawn, or there is no such shard.
    """
    _check(drawn, labels, shard)
    persons = people(drawn)
    films = samples(drawn, labels)
    films = films[films["shard"] == shard]
    steps = progress.track(
        _shot(drawn, persons, films), total=len(films), what=f"draw shard {shard}", unit="films"
    )
    with replacing(out) as folder:
        folder.mkdir()
        truths = [_empty()]
        for sample, frames, truth in steps:
            film.write(frames, folder / f"{sample}.mp4", fps=drawn.fps)
            truths.append(truth)
        tables.write(pd.concat(truths, ignore_index=True), folder / "truth.parquet", TRUTH)


def _check(drawn: Drawn, labels: Sequence[str], shard: int) -> None:
    faults = bias.check(drawn, labels)
    if not 0 <= shard < drawn.shards:
        faults.append(f"--shard: found {shard}, expected 0 to {drawn.shards - 1}")
    if faults:
        raise StudyError("\n".join(faults))


def _shot(
    drawn: Drawn, persons: pd.DataFrame, films: pd.DataFrame
) -> Iterator[tuple[str, np.ndarray, pd.DataFrame]]:
    """Yield sample, frames and truth of each film; a person is painted once."""
    attributes = persons.set_index("subject", drop=False)
    for subject, theirs in films.groupby("subject", sort=False):
        person = head(looks(drawn.seed, attributes.loc[subject]), size=drawn.size)
        bending = Bending(person)
        for row in theirs.itertuples():
            yield (
                row.sample,
                *shot(drawn, persons, person, bending, subject, row.true_label, row.repetition),
            )


def shot(
    drawn: Drawn,
    persons: pd.DataFrame,
    person: Head,
    bending: Bending,
    subject: str,
    label: str,
    repetition: int,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Film one person once; return the frames and the truth about them.

    Everything that the film draws at random comes from the seed, the subject, the label and the
    repetition; acting, scene and noise have own generators, so that a planted bias changes nothing
    but what it names.
    """
    sample = f"{subject}-{label}-{repetition}"
    prototype, one_sided = bias.prototype(drawn, persons, subject, label)
    acted = expressions.performance(
        generator(drawn.seed, "acting", sample),
        person.looks.manner,
        label,
        frames=drawn.frames,
        prototype=prototype,
        one_sided=one_sided,
    ) * bias.factor(drawn, persons, subject, label)
    cues = bias.cues(drawn, persons, subject, label, sample)
    colour = background.cue_colour(list(EXPRESSIONS).index(label))
    setting = film.scene(
        generator(drawn.seed, "scene", sample),
        person,
        size=drawn.size,
        frames=drawn.frames,
        cue=colour if "background" in cues else None,
    )
    frames, landmarks = film.shoot(
        generator(drawn.seed, "noise", sample),
        person,
        bending,
        setting,
        acted,
        streak=colour if "hair" in cues else None,
    )
    return frames, truth(sample, label, acted, landmarks, cues)


def truth(
    sample: str, label: str, acted: np.ndarray, landmarks: np.ndarray, cues: Iterable[str]
) -> pd.DataFrame:
    """Return the ``TRUTH`` rows of one film.

    Parameters
    ----------
    acted
        Intensities, shape (frames, len(UNITS), 2).
    landmarks
        Pixels, shape (frames, 68, 2).
    """
    strongest = acted.max(axis=2)
    count = len(acted)
    columns: dict[str, Any] = {
        "sample": sample,
        "frame": np.arange(count),
        "true_label": label,
        "cues": " ".join(sorted(cues)),
        "landmarks": _lists(landmarks),
    }
    for row, unit in enumerate(UNITS):
        columns[f"au_{unit}"] = np.round(strongest[:, row], 6)
        columns[f"active_{unit}"] = strongest[:, row] >= expressions.ACTIVE
        columns[f"box_{unit}"] = _lists(action_units.boxes([unit], landmarks))
    return pd.DataFrame(columns)


def _lists(values: np.ndarray) -> list[np.ndarray]:
    return list(np.round(values.reshape(len(values), -1), 3))


def _empty() -> pd.DataFrame:
    """Return a truth table without rows, for a shard to which nobody falls."""
    return pd.DataFrame(columns=list(TRUTH.columns))

"""Who is drawn and which films exist: attributes and sample rows, without drawing anything."""

from __future__ import annotations

import pandas as pd

from facebias.data.datasets.drawn import bias
from facebias.data.datasets.drawn.population import people
from facebias.study import Drawn

__all__ = ["people", "samples"]


def samples(drawn: Drawn, names: tuple[str, ...]) -> pd.DataFrame:
    """List the films: every person shows every label ``drawn.repetitions`` times.

    The planted biases ``frequencies`` (how many films) and ``label_noise`` (what is recorded) are
    applied here; ``true_label`` is what the film shows.

    Returns
    -------
    DataFrame
        One row per film: ``sample``, ``subject``, ``label``, ``path`` (relative to the root of
        the drawn data), ``shard``, ``true_label`` and ``repetition`` (from 1).
    """
    persons = people(drawn)
    rows = []
    for number, subject in enumerate(persons["subject"]):
        shard = number % drawn.shards
        for label in names:
            for repetition in range(1, bias.repetitions(drawn, persons, subject, label) + 1):
                sample = f"{subject}-{label}-{repetition}"
                rows.append(
                    {
                        "sample": sample,
                        "subject": subject,
                        "label": bias.recorded_label(
                            drawn, persons, subject, label, sample, names=names
                        ),
                        "path": f"shard-{shard:02d}/{sample}.mp4",
                        "shard": shard,
                        "true_label": label,
                        "repetition": repetition,
                    }
                )
    columns = ("sample", "subject", "label", "path", "shard", "true_label", "repetition")
    return pd.DataFrame(rows, columns=list(columns))

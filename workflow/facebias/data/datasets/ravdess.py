"""RAVDESS: 24 actors speak and sing two sentences in eight emotions.

Livingstone & Russo 2018, https://doi.org/10.1371/journal.pone.0196391. Videos at
https://zenodo.org/records/1188976 (``Video_Speech_Actor_01.zip`` and so on), CC BY-NC-SA 4.0.

Expected below ``root``, as the archives unpack::

    Actor_01/02-01-06-01-02-01-01.mp4

The seven numbers are modality, channel, emotion, intensity, sentence, repetition and actor. Actors
with an odd number are men, the others women; nothing else is recorded of them. ``channel``,
``intensity``, ``statement`` and ``repetition`` are recorded of every sample.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from facebias.data.datasets import files, naming
from facebias.study import Data, Labels

TAKES = ("root", "ravdess")
NEEDS = ("root",)
SUFFIXES = (".mp4",)
ACTORS = 24
# The parts of a name in their order, and what their numbers mean.
CODES = {
    "modality": {"01": "audio_video", "02": "video", "03": "audio"},
    "channel": {"01": "speech", "02": "song"},
    "emotion": {
        "01": "neutral",
        "02": "calm",
        "03": "happiness",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
    },
    "intensity": {"01": "normal", "02": "strong"},
    "statement": {"01": "kids", "02": "dogs"},
    "repetition": {"01": "1", "02": "2"},
    "actor": {f"{number:02d}": f"Actor_{number:02d}" for number in range(1, ACTORS + 1)},
}
RECORDED = ("channel", "intensity", "statement", "repetition")
COLUMNS = ("sample", "subject", "path", "label", "reason", *RECORDED)
NAME = re.compile(
    "(?:.*/)?" + "-".join(rf"(?P<{part}>{'|'.join(codes)})" for part, codes in CODES.items())
    + r"\.(?i:mp4)"
)  # fmt: skip
EXPECTED = "such as Actor_12/02-01-06-01-02-01-12.mp4 (modality to actor)"


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the actors of whom there are videos, with their gender; see ``datasets``."""
    numbers = sorted({found["actor"] for _, found in _videos(root) if found})
    return pd.DataFrame(
        {
            "subject": [CODES["actor"][number] for number in numbers],
            "gender": ["male" if int(number) % 2 else "female" for number in numbers],
        }
    )


def samples(data: Data, labels: Labels, root: Path | str | None) -> pd.DataFrame:
    """List the videos of the modality and channels asked for; see ``datasets``.

    Emotions that are not among ``labels.names`` are no part of the study.
    """
    files.check_classes(labels, data_set="RAVDESS")
    folder, rows = files.folder_of(root), []
    for path, found in _videos(root):
        row = dict.fromkeys(COLUMNS) | {"sample": path, "path": path}
        if found is None:
            rows.append(row | {"reason": f"unknown name: expected one {EXPECTED}"})
            continue
        told = {part: codes[found[part]] for part, codes in CODES.items()}
        asked = (
            told["modality"] == data.ravdess.modality
            and told["channel"] in data.ravdess.channels
            and told["emotion"] in labels.names
        )
        if asked:
            row |= {part: told[part] for part in RECORDED}
            row |= {"sample": Path(path).stem, "subject": told["actor"], "label": told["emotion"]}
            rows.append(row | {"reason": files.about_file(folder, path, "video", SUFFIXES)})
    frame = files.frame_of(rows, COLUMNS)
    files.no_copies(frame, folder)
    return frame


def _videos(root: Path | str | None) -> list[tuple[str, re.Match[str] | None]]:
    return naming.named(
        files.folder_of(root),
        NAME,
        suffixes=SUFFIXES,
        where=f"data.root: the naming of RAVDESS, {EXPECTED},",
        kind="video",
    )

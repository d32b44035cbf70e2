"""A tiny study on disk, in the contract's format: clips whose labels are easy to learn.

A face is a disc of the subject's own colour; its label is where a bright bar sits and which way it
leans. Made with NumPy alone, so that the tests of training need no film and no face detection.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import study, tables
from facebias.clips import store

NAMES = ("happiness", "surprise", "sadness", "anger")


@dataclasses.dataclass(frozen=True)
class Made:
    """Where the parts of a made study lie."""

    manifest: Path
    splits: Path
    index: Path

    def arguments(self) -> list[str]:
        """Return the arguments that name them."""
        return [
            *("--manifest", str(self.manifest)),
            *("--splits", str(self.splits)),
            *("--index", str(self.index)),
        ]


def clip(
    label: int, look: np.random.Generator, film: np.random.Generator, *, frames: int, size: int
):
    """Draw one clip, uint8 (frames, size, size, 3)."""
    y, x = np.mgrid[:size, :size] / size
    colour, lift = look.uniform(60, 160, 3), look.uniform(-0.05, 0.05)
    pictures = np.empty((frames, size, size, 3))
    for frame in range(frames):
        dx, dy = film.uniform(-0.05, 0.05, 2)
        centre = (0.35 if label % 2 else 0.65) + dy + lift
        lean = 0.3 if label // 2 else -0.3
        bar = np.abs(y - centre - lean * (x - 0.5 + dx)) < 0.06
        bar &= np.abs(x - 0.5 - dx) < 0.3
        face = (x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.2
        pictures[frame] = np.where(face[..., None], colour, 30) + bar[..., None] * 70
    pictures += film.normal(0, 12, pictures.shape)
    return pictures.clip(0, 255).astype(np.uint8)


def make(
    folder: Path,
    *,
    subjects: int = 8,
    repetitions: int = 1,
    frames: int = 2,
    size: int = 32,
    kind: str = "classes",
    validation: int = 2,
    test: int = 2,
    left_out: int = 1,
    shards: int = 2,
) -> Made:
    """Write shards, index, manifest and splits; the first ``left_out`` samples have no clip."""
    rows, index, arrays = [], [], {shard: [] for shard in range(shards)}
    for person in range(subjects):
        for take in range(repetitions):
            for label, name in enumerate(NAMES):
                sample = f"p{person:02d}-{name}-{take}"
                look, film = (
                    np.random.default_rng(person),
                    np.random.default_rng([person, take, label]),
                )
                shard, out = len(rows) % shards, len(rows) < left_out
                row = {"sample": sample, "subject": f"p{person:02d}", "path": f"{sample}.mp4"}
                row |= {"publishable": True, "gender": ("female", "male")[person % 2]}
                rows.append(row | _labels(kind, label))
                position = -1 if out else len(arrays[shard])
                index.append((sample, shard, position, "no face" if out else None))
                if not out:
                    arrays[shard].append(clip(label, look, film, frames=frames, size=size))
    folder.mkdir(parents=True, exist_ok=True)
    made = Made(folder / "manifest.csv", folder / "splits.csv", folder / "clips/index.parquet")
    for shard, clips in arrays.items():
        path = folder / "clips" / f"{store.shard_name(shard)}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, np.stack(clips))
    tables.write(pd.DataFrame(rows), made.manifest, tables.MANIFEST)
    listed = pd.DataFrame(index, columns=["sample", "shard", "row", "reason"])
    empty = [[0.0]] * len(listed)
    listed = listed.assign(faces=1, probability=1.0, key_frames=empty, boxes=empty, landmarks=empty)
    tables.write(listed, made.index, tables.CLIPS)
    tables.write(_splits(subjects, validation, test), made.splits, tables.SPLITS)
    return made


def _labels(kind: str, label: int) -> dict[str, object]:
    if kind == "classes":
        return {"label": NAMES[label]}
    units = {"label_AU1": label % 2, "label_AU2": label // 2, "label_AU4": label % 2}
    return units | ({"label_AU4": None} if label == 3 else {})


def _splits(subjects: int, validation: int, test: int) -> pd.DataFrame:
    roles = ["test"] * test + ["validation"] * validation
    roles += ["train"] * (subjects - len(roles))
    people = [f"p{person:02d}" for person in range(subjects)]
    frame = pd.DataFrame({"subject": people, "role": roles})
    return frame.assign(train_split="regular", fold=0, seed=1)


def labels(kind: str = "classes") -> study.Labels:
    """Return the labels of a made study."""
    names = NAMES if kind == "classes" else ("AU1", "AU2", "AU4")
    return study.Labels(kind=kind, names=names, fuse={}, subsample_fused=False, seed=1)


def training(**changes: object) -> study.Training:
    """Return settings of a training of a few seconds."""
    settings = {
        "epochs": 4,
        "batch_size": 8,
        "learning_rate": 0.02,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "nesterov": False,
        "schedule": "one_cycle",
        "label_smoothing": 0.0,
        "gradient_clip": None,
        "augmentation": study.Augmentation(
            flip=0.0, rotate=0.5, degrees=10.0, brighten=0.5, brightness=0.2
        ),
        "select": "accuracy",
        "device": "cpu",
        "precision": "fp32",
        "deterministic": True,
    }
    return study.Training(**(settings | changes))


def architecture(
    *,
    width: float = 0.125,
    input_size: int = 32,
    frames: int | None = None,
    frozen: str = "none",
    head: str = "lstm",
    hidden: int = 32,
    layers: int = 1,
    dropout: float = 0.0,
    options: dict[str, object] | None = None,
    **changes: object,
) -> study.Architecture:
    """Return the settings of a small network; ``changes`` go to its training."""
    return study.Architecture(
        width=width,
        input_size=input_size,
        frames=frames,
        frozen=frozen,
        head=study.Head(kind=head, hidden=hidden, layers=layers, dropout=dropout),
        options=options or {},
        training=training(**changes),
    )

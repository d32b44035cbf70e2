"""Drawn people, some frames of each film, and small networks trained on them and explained.

The way from films to relevance without files between: faces are cut where the truth says that they
are, so that no detector runs.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import fitting
import numpy as np
import pandas as pd
import synthetic
import torch

from facebias import study, tables
from facebias.clips import faces, store
from facebias.data.cohort import Model, Reader, targets
from facebias.data.datasets.drawn import background, bias, expressions, film
from facebias.data.datasets.drawn.bending import Bending
from facebias.data.datasets.drawn.expressions import EXPRESSIONS
from facebias.data.datasets.drawn.head import head
from facebias.data.datasets.drawn.looks import looks
from facebias.data.datasets.drawn.people import people
from facebias.data.datasets.drawn.seeds import generator
from facebias.explanation import landmarks, relevance_stage, stage
from facebias.explanation.landmarks import Landmarks
from facebias.models.architectures import network as networks
from facebias.models.training import loop, precision
from facebias.models.training.interruption import Interruption

SIDE, SIZE, LENGTH = 48, 160, 12


@dataclasses.dataclass(frozen=True)
class Films:
    """Frames of every film: its row of the manifest, crops, and where its landmarks are."""

    manifest: pd.DataFrame
    store: store.ClipStore
    landmarks: Path

    def of(self, subjects):
        """Choose the rows of the manifest of some subjects."""
        return self.manifest[self.manifest["subject"].isin(subjects)].reset_index(drop=True)


def films(folder, *, subjects, repetitions, labels, frames=1, margin=0, planted=(), at_rest=False):
    """Film every person with every label, and cut the face from the last frames.

    ``at_rest``: nobody shows anything, all else (pose, light, noise, what is cut) being the same.
    """
    drawn = study.Drawn(
        subjects=subjects, repetitions=repetitions, seed=1, size=SIZE, frames=LENGTH, fps=25,
        shards=1, bias=tuple(planted),
    )  # fmt: skip
    persons, settings = people(drawn), _settings(frames, margin)
    rows, index, crops, points = [], [], [], []
    for _, person in persons.iterrows():
        painted = head(looks(drawn.seed, person), size=SIZE)
        bending = Bending(painted)
        for label in labels:
            for repetition in range(repetitions):
                sample = f"{person['subject']}-{label}-{repetition}"
                pictures, found = _shot(
                    drawn, persons, painted, bending, sample, frames, at_rest=at_rest
                )
                cut = faces.cut(list(pictures), _detected(found), settings)
                index.append(
                    (sample, len(rows), cut.boxes.ravel().tolist(), cut.landmarks.ravel().tolist())
                )
                crops.append(cut.pixels)
                points += [(sample, frame, found[frame].ravel()) for frame in range(frames)]
                facts = {"sample": sample, "subject": person["subject"], "path": f"{sample}.mp4"}
                facts |= {"publishable": True, "gender": person["gender"], "label": label}
                rows.append(facts)
    return Films(pd.DataFrame(rows), _stored(folder, index, crops), _written(folder, points))


def _shot(drawn, persons, painted, bending, sample, frames, *, at_rest):
    """Draw the last frames of a film, as ``datasets.drawn.stage.shot`` draws all of them.

    Landmarks are those of the expression, shown or not.
    """
    subject, label, _ = sample.split("-")
    prototype, one_sided = bias.prototype(drawn, persons, subject, label)
    acted = expressions.performance(
        generator(drawn.seed, "acting", sample), painted.looks.manner, label, frames=LENGTH,
        prototype=prototype, one_sided=one_sided,
    )  # fmt: skip
    cues = bias.cues(drawn, persons, subject, label, sample)
    colour = background.cue_colour(list(EXPRESSIONS).index(label))
    setting = film.scene(
        generator(drawn.seed, "scene", sample), painted, size=SIZE, frames=frames,
        cue=colour if "background" in cues else None,
    )  # fmt: skip

    def shoot(acted):
        noise = generator(drawn.seed, "noise", sample)
        return film.shoot(noise, painted, bending, setting, acted)

    pictures, found = shoot(acted[-frames:])
    return (shoot(0 * acted[-frames:])[0] if at_rest else pictures), found


def _settings(frames, margin):
    window = study.Window(k=frames, skip_frames=0, part=(0.0, 1.0))
    return study.Preprocessing(
        windows=(window,), cluster_size=16, crop_size=SIDE, margin=margin, box="clip",
        min_probability=0.9, min_face=20, detect_size=400, several_faces="largest", shards=1,
        seed=1,
    )  # fmt: skip


def _detected(points):
    """Return what MTCNN would: a box from mid-forehead to the chin, and five points."""
    low, high = points.min(axis=1), points.max(axis=1)
    low[:, 1] -= 0.25 * (high[:, 1] - low[:, 1])
    return faces.Detections(
        boxes=np.hstack([low, high]),
        landmarks=landmarks.five(points),
        probability=np.ones(len(points)),
        counts=np.ones(len(points), dtype=int),
    )


def _stored(folder, index, crops):
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "shard-000.npy", np.stack(crops))
    table = pd.DataFrame(index, columns=["sample", "row", "boxes", "landmarks"])
    table = table.assign(shard=0, reason=None, faces=1, probability=1.0)
    table["key_frames"] = [list(range(len(crops[0])))] * len(table)
    tables.write(table, folder / "index.parquet", tables.CLIPS)
    return store.open_clips(folder / "index.parquet")


def _written(folder, points):
    path = folder / "landmarks.parquet"
    frame = pd.DataFrame(points, columns=list(tables.LANDMARKS.columns))
    tables.write(frame, path, tables.LANDMARKS)
    return path


def train(filmed, rows, labels, name, *, epochs, frames=1, options=None, **changes):
    """Train a small network on some rows of the manifest, from a fixed seed."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    architecture = synthetic.architecture(
        width=0.25, input_size=SIDE, head="mean", options=options, epochs=epochs, batch_size=12,
        augmentation=study.Augmentation(
            flip=0.5, rotate=0.5, degrees=10.0, brighten=0.5, brightness=0.2
        ),
        **changes,
    )  # fmt: skip
    network = networks.build(name, architecture, len(labels.names), frames)
    nobody = loop.Examples(Reader(filmed.store, [], frames=None), targets(rows, labels)[:0])
    given = loop.Examples(
        Reader(filmed.store, rows["sample"].tolist(), frames=None), targets(rows, labels)
    )
    loop.fit(
        network, given, nobody, training=architecture.training, kind=labels.kind,
        precision=precision.choose("fp32", torch.device("cpu")), key=[1, 0],
        checkpoint=fitting.Nowhere(), interruption=Interruption(),
    )  # fmt: skip
    return Model(name, "regular", 0, 1), architecture, network.eval()


def explain(filmed, rows, labels, trained, method="lrp"):
    """Explain the true label of rows of the manifest; give explanations and relevance by region."""
    model, architecture, network = trained
    explaining = study.Explaining(composite=None, target="label", batch_size=32, per_subject=None)
    given = stage.Trained(
        model, architecture, network, labels, explaining, rows,
        Reader(filmed.store, rows["sample"].tolist(), frames=None),
        torch.from_numpy(targets(rows, labels).copy()),
    )  # fmt: skip
    heatmaps = stage.explain(given, given.method(method))
    facts = tables.check(heatmaps.facts.assign(method=method, **vars(model)), tables.EXPLANATIONS)
    return facts, locate(filmed, facts, heatmaps.relevance)


def locate(filmed, facts, relevance):
    """Measure relevance (n, T, height, width) of explained samples by region."""
    known = Landmarks(filmed.store, [filmed.landmarks], facts["sample"].tolist())
    found = relevance_stage.Heatmaps(facts, relevance, SIDE)
    return relevance_stage.located(found, known, {})[0]


def changes(shown, at_rest, rows):
    """Return by how much expressions change each pixel of the crops, (n, T, height, width)."""
    clips = [
        Reader(each.store, rows["sample"].tolist(), frames=None)[np.arange(len(rows))].astype(int)
        for each in (shown, at_rest)
    ]
    return np.abs(clips[0] - clips[1]).sum(axis=-1).astype(np.float32)

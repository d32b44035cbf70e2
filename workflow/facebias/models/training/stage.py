"""Train one model."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from torch import Tensor

from facebias import tables
from facebias.clips.store import ClipStore, open_clips
from facebias.core import provenance
from facebias.core.replacement import replacing
from facebias.data import cohort, splits
from facebias.data.cohort import Model, Reader
from facebias.models import determinism, device
from facebias.models.architectures import network as networks
from facebias.models.architectures import weights
from facebias.models.features.store import open_features
from facebias.models.training import interruption, loop, precision
from facebias.models.training.checkpoint import Checkpoint
from facebias.models.training.fingerprint import fingerprint
from facebias.models.training.interruption import Interrupted
from facebias.models.training.loop import Examples
from facebias.models.training.state import ended
from facebias.stages.models import Train
from facebias.study import Architecture, Labels, StudyError, settings


def main(arguments: list[str]) -> None:
    """Train one model and write its weights, its history and what made it.

    A signal stops it with exit status 75 (try again); the same command goes on from there.
    """
    given = Train.of(arguments)
    torch.set_num_threads(given.threads)
    architecture, labels = given.settings.architecture, given.settings.labels
    training = architecture.training
    model = Model.of(given)
    # First of all: an unfit device is to be known in seconds, and computes when it is chosen.
    determinism.configure(deterministic=training.deterministic)
    place = device.choose(training.device)
    precise = precision.choose(training.precision, place)
    store = open_clips(given.index)
    rows = _rows(given, model, store)
    labels = labels.among(rows["train"].columns)
    rows = {role: _annotated(part, labels) for role, part in rows.items()}
    examples = {role: _examples(part, given, architecture, labels) for role, part in rows.items()}
    key = determinism.entropy(model.seed, model.architecture, model.train_split, model.fold)
    torch.manual_seed(determinism.torch_seed(key))
    frames = cohort.frames(store, architecture)
    network = networks.build(
        architecture.called(model.architecture), architecture, len(labels.names), frames
    )
    origin = weights.load_pretrained(network, given.pretrained) if given.pretrained else None
    network.to(place)
    name = fingerprint(
        settings=given.settings,
        model=model,
        precision=precise,
        rows=rows,
        examples=examples,
        pretrained=provenance.digest(given.pretrained) if given.pretrained else None,
    )
    checkpoint = Checkpoint(given.checkpoints, name)
    try:
        with interruption.noting() as interrupted:
            best, history = loop.fit(
                network,
                examples["train"],
                examples["validation"],
                training=training,
                kind=labels.kind,
                precision=precise,
                key=key,
                checkpoint=checkpoint,
                interruption=interrupted,
            )
    except Interrupted as stop:
        print(f"facebias train: {stop}; the same command goes on from there", file=sys.stderr)
        raise SystemExit(os.EX_TEMPFAIL) from None
    facts = {
        **vars(model),
        "settings": settings(given.settings),
        "subjects": {role: sorted(set(part["subject"])) for role, part in rows.items()},
        "samples": {role: len(part) for role, part in rows.items()},
        "parameters": sum(value.numel() for value in network.parameters()),
        "data": {
            name: provenance.digest(getattr(given, name))
            for name in ("manifest", "splits", "index")
        },
        "pretrained": None if origin is None else vars(origin),
        "frozen_features": given.features is not None,
        "deterministic": architecture.training.deterministic,
        "device": torch.cuda.get_device_name(place) if place.type == "cuda" else "cpu",
        "precision": precise.name,
        "float32": determinism.float32_products(),
    }
    trained = {"convention": network.convention, "origin": origin}
    try:
        _write(given.out, best, history.assign(**vars(model)), trained, facts)
    except (OSError, StudyError):
        # The same command is to write what was trained; a disk that is full may be another.
        with contextlib.suppress(OSError):
            checkpoint.save(ended(history.to_dict("records"), best))
        raise
    checkpoint.remove()
    _report(history)


def _rows(given: Train, model: Model, store: ClipStore) -> dict[str, pd.DataFrame]:
    """Return the rows of the manifest that take part, by role."""
    manifest, roles = tables.read(given.manifest, tables.MANIFEST), splits.read(given.splits)
    rows = {
        role: cohort.members(manifest, roles, store, model=model, role=role)
        for role in ("train", "validation")
    }
    if rows["train"].empty:
        raise StudyError(
            f"{given.index}: no clip of the training subjects of {model.train_split!r} is left; "
            "see the table of excluded samples for the reasons"
        )
    return rows


def _annotated(rows: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Leave out the samples of which no unit is known: they train nothing."""
    if labels.kind == "classes":
        return rows
    known = ~np.isnan(cohort.targets(rows, labels)).all(axis=1)
    return rows[known].reset_index(drop=True)


def _write(
    out: Path,
    best: dict[str, Tensor],
    history: pd.DataFrame,
    trained: dict[str, Any],
    facts: dict[str, object],
) -> None:
    """Write the folder of the model in one step; ``trained`` is noted beside the weights."""
    with replacing(out) as folder:
        folder.mkdir()
        try:
            weights.save(best, folder / "weights.safetensors", **trained)
        except SafetensorError as error:
            raise StudyError(
                f"{out}: the weights cannot be written ({error}); make room on that disk, then "
                "run the same command again: training does not start anew"
            ) from None
        tables.write(history, folder / "history.csv", tables.HISTORY)
        digest = provenance.digest(folder / "weights.safetensors")
        provenance.write(folder / "provenance.json", **facts, weights=digest)


def _examples(
    rows: pd.DataFrame, given: Train, architecture: Architecture, labels: Labels
) -> Examples:
    """Return the clips of ``rows`` or their features.

    Raises
    ------
    StudyError
        If there are features, but clips are to be changed at random.
    """
    targets = cohort.targets(rows, labels)
    samples = rows["sample"].tolist()
    if given.features is None:
        clips = Reader(open_clips(given.index), samples, frames=architecture.frames)
        return Examples(clips, targets)
    if architecture.training.augmentation.changes:
        raise StudyError(
            f"training.augmentation: found changes, but {given.features} holds features of clips "
            "as they are; set flip, rotate and brighten to 0, or train without --features"
        )
    return Examples(Reader(open_features(given.features), samples, frames=None), targets, True)


def _report(history: pd.DataFrame) -> None:
    best = history[history["best"]].iloc[0]
    print(
        f"best epoch {int(best['epoch'])} of {len(history)}: validation accuracy "
        f"{best['validation_accuracy']:.3f}, macro recall {best['validation_macro_recall']:.3f}, "
        f"loss {best['validation_loss']:.3f}",
        file=sys.stderr,
    )
    skipped = int(history["skipped_steps"].sum())
    if skipped:
        print(
            f"{skipped} steps overflowed and were skipped (column skipped_steps)", file=sys.stderr
        )

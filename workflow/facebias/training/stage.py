"""Train one model."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from facebias import cohort, determinism, device, provenance, splits, tables
from facebias.architectures import network as networks
from facebias.architectures import weights
from facebias.clips.store import ClipStore, open_clips
from facebias.cohort import Model, Reader
from facebias.study import Architecture, Labels, StudyError, read_settings
from facebias.training import loop, precision
from facebias.training.checkpoint import Checkpoint
from facebias.training.loop import Examples


def main(arguments: list[str]) -> None:
    """Train one model and write its weights, its history and what made it."""
    given = _parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    architecture, labels = read_settings(given.settings, architecture=Architecture, labels=Labels)
    model = Model(given.architecture, given.train_split, given.fold, given.seed)
    place = device.choose(architecture.training.device)
    precise = precision.choose(architecture.training.precision, place)
    determinism.configure(deterministic=architecture.training.deterministic)
    manifest, roles = tables.read(given.manifest, tables.MANIFEST), splits.read(given.splits)
    store = open_clips(given.index)
    parts = {
        role: cohort.members(manifest, roles, store, model=model, role=role)
        for role in ("train", "validation")
    }
    if parts["train"].empty:
        raise StudyError(
            f"{given.index}: no clip of the training subjects of {model.train_split!r} is left; "
            "see the table of excluded samples for the reasons"
        )
    train, validation = (
        _examples(rows, labels, store, architecture.frames) for rows in parts.values()
    )
    key = determinism.entropy(model.seed, model.architecture, model.train_split, model.fold)
    torch.manual_seed(determinism.torch_seed(key))
    network = networks.build(
        model.architecture, architecture, len(labels.names), train.clips.shape[0]
    )
    checkpoint = Checkpoint(given.checkpoints, _fingerprint(given, parts))
    best, history = loop.fit(
        network.to(place),
        train,
        validation,
        training=architecture.training,
        kind=labels.kind,
        precision=precise,
        key=key,
        checkpoint=checkpoint,
    )
    with tables.replacing(given.out) as folder:
        folder.mkdir()
        weights.save(best, folder / "weights.safetensors")
        tables.write(history, folder / "history.csv", tables.HISTORY)
        provenance.write(
            folder / "provenance.json",
            **vars(model),
            settings=given.settings,
            subjects={role: sorted(set(rows["subject"])) for role, rows in parts.items()},
            samples={role: len(rows) for role, rows in parts.items()},
            parameters=sum(value.numel() for value in network.parameters()),
            device=torch.cuda.get_device_name(place) if place.type == "cuda" else "cpu",
            precision=precise.name,
        )
    checkpoint.remove()
    _report(history)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="facebias train", description=main.__doc__)
    parser.add_argument("--settings", required=True, help="JSON: architecture, labels")
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--train-split", required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--checkpoints", type=Path, help="folder that a killed job resumes from")
    parser.add_argument("--threads", type=int, default=1)
    return parser


def _examples(rows: pd.DataFrame, labels: Labels, store: ClipStore, frames: int | None) -> Examples:
    """Give the clips of ``rows``, without those of which nothing is known."""
    targets = cohort.targets(rows, labels)
    if labels.kind == "units":
        known = ~np.isnan(targets).all(axis=1)
        rows, targets = rows[known], targets[known]
    return Examples(Reader(store, rows["sample"].tolist(), frames=frames), targets)


def _fingerprint(given: argparse.Namespace, parts: dict[str, pd.DataFrame]) -> str:
    """Name what is trained on what: a checkpoint of anything else is not resumed."""
    samples = [sample for rows in parts.values() for sample in rows["sample"]]
    named = [given.settings, given.architecture, given.train_split, given.fold, given.seed]
    return hashlib.sha256(repr([named, samples]).encode()).hexdigest()


def _report(history: pd.DataFrame) -> None:
    best = history[history["best"]].iloc[0]
    print(
        f"best epoch {int(best['epoch'])} of {len(history)}: validation accuracy "
        f"{best['validation_accuracy']:.3f}, loss {best['validation_loss']:.3f}",
        file=sys.stderr,
    )

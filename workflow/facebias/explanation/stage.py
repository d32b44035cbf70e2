"""Heatmaps of one model on one test split."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from facebias import cohort, determinism, device, progress, splits, tables
from facebias.architectures import inference, weights
from facebias.architectures import network as networks
from facebias.architectures.network import Network
from facebias.clips.store import open_clips
from facebias.cohort import Clips, Model, Reader
from facebias.explanation import attribution, composites
from facebias.study import Architecture, Explanation, Labels, Split, StudyError, read_settings


@dataclasses.dataclass(frozen=True)
class Heatmaps:
    """Relevance of the pixels, float32 (n, T, H, W), and its ``tables.EXPLANATIONS`` columns.

    ``faces`` are the crops that were explained, uint8 (n, T, H', W', 3) before they were resized.
    """

    relevance: np.ndarray
    faces: np.ndarray
    table: pd.DataFrame


def explain(
    network: Network,
    rows: pd.DataFrame,
    store: Clips,
    *,
    model: Model,
    architecture: Architecture,
    labels: Labels,
    explanation: Explanation,
) -> Heatmaps:
    """Explain the clips of ``rows`` (of a manifest), ``explanation.batch_size`` at a time.

    Raises
    ------
    StudyError
        If the architecture or the composite cannot be had, or a clip has no single true label
        where the true label is to be explained.
    """
    rules = composites.composite(
        explanation.composite,
        convention=network.convention,
        canonizers=attribution.canonizers(model.architecture),
    )
    choose = _chooser(explanation.target, labels)
    clips = Reader(store, rows["sample"].tolist(), frames=architecture.frames)
    targets = torch.from_numpy(cohort.targets(rows, labels))
    network.eval()
    size = explanation.batch_size
    relevance, faces, facts = [], [], []
    batches = range(0, len(rows), size)
    for start in progress.track(batches, total=len(batches), what="explain", unit="batches"):
        here = np.arange(start, min(start + size, len(rows)))
        faces.append(clips[here])
        prepared = network.prepare(torch.from_numpy(faces[-1]))
        truth = targets[here].to(prepared.device)
        found = attribution.attribute(
            network, prepared, lambda scores, truth=truth: choose(scores, truth), rules
        )
        relevance.append(found.pixels.float().cpu().numpy())
        facts.append(_facts(found, choose(found.scores, truth), truth, labels))
    known = rows[["sample", "subject"]].reset_index(drop=True)
    table = pd.concat([known, pd.concat(facts, ignore_index=True)], axis=1)
    table = table.assign(row=np.arange(len(rows)))
    return Heatmaps(np.concatenate(relevance), np.concatenate(faces), table)


def _chooser(target: str, labels: Labels) -> Callable[[Tensor, Tensor], Tensor]:
    """Say which output is explained: of the true ``label``, the ``predicted`` or a named one."""
    if target == "predicted":
        return lambda scores, truth: scores.argmax(1)
    if target in labels.names:
        position = labels.names.index(target)
        return lambda scores, truth: torch.full_like(scores[:, 0], position, dtype=torch.long)
    if target == "label" and labels.kind == "classes":
        return lambda scores, truth: truth
    raise StudyError(
        f"explanation.target: found {target!r}; with labels.kind {labels.kind} expected "
        + ("label, " if labels.kind == "classes" else "")
        + f"predicted, or one of {', '.join(labels.names)}"
    )


def _facts(
    found: attribution.Attribution, chosen: Tensor, truth: Tensor, labels: Labels
) -> pd.DataFrame:
    """Give the columns that say what was explained."""
    position = chosen[:, None]
    sure = inference.probabilities(found.scores, labels.kind)
    return pd.DataFrame(
        {
            "label": _names(truth, labels),
            "predicted": _names(
                sure.argmax(1) if labels.kind == "classes" else sure.round(), labels
            ),
            "explained": [labels.names[place] for place in chosen.tolist()],
            "score": sure.gather(1, position)[:, 0].cpu().numpy(),
            "output": found.scores.gather(1, position)[:, 0].cpu().numpy(),
            "relevance": found.pixels.flatten(1).sum(1).cpu().numpy(),
            "conserved": found.conserved.cpu().numpy(),
        }
    )


def _names(values: Tensor, labels: Labels) -> list[str]:
    """Name the class of each clip, or its active units joined by ``+``."""
    if labels.kind == "classes":
        return [labels.names[place] for place in values.tolist()]
    return [
        "+".join(name for name, active in zip(labels.names, row, strict=True) if active == 1)
        for row in values.tolist()
    ]


def write_relevance(heatmaps: Heatmaps, path: Path) -> None:
    """Write ``.npz``: ``sample``, ``relevance`` (float16), ``scale`` and ``faces`` (uint8).

    Each clip's relevance is divided by its largest absolute value, ``scale``: a large picture's
    pixels have too little each for 16 bits. ``relevance * scale`` is what was found.
    """
    scale = np.abs(heatmaps.relevance).max(axis=(1, 2, 3))
    unit = np.where(scale > 0, scale, 1)[:, None, None, None]
    with tables.replacing(path) as temporary:
        np.savez(
            temporary,
            relevance=(heatmaps.relevance / unit).astype(np.float16),
            scale=scale,
            faces=heatmaps.faces,
            sample=heatmaps.table["sample"].to_numpy(dtype=str),
        )


def main(arguments: list[str]) -> None:
    """Make the heatmaps of one model on the test samples of one test split."""
    given = _parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    architecture, labels, explanation, test = read_settings(
        given.settings,
        architecture=Architecture,
        labels=Labels,
        explanation=Explanation,
        test=Split,
    )
    determinism.configure(deterministic=True)
    model = Model(given.architecture, given.train_split, given.fold, given.seed)
    store = open_clips(given.index)
    rows = cohort.members(
        tables.read(given.manifest, tables.MANIFEST),
        splits.read(given.splits),
        store,
        model=model,
        role="test",
    )
    rows = rows[splits.selected(test, rows)].reset_index(drop=True)
    if rows.empty:
        raise StudyError(
            f"explanation: test split {given.test_split!r} selects no clip of fold {model.fold}; "
            "see the table of excluded samples for the reasons"
        )
    frames = Reader(store, rows["sample"].tolist()[:1], frames=architecture.frames).shape[0]
    network = networks.build(model.architecture, architecture, len(labels.names), frames)
    weights.load(network, given.model / "weights.safetensors")
    heatmaps = explain(
        network.to(device.choose(architecture.training.device)),
        rows,
        store,
        model=model,
        architecture=architecture,
        labels=labels,
        explanation=explanation,
    )
    write_relevance(heatmaps, given.out)
    table = heatmaps.table.assign(test_split=given.test_split, **vars(model))
    tables.write(table, given.table, tables.EXPLANATIONS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="facebias explain", description=main.__doc__)
    parser.add_argument(
        "--settings", required=True, help="JSON: architecture, labels, explanation, test"
    )
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--train-split", required=True)
    parser.add_argument("--test-split", required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="heatmaps (.npz)")
    parser.add_argument("--table", type=Path, required=True, help="what was explained (.csv)")
    parser.add_argument("--threads", type=int, default=1)
    return parser

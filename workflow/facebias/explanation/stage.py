"""Heatmaps of one model: every test sample of its fold, explained once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from facebias import tables
from facebias.clips.store import open_clips
from facebias.core import progress
from facebias.core.replacement import replacing
from facebias.data import cohort, splits
from facebias.data.cohort import Model, Reader
from facebias.explanation import default_composite, methods
from facebias.explanation.attribution import Attribution, Choose, clips_at_once
from facebias.explanation.methods import Method
from facebias.models import determinism, device
from facebias.models.architectures import inference, weights
from facebias.models.architectures import network as networks
from facebias.models.architectures.network import Network
from facebias.stages.models import Explain, OfExplained
from facebias.study import Architecture, Explaining, Labels, StudyError

# Frames of a clip that figures show, at most: an odd number has one in the middle.
MOST_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained model with what it is explained on.

    ``rows`` of the manifest, their ``clips`` and ``targets`` (as ``cohort.targets`` gives them).
    ``thresholds`` (L,): probabilities from which units count as predicted.
    """

    model: Model
    architecture: Architecture
    network: Network
    labels: Labels
    explaining: Explaining
    rows: pd.DataFrame
    clips: Reader
    targets: Tensor
    thresholds: Tensor | None = None

    def method(self, name: str) -> Method:
        """Make the method ``name`` for this network."""
        own = default_composite(self.architecture.called(self.model.architecture))
        return methods.METHODS[name](self.network, self.explaining.composite or own)

    def at_once(self) -> int:
        """Return how many clips to explain at once."""
        frames, size = self.network.frames, self.network.input_size
        return clips_at_once(torch.Size([frames, 3, size, size]), self.explaining.batch_size)

    def choose(self, positions: np.ndarray) -> Choose:
        """Say which outputs of the clips at these positions are explained.

        Those of the true ``label``, of the ``predicted`` one or of a named one.

        Raises
        ------
        StudyError
            If there is no such output, or no single true label.
        """
        target, labels = self.explaining.target, self.labels
        if target == "predicted":
            return lambda scores: scores.argmax(1)
        if target in labels.names:
            place = labels.names.index(target)
            return lambda scores: torch.full_like(scores[:, 0], place, dtype=torch.long)
        if target == "label" and labels.kind == "classes":
            truth = self.targets[positions]
            return lambda scores: truth.to(scores.device)
        raise StudyError(
            f"explanation.target: found {target!r}; with labels.kind {labels.kind} expected "
            + ("label, " if labels.kind == "classes" else "")
            + f"predicted, or one of {', '.join(labels.names)}"
        )


@dataclasses.dataclass(frozen=True)
class Heatmaps:
    """Relevance of the pixels, float32 (n, T, H, W), and facts of every sample explained.

    ``faces``: some crops of each clip, uint8 (n, F, H', W', 3) before they were resized, at the
    positions (F,) that ``shown_frames`` gives.
    """

    relevance: np.ndarray
    faces: np.ndarray
    facts: pd.DataFrame


def explain(trained: Trained, method: Method) -> Heatmaps:
    """Explain every sample by ``method``, batch by batch."""
    rows, size = trained.rows, trained.at_once()
    relevance, faces, facts = [], [], []
    batches = range(0, len(rows), size)
    for start in progress.track(batches, total=len(batches), what="explain", unit="batches"):
        here = np.arange(start, min(start + size, len(rows)))
        clips = trained.clips[here]
        choose = trained.choose(here)
        found = method(trained.network, trained.network.prepare(torch.from_numpy(clips)), choose)
        faces.append(clips[:, shown_frames(clips.shape[1])])
        relevance.append(found.pixels.float().cpu().numpy())
        facts.append(_facts(found, choose(found.scores), trained.targets[here], trained))
    known = rows[["sample", "subject"]].reset_index(drop=True)
    table = pd.concat([known, pd.concat(facts, ignore_index=True)], axis=1)
    return Heatmaps(
        np.concatenate(relevance), np.concatenate(faces), table.assign(row=np.arange(len(rows)))
    )


def _facts(found: Attribution, chosen: Tensor, truth: Tensor, trained: Trained) -> pd.DataFrame:
    """Return the columns that say what was explained."""
    labels, position = trained.labels, chosen[:, None]
    sure = inference.probabilities(found.scores, labels.kind)
    if labels.kind == "classes":
        predicted = sure.argmax(1)
    else:
        predicted = sure.cpu() >= (0.5 if trained.thresholds is None else trained.thresholds)
    return pd.DataFrame(
        {
            "label": _names(truth, labels),
            "predicted": _names(predicted, labels),
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


def spread(rows: pd.DataFrame, per_subject: int | None) -> pd.DataFrame:
    """Keep at most ``per_subject`` samples of each subject, evenly over its samples, in order."""
    if per_subject is None:
        return rows
    kept = [
        place
        for places in rows.groupby("subject", sort=False).indices.values()
        for place in places[evenly(len(places), per_subject)]
    ]
    return rows.iloc[sorted(kept)].reset_index(drop=True)


def evenly(n: int, most: int) -> np.ndarray:
    """Return at most ``most`` positions, evenly from the first to the last of ``n``.

    >>> evenly(7, 3)
    array([0, 3, 6])
    """
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))


def shown_frames(n: int) -> np.ndarray:
    """Return the positions of the frames that figures show, of ``n``: evenly, with the middle one.

    >>> shown_frames(3), shown_frames(20)
    (array([0, 1, 2]), array([ 0,  5, 10, 14, 19]))
    """
    places = evenly(n, MOST_SHOWN)
    places[len(places) // 2] = n // 2
    return places


def write_relevance(heatmaps: Heatmaps, path: Path) -> None:
    """Write ``.npz``: ``sample``, ``relevance`` (float16), ``scale``, ``faces`` and ``frames``.

    ``faces`` are uint8 (n, F, H', W', 3), ``frames`` (F,) their places in the clip.

    Each clip's relevance is divided by its largest absolute value, ``scale``: a large picture's
    pixels have too little each for 16 bits. ``relevance * scale`` is what was found.
    """
    scale = np.abs(heatmaps.relevance).max(axis=(1, 2, 3))
    unit = np.where(scale > 0, scale, 1)[:, None, None, None]
    with replacing(path) as temporary:
        np.savez(
            temporary,
            relevance=(heatmaps.relevance / unit).astype(np.float16),
            scale=scale,
            faces=heatmaps.faces,
            frames=shown_frames(heatmaps.relevance.shape[1]),
            sample=heatmaps.facts["sample"].to_numpy(dtype=str),
        )


def main(arguments: list[str]) -> None:
    """Make the heatmaps of one model: every test sample of its fold."""
    given = Explain.of(arguments)
    trained = opened(given, given.thresholds)
    heatmaps = explain(trained, trained.method(given.method))
    if not np.isfinite(heatmaps.relevance).all():
        finite = np.isfinite(heatmaps.relevance).all(axis=(1, 2, 3))
        sample = trained.rows["sample"].iloc[int(np.argmin(finite))]
        raise StudyError(
            f"explanation: {given.method} gives sample {sample} a relevance that is not finite; "
            "choose another explanation.composite"
        )
    write_relevance(heatmaps, given.relevance)
    table = heatmaps.facts.assign(method=given.method, **vars(trained.model))
    tables.write(table, given.out, tables.EXPLANATIONS)


def opened(given: OfExplained, thresholds: Path | None = None) -> Trained:
    """Read what a job is asked to explain; ``thresholds`` of units, if they are chosen.

    Raises
    ------
    StudyError
        If no test sample is left, or the weights do not fit.
    """
    torch.set_num_threads(given.threads)
    asked = given.settings
    architecture, labels, explaining = asked.architecture, asked.labels, asked.explaining
    determinism.configure(deterministic=True)
    model = Model.of(given)
    store = open_clips(given.index)
    rows = cohort.members(
        tables.read(given.manifest, tables.MANIFEST),
        splits.read(given.splits),
        store,
        model=model,
        role="test",
    )
    if rows.empty:
        raise StudyError(
            f"explanation: no clip of a test subject of {model.train_split!r}, fold {model.fold} "
            "is left; see the table of excluded samples for the reasons"
        )
    rows = spread(rows, explaining.per_subject)
    labels = labels.among(rows.columns)
    clips = Reader(store, rows["sample"].tolist(), frames=architecture.frames)
    network = networks.build(
        architecture.called(model.architecture), architecture, len(labels.names), clips.shape[0]
    )
    weights.load(network, given.model / "weights.safetensors")
    return Trained(
        model=model,
        architecture=architecture,
        network=network.to(device.choose(architecture.training.device)).eval(),
        labels=labels,
        explaining=explaining,
        rows=rows,
        clips=clips,
        targets=torch.from_numpy(cohort.targets(rows, labels)),
        thresholds=_thresholds(thresholds, labels) if thresholds else None,
    )


def _thresholds(path: Path, labels: Labels) -> Tensor:
    chosen = tables.read(path, tables.THRESHOLDS).set_index("unit")["threshold"]
    return torch.tensor(chosen.loc[list(labels.names)].to_numpy())

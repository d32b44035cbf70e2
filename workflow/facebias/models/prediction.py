"""Score the test samples of one model, each once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from facebias import tables
from facebias.clips.store import open_clips
from facebias.data import cohort, splits
from facebias.data.cohort import Clips, Model, Reader
from facebias.models import determinism, device
from facebias.models.architectures import inference, weights
from facebias.models.architectures import network as networks
from facebias.models.architectures.network import Tail
from facebias.models.features.store import open_features
from facebias.stages.models import Predict
from facebias.study import Architecture, Labels, StudyError


def predict(
    rows: pd.DataFrame,
    store: Clips,
    *,
    model: Model,
    architecture: Architecture,
    labels: Labels,
    path: Path,
    features: Path | None = None,
) -> pd.DataFrame:
    """Score the clips of ``rows`` with the weights at ``path``.

    Always in 32 bits and evaluation mode: a sample's scores do not depend on its neighbours. With
    ``features``, the index of what the frozen part of the network gives, only the rest is computed.

    Returns
    -------
    A ``tables.PREDICTIONS`` table: probabilities ``score_<label>``, in the order of the labels.

    Raises
    ------
    StudyError
        If there is no sample, the weights do not fit, or a score is not finite.
    """
    if rows.empty:
        raise StudyError(
            f"predictions: no clip of a test subject of {model.train_split!r}, fold {model.fold} "
            "is left; see the table of excluded samples for the reasons"
        )
    samples, frames = rows["sample"].tolist(), cohort.frames(store, architecture)
    network = networks.build(
        architecture.called(model.architecture), architecture, len(labels.names), frames
    )
    weights.load(network, path)
    network.to(device.choose(architecture.training.device))
    if features is None:
        scored, clips = network, Reader(store, samples, frames=architecture.frames)
    else:
        scored, clips = Tail(network), Reader(open_features(features), samples, frames=None)
    scores = inference.scores(scored, clips.batches(architecture.training.batch_size))
    found = inference.probabilities(scores.double(), labels.kind).numpy()
    if not np.isfinite(found).all():
        sample = rows["sample"].iloc[int(np.argmin(np.isfinite(found).all(axis=1)))]
        raise StudyError(
            f"{path}: the score of sample {sample} is not finite; train the model again"
        )
    table = rows[["sample", "subject"]].assign(**vars(model))
    columns = {f"score_{name}": found[:, column] for column, name in enumerate(labels.names)}
    return tables.check(table.assign(**columns), tables.PREDICTIONS)


def main(arguments: list[str]) -> None:
    """Score every test sample of one model's fold."""
    given = Predict.of(arguments)
    torch.set_num_threads(given.threads)
    architecture, labels = given.settings.architecture, given.settings.labels
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
    found = predict(
        rows,
        store,
        model=model,
        architecture=architecture,
        labels=labels.among(rows.columns),
        path=given.model / "weights.safetensors",
        features=given.features,
    )
    tables.write(found, given.out, tables.PREDICTIONS)

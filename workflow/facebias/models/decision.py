"""Decide what counts as found: thresholds chosen on a model's validation samples, for its tests."""

from __future__ import annotations

import dataclasses

import pandas as pd
import torch

from facebias import tables
from facebias.clips.store import open_clips
from facebias.data import cohort, splits
from facebias.data.cohort import Model
from facebias.evaluation import scores, thresholds
from facebias.models import determinism, prediction
from facebias.stages.models import Decide


def main(arguments: list[str]) -> None:
    """Choose the thresholds of one model and write them, also beside its predictions.

    Test subjects take no part: thresholds come from the validation subjects of the model alone.
    """
    given = Decide.of(arguments)
    torch.set_num_threads(given.threads)
    architecture, labels = given.settings.architecture, given.settings.labels
    determinism.configure(deterministic=True)
    model = Model.of(given)
    store = open_clips(given.index)
    manifest = tables.read(given.manifest, tables.MANIFEST)
    labels = labels.among(manifest.columns)
    rows = cohort.members(
        manifest, splits.read(given.splits), store, model=model, role="validation"
    )
    if rows.empty:
        columns = [*tables.PREDICTIONS.columns, *(f"score_{name}" for name in labels.names)]
        scored = tables.check(pd.DataFrame(columns=columns), tables.PREDICTIONS)
    else:
        scored = prediction.predict(
            rows,
            store,
            model=model,
            architecture=architecture,
            labels=labels,
            path=given.model / "weights.safetensors",
            features=given.features,
        )
    chosen = thresholds.choose_all(
        scores.join(
            scored,
            manifest,
            labels,
            architecture=model.architecture,
            train_split=model.train_split,
        ),
        dataclasses.asdict(model),
    )
    tables.write(chosen, given.thresholds, tables.THRESHOLDS)
    predicted = tables.read(given.predictions, tables.PREDICTIONS)
    tables.write(thresholds.beside(predicted, chosen), given.out, tables.PREDICTIONS)

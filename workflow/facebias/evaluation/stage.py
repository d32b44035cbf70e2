"""The stages ``metrics``, ``fairness`` and ``effects``: predictions in, tidy tables out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from facebias import tables
from facebias.data import splits
from facebias.evaluation import attributes, cells, counts, groups, pairing, scores
from facebias.stages.evaluation import Effects, Fairness, Metrics, OfCell
from facebias.study import Labels


def metrics(arguments: list[str]) -> None:
    """Compute the metrics of one architecture and train split on one test split."""
    given = Metrics.of(arguments)
    labels, evaluation = given.settings.labels, given.settings.evaluation
    manifest = tables.read(given.manifest, tables.MANIFEST)
    scored = _read(given, manifest, labels)
    chosen = manifest.loc[splits.selected(given.settings.test, manifest), "sample"].to_numpy(
        dtype=str
    )
    scored = scored.where(np.isin(scored.sample, chosen))
    cell = {
        "architecture": given.architecture,
        "train_split": given.train_split,
        "test_split": given.test_split,
    }
    tables.write(cells.metrics(scored, cell, evaluation=evaluation), given.out, tables.METRICS)
    confusion = cells.confusion(scored, cell, weights=evaluation.weights)
    tables.write(confusion, given.confusion, tables.CONFUSION)


def fairness(arguments: list[str]) -> None:
    """Compute the gaps between the groups of one attribute for one architecture and train split."""
    given = Fairness.of(arguments)
    labels, evaluation = given.settings.labels, given.settings.evaluation
    manifest = tables.read(given.manifest, tables.MANIFEST)
    scored = _read(given, manifest, labels)
    counted = counts.count(scored, ranked=True, weights=evaluation.weights)
    model = {"architecture": given.architecture, "train_split": given.train_split}
    grouped = attributes.grouping(manifest, given.attribute, bins=evaluation.bins)
    table = groups.fairness(
        counted, grouped, model, evaluation=evaluation, tests=given.settings.tests
    )
    tables.write(table, given.out, tables.GAPS)


def effects(arguments: list[str]) -> None:
    """Compute what another training split changes for the same test subjects."""
    given = Effects.of(arguments)
    labels, evaluation = given.settings.labels, given.settings.evaluation
    manifest = tables.read(given.manifest, tables.MANIFEST)
    predicted = tables.gather(given.predictions, tables.PREDICTIONS)
    counted = {
        train_split: counts.count(
            scores.join(
                rows,
                manifest,
                labels,
                architecture=given.architecture,
                train_split=train_split,
            ),
            weights=evaluation.weights,
        )
        for train_split, rows in predicted.groupby("train_split", sort=False)
    }
    grouped = attributes.grouping(manifest, given.attribute, bins=evaluation.bins)
    parts = [
        pairing.effects(
            {name: counted[name] for name in names},
            grouped,
            given.architecture,
            evaluation=evaluation,
        )
        for names in given.settings.together
    ]
    tables.write(pd.concat(parts, ignore_index=True), given.out, tables.CHANGES)


def _read(given: OfCell, manifest: pd.DataFrame, labels: Labels) -> scores.Scores:
    return scores.read(
        given.predictions,
        manifest,
        labels,
        architecture=given.architecture,
        train_split=given.train_split,
    )

"""The stages ``metrics``, ``fairness`` and ``effects``: predictions in, tidy tables out."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import splits, tables
from facebias.evaluation import attributes, cells, counts, groups, pairing, scores
from facebias.study import Labels, Resampling, Split, read_settings


def metrics(arguments: list[str]) -> None:
    """Compute the metrics of one architecture and train split on one test split."""
    parser = _parser("metrics", metrics.__doc__, "labels, evaluation, test")
    parser.add_argument("--test-split", required=True)
    parser.add_argument("--confusion", type=Path, required=True)
    given = parser.parse_args(arguments)
    labels, evaluation, test = read_settings(
        given.settings, labels=Labels, evaluation=Resampling, test=Split
    )
    manifest = tables.read(given.manifest, tables.MANIFEST)
    scored = _read(given, manifest, labels)
    chosen = manifest.loc[splits.selected(test, manifest), "sample"].to_numpy(dtype=str)
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
    parser = _parser("fairness", fairness.__doc__, "labels, evaluation, tests (of declared gaps)")
    parser.add_argument("--attribute", required=True)
    given = parser.parse_args(arguments)
    labels, evaluation, tests = read_settings(
        given.settings, labels=Labels, evaluation=Resampling, tests=int
    )
    manifest = tables.read(given.manifest, tables.MANIFEST)
    scored = _read(given, manifest, labels)
    counted = counts.count(scored, ranked=True, weights=evaluation.weights)
    model = {"architecture": given.architecture, "train_split": given.train_split}
    grouped = attributes.grouping(manifest, given.attribute, bins=evaluation.bins)
    table = groups.fairness(counted, grouped, model, evaluation=evaluation, tests=tests)
    tables.write(table, given.out, tables.GAPS)


def effects(arguments: list[str]) -> None:
    """Compute what another training split changes for the same test subjects."""
    named = "labels, evaluation, together (lists of train splits tested on the same subjects)"
    parser = _parser("effects", effects.__doc__, named, model=False)
    parser.add_argument("--attribute", required=True)
    given = parser.parse_args(arguments)
    labels, evaluation, together = read_settings(
        given.settings,
        labels=Labels,
        evaluation=Resampling,
        together=tuple[tuple[str, ...], ...],
    )
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
        for names in together
    ]
    tables.write(pd.concat(parts, ignore_index=True), given.out, tables.CHANGES)


def _read(given: argparse.Namespace, manifest: pd.DataFrame, labels: Labels) -> scores.Scores:
    return scores.read(
        given.predictions,
        manifest,
        labels,
        architecture=given.architecture,
        train_split=given.train_split,
    )


def _parser(
    stage: str, description: str | None, settings: str, *, model: bool = True
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"facebias {stage}", description=description)
    parser.add_argument("--settings", required=True, help=f"JSON: {settings}")
    parser.add_argument("--architecture", required=True)
    if model:
        parser.add_argument("--train-split", required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    return parser

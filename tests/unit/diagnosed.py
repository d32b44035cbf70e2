"""A made-up study whose confounds and sources of variance are known, for tests and figures."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from study_tables import once

import scored
from facebias import tables
from facebias.evaluation import attributes, confounds, counts, redraws, seeds, variance
from facebias.evaluation import scores as scoring
from facebias.study import Evaluation, Labels

NAMES = ("joy", "grief", "rage")
ARCHITECTURES = ("vgg16", "resnet50", "cnn3d")
TRAINS = ("regular", "female")
LABELS = Labels(kind="classes", names=NAMES, fuse={}, subsample_fused=False, seed=1)


def people(
    *,
    n: int = 24,
    per_label: int = 3,
    groups: tuple[str, ...] = ("female", "male"),
    uneven: float = 0.0,
    seed: int = 1,
) -> pd.DataFrame:
    """A manifest; ``uneven`` is the share of grief that the first group shows as joy instead."""
    random = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        group = groups[i % len(groups)]
        for label in np.repeat(NAMES, per_label):
            swapped = label == "grief" and group == groups[0] and random.random() < uneven
            sample = f"p{i:02d}-{len(rows):04d}"
            rows.append(
                (sample, f"p{i:02d}", f"{sample}.mp4", True, "joy" if swapped else label, group)
            )
    columns = [*tables.MANIFEST.columns, "label", "gender"]
    return tables.check(pd.DataFrame(rows, columns=columns), tables.MANIFEST)


def quality(manifest: pd.DataFrame, *, smaller: float = 0.0, seed: int = 2) -> pd.DataFrame:
    """Picture quality with noise of subjects and samples; faces of women are ``smaller`` pixels."""
    random = np.random.default_rng(seed)
    subject = manifest["subject"].factorize()[0]
    n = len(manifest)

    def noisy(mean: float, between: float, within: float) -> np.ndarray:
        return mean + between * random.normal(size=n)[subject] + within * random.normal(size=n)

    table = pd.DataFrame(
        {
            "sample": manifest["sample"],
            "detection_probability": np.clip(noisy(0.99, 0.003, 0.003), 0, 1),
            "face_size": noisy(90, 5, 3) - smaller * (manifest["gender"] == "female"),
            "key_frame_span": 14.0,
            "brightness": noisy(120, 15, 5),
            "contrast": noisy(35, 5, 2),
            "sharpness": noisy(1500, 300, 100),
        }
    )
    return tables.check(table, tables.QUALITY)


def excluded(manifest: pd.DataFrame, *, of_women: int = 0) -> pd.DataFrame:
    """As many samples of every woman left out."""
    women = manifest[manifest["gender"] == "female"].groupby("subject").head(of_women)
    table = women.assign(
        sample=women["sample"] + "x", stage="extract", reason="no face: in 3 of 3 key frames"
    )
    return tables.check(
        table[[*tables.EXCLUDED.columns, "gender"]].reset_index(drop=True), tables.EXCLUDED
    )


def splits(
    manifest: pd.DataFrame, *, folds: int = 1, n_seeds: int = 1, tested: int = 12
) -> pd.DataFrame:
    """Two train splits, everybody and women; over folds everybody is tested once."""
    groups = manifest.drop_duplicates("subject").set_index("subject")["gender"]
    rows = []
    for train in TRAINS:
        for fold in range(folds):
            for seed in range(1, n_seeds + 1):
                for i, (subject, group) in enumerate(groups.items()):
                    tests = i < tested if folds == 1 else i // 2 % folds == fold
                    fits = train == "regular" or group == train
                    role = "test" if tests else "train" if fits else "unused"
                    rows.append((train, fold, seed, subject, role))
    return tables.check(pd.DataFrame(rows, columns=[*tables.SPLITS.columns]), tables.SPLITS)


def scores(
    manifest: pd.DataFrame,
    *,
    n_seeds: int = 3,
    gap: float = 0.2,
    of_subjects: float = 0.1,
    of_seeds: float = 0.1,
    seed: int = 3,
) -> scoring.Scores:
    """Decisions of a model: women are read less often, subjects and seeds differ.

    Every seed gives women an advantage of its own, with standard deviation ``of_seeds``.
    """
    random = np.random.default_rng(seed)
    subject = manifest["subject"].factorize()[0]
    female = (manifest["gender"] == "female").to_numpy()
    people = of_subjects * random.normal(size=len(manifest))[subject]
    truth = pd.Index(NAMES).get_indexer(manifest["label"])
    parts = []
    for position in range(n_seeds):
        chance = 0.75 + people - female * (gap + of_seeds * random.normal())
        right = random.random(len(manifest)) < np.clip(chance, 0.02, 0.98)
        said = np.where(right, truth, (truth + random.integers(1, 3, len(truth))) % 3)
        score = np.where(said[:, None] == np.arange(3), 0.8, 0.1)
        columns = {f"score_{name}": score[:, i] for i, name in enumerate(NAMES)}
        parts.append(manifest.assign(seed=position + 1, **columns))
    return scoring.assemble(pd.concat(parts, ignore_index=True), LABELS, source="made")


@once
def confound_table(
    *, evaluation: Evaluation = scored.EVALUATION, folds: int = 1, **changes: object
) -> pd.DataFrame:
    """The confounds of a study with uneven labels, smaller faces and lost samples of women."""
    settings = {"uneven": 0.6, "smaller": 8.0, "of_women": 1, **changes}
    manifest = people(uneven=settings["uneven"])
    return confounds.confounds(
        manifest,
        excluded(manifest, of_women=settings["of_women"]),
        quality(manifest, smaller=settings["smaller"]),
        splits(manifest, folds=folds),
        LABELS,
        attributes=evaluation.attributes,
        evaluation=evaluation,
    )


@once
def variance_table(
    *,
    n_seeds: int = 3,
    folds: int = 1,
    evaluation: Evaluation = scored.EVALUATION,
) -> pd.DataFrame:
    """Sources of variance of every architecture and train split."""
    manifest = people()
    tested = manifest["subject"].unique()
    places = {subject: i // 2 % folds for i, subject in enumerate(tested)}
    found = attributes.grouping(manifest, "gender")
    parts = []
    for turn, (architecture, train) in enumerate(models()):
        made = scores(manifest, n_seeds=n_seeds, of_seeds=0.05 * turn, seed=turn)
        model = {"architecture": architecture, "train_split": train}
        parts.append(
            variance.variance(seeds.count(made, places), found, model, evaluation=evaluation)
        )
    return pd.concat(parts, ignore_index=True)


@once
def redraw_table() -> pd.DataFrame:
    """Redrawn test sets of every architecture and train split."""
    evaluation = dataclasses.replace(scored.EVALUATION, resamples=100)
    manifest = people()
    found = attributes.grouping(manifest, "gender")
    parts = []
    for turn, train in enumerate(TRAINS):
        counted = {
            architecture: counts.count(scores(manifest, gap=0.1 * place, seed=10 * turn + place))
            for place, architecture in enumerate(ARCHITECTURES)
        }
        parts.append(redraws.redraws(counted, found, train, evaluation=evaluation))
    return pd.concat(parts, ignore_index=True)


def models() -> list[tuple[str, str]]:
    """Every architecture with every train split."""
    return [(architecture, train) for architecture in ARCHITECTURES for train in TRAINS]

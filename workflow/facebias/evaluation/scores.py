"""Scores of a model joined with the truth, as evaluated: fused, and the fused classes subsampled.

One row per sample and seed. Folds are put together: every test sample is scored once per seed.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import tables
from facebias.study import Labels, StudyError

UNIT_THRESHOLD = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """What a model said and what is true.

    Attributes
    ----------
    labels
        The L evaluated labels.
    exclusive
        True where a sample has exactly one label (classes), False for units.
    sample, subject
        (n,) text; ``seed`` (n,) whole numbers.
    truth
        (n, L) 1, 0, or NaN where a unit's label is missing.
    score
        (n, L) probabilities, 0 to 1; of a fused class the sum over its members.
    decision
        (n, L) truth values. Classes: the trained class with the highest score (ties: the first),
        fused afterwards as the paper does, so that a fused class gains nothing from being many.
        Units: score >= threshold, 0.5 if none was chosen.
    """

    labels: tuple[str, ...]
    exclusive: bool
    sample: np.ndarray
    subject: np.ndarray
    seed: np.ndarray
    truth: np.ndarray
    score: np.ndarray
    decision: np.ndarray

    @property
    def n_seeds(self) -> int:
        """Number of seeds that scored every sample; at least 1."""
        return max(1, len(np.unique(self.seed)))

    def where(self, rows: np.ndarray) -> Scores:
        """Keep the rows chosen by a boolean array or by positions."""
        chosen = {
            name: getattr(self, name)[rows]
            for name in ("sample", "subject", "seed", "truth", "score", "decision")
        }
        return dataclasses.replace(self, **chosen)


def read(
    predictions: Sequence[Path | str],
    manifest: pd.DataFrame,
    labels: Labels,
    *,
    architecture: str,
    train_split: str,
) -> Scores:
    """Read the predictions of one architecture and train split over all folds and seeds.

    Parameters
    ----------
    predictions
        Files of ``tables.PREDICTIONS``, in any order of folds and seeds.
    manifest
        A ``tables.MANIFEST`` table that holds every predicted sample.
    labels
        The trained labels and how they are fused.
    architecture, train_split
        The model that the files must belong to.

    Raises
    ------
    StudyError
        If a file belongs to another model, a sample is not in the manifest, a score is missing
        or outside 0 to 1, a sample is scored twice by one seed, or seeds scored different samples.
    """
    table = tables.gather(list(predictions), tables.PREDICTIONS)
    return join(table, manifest, labels, architecture=architecture, train_split=train_split)


def join(
    table: pd.DataFrame,
    manifest: pd.DataFrame,
    labels: Labels,
    *,
    architecture: str,
    train_split: str,
) -> Scores:
    """Join a ``tables.PREDICTIONS`` table of one model with the truth; see ``read``."""
    for name, own in (("architecture", architecture), ("train_split", train_split)):
        found = sorted(set(table[name]) - {own})
        if found:
            raise StudyError(
                f"predictions: {name} {', '.join(map(str, found))} found, expected only {own}; "
                "give the files of one model"
            )
    if table.duplicated(["seed", "sample"]).any():
        row = table[table.duplicated(["seed", "sample"])].iloc[0]
        raise StudyError(
            f"predictions: sample {row['sample']} is scored twice by seed {row['seed']} "
            f"(again in fold {row['fold']}); every sample is tested in one fold"
        )
    seeds = sorted(table["seed"].unique())
    per_sample = table.groupby("sample")["seed"].nunique()
    if (per_sample < len(seeds)).any():
        few = per_sample.idxmin()
        found = sorted(table.loc[table["sample"] == few, "seed"])
        raise StudyError(
            f"predictions: sample {few} is scored by seeds {', '.join(map(str, found))} of "
            f"{', '.join(map(str, seeds))}; every seed must score all samples"
        )
    known = manifest.drop(columns="subject").set_index("sample")
    unknown = table.loc[~table["sample"].isin(known.index), "sample"]
    if not unknown.empty:
        raise StudyError(
            f"predictions: sample {unknown.iloc[0]} is not in the manifest; "
            "were both made by the same study?"
        )
    labels = labels.among(known.columns)
    wanted = ["label"] if labels.kind == "classes" else [f"label_{name}" for name in labels.names]
    missing = [name for name in wanted if name not in known.columns]
    if missing:
        raise StudyError(
            f"manifest: column {', '.join(missing)} is missing; labels.kind is {labels.kind}"
        )
    scores = [name for name in table.columns if name.startswith(("score_", "threshold_"))]
    joined = table[["sample", "subject", "seed", *scores]].join(known[wanted], on="sample")
    return assemble(joined, labels, source="predictions")


def assemble(frame: pd.DataFrame, labels: Labels, *, source: str) -> Scores:
    """Make ``Scores`` of a table with ``sample, subject, seed``, labels and ``score_<label>``.

    Classes are fused and subsampled as ``labels`` says; the rows come out sorted, so that nothing
    that follows depends on the order of rows or files.

    Parameters
    ----------
    frame
        ``label`` for classes or ``label_<unit>`` (1, 0 or missing) for units, and the scores. For
        units also ``threshold_<unit>`` where the score that counts as found is not 0.5.
    labels
        The labels of the scores.
    source
        Names the table in errors.

    Raises
    ------
    StudyError
        For a missing column, a label without scores, or a score that is no probability.
    """
    columns = [f"score_{name}" for name in labels.names]
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        found = ", ".join(name for name in frame.columns if name.startswith("score_")) or "none"
        raise StudyError(f"{source}: column {', '.join(missing)} is missing; scores found: {found}")
    frame = frame.sort_values(["subject", "sample", "seed"], ignore_index=True)
    score = frame[columns].to_numpy(dtype=float)
    _check_probabilities(score, columns, frame["sample"], source)
    if labels.kind == "classes":
        truth = _one_hot(frame, labels.names, source)
    else:
        truth = _units(frame, labels.names, source)
    scores = Scores(
        labels=labels.names,
        exclusive=labels.kind == "classes",
        sample=frame["sample"].to_numpy(dtype=str),
        subject=frame["subject"].to_numpy(dtype=str),
        seed=frame["seed"].to_numpy(),
        truth=truth,
        score=score,
        decision=decide(
            score, exclusive=labels.kind == "classes", threshold=_thresholds(frame, labels, source)
        ),
    )
    return _fused(scores, labels) if labels.fuse else scores


def decide(
    score: np.ndarray, *, exclusive: bool, threshold: np.ndarray | float = UNIT_THRESHOLD
) -> np.ndarray:
    """Decide from (n, L) probabilities: the highest (ties: the first), or all from a threshold."""
    if not exclusive:
        return score >= threshold
    return score.argmax(axis=1)[:, None] == np.arange(score.shape[1])


def _thresholds(frame: pd.DataFrame, labels: Labels, source: str) -> np.ndarray | float:
    """Return the thresholds (n, L) that stand beside the scores, or 0.5 where there are none."""
    columns = [f"threshold_{name}" for name in labels.names]
    missing = [name for name in columns if name not in frame.columns]
    if labels.kind == "classes" or len(missing) == len(columns):
        return UNIT_THRESHOLD
    if missing or frame[columns].isna().any(axis=None):
        raise StudyError(
            f"{source}: thresholds are missing for {', '.join(missing) or 'some samples'}; "
            "either all units and samples have one or none"
        )
    return frame[columns].to_numpy(dtype=float)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name a misspelt one may mean, or nothing."""
    close = difflib.get_close_matches(str(name), [str(item) for item in known], n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _check_probabilities(
    score: np.ndarray, columns: list[str], sample: pd.Series, source: str
) -> None:
    wrong = ~((score >= 0) & (score <= 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise StudyError(
            f"{source}: {columns[column]} of sample {sample.iloc[row]} is {score[row, column]}; "
            "expected a probability from 0 to 1"
        )


def _one_hot(frame: pd.DataFrame, names: tuple[str, ...], source: str) -> np.ndarray:
    unknown = ~frame["label"].isin(names)
    if unknown.any():
        row = frame[unknown].iloc[0]
        raise StudyError(
            f"{source}: label {row['label']} of sample {row['sample']} has no score; "
            f"scores are there for {', '.join(names)}{nearest(row['label'], names)}"
        )
    return (frame["label"].to_numpy()[:, None] == np.array(names, dtype=object)).astype(float)


def _units(frame: pd.DataFrame, names: tuple[str, ...], source: str) -> np.ndarray:
    columns = [f"label_{name}" for name in names]
    truth = frame[columns].to_numpy(dtype=float)
    wrong = ~(np.isnan(truth) | (truth == 0) | (truth == 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise StudyError(
            f"{source}: {columns[column]} of sample {frame['sample'].iloc[row]} is "
            f"{truth[row, column]:g}; expected 1, 0 or nothing"
        )
    return truth


def _fused(scores: Scores, labels: Labels) -> Scores:
    """Merge classes: scores of members are added, and a decision for a member is one for all."""
    if not scores.exclusive:
        raise StudyError("labels.fuse: only classes can be fused, labels.kind is units")
    merge = np.zeros((len(labels.names), len(labels.evaluated)))
    for old, name in enumerate(labels.names):
        merge[old, labels.evaluated.index(labels.evaluated_as(name))] = 1.0
    fused = dataclasses.replace(
        scores,
        labels=labels.evaluated,
        truth=scores.truth @ merge,
        score=np.minimum(scores.score @ merge, 1.0),
        decision=scores.decision @ merge > 0,
    )
    return fused.where(_subsample(fused, labels)) if labels.subsample_fused else fused


def _subsample(scores: Scores, labels: Labels) -> np.ndarray:
    """Tell which rows stay when fused classes get about the size of a subject's other classes.

    As published (20 of 60 clips of ``upset``), but drawn within each subject: of every fused
    class the mean number of clips of the subject's unfused classes stays (half rounds up, at
    least 1). It depends on the seed and the names of the samples alone, hence it is the same for
    all models and test splits.
    """
    frame = pd.DataFrame(
        {
            "sample": scores.sample,
            "subject": scores.subject,
            "label": scores.truth.argmax(axis=1),
        }
    ).drop_duplicates("sample")
    n_unfused = len(scores.labels) - len(labels.fuse)
    if not n_unfused:
        return np.ones(len(scores.sample), dtype=bool)
    frame["draw"] = [
        _draw(labels.seed, subject, sample)
        for subject, sample in zip(frame["subject"], frame["sample"], strict=True)
    ]
    unfused = frame["label"] < n_unfused
    mean = frame["subject"].map(frame.loc[unfused, "subject"].value_counts() / n_unfused).fillna(0)
    frame["target"] = np.maximum(np.floor(mean + 0.5), 1)
    place = frame.sort_values("draw").groupby(["subject", "label"]).cumcount()
    kept = unfused | (place.reindex(frame.index) < frame["target"])
    return np.isin(scores.sample, frame.loc[kept, "sample"].to_numpy(dtype=str))


def _draw(seed: int, subject: str, sample: str) -> int:
    text = f"{seed}/{subject}/{sample}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big")

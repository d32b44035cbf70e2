"""Random predictions with known truth, for the tests of evaluation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from facebias.evaluation import scores
from facebias.study import Evaluation, Labels, Primary, Question

EVALUATION = Evaluation(
    attributes=("gender",),
    bins={},
    min_subjects=3,
    min_subjects_per_label=2,
    weights="samples",
    primary=Primary(
        criterion="equalized_odds", definition="per_class_mean", attribute=None, train_split=None
    ),
    margin=0.1,
    margins={},
    confidence=0.95,
    interval="expanded",
    resamples=200,
    permutations=999,
    seed=5,
)


def question(*train_splits: str, attribute: str = "gender") -> Question:
    """What is asked of models of one hold-out: about the first of ``train_splits``."""
    return Question(attribute=attribute, train_split=train_splits[0], train_splits=train_splits)


def labels(*names: str, kind: str = "classes", subsample: bool = False, **fuse: tuple[str, ...]):
    """Labels as configured; keywords name fused classes."""
    return Labels(kind=kind, names=names, fuse=fuse, subsample_fused=subsample, seed=1)


def classes(
    random: np.random.Generator,
    *,
    n_subjects: int = 12,
    n_samples: int = 5,
    names: tuple[str, ...] = ("joy", "grief", "rage"),
    decimals: int = 2,
) -> pd.DataFrame:
    """Samples with one label each; scores rounded, so that ties occur."""
    n = n_subjects * n_samples
    frame = _people(n_subjects, n_samples)
    truth = random.integers(len(names), size=n)
    score = random.dirichlet(np.ones(len(names)), size=n)
    score[np.arange(n), truth] += random.random(n)
    score = (score / score.sum(axis=1, keepdims=True)).round(decimals).clip(0, 1)
    frame["label"] = np.array(names)[truth]
    return frame.assign(**{f"score_{name}": score[:, i] for i, name in enumerate(names)})


def constant(frame: pd.DataFrame, label: str, share: float, *, seed: int = 1) -> pd.DataFrame:
    """Let the model give ``label`` to about ``share`` of samples, else to a label drawn anew."""
    random = np.random.default_rng(seed)
    names = [name for name in frame if name.startswith("score_")]
    drawn = random.integers(len(names), size=len(frame))
    said = np.where(random.random(len(frame)) < share, names.index(f"score_{label}"), drawn)
    score = random.dirichlet(np.ones(len(names)), size=len(frame))
    score[np.arange(len(frame)), said] += 1
    return frame.assign(**dict(zip(names, (score / 2).T, strict=True)))


def units(
    random: np.random.Generator,
    *,
    n_subjects: int = 12,
    n_samples: int = 5,
    names: tuple[str, ...] = ("AU1", "AU4", "AU12"),
    missing: float = 0.2,
) -> pd.DataFrame:
    """Samples with any of several labels, some of them missing."""
    n = n_subjects * n_samples
    frame = _people(n_subjects, n_samples)
    for name in names:
        truth = (random.random(n) < 0.4).astype(float)
        frame[f"score_{name}"] = (0.4 * truth + 0.6 * random.random(n)).round(2)
        truth[random.random(n) < missing] = np.nan
        frame[f"label_{name}"] = truth
    return frame


def scored(frame: pd.DataFrame, *, fuse: dict | None = None, subsample: bool = False):
    """``Scores`` of such a table."""
    names = tuple(name.removeprefix("score_") for name in frame if name.startswith("score_"))
    kind = "classes" if "label" in frame else "units"
    what = Labels(kind=kind, names=names, fuse=fuse or {}, subsample_fused=subsample, seed=1)
    return scores.assemble(frame, what, source="test")


def _people(n_subjects: int, n_samples: int) -> pd.DataFrame:
    subject = np.repeat(np.arange(n_subjects), n_samples)
    return pd.DataFrame(
        {
            "sample": [f"c{number:04d}" for number in range(len(subject))],
            "subject": [f"p{number:03d}" for number in subject],
            "seed": 1,
            "gender": np.where(subject % 2, "male", "female"),
        }
    )

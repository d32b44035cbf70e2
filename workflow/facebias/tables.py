"""The tidy tables that stages hand to one another, as contracts.

Each ``Table`` names its columns and their types. ``read`` and ``write`` hold a file to them, so a
stage never meets a column it does not expect, and a killed job leaves no half-written file.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from facebias.replacement import replacing


class TableError(ValueError):
    """A table that breaks its contract: names the file, the column, what was found and expected."""


@dataclasses.dataclass(frozen=True)
class Table:
    """A contract: ``columns`` maps name to type, ``key`` names what identifies a row.

    ``open`` tables may carry further columns (labels, attributes) after the named ones.
    Types: ``text`` (missing allowed, as NaN), ``whole``, ``number`` (missing allowed), ``truth``,
    ``numbers`` (a list of numbers per row; Parquet only).
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    open: bool = False


MODEL = {"architecture": "text", "train_split": "text", "fold": "whole", "seed": "whole"}
CELL = {"architecture": "text", "train_split": "text", "test_split": "text"}
INTERVAL = {
    "estimate": "number",
    "ci_low": "number",
    "ci_high": "number",
    "n_subjects": "whole",
    "n_samples": "whole",
}

# One row per person: `subject` and the recorded attributes.
SUBJECTS = Table("subjects", {"subject": "text"}, ("subject",), open=True)

# Between the path of a video and the number of the one frame of it that is a sample.
FRAME = "#frame="

# One row per sample. `path` is a picture, a video, a folder of pictures or a frame of a video.
# Then `label` (classes) or `label_<unit>` (units: 1, 0 or missing), then the attributes of its
# subject, then what else the data set records of the sample.
MANIFEST = Table(
    "manifest",
    {"sample": "text", "subject": "text", "path": "text", "publishable": "truth"},
    ("sample",),
    open=True,
)

# One row per sample left out, with the stage that left it out and the reason in words.
# Then the attributes of its subject.
EXCLUDED = Table(
    "excluded",
    {"sample": "text", "subject": "text", "path": "text", "stage": "text", "reason": "text"},
    ("sample",),
    open=True,
)

# One row per sample. `shard` and `row` point into clips/shard-{shard}.npy; row -1 = left out, then
# `reason` says why. Pixels of the crop: `landmarks` frames x 5 points x (x, y), flattened.
# Pixels of the decoded frame: `boxes` frames x (left, top, right, bottom), flattened.
CLIPS = Table(
    "clips",
    {
        "sample": "text",
        "shard": "whole",
        "row": "whole",
        "reason": "text",
        "faces": "whole",
        "probability": "number",
        "key_frames": "numbers",
        "boxes": "numbers",
        "landmarks": "numbers",
    },
    ("sample",),
)

# Where the features of a clip are in the array beside the table (``features.store``).
FEATURES = Table("features", {"sample": "text", "row": "whole"}, ("sample",))

# One row per clip: how well its face can be seen (``clips.quality.measure`` says in which units).
QUALITY = Table(
    "quality",
    {
        "sample": "text",
        "detection_probability": "number",
        "face_size": "number",
        "key_frame_span": "number",
        "brightness": "number",
        "contrast": "number",
        "sharpness": "number",
    },
    ("sample",),
)

# Who does what: one row per subject, train split, fold and seed.
# `role` is train, validation, test or unused.
SPLITS = Table(
    "splits",
    {"train_split": "text", "fold": "whole", "seed": "whole", "subject": "text", "role": "text"},
    ("train_split", "fold", "seed", "subject"),
)

HISTORY = Table(
    "history",
    {
        "epoch": "whole",
        "learning_rate": "number",
        "train_loss": "number",
        "train_accuracy": "number",
        "validation_loss": "number",
        "validation_accuracy": "number",
        "best": "truth",
    },
    ("epoch",),
)

# One row per unit of a study: samples in which it was annotated, and in which it was present.
# Units that are not `kept` occur too rarely to be trained.
UNITS = Table(
    "units",
    {"unit": "text", "annotated": "whole", "positives": "whole", "kept": "truth"},
    ("unit",),
)

# The score from which a unit counts as found, per model. `f1` is that of the validation samples;
# missing where there was nothing to choose by, and `note` says why.
THRESHOLDS = Table(
    "thresholds",
    {
        **MODEL,
        "unit": "text",
        "threshold": "number",
        "f1": "number",
        "positives": "whole",
        "negatives": "whole",
        "n_subjects": "whole",
        "note": "text",
    },
    (*MODEL, "unit"),
)

# One row per test sample of a model. Then `score_<label>` for every trained label, in order:
# probabilities (softmax over classes or sigmoid per unit). Where thresholds were chosen, then
# `threshold_<unit>`: units count as found from there on, else from 0.5.
PREDICTIONS = Table(
    "predictions",
    {**MODEL, "sample": "text", "subject": "text"},
    (*MODEL, "sample"),
    open=True,
)

# `label` is an evaluated label or `overall`.
METRICS = Table(
    "metrics",
    {
        **CELL,
        "label": "text",
        "metric": "text",
        "value": "number",
        "ci_low": "number",
        "ci_high": "number",
        "n_subjects": "whole",
        "n_samples": "whole",
    },
    (*CELL, "label", "metric"),
)

# One row per true and predicted label; `n_samples` is averaged over seeds, `share` is of the true
# label.
CONFUSION = Table(
    "confusion",
    {
        **CELL,
        "true": "text",
        "predicted": "text",
        "n_samples": "number",
        "share": "number",
    },
    (*CELL, "true", "predicted"),
)

# What comes from chance alone beside an estimate, and the smallest true gap that would be found in
# 80 of 100 such studies, before any correction.
CHANCE = {
    "p_value": "number",
    "p_floor": "number",
    "null_median": "number",
    "null_low": "number",
    "null_high": "number",
    "detectable": "number",
}
# What all rows of a study together make of a p-value. `family` is primary or exploratory.
# `p_reachable` is the smallest corrected p-value that the design could have given.
JUDGED = {
    "family": "text",
    "p_holm": "number",
    "q_bh": "number",
    "p_reachable": "number",
    "verdict": "text",
}

# The gaps of one model. `groups` names the two groups as "a - b" (the order of a signed gap),
# "range over a, b, c" or "trend in age".
GAPS = Table(
    "gaps",
    {
        "architecture": "text",
        "train_split": "text",
        "attribute": "text",
        "groups": "text",
        "criterion": "text",
        "definition": "text",
        **INTERVAL,
        **CHANCE,
        "note": "text",
    },
    ("architecture", "train_split", "attribute", "groups", "criterion", "definition"),
)

# The gaps of a study, judged together.
FAIRNESS = Table("fairness", {**GAPS.columns, **JUDGED}, GAPS.key)

# What another training split changes for the same test subjects. `train_splits` names them as
# "a - b", `groups` one group, "all", or two as "a - b": how much more it changes for a than for b.
CHANGES = Table(
    "changes",
    {
        "architecture": "text",
        "attribute": "text",
        "train_splits": "text",
        "groups": "text",
        "metric": "text",
        **INTERVAL,
        **CHANCE,
        "note": "text",
    },
    ("architecture", "attribute", "train_splits", "groups", "metric"),
)

# The changes of a study, judged together.
EFFECTS = Table("effects", {**CHANGES.columns, **JUDGED}, CHANGES.key)

# Samples given and left out, by attribute, group and stage.
EXCLUSIONS = Table(
    "exclusions",
    {
        "attribute": "text",
        "group": "text",
        "reason": "text",
        "n_samples": "whole",
        "n_excluded": "whole",
        "share": "number",
    },
    ("attribute", "group", "reason"),
)

# What differs between the groups beside what is recorded of them. `measure` is one of
# evaluation.confounds; `train_split`, `groups` and `label` are `all` where a row is not of one.
# Of sizes that come from chance alone, `null_high` is the largest that is not unusual.
CONFOUNDS = Table(
    "confounds",
    {
        "attribute": "text",
        "measure": "text",
        "train_split": "text",
        "role": "text",
        "groups": "text",
        "label": "text",
        **INTERVAL,
        "p_value": "number",
        "null_high": "number",
        "warning": "text",
        "note": "text",
    },
    ("attribute", "measure", "train_split", "role", "groups", "label"),
)

GAP = {
    "architecture": "text",
    "train_split": "text",
    "attribute": "text",
    "groups": "text",
    "criterion": "text",
    "definition": "text",
}

# Where the variance of a gap comes from: `source` is subjects, folds, seeds, interaction or total,
# `levels` how many of it there are. `variance` is that of the gap as reported (the mean over
# seeds), `variance_one_seed` that of the gap of a study with a single seed.
VARIANCE = Table(
    "variance",
    {
        **GAP,
        "source": "text",
        "levels": "whole",
        "variance": "number",
        "share": "number",
        "variance_one_seed": "number",
        "share_one_seed": "number",
        "estimate": "number",
        "ci_low": "number",
        "ci_high": "number",
        "note": "text",
    },
    (*GAP, "source"),
)

# What a gap and its verdict would be with other test subjects, `n_drawn` of each group.
REDRAWS = Table(
    "redraws",
    {
        **GAP,
        "n_drawn": "whole",
        "n_subjects": "whole",
        "n_redraws": "whole",
        "estimate": "number",
        "low": "number",
        "median": "number",
        "high": "number",
        "share_sign_flipped": "number",
        "verdict": "text",
        "share_above": "number",
        "share_below": "number",
        "share_open": "number",
        "share_verdict_flipped": "number",
        "share_smallest": "number",
        "note": "text",
    },
    (*GAP, "n_drawn"),
)

# One row per explained sample of a model: row of the relevance array, what was explained, and how
# much of the explained output arrived at the pixels (missing where a method promises no sum).
EXPLANATIONS = Table(
    "explanations",
    {
        "method": "text",
        **MODEL,
        "row": "whole",
        "sample": "text",
        "subject": "text",
        "label": "text",
        "predicted": "text",
        "explained": "text",
        "score": "number",
        "output": "number",
        "relevance": "number",
        "conserved": "number",
    },
    ("method", *MODEL, "sample"),
)

# One row per sample and step of re-initialising a model from its top: how many of its layers are
# drawn anew, the last of them, and how alike the heatmap is to that of the trained model.
RANDOMISATION = Table(
    "randomisation",
    {
        "method": "text",
        **MODEL,
        "layers": "whole",
        "share": "number",
        "layer": "text",
        "sample": "text",
        "subject": "text",
        "rank_correlation": "number",
        "structural_similarity": "number",
    },
    ("method", *MODEL, "layers", "sample"),
)

# What a data set may ship beside its samples: 68 x (x, y) of one decoded frame, flattened, pixels.
LANDMARKS = Table(
    "landmarks",
    {"sample": "text", "frame": "whole", "landmarks": "numbers"},
    ("sample", "frame"),
)

# One row per explained sample and region of the face (``explanation.regions``); the measures are
# those of ``explanation.relevance``, `frames` one share per frame. `landmarks`: own or template.
# `boxes` of the Action Units in the middle frame, in shares of the crop's side, flattened.
RELEVANCE = Table(
    "relevance",
    {
        "method": "text",
        **MODEL,
        "sample": "text",
        "subject": "text",
        "region": "text",
        "landmarks": "text",
        "positive": "number",
        "absolute": "number",
        "signed": "number",
        "rank_accuracy": "number",
        "pointing": "number",
        "area": "number",
        "ratio": "number",
        "frames": "numbers",
        "boxes": "numbers",
    },
    ("method", *MODEL, "sample", "region"),
)

RELEVANCE_CELL = {
    "method": "text",
    "architecture": "text",
    "train_split": "text",
    "attribute": "text",
    "label": "text",
    "region": "text",
    "outcome": "text",
}

# Mean relevance of a group's samples; `label` is the explained one or `overall` (mean over labels).
# `outcome`: any, hit, miss, false alarm or correct rejection of the explained label. `positive` has
# an interval over subjects; the other means have none.
RELEVANCE_MEANS = Table(
    "relevance_means",
    {
        **RELEVANCE_CELL,
        "group": "text",
        "positive": "number",
        "ci_low": "number",
        "ci_high": "number",
        "absolute": "number",
        "signed": "number",
        "rank_accuracy": "number",
        "pointing": "number",
        "area": "number",
        "ratio": "number",
        "n_subjects": "whole",
        "n_samples": "whole",
    },
    (*RELEVANCE_CELL, "group"),
)

# Gaps in mean relevance between two groups, a - b, judged together. `measure` is positive, ratio or
# hit rate (of the explained samples with the label; region `none`).
RELEVANCE_GAPS = Table(
    "relevance_gaps",
    {
        **RELEVANCE_CELL,
        "groups": "text",
        "measure": "text",
        **INTERVAL,
        **CHANCE,
        "note": "text",
        **JUDGED,
    },
    (*RELEVANCE_CELL, "groups", "measure"),
)

# Whether cells (architectures x labels) with a larger gap in hit rates have a larger gap in
# relevance: rank correlation over `n_cells`.
RELEVANCE_JOINT = Table(
    "relevance_joint",
    {
        "method": "text",
        "train_split": "text",
        "attribute": "text",
        "groups": "text",
        "region": "text",
        "estimate": "number",
        "ci_low": "number",
        "ci_high": "number",
        "p_value": "number",
        "p_floor": "number",
        "null_low": "number",
        "null_high": "number",
        "n_cells": "whole",
        "n_subjects": "whole",
        "note": "text",
    },
    ("method", "train_split", "attribute", "groups", "region"),
)

_PANDAS = {"text": "object", "whole": "int64", "number": "float64", "truth": "bool"}
_TRUTH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def check(frame: pd.DataFrame, table: Table, *, source: str = "") -> pd.DataFrame:
    """Return ``frame`` in the table's column order and types, or raise ``TableError``."""
    where = source or table.name
    missing = [name for name in table.columns if name not in frame.columns]
    if missing:
        raise TableError(
            f"{where}: column {', '.join(missing)} is missing; "
            f"found {', '.join(map(str, frame.columns))}"
        )
    extra = [name for name in frame.columns if name not in table.columns]
    if extra and not table.open:
        raise TableError(
            f"{where}: unexpected column {', '.join(map(str, extra))}; "
            f"a {table.name} table has {', '.join(table.columns)}"
        )
    frame = frame[[*table.columns, *extra]].copy()
    for name, kind in table.columns.items():
        frame[name] = _cast(frame[name], kind, f"{where}: column {name}")
    for name in extra:
        if pd.api.types.is_string_dtype(frame[name]):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    repeated = frame.duplicated(list(table.key))
    if repeated.any():
        row = int(repeated.to_numpy().argmax())
        found = ", ".join(f"{name}={frame[name].iloc[row]}" for name in table.key)
        raise TableError(f"{where}: row {row + 2} repeats {found}; each may stand once")
    return frame


def _cast(column: pd.Series, kind: str, where: str) -> pd.Series:
    if kind == "numbers":
        return column
    try:
        if kind == "text":
            return column.astype(object).where(column.notna(), None)
        if kind == "truth" and not pd.api.types.is_bool_dtype(column):
            column = column.astype(str).str.strip().str.lower().map(_TRUTH)
            if column.isna().any():
                raise ValueError("expected true or false")
        return column.astype(_PANDAS[kind])
    except (ValueError, TypeError) as error:
        raise TableError(f"{where}: {error}; expected {kind}") from None


def write(frame: pd.DataFrame, path: Path | str, table: Table) -> None:
    """Check ``frame`` and write it to ``path`` (.csv or .parquet) in one step."""
    path = Path(path)
    frame = check(frame, table, source=str(path))
    with replacing(path) as temporary:
        if path.suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")


def read(path: Path | str, table: Table) -> pd.DataFrame:
    """Read ``path`` (.csv or .parquet) and check it."""
    path = Path(path)
    if path.suffix == ".parquet":
        return check(pd.read_parquet(path), table, source=str(path))
    text = [name for name, kind in table.columns.items() if kind in ("text", "truth")]
    try:
        # Only an empty cell is missing: a subject may be called NA, a label None.
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys([*text, "label"], object),
            keep_default_na=False,
            na_values=[""],
            encoding="utf-8-sig",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: not a readable CSV table: {error}") from None
    return check(frame, table, source=str(path))


def gather(paths: list[Path | str], table: Table) -> pd.DataFrame:
    """Read several files of one kind into one table, in the order given."""
    return check(pd.concat([read(path, table) for path in paths], ignore_index=True), table)


GATHERED = {
    table.name: table
    for table in (SPLITS, METRICS, CONFUSION, EXPLANATIONS, RANDOMISATION, VARIANCE, REDRAWS)
}


def main(arguments: list[str]) -> None:
    """Put several tables of one kind together."""
    parser = argparse.ArgumentParser(prog="facebias gather", description=main.__doc__)
    parser.add_argument("table", choices=GATHERED)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("inputs", type=Path, nargs="+")
    given = parser.parse_args(arguments)
    table = GATHERED[given.table]
    write(gather(given.inputs, table), given.out, table)

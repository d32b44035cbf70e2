"""Audit of any table of predictions, trained here or not: the same metrics and gaps."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import tables
from facebias.evaluation import attributes as recorded
from facebias.evaluation import cells, counts, groups, scores, verdicts
from facebias.evaluation.scores import Scores, nearest
from facebias.study import Evaluation, Labels, Primary, Question, StudyError, crossed

MODEL = {"architecture": "given", "train_split": "given"}
EMPTY = ("", "NA", "N/A", "NaN", "nan", "null", "None")


def read(path: Path, attributes: Sequence[str]) -> tuple[pd.DataFrame, Labels]:
    """Read a table of predictions and find out what it predicts.

    Parameters
    ----------
    path
        CSV or Parquet with ``sample, subject``, the attributes, ``score_<label>`` for every label
        and either ``label`` (classes) or ``label_<unit>`` (1, 0 or empty).
    attributes
        Columns whose groups are compared.

    Returns
    -------
    The checked table and the labels named by its score columns.

    Raises
    ------
    StudyError
        Naming the file, the row (counted as a spreadsheet does, the header is row 1) and the
        column, and what was expected.
    """
    frame = _load(path)
    columns = [
        name
        for attribute in attributes
        for name in ([attribute] if attribute in frame.columns else crossed(attribute))
    ]
    needed = ["sample", "subject", *dict.fromkeys(columns)]
    for name in needed:
        if name not in frame.columns:
            raise StudyError(
                f"{path}: no column {name}{nearest(name, frame.columns)} "
                f"(found {', '.join(map(str, frame.columns))})"
            )
    names = tuple(
        name.removeprefix("score_") for name in frame.columns if name.startswith("score_")
    )
    if not names:
        raise StudyError(
            f"{path}: no column score_<label>; expected one column of probabilities per label, "
            f"found {', '.join(map(str, frame.columns))}"
        )
    kind = _kind(frame, names, path)
    truth = ["label"] if kind == "classes" else [f"label_{name}" for name in names]
    for name in ("sample", "subject", *(["label"] if kind == "classes" else [])):
        _refuse(frame[name].isna(), frame, path, name, "every row needs one")
        frame[name] = frame[name].map(str)
    _refuse(
        frame["sample"].duplicated(), frame, path, "sample", "already given above; each stands once"
    )
    for name in (f"score_{name}" for name in names):
        frame[name] = _numbers(frame, name, path)
        inside = frame[name].between(0, 1)
        _refuse(~inside, frame, path, name, "expected a probability from 0 to 1")
    if kind == "classes":
        _check_labels(frame, names, path)
    else:
        for name in truth:
            frame[name] = _numbers(frame, name, path)
            allowed = frame[name].isin([0, 1]) | frame[name].isna()
            _refuse(~allowed, frame, path, name, "expected 1, 0 or nothing")
    labels = Labels(kind=kind, names=names, fuse={}, subsample_fused=False, seed=0)
    return frame[[*needed, *truth, *(f"score_{name}" for name in names)]], labels


def audit(
    frame: pd.DataFrame, labels: Labels, *, evaluation: Evaluation
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute metrics (all, and each group as a test split ``gender=female``) and gaps.

    Parameters
    ----------
    frame, labels
        From ``read``.
    evaluation
        Attributes whose groups are compared, and how.

    Returns
    -------
    A ``tables.METRICS`` and a ``tables.FAIRNESS`` table with architecture and train split
    ``given``.
    """
    scored = scores.assemble(frame.assign(seed=0), labels, source="predictions")
    counted = counts.count(scored)
    measured = [_measure(scored, "all", evaluation)]
    compared = []
    for attribute in evaluation.attributes:
        found = recorded.grouping(frame, attribute, bins=evaluation.bins)
        measured += [
            _measure(
                scored.where(np.isin(scored.subject, members)), f"{attribute}={name}", evaluation
            )
            for name, members in found.members.items()
        ]
        compared.append(groups.fairness(counted, found, MODEL, evaluation=evaluation))
    gaps = pd.concat(compared, ignore_index=True)
    first = Question(
        attribute=evaluation.attributes[0],
        train_split=MODEL["train_split"],
        train_splits=(MODEL["train_split"],),
    )
    declared = verdicts.primary(gaps, evaluation.primary, [first])
    fairness = verdicts.judge(gaps, declared, evaluation)
    return pd.concat(measured, ignore_index=True), tables.check(fairness, tables.FAIRNESS)


def summary(fairness: pd.DataFrame, *, evaluation: Evaluation) -> str:
    """Say in plain words the verdict on every attribute and the largest gaps behind it."""
    level = 1 - evaluation.confidence
    lines = []
    for attribute, rows in fairness.groupby("attribute", sort=False):
        lines.append(f"{attribute}:")
        declared = rows[rows["family"] == verdicts.PRIMARY]
        for _, row in declared.iterrows():
            if row["verdict"] == verdicts.MISSING:
                lines.append(f"  {row['verdict']}: {row['note']}")
                continue
            lines.append(f"  {row['verdict']}: {_sentence(row, evaluation.confidence)}")
            if row["p_reachable"] > level:
                lines.append(
                    f"    with so few subjects no p-value below {row['p_reachable']:.3g} can be "
                    "reached: this test can find nothing"
                )
            elif np.isfinite(row["detectable"]) and row["verdict"] == verdicts.UNCLEAR:
                lines.append(
                    f"    found in 80 of 100 such studies would be a gap of {row['detectable']:.2f}"
                )
        for definition, words in (
            ("signed", "largest signed gap (mean over labels)"),
            ("per_class_mean", "largest absolute gap (mean over labels)"),
            ("worst_class", "largest gap of a single label"),
        ):
            estimable = rows[(rows["definition"] == definition) & rows["estimate"].notna()]
            if not estimable.empty:
                row = estimable.loc[estimable["estimate"].abs().idxmax()]
                lines.append(f"  {words}: {_sentence(row, evaluation.confidence)}")
        notes = dict.fromkeys(part for note in rows["note"].dropna() for part in note.split("; "))
        lines += [f"  note: {note}" for note in notes if "by construction" not in note]
    lines += [
        f'Rules: "{verdicts.FOUND}" where the p-value, corrected for the number of gaps, is at '
        f'most {level:.3g}; "{verdicts.no_larger(evaluation.margin)}" where the whole interval '
        f"lies within that, unless all subjects were alike or too few for any gap to be found; "
        f'else "{verdicts.UNCLEAR}".',
        "An interval that includes 0 is no evidence that there is no bias: with few people only "
        "large gaps can be seen.",
        "Absolute and single-label gaps lie above 0 even where there is no bias; null_median, "
        "null_low and null_high in fairness.csv say by how much.",
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Audit a table of predictions: write metrics.csv and fairness.csv and say what was found."""
    parser = argparse.ArgumentParser(prog="facebias evaluate", description=main.__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="CSV or Parquet")
    parser.add_argument(
        "--attribute",
        action="append",
        required=True,
        help="may be repeated; the first is the primary one; 'gender x skin' crosses two",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument(
        "--bins", action="append", default=[], metavar="AGE=0,30,50,100", help="may be repeated"
    )
    parser.add_argument("--margin", type=float, default=0.1, help='for "no gap larger than"')
    parser.add_argument("--interval", choices=("expanded", "bca"), default="expanded")
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--permutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--min-subjects", type=int, default=3)
    given = parser.parse_args(arguments)
    _check(given)
    attributes = tuple(dict.fromkeys(given.attribute))
    evaluation = Evaluation(
        attributes=attributes,
        bins=dict(map(_bins, given.bins)),
        min_subjects=given.min_subjects,
        primary=Primary(
            criterion="equalized_odds",
            definition="per_class_mean",
            attribute=None,
            train_split=None,
        ),
        margin=given.margin,
        confidence=given.confidence,
        interval=given.interval,
        resamples=given.resamples,
        permutations=given.permutations,
        seed=given.seed,
    )
    frame, labels = read(given.predictions, attributes)
    metrics, fairness = audit(frame, labels, evaluation=evaluation)
    tables.write(metrics, given.out / "metrics.csv", tables.METRICS)
    tables.write(fairness, given.out / "fairness.csv", tables.FAIRNESS)
    people, samples = frame["subject"].nunique(), len(frame)
    print(f"{samples} samples of {people} subjects; labels: {', '.join(labels.names)}")
    print(summary(fairness, evaluation=evaluation))


def _bins(text: str) -> tuple[str, tuple[float, ...]]:
    """Read ``age=0,30,50``."""
    name, _, edges = text.partition("=")
    try:
        numbers = tuple(float(edge) for edge in edges.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) < 3 or list(numbers) != sorted(set(numbers)):
        raise StudyError(f"--bins {text}: expected rising edges such as {name or 'age'}=0,30,50")
    return name, numbers


def _check(given: argparse.Namespace) -> None:
    for option, value, fits, expected in (
        ("--resamples", given.resamples, given.resamples >= 100, "100 or more"),
        ("--confidence", given.confidence, 0 < given.confidence < 1, "between 0 and 1"),
        ("--min-subjects", given.min_subjects, given.min_subjects >= 2, "2 or more"),
        ("--margin", given.margin, given.margin > 0, "more than 0"),
        ("--permutations", given.permutations, given.permutations >= 999, "999 or more"),
        ("--seed", given.seed, given.seed >= 0, "0 or more"),
    ):
        if not fits:
            raise StudyError(f"{option} is {value}; expected {expected}")


def _load(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise StudyError(f"{path}: no such file")
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise StudyError(f"{path}: not a readable CSV or Parquet table: {error}") from None
    if frame.empty:
        raise StudyError(f"{path}: the table has no rows")
    frame = frame.astype(object)
    return frame.where(frame.notna() & ~frame.isin(EMPTY), None)


def _kind(frame: pd.DataFrame, names: tuple[str, ...], path: Path) -> str:
    units = [name for name in names if f"label_{name}" in frame.columns]
    if units and "label" in frame.columns:
        raise StudyError(
            f"{path}: both label and label_{units[0]} are given; keep label for exclusive classes "
            "or label_<unit> for labels that may occur together"
        )
    if units:
        missing = [name for name in names if name not in units]
        if missing:
            raise StudyError(
                f"{path}: score_{missing[0]} has no column label_{missing[0]}; each needs one"
            )
        return "units"
    if "label" not in frame.columns:
        raise StudyError(
            f"{path}: no column label{nearest('label', frame.columns)}; expected label (classes) "
            f"or label_{names[0]} and so on (labels that may occur together)"
        )
    return "classes"


def _check_labels(frame: pd.DataFrame, names: tuple[str, ...], path: Path) -> None:
    unknown = ~frame["label"].isin(names)
    if unknown.any():
        label = frame.loc[unknown, "label"].iloc[0]
        message = f"there is no column score_{label}{nearest(label, names)}"
        _refuse(unknown, frame, path, "label", message)


def _numbers(frame: pd.DataFrame, name: str, path: Path) -> pd.Series:
    numbers = pd.to_numeric(frame[name], errors="coerce").astype(float)
    _refuse(numbers.isna() & frame[name].notna(), frame, path, name, "expected a number")
    return numbers


def _refuse(wrong: pd.Series, frame: pd.DataFrame, path: Path, column: str, expected: str) -> None:
    """Raise with the first wrong row, as a spreadsheet counts it: the header is row 1."""
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        found = frame[column].iloc[place]
        words = "empty" if pd.isna(found) else found
        raise StudyError(f"{path}: row {place + 2}: {column} is {words}; {expected}")


def _measure(scored: Scores, test_split: str, evaluation: Evaluation) -> pd.DataFrame:
    return cells.metrics(scored, {**MODEL, "test_split": test_split}, evaluation=evaluation)


def _sentence(row: pd.Series, confidence: float) -> str:
    criterion = row["criterion"].replace("_", " ")
    if np.isnan(row["ci_low"]):
        sure = "no interval"
    else:
        sure = f"{100 * confidence:g} % interval {row['ci_low']:+.3f} to {row['ci_high']:+.3f}"
    if np.isfinite(row["p_value"]):
        sure += f", p = {row['p_value']:.3g}"
    return (
        f"{criterion}, {row['groups']}: {row['estimate']:+.3f}, {sure}, "
        f"{row['n_subjects']} subjects, {row['n_samples']} samples"
    )

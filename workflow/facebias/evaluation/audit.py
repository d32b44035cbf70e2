"""Audit of any table of predictions, trained here or not: the same metrics and gaps."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.evaluation import attributes as recorded
from facebias.evaluation import (
    baselines,
    cells,
    counts,
    direction,
    groups,
    judgement,
    prediction_table,
    scores,
)
from facebias.evaluation.scores import Scores, nearest
from facebias.evaluation.trends import TREND
from facebias.study import (
    Evaluation,
    Labels,
    Primary,
    Question,
    StudyError,
    crossed,
    fewest_resamples,
)
from facebias.tables import verdicts

MODEL = {"architecture": "given", "train_split": "given"}
GIVEN = (MODEL["architecture"], MODEL["train_split"])
EQUAL_PEOPLE = (
    "Every person weighs the same, however many samples there are of each. Numbers of samples are "
    "those counted."
)
# Of each attribute the largest gap in these definitions is printed.
LARGEST = {
    "signed": "largest signed gap (mean over labels)",
    "per_class_mean": "largest absolute gap (mean over labels)",
    "worst_class": "largest gap of a single label",
    TREND: "steepest trend",
}


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
    ``given``. The gap of ``evaluation.primary`` between the groups of each attribute is declared;
    these are corrected together.
    """
    scored = scores.assemble(frame.assign(seed=0), labels, source="predictions")
    counted = counts.count(scored, ranked=True, weights=evaluation.weights)
    measured = [_measure(scored, "all", evaluation)]
    parts = []
    for attribute in evaluation.attributes:
        found = recorded.grouping(frame, attribute, bins=evaluation.bins)
        measured += [
            _measure(
                scored.where(np.isin(scored.subject, members)), f"{attribute}={name}", evaluation
            )
            for name, members in found.members.items()
        ]
        parts.append(
            groups.fairness(
                counted, found, MODEL, evaluation=evaluation, tests=len(evaluation.attributes)
            )
        )
    train = MODEL["train_split"]
    asked = [
        Question(attribute=name, train_split=train, train_splits=(train,))
        for name in evaluation.attributes
    ]
    together = pd.concat(parts, ignore_index=True)
    declared = judgement.primary(together, evaluation.primary, asked)
    guessing = {} if baselines.beaten(measured[0]) else {GIVEN: baselines.in_words(measured[0])}
    fairness = judgement.judge(together, declared, evaluation, guessing)
    return pd.concat(measured, ignore_index=True), tables.check(fairness, tables.FAIRNESS)


def summary(metrics: pd.DataFrame, fairness: pd.DataFrame, *, evaluation: Evaluation) -> str:
    """Say in plain words the verdict on every attribute and the largest gaps behind it.

    ``metrics`` and ``fairness`` are those of ``audit``. Of many gaps the largest is large by chance
    too: its p-value is the one corrected for their number.
    """
    level = 1 - evaluation.confidence
    cells_by_name = dict(list(metrics.groupby("test_split", sort=False)))
    everybody = cells_by_name["all"]
    lines = [EQUAL_PEOPLE] if evaluation.weights == counts.SUBJECTS else []
    lines.append(_reached("all", everybody))
    if not baselines.beaten(everybody):
        lines.append(
            f"The model is not surely better than one that looks at nothing: it "
            f"{_is(baselines.in_words(everybody))}. That gaps of such a model are small says "
            "nothing about how it treats groups."
        )
    for attribute, rows in fairness.groupby("attribute", sort=False):
        lines.append(f"{attribute}:")
        lines += [
            f"  {_reached(name.removeprefix(f'{attribute}='), cell)}"
            for name, cell in cells_by_name.items()
            if name.startswith(f"{attribute}=")
        ]
        declared = rows[rows["family"] == verdicts.PRIMARY]
        for _, row in declared.iterrows():
            if row["verdict"] == verdicts.MISSING:
                lines.append(f"  {row['verdict']}: {row['note']}")
                continue
            lines.append(f"  {_sentence(row, evaluation.confidence)}")
            lines += _rates(metrics, row)
            if row["p_reachable"] > level:
                lines.append(
                    f"    with so few subjects no p-value below {row['p_reachable']:.3g} can be "
                    "reached: this test can find nothing"
                )
            elif np.isfinite(row["detectable"]) and row["verdict"] == verdicts.UNCLEAR:
                lines.append(
                    f"    a gap of {row['detectable']:.2f} would be found in about 80 of 100 such "
                    "studies, after correction"
                )
        for definition, words in LARGEST.items():
            estimable = rows[(rows["definition"] == definition) & rows["estimate"].notna()]
            if not estimable.empty:
                row = estimable.loc[estimable["estimate"].abs().idxmax()]
                lines.append(f"  {words}: {_sentence(row, evaluation.confidence)}")
                if definition != TREND:
                    lines += _rates(metrics, row)
        notes = dict.fromkeys(part for note in rows["note"].dropna() for part in note.split("; "))
        lines += [f"  note: {note}" for note in notes if "by construction" not in note]
    lines += [
        f'Rules: "{verdicts.FOUND}" where the p-value, corrected for the number of gaps, is at '
        f'most {level:.3g}; "{verdicts.no_larger(evaluation.margin)}" where the whole interval '
        f"lies within that, unless all subjects were alike or too few for any gap to be found, or "
        "the model is not surely better than one that looks at nothing; else "
        f'"{verdicts.UNCLEAR}".',
        f'"{verdicts.FOUND}" is corrected for the number of gaps, '
        f'"{verdicts.no_larger(evaluation.margin)}" is not: each such claim holds at its level by '
        "itself. Nor are intervals, which come from another method than p-values: of signed gaps, "
        "the two disagree in about 3 to 5 of 100.",
        "An interval that includes 0 is no evidence that there is no bias: with few people only "
        "large gaps can be seen.",
        "Absolute and single-label gaps lie above 0 even where there is no bias; null_median, "
        "null_low and null_high in fairness.csv say by how much.",
    ]
    return "\n".join(lines)


def _reached(name: str, cell: pd.DataFrame) -> str:
    """Say how well a model does on a group, beside what one reaches that looks at nothing."""
    rows = cell[cell["label"] == tables.OVERALL].set_index("metric")
    nothing = baselines.reached(cell)
    answer = baselines.majority(cell)
    always = "the commoner answer to each" if answer is None else answer.label
    words = {"accuracy": f"always saying {always}"}
    said = []
    for metric in ("accuracy", *baselines.DECIDING):
        if metric in nothing:
            beside = f"{words.get(metric, 'guessing')}: {nothing[metric]:.3f}"
            said.append(f"{printed(metric)} {rows.loc[metric, 'value']:.3f} ({beside})")
    return f"{name}: {'; '.join(said)}"


def _is(words: str) -> str:
    return f"is {words}" if words == baselines.GUESSES else words


def _rates(metrics: pd.DataFrame, row: pd.Series) -> list[str]:
    """Say the rates behind a gap, and with them which group is ahead."""
    attribute = row["attribute"]
    mine = metrics["test_split"].str.startswith(f"{attribute}=")
    group = metrics.loc[mine, "test_split"].str.removeprefix(f"{attribute}=")
    found = direction.rates(metrics[mine].assign(group=group), row)
    return [f"    {found}"] if found else []


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
    parser.add_argument(
        "--weights",
        choices=("samples", "subjects"),
        default="samples",
        help="what weighs the same: every sample, or every person",
    )
    parser.add_argument("--margin", type=float, default=0.1, help='for "no gap larger than"')
    parser.add_argument("--interval", choices=("expanded", "bca"), default="expanded")
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--permutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--min-subjects", type=int, default=3, help="that a group needs")
    parser.add_argument(
        "--min-subjects-per-label", type=int, default=3, help="of each group who show it"
    )
    asked = parser.parse_args(arguments)
    _check(asked)
    attributes = tuple(dict.fromkeys(asked.attribute))
    evaluation = Evaluation(
        attributes=attributes,
        bins=dict(map(_bins, asked.bins)),
        min_subjects=asked.min_subjects,
        min_subjects_per_label=asked.min_subjects_per_label,
        weights=asked.weights,
        primary=Primary(
            criterion="equalized_odds",
            definition="per_class_mean",
            attribute=None,
            train_split=None,
        ),
        margin=asked.margin,
        margins={},
        confidence=asked.confidence,
        interval=asked.interval,
        resamples=asked.resamples,
        permutations=asked.permutations,
        seed=asked.seed,
    )
    frame, labels = prediction_table.read(asked.predictions, attributes)
    metrics, fairness = audit(frame, labels, evaluation=evaluation)
    tables.write(metrics, asked.out / "metrics.csv", tables.METRICS)
    tables.write(fairness, asked.out / "fairness.csv", tables.FAIRNESS)
    people, samples = frame["subject"].nunique(), len(frame)
    print(f"{samples} samples of {people} subjects; labels: {', '.join(labels.names)}")
    for name in frame.columns.intersection(attributes):
        for word in sorted({*frame[name].dropna()} & set(prediction_table.EMPTY)):
            print(f"{name}: {word!r} is taken for a group; leave a cell empty that says nothing")
    print(summary(metrics, fairness, evaluation=evaluation))
    print(f"Written: {asked.out / 'metrics.csv'}, {asked.out / 'fairness.csv'}")


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


def _check(asked: argparse.Namespace) -> None:
    inside = 0 < asked.confidence < 1
    needed = fewest_resamples(asked.confidence) if inside else 100
    for option, value, fits, expected in (
        ("--confidence", asked.confidence, inside, "between 0 and 1"),
        (
            "--resamples",
            asked.resamples,
            asked.resamples >= max(100, needed),
            f"{max(100, needed)} or more with --confidence {asked.confidence:g}",
        ),
        ("--min-subjects", asked.min_subjects, asked.min_subjects >= 2, "2 or more"),
        (
            "--min-subjects-per-label",
            asked.min_subjects_per_label,
            asked.min_subjects_per_label >= 2,
            "2 or more",
        ),
        ("--margin", asked.margin, asked.margin > 0, "more than 0"),
        ("--permutations", asked.permutations, asked.permutations >= 999, "999 or more"),
        ("--seed", asked.seed, asked.seed >= 0, "0 or more"),
    ):
        if not fits:
            raise StudyError(f"{option} is {value}; expected {expected}")
    parts = [part for name in asked.attribute for part in (name, *crossed(name))]
    for name, _ in map(_bins, asked.bins):
        if name not in parts:
            raise StudyError(
                f"--bins {name}: no such --attribute{nearest(name, parts)}; given: "
                f"{', '.join(asked.attribute)}"
            )


def _measure(scored: Scores, test_split: str, evaluation: Evaluation) -> pd.DataFrame:
    return cells.metrics(scored, {**MODEL, "test_split": test_split}, evaluation=evaluation)


def _sentence(row: pd.Series, confidence: float) -> str:
    criterion = row["criterion"].replace("_", " ")
    # A size has no direction.
    form = "+.3f" if row["definition"] in ("signed", TREND) else ".3f"
    if np.isnan(row["ci_low"]):
        sure = "no interval"
    else:
        sure = f"{100 * confidence:g} % interval {row['ci_low']:{form}} to {row['ci_high']:{form}}"
    (p_value,) = verdicts.corrected_p(row.to_frame().T)
    if np.isfinite(p_value):
        sure += f", corrected p = {p_value:.3g}"
    groups = direction.in_words(row)
    return (
        f"{row['verdict']}: {criterion}, {groups}: {row['estimate']:{form}}, {sure}, "
        f"{row['n_subjects']} subjects, {row['n_samples']} samples"
    )

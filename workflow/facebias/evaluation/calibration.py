"""Calibration: do p-values and intervals keep what they promise, and what gaps are found.

``python -m facebias calibrate`` simulates studies without any bias and with planted gaps, runs the
package's own test and intervals on each, and a bootstrap of rows beside them on the same data. In
hard designs (``levels``) whole studies are judged.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facebias.core.progress import track
from facebias.core.replacement import replacing
from facebias.evaluation import (
    counts,
    fairness_criteria,
    gaps,
    levels,
    permutation,
    rates,
    resampling,
    simulation,
)
from facebias.evaluation.counts import Counts
from facebias.evaluation.designs import Design
from facebias.evaluation.simulation import Population
from facebias.study import StudyError

CRITERION, DEFINITION = "equalized_odds", "per_class_mean"
LEVEL = 0.05
# Enough for a level of 0.05, and the same test as with more.
MOST_ENUMERATED, DRAWS = 2_000, 999
# fairlearn needs a minute for 1,000 resamples of one small study.
FAIRLEARN_RESAMPLES = 200
SIDES = ("subjects", "bca", "rows")


# Without bias, but the groups differ in size, in samples or in spread: who asks only whether
# groups may be exchanged finds that they may not.
UNEVEN = (
    Design(
        name="10 of 1 sample per label, 30 of 4 to 6",
        sizes=(10, 30),
        populations=(Population(samples=(1, 1)), Population(samples=(4, 6))),
    ),
    Design(
        name="6 who differ much, 18 who differ little",
        sizes=(6, 18),
        populations=(Population(correlation=0.5), Population(correlation=0.05)),
    ),
    Design(
        name="18 who differ much, 6 who differ little",
        sizes=(18, 6),
        populations=(Population(correlation=0.5), Population(correlation=0.05)),
    ),
)


def study(
    design: Design, number: int, *, seed: int, resamples: int
) -> tuple[dict[str, float], list[Counts]]:
    """Simulate one study and judge it.

    Returns
    -------
    ``p_studentised`` and ``p_plain``: p-values of the primary gap in units of its standard error
    (the package's) and from plain gaps. ``SIDE_low`` and ``SIDE_high``: 95 % intervals of the
    signed gap of true positive rates, by subjects (the package's), by subjects with BCa, and by
    rows. ``size_low`` and ``size_high``: the package's interval of the primary gap. And the counts.
    """
    random = np.random.default_rng([seed, number])
    parts = simulation.draw(design.populations, design.sizes, random, lower=(0.0, design.gap))
    table = np.concatenate([part.table for part in parts])
    permuted = permutation.assignments(
        [part.subjects for part in parts], draws=DRAWS, seed=number, most=MOST_ENUMERATED
    )
    asked = {CRITERION: fairness_criteria.OF_CLASSES[CRITERION]}
    values, errors = gaps.by_chance(permuted, table, criteria=asked)[CRITERION, DEFINITION]
    found = {
        f"p_{name}": permutation.compare(values, scale, permuted, signed=False).p_value
        for name, scale in (("studentised", errors), ("plain", np.ones_like(errors)))
    }
    signed, size = _resampled(parts, resamples=resamples, seed=number)
    without = [_gaps(each) for each in counts.without_one(parts)]
    level: dict[str, Any] = {"confidence": 1 - LEVEL, "subjects": min(design.sizes)}
    intervals = {
        "subjects": resampling.interval(signed, **level),
        "bca": resampling.interval(signed, **level, left_out=[part[0][1:] for part in without]),
        "rows": rows_interval(parts, random, resamples=resamples),
        "size": resampling.of_size(
            size,
            resampling.interval(size, **level),
            excess=gaps.excess(permuted.own, table, criteria=asked)[CRITERION, DEFINITION],
            p_value=found["p_studentised"],
            **level,
        ),
    }
    for name, (low, high) in intervals.items():
        found |= {f"{name}_low": low, f"{name}_high": high}
    return found, parts


def _gaps(tables_of: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    found = gaps.between(tables_of)
    return found["equal_opportunity", "signed"], found[CRITERION, DEFINITION]


def subjects_interval(parts: Sequence[Counts], *, resamples: int, seed: int) -> tuple[float, float]:
    """Interval of the signed gap as the package gives it."""
    signed, _ = _resampled(parts, resamples=resamples, seed=seed)
    smallest = min(len(part.subjects) for part in parts)
    return resampling.interval(signed, confidence=1 - LEVEL, subjects=smallest)


def _resampled(
    parts: Sequence[Counts], *, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    drawn = [resampling.weights(part.subjects, resamples=resamples, seed=seed) for part in parts]
    return _gaps(
        [
            resampling.weighted(weights, part.table)
            for weights, part in zip(drawn, parts, strict=True)
        ]
    )


def rows_interval(
    parts: Sequence[Counts], random: np.random.Generator, *, resamples: int
) -> tuple[float, float]:
    """Interval of the signed gap from drawing samples as if each were a person of its own.

    All samples of the study are drawn with replacement, as ``fairlearn.metrics.MetricFrame`` does
    with ``n_boot``. Samples with the same group, true and predicted label are alike, so their
    numbers are drawn at once, which is the same and a hundred times faster.
    """
    cells = np.stack([part.confusion.sum(axis=0) for part in parts if part.confusion is not None])
    n = int(cells.sum())
    drawn = random.multinomial(n, (cells / n).ravel(), size=resamples)
    drawn = drawn.reshape(resamples, *cells.shape)
    right = np.diagonal(drawn, axis1=2, axis2=3)
    means = rates.divide(right, drawn.sum(axis=3)).mean(axis=2)
    low, high = np.nanquantile(means[:, 0] - means[:, 1], [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def fairlearn_interval(
    parts: Sequence[Counts], *, resamples: int, seed: int
) -> tuple[float, float]:
    """Interval of the signed gap by fairlearn itself: ``MetricFrame(..., n_boot=...)``."""
    from fairlearn.metrics import MetricFrame  # only here: nothing else needs it

    cells = np.stack([part.confusion.sum(axis=0) for part in parts if part.confusion is not None])
    group, truth, said = np.repeat(
        np.indices(cells.shape).reshape(3, -1), cells.ravel().astype(int), axis=1
    )

    def gap(y_true: np.ndarray, y_pred: np.ndarray, group: np.ndarray) -> float:
        right = np.asarray(y_true) == np.asarray(y_pred)
        means = [
            np.mean([right[(group == g) & (y_true == label)].mean() for label in np.unique(truth)])
            for g in (0, 1)
        ]
        return float(means[0] - means[1])

    frame = MetricFrame(
        metrics=gap,
        y_true=truth,
        y_pred=said,
        sensitive_features=np.zeros(len(truth)),  # the metric compares the groups itself
        sample_params={"group": group},
        n_boot=resamples,
        ci_quantiles=[LEVEL / 2, 1 - LEVEL / 2],
        random_state=seed,
    )
    low, high = frame.overall_ci
    return float(low), float(high)


# ------------------------------------------------------------------------------------- the tables


def measure(
    designs: Sequence[Design], *, studies: int, seed: int, resamples: int, fairlearn: int
) -> pd.DataFrame:
    """Simulate ``studies`` of every design: a row per design.

    Columns: false alarms or power (``p_studentised``, ``p_plain``: share of p-values of at most
    0.05), ``SIDE_holds`` (share of intervals that hold the true gap), ``SIDE_width``, and the
    largest difference of an end between fairlearn's own interval and ``rows`` over the first
    ``fairlearn`` studies.
    """
    rows = []
    jobs = [(design, number) for design in designs for number in range(studies)]
    found: dict[str, list[dict[str, float]]] = {design.name: [] for design in designs}
    for design, number in track(jobs, total=len(jobs), what="calibrate", unit="studies"):
        one, parts = study(design, number, seed=seed, resamples=resamples)
        if number < fairlearn:
            low, high = fairlearn_interval(parts, resamples=FAIRLEARN_RESAMPLES, seed=number)
            one |= {"fairlearn_low": low, "fairlearn_high": high}
        found[design.name].append(one)
    for design in designs:
        frame = pd.DataFrame(found[design.name])
        true = {**dict.fromkeys((*SIDES, "fairlearn"), design.gap), "size": _true_size(design)}
        row: dict[str, object] = {"design": design.name, "gap": design.gap, "studies": studies}
        for name in ("p_studentised", "p_plain"):
            row[name] = (frame[name] <= LEVEL + permutation.TOLERANCE).mean()
        for name, value in true.items():
            if f"{name}_low" in frame:
                ends = frame[[f"{name}_low", f"{name}_high"]].dropna().to_numpy()
                row[f"{name}_holds"] = ((ends[:, 0] <= value) & (value <= ends[:, 1])).mean()
                row[f"{name}_width"] = (ends[:, 1] - ends[:, 0]).mean()
        if "fairlearn_low" in frame:
            row["rows_same_width"] = (frame["rows_high"] - frame["rows_low"])[:fairlearn].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def _true_size(design: Design) -> float:
    """Return the true primary gap: wrong decisions fall on the other labels alike."""
    assert isinstance(design.gap, float)  # of designs with one gap for all labels
    others = design.populations[0].labels - 1
    return design.gap + design.gap / others


PAGE = """# Calibration

How often the package raises a false alarm, how often its intervals hold the truth and what gaps it
finds, in simulated studies whose truth is known. This page is written by

    {command}

Subjects show 4 labels in 2 or 3 videos each and are read correctly in 70 % of them on average; two
videos of one subject and label have a correlation of {correlation:g} (beta-binomial), and a
subject's labels are correlated too. {studies:,} studies per row, so a rate of 0.05 is known to
+- {error:.3f} (two standard errors).

## False alarms

Share of studies without any bias in which the primary test (equalized odds, mean of absolute gaps
per label; permutation of the group labels over subjects) gives p <= 0.05. The package compares gaps
in units of their standard errors ("studentised"); plain gaps are shown beside it. All {few} + {few}
assignments are listed, of larger designs {draws} are drawn.

{alarms}

With groups alike both hold the level. Where groups differ in size together with samples or spread,
plain gaps can be wrong five times as often as they say: that is why the package does not use them.
A group of 6 whose members differ much more than those of a larger group remains hard for any test.

## Intervals

Share of 95 % intervals of the signed gap of true positive rates (mean over labels) that hold the
true gap, and their mean width, from {resamples:,} resamples. "Subjects": the package's default
(`interval: expanded`). "BCa": `interval: bca`. "Rows": every video drawn as if it were a person of
its own, as fairlearn's `MetricFrame(n_boot=...)` does. "Size of gap": the interval of the primary
gap, which cannot be negative; it begins at 0 unless the test gives p <= 0.05, and its lower end is
corrected for bias.

{intervals}

{fairlearn}

## Power

Share of studies in which the primary test finds a gap planted in the true positive rates of every
label (p <= 0.05, one test).

{power}

{hard}"""


def page(measured: pd.DataFrame, hard: pd.DataFrame, *, command: str, resamples: int) -> str:
    """Write the results of ``measure`` and of ``levels.measure`` as Markdown."""
    even = measured[~measured["design"].isin([design.name for design in UNEVEN])]
    null = measured[measured["gap"] == 0]
    alarms = null[["design", "p_studentised", "p_plain"]].set_axis(
        ["subjects", "studentised", "plain"], axis=1
    )
    names = {name: f"{name}_holds" for name in (*SIDES, "size")}
    intervals = even[["design", "gap", *names.values(), *(f"{name}_width" for name in SIDES)]]
    shares = ["study", "true gap", "subjects", "BCa", "rows", "size of gap"]
    widths = ["width, subjects", "width, BCa", "width, rows"]
    intervals = intervals.set_axis([*shares, *widths], axis=1)
    planted = even[even["gap"] > 0].assign(
        subjects=lambda rows: rows["design"].str.partition(",")[0]
    )
    power = planted.pivot(index="subjects", columns="gap", values="p_studentised")
    power = power.loc[planted["subjects"].unique()].reset_index()
    power.columns = ["subjects", *(f"gap {gap:g}" for gap in power.columns[1:])]
    said = ""
    if "fairlearn_width" in measured:
        some = measured.dropna(subset="fairlearn_width")
        said = (
            "fairlearn itself on the first studies of the designs without bias gives intervals of "
            f'mean width {some["fairlearn_width"].mean():.3f}; "rows" has '
            f"{some['rows_same_width'].mean():.3f} on the same studies."
        )
    studies = int(measured["studies"].iloc[0])
    return PAGE.format(
        command=command,
        correlation=Population().correlation,
        studies=studies,
        error=2 * np.sqrt(0.05 * 0.95 / studies),
        few=5,
        draws=DRAWS,
        resamples=resamples,
        alarms=_markdown(alarms),
        intervals=_markdown(intervals),
        fairlearn=said,
        power=_markdown(power),
        hard=levels.section(hard),
    )


def _markdown(frame: pd.DataFrame) -> str:
    lines = [list(map(str, frame.columns)), ["---"] * frame.shape[1]]
    lines += [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row]
        for row in frame.itertuples(index=False)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str]) -> None:
    """Measure false alarms, coverage and power on simulated studies and write a page about it."""
    parser = argparse.ArgumentParser(prog="facebias calibrate", description=main.__doc__)
    parser.add_argument("--studies", type=int, default=1000, help="simulated studies per design")
    parser.add_argument(
        "--subjects", type=int, nargs="+", default=[5, 10, 25], help="per group, of two groups"
    )
    parser.add_argument("--gaps", type=float, nargs="+", default=[0.1, 0.2, 0.3], help="planted")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument(
        "--hard", type=int, default=300, help="studies per hard design, each judged as a whole"
    )
    parser.add_argument(
        "--fairlearn", type=int, default=5, help="studies also given to fairlearn, which is slow"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="Markdown; else it is printed")
    given = parser.parse_args(arguments)
    for option, value, least in (
        ("--studies", given.studies, 10),
        ("--subjects", min(given.subjects), 3),
        ("--resamples", given.resamples, 100),
        ("--hard", given.hard, 2),
    ):
        if value < least:
            raise StudyError(f"{option} is {value}; expected at least {least}")
    most = Population().rate
    for gap in given.gaps:
        if not 0 < gap < most:
            raise StudyError(f"--gaps: found {gap:g}; expected more than 0, under {most:.2f}")
    sizes = [(n, n) for n in dict.fromkeys(given.subjects)]
    null = [Design(name=f"{n} + {m}", sizes=(n, m)) for n, m in sizes]
    planted = [
        Design(name=f"{n} + {m}, gap {gap:g}", sizes=(n, m), gap=gap)
        for n, m in sizes
        for gap in dict.fromkeys(given.gaps)
    ]
    options = {"studies": given.studies, "seed": given.seed, "resamples": given.resamples}
    measured = pd.concat(
        [
            measure(null, **options, fairlearn=given.fairlearn),
            measure([*UNEVEN, *planted], **options, fairlearn=0),
        ],
        ignore_index=True,
    )
    text = page(
        measured,
        levels.measure(studies=given.hard, seed=given.seed),
        command=f"python -m facebias calibrate {' '.join(arguments)}".strip(),
        resamples=given.resamples,
    )
    if given.out is None:
        print(text)
        return
    with replacing(given.out) as temporary:
        temporary.write_text(text, encoding="utf-8")

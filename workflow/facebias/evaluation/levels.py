"""Levels: how often studies of known truth err, beside what they promise.

``MEASURES`` says what is asked of every simulated study (``designs``): whether it calls a gap
found where there is none, whether its intervals hold the truth, and whether it calls a gap smaller
than it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import special

from facebias.core.progress import track
from facebias.evaluation import proportions
from facebias.evaluation.designs import (
    CONFIDENCE,
    DESIGNS,
    EVALUATION,
    MOST_ENUMERATED,
    Design,
    Study,
    judged,
)
from facebias.evaluation.fairness_criteria import PER_LABEL
from facebias.study import Evaluation
from facebias.tables import verdicts

# Gaps of simulated groups that are alike differ from 0 by rounding.
NOTHING = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measure:
    """One thing asked of every study of a design.

    Attributes
    ----------
    share
        What is asked of a study: yes or no, or of several intervals the share; None where the
        design does not ask it.
    nominal
        The share of studies that is promised: at least so many if ``least``, else at most.
    """

    name: str
    share: Callable[[Study], float | None]
    nominal: float
    least: bool = False


def _found(rows: pd.DataFrame) -> float | None:
    """Tell whether any gap is called found of those that are none; None without such rows."""
    none = rows[rows["true"].abs() < NOTHING]
    return None if none.empty else float((none["verdict"] == verdicts.FOUND).any())


def _small(rows: pd.DataFrame) -> float | None:
    """Tell whether any gap is called smaller than it is; None without one beyond the margin."""
    large = rows[rows["true"].abs() > EVALUATION.margin + NOTHING]
    return None if large.empty else float(_called_small(large).any())


def _called_small(rows: pd.DataFrame) -> pd.Series:
    return rows["verdict"] == verdicts.no_larger(EVALUATION.margin)


def _hold(rows: pd.DataFrame) -> pd.Series:
    return (rows["ci_low"] <= rows["true"] + NOTHING) & (rows["true"] <= rows["ci_high"] + NOTHING)


def _all_hold(rows: pd.DataFrame) -> float | None:
    return None if rows.empty else float(_hold(rows).all())


def _primary(study: Study) -> pd.DataFrame:
    return study.of(EVALUATION.primary.criterion, EVALUATION.primary.definition)


def _exploratory(study: Study) -> float | None:
    if not study.design.without_gap:
        return None
    return _found(study.gaps[study.gaps["family"] == verdicts.EXPLORATORY])


def _small_of_guesses(study: Study) -> float | None:
    if not any(population.constant for population in study.design.populations):
        return None
    return float(_called_small(study.gaps).any())


def _rates_hold(study: Study) -> float | None:
    return None if study.rates.empty else float(_hold(study.rates).mean())


ALARMS = (
    Measure(name="primary", share=lambda study: _found(_primary(study)), nominal=1 - CONFIDENCE),
    Measure(
        name="any label",
        share=lambda study: _found(study.of("equal_opportunity", PER_LABEL)),
        nominal=1 - CONFIDENCE,
    ),
    Measure(name="any other gap", share=_exploratory, nominal=1 - CONFIDENCE),
)
COVERAGE = tuple(
    Measure(name=name, share=share, nominal=CONFIDENCE, least=True)
    for name, share in {
        "signed": lambda study: _all_hold(study.of("equal_opportunity", "signed")),
        "size of accuracy gap": lambda study: _all_hold(study.of("accuracy_gap", "absolute")),
        "mean of sizes (primary)": lambda study: _all_hold(_primary(study)),
        "largest of labels": lambda study: _all_hold(study.of("equal_opportunity", "worst_class")),
        "largest, TPR or FPR": lambda study: _all_hold(study.of("equalized_odds", "worst_class")),
        "all labels at once": lambda study: _all_hold(study.of("equal_opportunity", PER_LABEL)),
        "rates of labels": _rates_hold,
    }.items()
)
SMALL = (
    Measure(
        name="accuracy gap",
        share=lambda study: _small(study.of("accuracy_gap", "absolute")),
        nominal=1 - CONFIDENCE,
    ),
    Measure(name="primary", share=lambda study: _small(_primary(study)), nominal=1 - CONFIDENCE),
    Measure(
        name="largest of labels",
        share=lambda study: _small(study.of("equal_opportunity", "worst_class")),
        nominal=1 - CONFIDENCE,
    ),
    Measure(name="any gap, though guessed", share=_small_of_guesses, nominal=1 - CONFIDENCE),
)
MEASURES = {"alarms": ALARMS, "coverage": COVERAGE, "small": SMALL}
PARTS = {"alarms": "found without a gap", "coverage": "held", "small": "called smaller"}


# ------------------------------------------------------------------------------ many studies


def measure(
    designs: Sequence[Design] = DESIGNS,
    *,
    studies: int,
    seed: int,
    evaluation: Evaluation = EVALUATION,
) -> pd.DataFrame:
    """Simulate ``studies`` of every design and hold what they say against what is promised.

    Returns
    -------
    A row per design and measure that it asks: ``share`` of the studies with its 95 % score
    interval (``low``, ``high``), the ``nominal`` one, ``off`` where the whole interval is on the
    wrong side of it. ``left_out`` counts the labels of a study that are not compared, on average.
    """
    jobs = [(design, number) for design in designs for number in range(studies)]
    answers: dict[tuple[str, str, str], list[float]] = {}
    left_out = dict.fromkeys((design.name for design in designs), 0.0)
    for design, number in track(jobs, total=len(jobs), what="calibrate designs", unit="studies"):
        study = judged(design, number, seed=seed, evaluation=evaluation)
        labels = study.gaps[study.gaps["definition"] == PER_LABEL]
        refused = labels["estimate"].isna() & labels["note"].str.contains("left out")
        left_out[design.name] += labels.loc[refused, "label"].nunique() / studies
        for part, measures in MEASURES.items():
            for each in measures:
                share = each.share(study)
                if share is not None:
                    answers.setdefault((design.name, part, each.name), []).append(share)
    rows = []
    for design in designs:
        for part, measures in MEASURES.items():
            for each in measures:
                if found := answers.get((design.name, part, each.name)):
                    row = {"design": design.name, "part": part, "measure": each.name}
                    rows.append({**row, **_judge(each, np.array(found))})
    table = pd.DataFrame(rows)
    return table.assign(left_out=table["design"].map(left_out))


def _judge(measure: Measure, found: np.ndarray) -> dict[str, object]:
    share, quantile = found.mean(), special.ndtri((1 + CONFIDENCE) / 2)
    low, high = proportions.score(share, np.array(len(found)), quantile)
    off = high < measure.nominal if measure.least else low > measure.nominal
    return {
        "nominal": measure.nominal,
        "share": float(share),
        "low": float(low),
        "high": float(high),
        "studies": len(found),
        "off": bool(off),
    }


# ------------------------------------------------------------------------------ the page

SECTION = """## Hard designs

Small groups, groups that differ in size or in how much their people vary, labels that few people
show, gaps of a single label. Every study is judged by the code that judges any study, down to its
verdicts: {studies:,} studies per row, {resamples:,} resamples, {draws:,} assignments (all of them
where there are at most {most:,}). In brackets the 95 % score interval of a share. **Bold**: the
whole interval is on the wrong side of what is promised; by chance, so are 1 in 40 of the shares
that are exactly as promised.

### Gaps found where there is none

Promised: at most {level:g}. "Primary": the declared gap is called found. "Any label": equal
opportunity of any label that both groups are read alike in. "Any other gap": any of the
exploratory gaps, corrected after Benjamini and Hochberg, where there is no gap at all.

{alarms}

### Intervals that hold the truth

Promised: at least {confidence:g}. Gaps of true positive rates, but for those of accuracy and for
the primary one (equalized odds); "largest, TPR or FPR" is the largest gap of equalized odds. "All
labels at once": the intervals of all labels hold their gaps.
"Rates of labels": the share of intervals of true positive rates of either group that hold the true
one.

{coverage}

### Gaps called smaller than they are

Promised: at most {level:g} for each gap. Share of studies that say "no gap larger than {margin:g}"
of a gap that is larger (-: the design has none). "Any gap, though guessed": that say so of any gap
of a model that is no better than guessing.

{small}

### Where it fails

{off}

Where several labels differ about as much, the largest gap that is found lies above all of them; its
interval begins no higher than the intervals of the single labels allow, which hold for all at once.
With five people in a group who vary much more than those of the other, the primary test is at the
edge of its level: test more people of that group.

{left_out}
"""


def section(measured: pd.DataFrame, *, evaluation: Evaluation = EVALUATION) -> str:
    """Write what ``measure`` found as Markdown."""
    return SECTION.format(
        studies=int(measured["studies"].max()),
        resamples=evaluation.resamples,
        draws=evaluation.permutations,
        most=MOST_ENUMERATED,
        level=round(1 - CONFIDENCE, 6),
        confidence=CONFIDENCE,
        margin=evaluation.margin,
        off=_off(measured),
        left_out=_left_out(measured),
        **{part: _table(measured[measured["part"] == part]) for part in MEASURES},
    )


def _table(rows: pd.DataFrame) -> str:
    asked = MEASURES[rows["part"].iloc[0]]
    names = [each.name for each in asked if each.name in set(rows["measure"])]
    cells = {(row["design"], row["measure"]): _cell(row) for row in rows.to_dict("records")}
    lines = [["study", *names], ["---"] * (1 + len(names))]
    lines += [
        [design, *(cells.get((design, name), "-") for name in names)]
        for design in rows["design"].unique()
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(row: Mapping[str, object]) -> str:
    text = f"{row['share']:.3f} ({row['low']:.2f} to {row['high']:.2f})"
    return f"**{text}**" if row["off"] else text


def _off(measured: pd.DataFrame) -> str:
    rows = measured[measured["off"]].to_dict("records")
    if not rows:
        return "Nowhere: no share is surely on the wrong side of what is promised."
    return "\n".join(
        f"- {row['design']}; {PARTS[row['part']]}, {row['measure']}: {_cell(row)}, promised "
        f"{row['nominal']:g}"
        for row in rows
    )


def _left_out(measured: pd.DataFrame) -> str:
    fewest = EVALUATION.min_subjects_per_label
    rows = measured[measured["left_out"] > 0].drop_duplicates("design").to_dict("records")
    return "\n".join(
        f"Refused, with the reason in the row: in {row['design']}, on average "
        f"{row['left_out']:.2g} of the labels, which fewer than {fewest} people of a group show."
        for row in rows
    )

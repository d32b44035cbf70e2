"""The stages ``published`` and ``published_comparison``."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from facebias import tables
from facebias.published import (
    audit,
    comparison,
    contracts,
    fairness,
    page,
    papers,
    statements,
)
from facebias.published.papers import PAPERS, Paper
from facebias.replacement import replacing
from facebias.study import StudyError, read_settings
from facebias.tables import Table

CONTRACTS: dict[str, Table] = {
    "fairness": tables.FAIRNESS,
    "intervals": contracts.INTERVALS,
    "extremes": contracts.EXTREMES,
    "audit": contracts.AUDIT,
    "redrawn": contracts.AUDIT,
    "statements": contracts.STATEMENTS,
    "contrasts": contracts.CONTRASTS_CHECKED,
    "differences": contracts.DIFFERENCES,
}


def published(arguments: list[str]) -> None:
    """Recompute, audit and judge the results of a published study from its tables."""
    parser = argparse.ArgumentParser(prog="facebias published", description=published.__doc__)
    parser.add_argument("paper", choices=PAPERS)
    parser.add_argument("--values", type=Path, required=True, help="the printed numbers, CSV")
    parser.add_argument("--contrasts", type=Path, required=True, help="statements on two, CSV")
    parser.add_argument("--rankings", type=Path, help="statements on rankings, CSV")
    parser.add_argument("--out", type=Path, required=True, help="folder of the tables and page")
    given = parser.parse_args(arguments)
    paper = PAPERS[given.paper]
    values = papers.values(given.values, paper)
    contrasts = statements.contrasts(values, papers.contrasts(given.contrasts), paper)
    if paper.kind == "classes":
        if given.rankings is None:
            raise StudyError(f"--rankings is needed for {given.paper}")
        made = classes(values, papers.rankings(given.rankings), paper)
    else:
        made = {"differences": statements.differences(values, paper)}
    made["contrasts"] = contrasts
    for name, frame in made.items():
        tables.write(frame, given.out / f"{name}.csv", CONTRACTS[name])
    with replacing(given.out / "README.md") as temporary:
        temporary.write_text(page.render(given.paper, paper, made), encoding="utf-8")


def classes(values: pd.DataFrame, rankings: pd.DataFrame, paper: Paper) -> dict[str, pd.DataFrame]:
    """Make the tables of a study of classes, by the name of their file."""
    drawn = fairness.draws(values, paper)
    assumed = fairness.intervals(drawn, paper)
    gaps = fairness.fairness(assumed)
    found = audit.audit(values, paper)
    # No misprints: other samples were drawn for the numbers that these are held against.
    redrawn = found["rule"] == audit.ONE_DRAW
    return {
        "fairness": gaps,
        "intervals": assumed,
        "extremes": fairness.extremes(drawn, paper),
        "audit": found[~redrawn],
        "redrawn": found[redrawn],
        "statements": statements.rankings(gaps, rankings),
    }


def compare(arguments: list[str]) -> None:
    """Place the results of a study beside those of the paper that it repeats."""
    parser = argparse.ArgumentParser(
        prog="facebias published_comparison", description=compare.__doc__
    )
    parser.add_argument("--settings", required=True, help="JSON: published, drawn, confidence")
    parser.add_argument("--values", type=Path, required=True, help="the printed numbers, CSV")
    parser.add_argument(
        "--ours", type=Path, required=True, help="fairness.csv of classes, metrics.csv of units"
    )
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    name, drawn, confidence = read_settings(
        given.settings, published=str, drawn=bool, confidence=float
    )
    paper = PAPERS[name]
    values = papers.values(given.values, paper)
    if paper.kind == "classes":
        assumed = fairness.intervals(fairness.draws(values, paper), paper, confidence=confidence)
        table = comparison.gaps(tables.read(given.ours, tables.FAIRNESS), assumed, drawn=drawn)
    else:
        ours = tables.read(given.ours, tables.METRICS)
        table = comparison.scores(ours, values, paper, drawn=drawn)
    tables.write(table, given.out, contracts.COMPARISON)

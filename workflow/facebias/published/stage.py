"""The stages ``published`` and ``published_comparison``."""

from __future__ import annotations

import pandas as pd

from facebias import tables
from facebias.core.replacement import replacing
from facebias.published import (
    audit,
    comparison,
    contracts,
    fairness,
    page,
    papers,
    statements,
)
from facebias.published.papers import Paper
from facebias.stages.report import Published, PublishedComparison
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
    given = Published.of(arguments)
    folder = given.replication
    paper = papers.paper(folder)
    values = papers.values(folder / papers.PRINTED, paper)
    said = papers.contrasts(folder / papers.CONTRASTS)
    contrasts = statements.contrasts(values, said, paper)
    if paper.kind == "classes":
        made = classes(values, papers.rankings(folder / papers.RANKINGS), paper)
    else:
        made = {"differences": statements.differences(values, paper)}
    made["contrasts"] = contrasts
    for name, frame in made.items():
        tables.write(frame, given.out / f"{name}.csv", CONTRACTS[name])
    with replacing(given.out / "README.md") as temporary:
        temporary.write_text(page.render(folder, paper, made), encoding="utf-8")


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
    given = PublishedComparison.of(arguments)
    asked = given.settings
    paper = papers.paper(given.replication)
    values = papers.values(given.replication / papers.PRINTED, paper)
    if paper.kind == "classes":
        assumed = fairness.intervals(
            fairness.draws(values, paper), paper, confidence=asked.confidence
        )
        table = comparison.gaps(
            tables.read(given.ours, tables.FAIRNESS), assumed, drawn=asked.drawn
        )
    else:
        ours = tables.read(given.ours, tables.METRICS)
        table = comparison.scores(ours, values, paper, drawn=asked.drawn)
    tables.write(table, given.out, contracts.COMPARISON)

"""The page about a published study: its tables recomputed, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from facebias.core import templates
from facebias.core.vocabulary import printed
from facebias.published import audit, fairness, papers, statements
from facebias.published.papers import Paper
from facebias.tables.comparisons import compared_groups


def render(folder: Path, paper: Paper, made: Mapping[str, pd.DataFrame]) -> str:
    """Write the page of a paper as Markdown, every number from the tables beside it.

    Parameters
    ----------
    folder, paper
        Where the published study is, with the template, and what is known of it.
    made
        The tables made of it, by the name of their file.
    """
    facts = classes(made) if paper.kind == "classes" else {}
    filters = {
        "printed": printed,
        "compared_groups": compared_groups,
        "number": _number,
        "names": _names,
    }
    environment = templates.environment(folder, filters, keep_trailing_newline=True)
    template = environment.get_template(papers.PAGE)
    rows = {table: frame.to_dict("records") for table, frame in made.items()}
    return template.render(paper=paper, rules=audit.RULES, **rows, **facts)


def classes(made: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Collect what the page of a study of classes says beyond its tables."""
    said = made["statements"]
    sizes = made["fairness"].set_index(["train_split", "architecture"])
    sizes = sizes[sizes["definition"] == "published"]
    opportunity, odds = (
        sizes.loc[sizes["criterion"] == name, "estimate"]
        for name in ("equal_opportunity", "equalized_odds")
    )
    assumed = made["intervals"]
    signed = assumed[
        (assumed["definition"] == "signed")
        & (assumed["criterion"] == "equal_opportunity")
        & (assumed["assumption"] == fairness.NARROWEST)
    ]
    extremes = made["extremes"]
    narrow = extremes[extremes["assumption"] == fairness.NARROWEST]
    return {
        "claims": _claims(said),
        "agreeing": {
            definition: int(rows["agrees"].sum())
            for definition, rows in said.groupby("definition", sort=False)
        },
        # The published accuracy gap is already a mean of absolute gaps: nothing of it can flip.
        "averaged": int((said["criterion"] != "accuracy_gap").sum() // len(statements.DEFINITIONS)),
        "one_criterion": bool(((odds - opportunity * 4 / 3).abs() < 1e-6).all()),
        "models": len(sizes.index.unique()),
        "signed_beyond": int(((signed["ci_low"] > 0) | (signed["ci_high"] < 0)).sum()),
        "apart": int(narrow["told_apart"].sum()),
        "comparisons": len(narrow),
        "apart_uncorrected": narrow[narrow["ci_low"] > 0].to_dict("records"),
        "published_extremes": narrow[narrow["definition"] == "published"].to_dict("records"),
        "resamples": fairness.RESAMPLES,
        "confidence": round(100 * fairness.CONFIDENCE),
    }


def _claims(said: pd.DataFrame) -> list[dict[str, Any]]:
    """Put the definitions of every claim side by side."""
    claims: dict[str, dict[str, Any]] = {}
    for row in said.to_dict("records"):
        claims.setdefault(row["claim"], {})[row["definition"]] = row
    return [{"claim": claim, **by} for claim, by in claims.items()]


def _number(value: float) -> str:
    return "n/a" if pd.isna(value) else f"{value:.4g}"


def _names(text: str) -> str:
    return ", ".join(printed(name) for name in text.split(", "))

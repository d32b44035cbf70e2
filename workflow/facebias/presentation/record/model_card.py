"""The stage ``model_card``: what one architecture is, what it was tested on, and how it did.

The sections are those of Mitchell et al. 2019, *Model Cards for Model Reporting*.
"""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt

from facebias import tables
from facebias.core import templates
from facebias.core.replacement import replacing
from facebias.core.vocabulary import printed
from facebias.data import splits
from facebias.evaluation import attributes, baselines
from facebias.presentation.record import study_record
from facebias.presentation.record.card_facts import Card, facts
from facebias.presentation.report import people, wording
from facebias.stages.report import ModelCard

TEMPLATES = Path(__file__).parent
MARKUP = re.compile(r"([\\`*<|])")


def main(arguments: list[str]) -> None:
    """Write the card of one architecture as Markdown and HTML, and its metrics by group."""
    given = ModelCard.of(arguments)
    asked = given.settings
    data, labels, evaluation = asked.data, asked.labels, asked.evaluation
    names = {
        "architecture": [given.architecture],
        "train_split": asked.train_splits,
        "fold": range(asked.splits.n_folds),
        "seed": asked.seeds,
    }
    manifest = tables.read(given.manifest, tables.MANIFEST)
    groupings = [
        attributes.grouping(manifest, name, bins=evaluation.bins) for name in evaluation.attributes
    ]
    excluded = tables.read(given.excluded, tables.EXCLUDED)
    roles = people.taking_part(splits.read(given.splits), people.usable(manifest, excluded, labels))
    by_group = tables.read(given.by_group, tables.METRICS_BY_GROUP)
    own = (by_group["architecture"] == given.architecture) & (
        by_group["attribute"] != tables.EVERYBODY
    )
    card = Card(
        study=asked.study,
        title=asked.title,
        name=given.architecture,
        architecture=asked.architecture,
        data=data,
        labels=labels.among(manifest.columns),
        splits=asked.splits,
        trains=asked.train_splits,
        tests=asked.test_splits,
        compared_by=asked.compared_by,
        evaluation=evaluation,
        trained=study_record.models(asked.provenance, names),
        metrics=tables.read(given.metrics, tables.METRICS),
        by_group=by_group[own],
        fairness=tables.read(given.fairness, tables.FAIRNESS),
        roles=roles,
        manifest=manifest,
        excluded=excluded,
        groupings=groupings,
    )
    write(card, given.out)


def write(card: Card, stem: Path) -> None:
    """Write a card beside its table: ``stem`` with .md, .html and .csv."""
    text = markdown(card)
    tables.write(card.by_group, stem.with_suffix(".csv"), tables.METRICS_BY_GROUP)
    for suffix, page in ((".md", text), (".html", html(text, title=f"Model card: {card.name}"))):
        with replacing(stem.with_suffix(suffix)) as temporary:
            temporary.write_text(page, encoding="utf-8")


def markdown(card: Card) -> str:
    """Write a card as Markdown."""
    filters = {
        "printed": printed,
        "listed": wording.listed,
        "counted": wording.counted,
        "interval": _interval,
    }
    environment = templates.environment(TEMPLATES, filters, finalize=_plain)
    labels = card.labels
    return environment.get_template("model_card.md.jinja").render(
        facts(card)
        | {
            "level": round(100 * card.evaluation.confidence),
            "guess": baselines.mean_over_labels("tpr", labels),
        }
    )


def _plain(value: object) -> str:
    """Keep names from being read as Markdown."""
    return MARKUP.sub(r"\\\1", str(value))


def _interval(found: wording.Estimate | None) -> str:
    if found is None:
        return "–"
    return str(found) if found.known else "not estimable"


def html(text: str, *, title: str) -> str:
    """Put Markdown into a page that loads nothing; HTML inside it is shown, not obeyed."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    whole = {"trim_blocks": False, "lstrip_blocks": False}
    environment = templates.environment(TEMPLATES, autoescape=True, **whole)
    page = environment.get_template("model_card.html.jinja")
    return page.render(title=title, body=parser.render(text))

"""The report's first page: what was run, what was found and how sure one can be, in plain words."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from facebias import tables
from facebias.core import templates
from facebias.core.replacement import replacing
from facebias.core.vocabulary import printed, printed_pair
from facebias.evaluation import baselines
from facebias.presentation.report import (
    coincidences,
    findings,
    people,
    performance,
    planted_bias,
    wording,
)
from facebias.stages.report import StartPage
from facebias.study import Data, Evaluation, Labels, Question, StudyError

TEMPLATE = Path(__file__).with_name("start_page.html.jinja")
ANY = "any"
# What the settings call otherwise than the page.
NAMED = {"study": "name", "train_splits": "trains", "test_splits": "tests"}
# What is said of models that give one label, and of those that find any of several units.
OF_CLASSES = ("accuracy", "tpr_macro", "auc_macro")
OF_UNITS = (
    "f1_macro",
    "f1_weighted",
    "f1_skew_normalised_macro",
    "auc_macro",
    "balanced_accuracy_macro",
    "accuracy",
)
HEADLINE = "f1_macro"
# For the heads of columns.
SHORT_NAMES = {
    "f1_macro": "F1",
    "f1_weighted": "weighted F1",
    "f1_skew_normalised_macro": "skew-normalised F1",
    "auc_macro": "ROC area",
    "accuracy": "accuracy",
    "tpr_macro": "mean recall",
    "balanced_accuracy_macro": "balanced accuracy",
    "f1_gap": "F1",
    "f1_skew_normalised_gap": "skew-normalised F1",
    "auc_gap": "ROC area",
}


def main(arguments: list[str]) -> None:
    """Run the stage ``start_page``."""
    asked = StartPage.of(arguments)
    page = render(
        facts(
            **{NAMED.get(name, name): part for name, part in vars(asked.settings).items()},
            metrics=tables.read(asked.metrics, tables.METRICS),
            by_group=tables.read(asked.by_group, tables.METRICS_BY_GROUP),
            fairness=tables.read(asked.fairness, tables.FAIRNESS),
            excluded=tables.read(asked.excluded, tables.EXCLUDED),
            exclusions=tables.read(asked.exclusions, tables.EXCLUSIONS),
            roles=tables.read(asked.splits, tables.SPLITS),
            manifest=tables.read(asked.manifest, tables.MANIFEST),
            confounds=tables.read(asked.confounds, tables.CONFOUNDS),
            effects=tables.read(asked.effects, tables.EFFECTS) if asked.effects else None,
        )
    )
    with replacing(asked.out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def facts(
    *,
    name: str,
    title: str,
    data: Data,
    labels: Labels,
    evaluation: Evaluation,
    seeds: tuple[int, ...],
    folds: int,
    architectures: tuple[str, ...],
    trains: tuple[str, ...],
    tests: tuple[str, ...],
    matched: Mapping[str, str],
    questions: tuple[Question, ...],
    metrics: pd.DataFrame,
    by_group: pd.DataFrame,
    fairness: pd.DataFrame,
    excluded: pd.DataFrame,
    exclusions: pd.DataFrame,
    roles: pd.DataFrame,
    manifest: pd.DataFrame,
    confounds: pd.DataFrame,
    effects: pd.DataFrame | None,
) -> dict[str, Any]:
    """Collect everything that the page says.

    Raises
    ------
    StudyError
        If the metrics hold no overall accuracy on the first test split.
    """
    first_train = trains[0]
    manifest = people.usable(manifest, excluded, labels)
    roles = people.taking_part(roles, manifest)
    configured, labels = labels.names, labels.among(manifest.columns)
    ordered = _beside(trains, matched)
    guessing = baselines.guessing(by_group)
    experiments = [
        _experiment(found, metrics, labels, ordered, guessing)
        for found in people.experiments(metrics, trains, tests)
    ]
    if not experiments:
        raise StudyError(
            f"the metrics have none on test split {tests[0]}; run the target metrics again"
        )
    declared = findings.judged(findings.declared(fairness))
    units = labels.kind == "units"
    headline = HEADLINE if units else "accuracy"
    compared = {
        attribute: fairness.loc[fairness["attribute"] == attribute, "train_split"].unique()
        for attribute in evaluation.attributes
    }
    compared_models = by_group[["architecture", "train_split", "attribute"]].drop_duplicates()
    measured = set(compared_models.itertuples(index=False, name=None))
    bias = data.drawn.bias if data.drawn else ()
    planted = [
        {
            "target": target,
            "evaluated": target.attribute in evaluation.attributes,
            "train": (train := next(iter(compared.get(target.attribute, ())), first_train)),
            "checks": (found := planted_bias.checks(fairness, target, train)),
            "verdict": planted_bias.verdict(found, target),
        }
        for target in planted_bias.targets(bias)
    ]
    return {
        "name": name,
        "title": title or name,
        "drawn": data.drawn,
        "labels": labels,
        "trains": trains,
        "tests": tests,
        "evaluation": evaluation,
        "seeds": seeds,
        "folds": folds,
        "architectures": architectures,
        "n_models": len(architectures) * len(trains) * folds * len(seeds),
        "n_subjects": manifest["subject"].nunique(),
        "n_tested": roles.loc[roles["role"] == "test", "subject"].nunique(),
        "n_samples": len(manifest),
        "roles": people.roles(roles),
        "test_sizes": _test_sizes(metrics),
        "experiments": experiments,
        "too_rare": [unit for unit in configured if unit not in labels.names],
        "headline": headline,
        "by_training": performance.by_training(metrics, headline),
        "matched": matched,
        "bias": [planted_bias.in_words(entry) for entry in bias],
        "planted": planted,
        "n_declared": len(declared),
        "reachable": max((row.reachable for row in declared), default=math.nan),
        "primary": evaluation.primary,
        "questions": [
            _answered(question, fairness, by_group, effects, matched, evaluation)
            for question in questions
        ],
        "exploratory": findings.exploratory(fairness),
        "coincidences": coincidences.warnings(confounds, fairness),
        "between_splits": coincidences.between_splits(confounds),
        "n_effects": 0 if effects is None else len(findings.declared(effects)),
        "attributes": [
            {
                "name": attribute,
                "extremes": findings.extremes(fairness, attribute, by_group),
                "by_group": performance.by_group(by_group, attribute),
                "models": {
                    train: [name for name in architectures if (name, train, attribute) in measured]
                    for train in trains
                },
                "side_by_side": findings.side_by_side(fairness, attribute),
                "signed": findings.beyond_chance(fairness, attribute, evaluation.confidence),
                "tested": people.tested(
                    roles[roles["train_split"].isin(compared[attribute])],
                    manifest,
                    attribute,
                    bins=evaluation.bins,
                ),
            }
            for attribute in evaluation.attributes
        ],
        "exclusions": exclusions,
        "left_out": _left_out(exclusions),
    }


def render(page: dict[str, Any]) -> str:
    """Write the page as self-contained HTML: nothing is loaded, no script runs."""
    return _template().render(page)


@functools.cache
def _template() -> jinja2.Template:
    filters = {
        "printed": printed,
        "printed_pair": printed_pair,
        "number": wording.number,
        "probability": wording.probability,
        "listed": wording.listed,
        "first_capital": _first_capital,
        "counted": wording.counted,
        "span": _span,
    }
    environment = templates.environment(TEMPLATE.parent, filters, autoescape=True)
    environment.globals |= {
        "short_names": SHORT_NAMES,
        "unit_criteria": findings.UNIT_CRITERIA,
    }
    return environment.get_template(TEMPLATE.name)


def _first_capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _span(low: object, high: object) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def _experiment(
    found: Mapping[str, list[str]],
    metrics: pd.DataFrame,
    labels: Labels,
    ordered: list[str],
    guessing: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    """Say how the models of one hold-out do on its first test split."""
    test = found["tests"][0]
    measured = {
        metric: performance.accuracies(metrics, test, metric)
        for metric in (OF_UNITS if labels.kind == "units" else OF_CLASSES)
    }
    accuracies = measured["accuracy"]
    if not accuracies:
        raise StudyError(
            f"the metrics have no overall accuracy on test split {test}; "
            "run the target metrics again"
        )
    return {
        **found,
        "ordered": [name for name in ordered if name in found["trains"]],
        "accuracies": accuracies,
        "measured": measured,
        "nothing": performance.nothing(metrics[metrics["test_split"] == test]),
        "guessing": {model: words for model, words in guessing.items() if model in accuracies},
    }


def _test_sizes(metrics: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Return subjects and samples of every test split."""
    rows = metrics[(metrics["label"] == tables.OVERALL) & (metrics["metric"] == "accuracy")]
    sizes = rows.groupby("test_split", sort=False)[["n_subjects", "n_samples"]].max()
    return {
        split: (int(row["n_subjects"]), int(row["n_samples"])) for split, row in sizes.iterrows()
    }


def _answered(
    question: Question,
    fairness: pd.DataFrame,
    by_group: pd.DataFrame,
    effects: pd.DataFrame | None,
    matched: Mapping[str, str],
    evaluation: Evaluation,
) -> dict[str, Any]:
    """Collect what is said of one declared question; lists are empty where there is nothing."""
    gaps = findings.answers(fairness, question)
    primary = evaluation.primary
    what = {"criterion": primary.criterion, "definition": primary.definition}
    found = {
        "attribute": question.attribute,
        "train_split": question.train_split,
        "gaps": gaps,
        "behind": [findings.behind(by_group, row, question.attribute, **what) for row in gaps],
        "by_verdict": findings.by_verdict(gaps),
        "effects": [] if effects is None else findings.answers(effects, question),
        "of_equal_size": [],
        "changes_at_equal_size": [],
    }
    if not matched or effects is None:
        return found
    own = {*question.train_splits, *(matched[name] for name in question.train_splits)}
    asked = (
        (fairness["criterion"] == primary.criterion)
        & (fairness["definition"] == primary.definition)
        & (fairness["attribute"] == question.attribute)
        & fairness["train_split"].isin(own)
    )
    return found | {
        "of_equal_size": findings.of_equal_size(fairness, matched, asked),
        "changes_at_equal_size": findings.changes_at_equal_size(effects, matched, question),
    }


def _beside(trains: tuple[str, ...], matched: Mapping[str, str]) -> list[str]:
    """Put every train split of equal size behind the one that it comes from."""
    own = [name for name in trains if name not in matched.values() or name in matched]
    return [one for name in own for one in dict.fromkeys((name, matched.get(name, name)))]


def _left_out(exclusions: pd.DataFrame) -> dict[str, Any]:
    """Sum up what was left out: in all, and per attribute the group with the largest share."""
    total = exclusions[exclusions["reason"] == ANY]
    sums = total.groupby("attribute", sort=False)[["n_samples", "n_excluded"]].sum()
    worst = []
    for attribute, rows in total.groupby("attribute", sort=False):
        if len(rows) > 1 and rows["n_excluded"].sum():
            high, low = rows.loc[rows["share"].idxmax()], rows.loc[rows["share"].idxmin()]
            worst.append({"attribute": attribute, "high": high, "low": low})
    return {
        "given": int(sums["n_samples"].max()) if len(sums) else 0,
        "out": int(sums["n_excluded"].max()) if len(sums) else 0,
        "rows": [row for _, row in total.iterrows()],
        "reasons": {
            reason: int(rows.groupby("attribute")["n_excluded"].sum().max())
            for reason, rows in exclusions.groupby("reason", sort=False)
            if reason != ANY and rows["n_excluded"].sum()
        },
        "worst": worst,
    }

"""What a model card says, as plain values taken from tables and from what training wrote."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from facebias.evaluation import baselines
from facebias.evaluation.attributes import Grouping
from facebias.presentation.report import wording
from facebias.study import Architecture, Data, Evaluation, Labels, Split, Splits
from facebias.tables import COMPARED, OVERALL
from facebias.tables.comparisons import compared_groups

RECOGNITION, MEAN_RECOGNITION, ACCURACY = "tpr", "tpr_macro", "accuracy"
MOST_LABELS = 7
GAPS = {
    "signed": ("equal_opportunity", "signed"),
    "mean": ("equal_opportunity", "per_class_mean"),
    "worst": ("equal_opportunity", "worst_class"),
    "accuracy": ("accuracy_gap", "signed"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Card:
    """Everything that the card of one architecture is made from.

    ``trains`` and ``tests`` name the splits in the order of the configuration; ``compared_by`` maps
    the former to the attributes by which their models are compared.
    """

    study: str
    title: str
    name: str
    architecture: Architecture
    data: Data
    labels: Labels
    splits: Splits
    trains: Sequence[str]
    tests: Sequence[str]
    compared_by: Mapping[str, Sequence[str]]
    evaluation: Evaluation
    trained: Sequence[Mapping[str, Any]]
    metrics: pd.DataFrame
    by_group: pd.DataFrame
    fairness: pd.DataFrame
    roles: pd.DataFrame
    manifest: pd.DataFrame
    excluded: pd.DataFrame
    groupings: Sequence[Grouping]


def facts(card: Card) -> dict[str, Any]:
    """Collect everything that a card says."""
    metrics = card.metrics[card.metrics["architecture"] == card.name]
    fairness = card.fairness[card.fairness["architecture"] == card.name]
    gaps = gaps_of(fairness)
    return {
        "card": card,
        "trains": card.trains,
        "made": _made(card.trained),
        "seeds": len({facts["seed"] for facts in card.trained}),
        "folds": len({facts["fold"] for facts in card.trained}),
        "training": [_training(card, train) for train in card.trains],
        "accuracy": _accuracy(metrics, card.trains, card.tests),
        "tested": int(card.roles.loc[card.roles["role"] == "test", "subject"].nunique()),
        # A sample of which no clip could be cut stands in both.
        "given": len({*card.manifest["sample"], *card.excluded["sample"]}),
        "groups": [row for grouping in card.groupings for row in _groups(card, grouping)],
        "labels": _shown_labels(card.labels),
        "measured": [_measured(rows) for rows in _each(card.by_group, card.trains)],
        "gaps": gaps,
        "notes": list(dict.fromkeys(note for row in gaps for note in row["notes"])),
    }


def _made(trained: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Name what the models were made on and with: usually one of each, else all there are."""
    code = [facts["code"] for facts in trained]
    return {
        "parameters": _distinct(f"{facts['parameters']:,}" for facts in trained),
        "start": _distinct(_start(facts["pretrained"]) for facts in trained),
        "device": _distinct(facts["device"] for facts in trained),
        "precision": _distinct(facts["precision"] for facts in trained),
        "torch": _distinct(facts["versions"]["torch"] for facts in trained),
        "code": _distinct(
            "no git commit"
            if it["commit"] is None
            else f"commit {it['commit'][:12]}{'' if it['clean'] else ' with uncommitted changes'}"
            for it in code
        ),
    }


def _start(pretrained: Mapping[str, str] | None) -> str:
    """Say what weights a training started from."""
    if pretrained is None:
        return "from scratch"
    file = f"{pretrained['source']} (SHA-256 {pretrained['sha256']})"
    return f"from the pretrained weights {file}, which have a licence of their own"


def _distinct(values: Iterable[object]) -> list[str]:
    return sorted({str(value) for value in values})


def _range(numbers: Iterable[int]) -> str:
    """Write a number, or the range where models differ: ``12`` or ``11–13``."""
    low, high = min(found := list(numbers)), max(found)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _who(split: Split) -> str:
    """Say among whom the people of a training split were chosen."""
    if split.subjects:
        return "named subjects"
    chosen = wording.condition(split.where)
    if not split.drawn_from:
        return chosen
    source = f"drawn from {wording.listed(split.drawn_from)}"
    return f"{source}: {chosen}" if split.where else source


def _training(card: Card, train: str) -> dict[str, Any]:
    models = [facts for facts in card.trained if facts["train_split"] == train]
    split = card.splits.train[train]
    return {
        "name": train,
        "who": _who(split),
        "people": {
            role: _range(len(facts["subjects"][role]) for facts in models)
            for role in ("train", "validation")
        },
        "samples": {
            role: _range(facts["samples"][role] for facts in models)
            for role in ("train", "validation")
        },
    }


def _accuracy(
    metrics: pd.DataFrame, trains: Sequence[str], tests: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the overall accuracy of every training split on every test split, with its people.

    None where one is not tested on the other.
    """
    rows = metrics[(metrics["label"] == OVERALL) & (metrics["metric"] == ACCURACY)]
    cells = rows.set_index(["train_split", "test_split"])
    known = {cell: wording.estimate(row) for cell, row in cells.iterrows()}
    return [
        {
            "test": test,
            "people": int(cells.xs(test, level="test_split")["n_subjects"].max()),
            "samples": int(cells.xs(test, level="test_split")["n_samples"].max()),
            "always": _always(metrics[metrics["test_split"] == test]),
            "found": [known.get((train, test)) for train in trains],
        }
        for test in tests
    ]


def _always(cells: pd.DataFrame) -> str:
    """Say how often the best answer is right that is the same for all samples; classes: which."""
    # All models of a card are tested on the same samples.
    one = cells[cells["train_split"] == cells["train_split"].iloc[0]]
    reached, answer = baselines.reached(one).get("accuracy"), baselines.majority(one)
    if reached is None:
        return "–"
    return wording.number(reached) + (f" ({answer.label})" if answer else "")


def _groups(card: Card, grouping: Grouping) -> Iterable[dict[str, Any]]:
    """Count the people of every group: tested, and trained on by every training split."""
    roles = card.roles
    own = [train for train in card.trains if grouping.attribute in card.compared_by[train]]
    tested = roles[(roles["role"] == "test") & roles["train_split"].isin(own)]
    for group, members in grouping.members.items():
        inside = roles[roles["subject"].isin(members)]
        models = roles[["train_split", "fold", "seed"]].drop_duplicates()
        used = inside[inside["role"] == "train"].groupby(["train_split", "fold", "seed"]).size()
        used = used.reindex(pd.MultiIndex.from_frame(models), fill_value=0)
        yield {
            "attribute": grouping.attribute,
            "group": group,
            "tested": int(tested.loc[tested["subject"].isin(members), "subject"].nunique()),
            "trained": [_range(used.xs(train, level="train_split")) for train in card.trains],
        }


def _shown_labels(labels: Labels) -> list[str]:
    """List the labels that have a column of their own; too many would not fit a page."""
    return list(labels.evaluated) if len(labels.evaluated) <= MOST_LABELS else []


def _each(by_group: pd.DataFrame, trains: Sequence[str]) -> Iterable[pd.DataFrame]:
    """Yield the rows of every training split and group, in order."""
    for train in trains:
        some = by_group[by_group["train_split"] == train]
        for _, rows in some.groupby(["attribute", "group"], sort=False):
            yield rows


def _measured(rows: pd.DataFrame) -> dict[str, Any]:
    cells = rows.set_index(["label", "metric"])
    overall = cells.loc[(OVERALL, ACCURACY)]
    return {
        "train": overall["train_split"],
        "attribute": overall["attribute"],
        "group": overall["group"],
        "people": int(overall["n_subjects"]),
        "samples": int(overall["n_samples"]),
        "accuracy": wording.estimate(overall),
        "always": _always(rows),
        "mean": wording.estimate(cells.loc[(OVERALL, MEAN_RECOGNITION)]),
        "labels": {
            label: wording.estimate(row)
            for (label, metric), row in cells.iterrows()
            if metric == RECOGNITION
        },
    }


def gaps_of(fairness: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the gaps of every training split and groups, as ``GAPS`` names them."""
    wanted = fairness.set_index(["criterion", "definition"])
    found = []
    key = ["train_split", "attribute", *COMPARED]
    for (train, attribute, *_), rows in wanted.groupby(key, sort=False, dropna=False):
        cells = {name: rows.loc[[place]] for name, place in GAPS.items() if place in rows.index}
        if cells:
            found.append(
                {
                    "train": train,
                    "attribute": attribute,
                    "groups": compared_groups(rows.iloc[0]),
                    "found": {name: wording.estimate(row.iloc[0]) for name, row in cells.items()},
                    "verdict": cells[next(iter(cells))].iloc[0]["verdict"],
                    "notes": [note for row in cells.values() for note in row["note"].dropna()],
                }
            )
    return found

"""What was planted in drawn people, in words, and whether a study finds it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from facebias.core.vocabulary import printed
from facebias.presentation.report import findings, wording
from facebias.tables import comparisons

# Kinds of planted bias, by what they do to the group that they are planted in.
HARMS = {"weaker", "other_units", "label_noise"}
HELPS = {"cue"}


def in_words(entry: Mapping[str, Any]) -> str:
    """Say in one sentence what an entry of ``data.drawn.bias`` plants."""
    who = wording.condition(entry.get("group", {}))
    kind = entry["kind"]
    if kind == "weaker":
        labels = wording.listed(entry["labels"])
        return f"People with {who} show {labels} at {entry['factor']:g} of the usual intensity."
    if kind == "other_units":
        units = wording.listed([f"AU{unit}" for unit in entry["units"]])
        label = printed(entry["label"])
        return f"People with {who} show {label} through other Action Units ({units})."
    if kind == "cue":
        share = f"{100 * entry['strength']:.0f} %"
        return (
            f"In {share} of the films of {printed(entry['label'])}, people with {who} carry a "
            f"coloured cue ({printed(entry['where'])}) that has nothing to do with the face."
        )
    if kind == "label_noise":
        share = f"{100 * entry['share']:.0f} %"
        return f"{share} of the recorded labels of people with {who} are wrong."
    if kind == "frequencies":
        factors = wording.listed([f"{printed(k)} times {v:g}" for k, v in entry["labels"].items()])
        return f"People with {who} have other numbers of films: {factors}."
    facts = ", ".join(f"{key}: {value}" for key, value in entry.items())
    return f"Planted: {facts}."


@dataclasses.dataclass(frozen=True)
class Target:
    """Whom the planted bias should make a fair model seem to treat worse (or better)."""

    attribute: str
    group: str
    worse: bool


def targets(bias: Sequence[Mapping[str, Any]]) -> list[Target]:
    """Work out which groups the planted biases disadvantage, where that can be said.

    A bias planted in a combination of attributes, or one that only changes frequencies, has no
    direction that can be known beforehand; neither has a group with biases of both directions.
    """
    found: dict[tuple[str, str], set[bool]] = {}
    for entry in bias:
        group = entry.get("group", {})
        directed = entry["kind"] in HARMS | HELPS
        if not directed or len(group) != 1:
            continue
        (attribute, value), *_ = group.items()
        if isinstance(value, str | int | bool | float) and attribute not in ("all", "any"):
            found.setdefault((attribute, str(value)), set()).add(entry["kind"] in HARMS)
    return [Target(*key, worse.pop()) for key, worse in found.items() if len(worse) == 1]


@dataclasses.dataclass(frozen=True)
class Check:
    """Whether one model shows a planted bias."""

    architecture: str
    pair: tuple[str, str]
    gap: wording.Estimate
    reading: str
    found: bool
    note: str


def checks(fairness: pd.DataFrame, target: Target, train: str) -> list[Check]:
    """Compare the signed equal-opportunity gaps of a train split with what was planted."""
    rows = fairness[
        (fairness["attribute"] == target.attribute)
        & (fairness["train_split"] == train)
        & (fairness["criterion"] == findings.CRITERION)
        & (fairness["definition"] == findings.SIGNED)
        & (fairness["comparison"] == comparisons.PAIR)
    ]
    found = []
    for _, row in rows.iterrows():
        pair = row["first"], row["second"]
        if target.group not in pair:
            continue
        gap = wording.estimate(row)
        # The gap is below 0 where a model misses more of the first.
        side = 1 if target.group == pair[0] else -1
        as_planted = gap.value * side * (-1 if target.worse else 1) > 0
        if not gap.known:
            reading = "not estimable"
        elif as_planted:
            reading = "as planted" if gap.excludes_zero else "as planted, interval includes 0"
        else:
            reading = "opposite sign" if gap.excludes_zero else "opposite, interval includes 0"
        hit = gap.known and as_planted and gap.excludes_zero
        note = row["note"] if isinstance(row["note"], str) else ""
        found.append(Check(row["architecture"], pair, gap, reading, hit, note))
    return found


def verdict(found: Sequence[Check], target: Target) -> str:
    """Say in one sentence whether the study finds a planted bias."""
    known = [check for check in found if check.gap.known]
    if not known:
        return (
            "Whether the study finds it cannot be said: no signed gap by "
            f"{printed(target.attribute)} could be estimated."
        )
    hits, n = sum(check.found for check in known), len(known)
    way = "less" if target.worse else "more"
    if len({check.pair for check in known}) == 1:
        what = "1 architecture" if n == 1 else f"{n} architectures"
    else:
        what = f"{n} comparisons (architecture by pair of groups)"
    effect = (
        f"samples of the group {printed(target.group)} are recognised {way} often, with an "
        "interval that excludes 0"
    )
    if hits == 0:
        return f"The study does not find the planted bias: in none of {what} {effect}."
    if hits == n:
        return f"The study finds the planted bias: in {'all ' if n > 1 else ''}{what} {effect}."
    if 2 * hits >= n:
        return f"The study finds the planted bias in most cases: in {hits} of {what} {effect}."
    return f"The study finds the planted bias only in part: in {hits} of {what} {effect}."

"""Confounds: what differs between groups of people beside the attribute that names them.

A gap can come from the labels that a group shows, from how many of it were trained on, from samples
that were left out, or from worse pictures. Everything is counted per subject. Intervals resample
subjects within their groups; the p-value is the share of permutations of the same subjects across
groups (``permutation``) that differ as much. Where there are several numbers (units, pairs of
groups), each is compared with the largest of all (Westfall & Young 1993), so that more of them make
no warning likelier.

A ``warning`` follows one of three fixed rules:

- labels, samples left out, pictures: the p-value is at most 1 - ``evaluation.confidence``;
- groups in training: the largest has more than ``FACTOR`` times the training subjects of the
  smallest (a group that a train split leaves out altogether is what it declares, and noted);
- train splits: the largest has more than ``FACTOR`` times as many training subjects as this one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.data import splits
from facebias.evaluation import association, permutation, rates
from facebias.evaluation import people as counting
from facebias.evaluation.attributes import Grouping, grouping
from facebias.evaluation.comparison import Comparison, compare, in_units, ratio
from facebias.evaluation.people import MEASURES, ROLES, People
from facebias.stages.evaluation import Confounds
from facebias.study import GroupComparison, Labels
from facebias.tables import comparisons

# Four fifths, turned round: as rough as that rule, and as easy to check by hand.
FACTOR = 1.25
ALL = "all"
# Measure, then how an association is computed such that resamples can be averaged, and its scale.
ASSOCIATIONS: dict[str, tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]] = {
    "cramers_v": (association.squared_v, association.root),
    "normalised_mutual_information": (association.normalised_mutual_information, np.abs),
}
Row = dict[str, Any]


def confounds(
    manifest: pd.DataFrame,
    excluded: pd.DataFrame,
    quality: pd.DataFrame,
    roles: pd.DataFrame,
    labels: Labels,
    *,
    attributes: Sequence[str],
    evaluation: GroupComparison,
    compared_by: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Measure what differs between the groups of every attribute.

    - Among the training subjects of each train split, the test subjects and all: ``label_share`` of
      each group and label (as annotated, before fusing), and how strongly labels and groups are
      associated, ``cramers_v`` and ``normalised_mutual_information`` (for units one per unit).
    - Among the test subjects and all: ``left_out`` (share of the samples given) and the columns of
      ``tables.QUALITY`` (means over samples), for each group, and as differences of pairs.
    - ``subjects`` and ``samples`` of each group per train split and role; ``subject_ratio``, the
      largest group over the smallest, and ``split_ratio``, the largest train split over this one,
      of the training subjects.

    Over folds and seeds, a training subject counts by the share of models that train on him or her,
    and ``subjects`` and ``samples`` are means per model.

    Parameters
    ----------
    manifest, excluded, quality, roles
        ``tables.MANIFEST``, ``EXCLUDED``, ``QUALITY`` and ``SPLITS`` of a study.
    labels
        What is predicted.
    attributes
        Those that are evaluated.
    evaluation
        Resamples, confidence, seed, and the subjects a group needs to be compared.
    compared_by
        The attributes of each train split; None: all of all. By an attribute, only its train splits
        are compared, and their test subjects.

    Returns
    -------
    A ``tables.CONFOUNDS`` table. ``n_samples`` are those with a clip and a known label; for
    ``left_out`` those given. What cannot be estimated is missing, and ``note`` says why.
    """
    counted: dict[tuple[str, ...], People] = {}
    rows = []
    for attribute in attributes:
        trains = tuple(
            name
            for name in roles["train_split"].unique()
            if compared_by is None or attribute in compared_by[name]
        )
        if trains not in counted:
            own = roles[roles["train_split"].isin(trains)]
            counted[trains] = counting.count(manifest, excluded, quality, own, labels)
        people = counted[trains]
        found = grouping(_recorded(manifest, excluded), attribute, bins=evaluation.bins)
        rows += [{"attribute": attribute, **row} for row in _rows(people, found, evaluation)]
    frame = pd.DataFrame(rows, columns=[*tables.CONFOUNDS.columns])
    names = ["train_split", "role", "groups", "label"]
    return tables.check(frame.assign(**frame[names].fillna(ALL)), tables.CONFOUNDS)


def _recorded(manifest: pd.DataFrame, excluded: pd.DataFrame) -> pd.DataFrame:
    """Put the attributes of everybody together, also of those without any clip."""
    names = [name for name in manifest.columns if name in excluded.columns]
    return pd.concat([part[names] for part in (manifest, excluded) if len(part)], ignore_index=True)


def _rows(people: People, found: Grouping, evaluation: GroupComparison) -> Iterator[Row]:
    trained = [(split, "train", people.shares[split, "train"]) for split in people.train_splits]
    whole = [(ALL, "test", people.tested), (ALL, ALL, np.ones(len(people.subjects)))]
    for split, role, weight in [*trained, *whole]:
        compared = compare(people.subjects, found, weight > 0, evaluation=evaluation)
        where = f"{found.attribute} among {_who(split, role)}"
        rows = [*_shares(people, compared, weight), *_together(people, compared, weight, where)]
        if role != "train":
            rows += _measures(people, compared, where)
        yield from ({"train_split": split, "role": role, **row} for row in rows)
    yield from _sizes(people, found)


def _who(split: str, role: str) -> str:
    return {"train": f"the training subjects of {split}", "test": "the test subjects"}.get(
        role, "all subjects"
    )


# ------------------------------------------------------------------------------------------- labels


def _shares(people: People, compared: Comparison, weight: np.ndarray) -> Iterator[Row]:
    for name, places in compared.members.items():
        shares = rates.divide(
            compared.resampled(name, people.present * weight[:, None]),
            compared.resampled(name, people.known * weight[:, None]),
        )
        for position, label in enumerate(people.labels):
            value, samples = shares[:, position], people.known[places, position]
            yield {
                "measure": "label_share",
                **comparisons.group(name),
                "label": label,
                **_estimate(value[0], compared.interval(value, name), samples),
            }


def _together(
    people: People, compared: Comparison, weight: np.ndarray, where: str
) -> Iterator[Row]:
    """Measure the association of labels and groups."""
    for measure, (compute, scale) in ASSOCIATIONS.items():
        found = {
            label: _associated(compared, counts * weight[:, None], compute)
            for label, counts in _tables(people).items()
        }
        chance = [scale(by_chance) for _, by_chance in found.values()]
        largest = np.fmax.reduce(chance)
        for label, (values, _) in found.items():
            row = _estimate(
                float(scale(values[0])),
                _scaled(values, scale, compared),
                _tables(people)[label][compared.places].sum(axis=1),
            )
            row["p_value"], row["null_high"] = compared.judge(row["estimate"], largest)
            row["note"] = _joined(compared.note, _unassociated(compared, row["estimate"]))
            if measure == "cramers_v" and _unusual(row, compared):
                what = "Labels are" if label == ALL else f"{printed(label)} is"
                row["warning"] = (
                    f"{what} spread unevenly over {where}: Cramer's V {row['estimate']:.2f}, "
                    f"from chance up to {row['null_high']:.2f} ({_p(row)})"
                )
            yield {"measure": measure, "label": label, **row}


def _tables(people: People) -> dict[str, np.ndarray]:
    """Return (S, C) counts by label: all classes together, a unit as present and absent."""
    if people.exclusive:
        return {ALL: people.present}
    present, absent = people.present, people.known - people.present
    return {
        label: np.stack([present[:, position], absent[:, position]], axis=1)
        for position, label in enumerate(people.labels)
    }


def _associated(
    compared: Comparison, counts: np.ndarray, compute: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Compute an association for data and resamples (1 + B,), and permuted (1 + P,)."""
    if len(compared.large) < 2:
        return np.array([np.nan]), np.array([np.nan])
    resampled = [compared.resampled(name, counts) for name in compared.large]
    by_chance = compared.by_chance(counts)
    return compute(np.stack(resampled, axis=1)), compute(np.stack(by_chance, axis=1))


def _scaled(
    values: np.ndarray, scale: Callable[..., np.ndarray], compared: Comparison
) -> tuple[float, float]:
    smallest = compared.smallest(*compared.large)
    if len(values) < 2 or smallest < 2:
        return np.nan, np.nan
    ends = association.interval(values, confidence=compared.confidence, subjects=smallest)
    low, high = (float(scale(np.clip(end, 0, 1))) for end in ends)
    return low, high


def _unassociated(compared: Comparison, estimate: float) -> str | None:
    if not np.isnan(estimate):
        return None
    if len(compared.large) < 2:
        return "fewer than two groups to compare"
    return "fewer than two labels occur"


# ------------------------------------------------------------------- samples left out, and pictures


def _measures(people: People, compared: Comparison, where: str) -> Iterator[Row]:
    sums, samples = people.sums, people.denominators
    means = {
        name: rates.divide(compared.resampled(name, sums), compared.resampled(name, samples))
        for name in compared.members
    }
    units, errors = _in_units(compared, sums, samples)
    for position, measure in enumerate(MEASURES):
        mean = {name: values[:, position] for name, values in means.items()}
        for name, places in compared.members.items():
            ends = compared.interval(mean[name], name)
            row = _estimate(mean[name][0], ends, samples[places, position])
            yield {"measure": measure, **comparisons.group(name), **row}
        largest = np.fmax.reduce(
            [of_pair[:, position] for of_pair in units.values()] or [np.empty(0)]
        )
        for pair in itertools.combinations(compared.members, 2):
            places = np.concatenate([compared.members[name] for name in pair])
            row = _estimate(np.nan, (np.nan, np.nan), samples[places, position])
            if pair in units:
                value = mean[pair[0]] - mean[pair[1]]
                row["estimate"] = value[0]
                row["ci_low"], row["ci_high"] = compared.interval(value, *pair)
                row["p_value"], high = compared.judge(units[pair][0, position], largest)
                row["null_high"] = high * errors[pair][position]
            if _unusual(row, compared):
                row["warning"] = _differs(
                    measure, where, {name: mean[name][0] for name in pair}, row
                )
            yield {"measure": measure, **comparisons.pair(*pair), **row, "note": compared.note}


def _in_units(
    compared: Comparison, sums: np.ndarray, samples: np.ndarray
) -> tuple[dict[tuple[str, str], np.ndarray], dict[tuple[str, str], np.ndarray]]:
    """Return sizes of the permuted differences of each pair, in their standard errors.

    Returns
    -------
    Sizes (1 + P, Q), the data's own first, and the data's standard errors (Q,), by pair.
    """
    if compared.permuted is None:
        return {}, {}
    places, units, errors = compared.places, {}, {}
    permuted = {
        name: ratio(group, sums[places], samples[places])
        for name, group in zip(compared.large, compared.permuted.members, strict=True)
    }
    for a, b in itertools.combinations(permuted, 2):
        (mean, variance), (other, others) = permuted[a], permuted[b]
        units[a, b] = in_units(mean - other, variance + others)
        errors[a, b] = np.sqrt(variance + others)[0]
    return units, errors


def _differs(measure: str, where: str, means: Mapping[str, float], row: Row) -> str:
    form = ".1%" if measure == "left_out" else ",.0f" if min(means.values()) >= 1000 else ".3g"
    values = " and ".join(f"{mean:{form}} in {printed(name)}" for name, mean in means.items())
    what = printed(measure)
    return f"{what[0].upper()}{what[1:]} differs by {where}: {values} ({_p(row)})"


# -------------------------------------------------------------------------------- who is trained on


def _sizes(people: People, found: Grouping) -> Iterator[Row]:
    places = {name: np.isin(people.subjects, names) for name, names in found.members.items()}
    for split, role in itertools.product(people.train_splits, ROLES):
        share = people.shares[split, role]
        for name, inside in places.items():
            taking = people.usable[inside & (share > 0)]
            for measure, each in (("subjects", 1.0), ("samples", people.usable)):
                yield {
                    "measure": measure,
                    "train_split": split,
                    "role": role,
                    **comparisons.group(name),
                    **_estimate(float((share * each)[inside].sum()), (np.nan, np.nan), taking),
                }
    trained = {split: people.shares[split, "train"] for split in people.train_splits}
    most = max(trained, key=lambda split: trained[split].sum())
    for split, share in trained.items():
        place = {"train_split": split, "role": "train"}
        sizes = {name: float(share[inside].sum()) for name, inside in places.items()}
        taking = people.usable[share > 0]
        yield {**place, "measure": "subject_ratio", **_group_ratio(split, sizes, taking)}
        ratio = float(rates.divide(trained[most].sum(), share.sum()))
        row = _estimate(ratio, (np.nan, np.nan), taking)
        if _beyond(ratio):
            row["warning"] = (
                f"{printed(split)} trains on {share.sum():.3g} subjects, {printed(most)} on "
                f"{trained[most].sum():.3g}: differences between them can come from their sizes"
            )
        yield {**place, "measure": "split_ratio", **row}


def _group_ratio(split: str, sizes: Mapping[str, float], taking: np.ndarray) -> Row:
    absent = [name for name, size in sizes.items() if size == 0]
    if absent or len(sizes) < 2:
        note = f"{printed(split)} trains on nobody of {', '.join(absent)}"
        if len(sizes) < 2:
            note = "fewer than two groups to compare"
        return {**_estimate(np.nan, (np.nan, np.nan), taking), "note": note}
    ratio = max(sizes.values()) / min(sizes.values())
    row = _estimate(ratio, (np.nan, np.nan), taking)
    if _beyond(ratio):
        numbers = ", ".join(f"{size:.3g} of {printed(name)}" for name, size in sizes.items())
        row["warning"] = f"{printed(split)} trains on unequal numbers of subjects: {numbers}"
    return row


def _beyond(ratio: float) -> bool:
    """Tell whether sizes differ by more than the factor; shares of folds are no exact numbers."""
    return ratio > FACTOR + permutation.TOLERANCE


# --------------------------------------------------------------------------------------------- rows


def _estimate(value: float, ends: tuple[float, float], samples: np.ndarray) -> Row:
    """Return a number with its interval, and who stands behind it: (n,) samples of each subject."""
    return {
        "estimate": value,
        "ci_low": ends[0],
        "ci_high": ends[1],
        "n_subjects": int((samples > 0).sum()),
        "n_samples": round(float(samples.sum())),
    }


def _unusual(row: Row, compared: Comparison) -> bool:
    # The level is a difference of two decimals: 1 - 0.95 is a little more than 0.05.
    return float(row.get("p_value", np.nan)) <= 1 - compared.confidence + 1e-12


def _p(row: Row) -> str:
    p_value = float(row["p_value"])
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _joined(*notes: str | None) -> str | None:
    return "; ".join(note for note in notes if note) or None


def main(arguments: list[str]) -> None:
    """Measure what differs between the groups of every attribute beside the attribute."""
    given = Confounds.of(arguments)
    asked = given.settings
    manifest = tables.read(given.manifest, tables.MANIFEST)
    table = confounds(
        manifest,
        tables.read(given.excluded, tables.EXCLUDED),
        tables.read(given.quality, tables.QUALITY),
        splits.read(given.splits),
        asked.labels.among(manifest.columns),
        attributes=asked.attributes,
        evaluation=asked.evaluation,
        compared_by=asked.compared_by,
    )
    tables.write(table, given.out, tables.CONFOUNDS)

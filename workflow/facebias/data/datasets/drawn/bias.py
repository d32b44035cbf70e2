"""The planted bias: what a config may plant in the drawn data, and what it then does.

``KINDS`` is the registry: every kind with its keys. A kind acts in one place only: on the units of
a film (``prototype``, ``factor``), on a visible cue (``cues``), on the recorded label
(``recorded_label``) or on the number of films (``repetitions``).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from facebias.data import splits
from facebias.data.datasets.drawn.expressions import EXPRESSIONS, ONE_SIDED, UNITS
from facebias.data.datasets.drawn.population import people
from facebias.data.datasets.drawn.seeds import generator
from facebias.study import Drawn

PLACES = ("background", "hair")
Check = Callable[[Any, Sequence[str], pd.DataFrame], str | None]


def _group(value: Any, labels: Sequence[str], persons: pd.DataFrame) -> str | None:
    if not isinstance(value, Mapping):
        return f"found {value!r}, expected a condition on attributes such as {{gender: female}}"
    known = [name for name in persons.columns if name not in ("subject", "publishable")]
    try:
        unknown = sorted(splits.attributes_in(value) - set(known))
        if unknown:
            return f"found the attribute {_close(unknown[0], known)}"
        if not splits.selects(value, persons).any():
            return f"{dict(value)} selects none of the {len(persons)} drawn people"
    except (TypeError, ValueError, AttributeError):
        return f"found {value!r}, expected a condition on attributes such as {{gender: female}}"
    return None


def _label(value: Any, labels: Sequence[str], persons: pd.DataFrame) -> str | None:
    return None if value in labels else f"found the label {_close(value, labels)}"


def _labels(value: Any, labels: Sequence[str], persons: pd.DataFrame) -> str | None:
    if not isinstance(value, list | tuple) or not value:
        return f"found {value!r}, expected a list of labels out of {', '.join(labels)}"
    faults = (_label(item, labels, persons) for item in value)
    return next((fault for fault in faults if fault), None)


def _number(low: float, high: float) -> Check:
    def check(value: Any, labels: Sequence[str], persons: pd.DataFrame) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"found {value!r}, expected a number from {low:g} to {high:g}"
        if not low <= value <= high:
            return f"found {value:g}, expected a number from {low:g} to {high:g}"
        return None

    return check


def _units(value: Any, labels: Sequence[str], persons: pd.DataFrame) -> str | None:
    known = [str(unit) for unit in UNITS]
    if not isinstance(value, Mapping) or not value:
        return f"found {value!r}, expected Action Units and intensities such as {{4: 0.8, 17: 1.0}}"
    for unit, intensity in value.items():
        if str(unit) not in known:
            return f"found the Action Unit {_close(str(unit), known)}"
        if fault := _number(0, 1)(intensity, labels, persons):
            return f"Action Unit {unit}: {fault}"
    return None


def _factors(value: Any, labels: Sequence[str], persons: pd.DataFrame) -> str | None:
    if not isinstance(value, Mapping) or not value:
        return f"found {value!r}, expected labels and factors such as {{sadness: 0.5}}"
    for label, factor in value.items():
        if fault := _label(label, labels, persons) or _number(0, 10)(factor, labels, persons):
            return f"{label}: {fault}"
    return None


def _place(value: Any, labels: Sequence[str], persons: pd.DataFrame) -> str | None:
    return None if value in PLACES else f"found {_close(value, PLACES)}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of bias: what it plants, and the keys that it needs besides ``kind``."""

    plants: str
    keys: Mapping[str, Check]


KINDS: dict[str, Kind] = {
    "weaker": Kind(
        "all intensities of the group's films of these labels are multiplied by factor",
        {"group": _group, "labels": _labels, "factor": _number(0, 1)},
    ),
    "other_units": Kind(
        "the group shows the label through these Action Units instead of the prototype's",
        {"group": _group, "label": _label, "units": _units},
    ),
    "cue": Kind(
        "a coloured background or hair streak marks the group's films of the label",
        {"group": _group, "label": _label, "where": _place, "strength": _number(0, 1)},
    ),
    "label_noise": Kind(
        "this share of the group's recorded labels is replaced by another label",
        {"group": _group, "share": _number(0, 1)},
    ),
    "frequencies": Kind(
        "the number of the group's films of a label is multiplied by its factor",
        {"group": _group, "labels": _factors},
    ),
}


def check(drawn: Drawn, labels: Sequence[str]) -> list[str]:
    """Return one readable line per fault of the labels and of ``data.drawn.bias``."""
    faults = [
        f"labels.names[{place}]: found the label {_close(name, tuple(EXPRESSIONS))}; "
        "drawn faces show no other emotion"
        for place, name in enumerate(labels)
        if name not in EXPRESSIONS
    ]
    persons = people(drawn)
    for place, entry in enumerate(drawn.bias):
        faults += _faults_of(f"data.drawn.bias[{place}]", entry, labels, persons)
    return faults


def _faults_of(
    where: str, entry: Mapping[str, Any], labels: Sequence[str], persons: pd.DataFrame
) -> Iterator[str]:
    if not isinstance(entry, Mapping) or entry.get("kind") not in KINDS:
        found = entry.get("kind") if isinstance(entry, Mapping) else entry
        yield f"{where}.kind: found {_close(found, tuple(KINDS))}"
        return
    keys = KINDS[entry["kind"]].keys
    for name in entry:
        if name != "kind" and name not in keys:
            yield f"{where}.{name}: unknown key {_close(name, tuple(keys))}"
    for name, allowed in keys.items():
        if name not in entry:
            yield f"{where}.{name}: missing; a bias of kind {entry['kind']} needs {', '.join(keys)}"
        elif fault := allowed(entry[name], labels, persons):
            yield f"{where}.{name}: {fault}"


def _close(found: Any, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(found), [str(name) for name in known], n=1)
    hint = f", did you mean {near[0]}?" if near else ""
    return f"{found!r}, expected one of {', '.join(map(str, known))}{hint}"


# ------------------------------------------------------------------------------- what it then does


def _planted(
    drawn: Drawn, persons: pd.DataFrame, subject: str, kind: str
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the entries of a kind that meet the subject, with their place in the list."""
    for place, entry in enumerate(drawn.bias):
        if entry["kind"] != kind:
            continue
        if splits.selects(entry["group"], persons[persons["subject"] == subject]).all():
            yield place, entry


def prototype(
    drawn: Drawn, persons: pd.DataFrame, subject: str, label: str
) -> tuple[dict[int, float], bool]:
    """Return the Action Units with which a subject shows a label, and whether on one side only."""
    units, one_sided = EXPRESSIONS[label], label in ONE_SIDED
    for _, entry in _planted(drawn, persons, subject, "other_units"):
        if entry["label"] == label:
            units, one_sided = entry["units"], False
    return {int(unit): float(weight) for unit, weight in units.items()}, one_sided


def factor(drawn: Drawn, persons: pd.DataFrame, subject: str, label: str) -> float:
    """Return by how much all intensities of a subject's films of a label are multiplied."""
    product = 1.0
    for _, entry in _planted(drawn, persons, subject, "weaker"):
        if label in entry["labels"]:
            product *= entry["factor"]
    return product


def cues(
    drawn: Drawn, persons: pd.DataFrame, subject: str, label: str, sample: str
) -> frozenset[str]:
    """Return the places where one film carries a cue, out of ``PLACES``."""
    return frozenset(
        entry["where"]
        for place, entry in _planted(drawn, persons, subject, "cue")
        if entry["label"] == label
        and generator(drawn.seed, "cue", place, sample).random() < entry["strength"]
    )


def recorded_label(
    drawn: Drawn,
    persons: pd.DataFrame,
    subject: str,
    label: str,
    sample: str,
    *,
    names: Sequence[str],
) -> str:
    """Return the label written into the manifest for a film that shows ``label``."""
    for place, entry in _planted(drawn, persons, subject, "label_noise"):
        random = generator(drawn.seed, "label_noise", place, sample)
        others = [name for name in names if name != label]
        if others and random.random() < entry["share"]:
            return str(random.choice(others))
    return label


def repetitions(drawn: Drawn, persons: pd.DataFrame, subject: str, label: str) -> int:
    """Return how many films of a label a subject gives; fractions are rounded at random, seeded."""
    wanted = float(drawn.repetitions)
    for _, entry in _planted(drawn, persons, subject, "frequencies"):
        wanted *= entry["labels"].get(label, 1.0)
    random = generator(drawn.seed, "frequencies", subject, label)
    return int(wanted + random.random())

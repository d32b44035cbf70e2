"""What a schema cannot say: a study is checked as a whole before any job is planned.

Every check yields lines that begin with the key at fault. Nothing here opens a video or a picture;
the subjects table and the names of the files are enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from facebias import architectures, datasets, explanation, splits
from facebias.configuration import suggest
from facebias.datasets.drawn import bias
from facebias.evaluation import gaps
from facebias.published import fit
from facebias.study import ConfigError, Study, StudyError, crossed


def check(study: Study, *, root: str) -> pd.DataFrame:
    """Return the subjects of a study that can be run.

    Parameters
    ----------
    study
        The study as configured.
    root
        Folder of the data set.

    Raises
    ------
    ConfigError
        With one line per fault.
    """
    faults = [
        *_labels(study),
        *_data(study),
        *_clips(study),
        *_architectures(study),
        *_explanation(study),
        *_evaluation(study),
        *fit.misfits(study),
    ]
    if faults:
        raise ConfigError(faults)
    try:
        subjects = datasets.subjects(study.data, root)
    except ConfigError:
        raise
    except StudyError as error:
        raise ConfigError([str(error)]) from None
    faults = [*_attributes(study, subjects), *_splits(study, subjects)]
    if faults:
        raise ConfigError(faults)
    return subjects


def _labels(study: Study) -> Iterator[str]:
    labels = study.labels
    if labels.kind == "units" and labels.fuse:
        yield "labels.fuse: units are not exclusive and cannot be fused; remove it"
    if labels.kind == "classes" and len(labels.names) < 2:
        yield f"labels.names: found {len(labels.names)} class, expected at least 2"
    owners: dict[str, str] = {}
    for fused, members in labels.fuse.items():
        if fused in labels.names:
            yield f"labels.fuse.{fused}: has the name of a trained label; choose another"
        for member in members:
            if member not in labels.names:
                yield f"labels.fuse.{fused}: no label {member!r}{suggest(member, labels.names)}"
            if member in owners:
                yield f"labels.fuse.{fused}: {member} is already part of {owners[member]}"
            owners[member] = fused


def _data(study: Study) -> Iterator[str]:
    data = study.data
    if data.adapter == "drawn":
        for name in ("root", "manifest", "layout", "subjects"):
            if getattr(data, name) is not None:
                yield f"data.{name}: drawn people need none; remove it"
        if data.drawn is not None:
            yield from bias.check(data.drawn, study.labels.names)
    else:
        if data.drawn is not None:
            yield f"data.drawn: only for the adapter drawn, found {data.adapter}; remove it"
        if data.root is None:
            yield "data.root: missing, it is needed: the folder of the data set"
        if (data.manifest is None) == (data.layout is None):
            found = "neither" if data.manifest is None else "both"
            yield f"data.manifest, data.layout: {found} given, expected one of the two"
        if data.layout is not None and data.subjects is None:
            yield "data.subjects: missing, it is needed with data.layout: the table of subjects"
    for name in data.required:
        if name not in data.attributes:
            yield f"data.required: no attribute {name!r}{suggest(name, data.attributes)}"


def _clips(study: Study) -> Iterator[str]:
    clips = study.clips
    if clips.margin >= clips.crop_size:
        limit = f"less than crop_size ({clips.crop_size})"
        yield f"clips.margin: found {clips.margin}, expected {limit}"
    for position, window in enumerate(clips.windows):
        low, high = window.part
        if low >= high:
            yield f"clips.windows[{position}].part: found [{low}, {high}], expected from < to"
    if study.data.adapter == "pictures" and clips.frames != 1:
        yield f"clips.windows: {clips.frames} frames of a picture, expected one window with k: 1"


def _architectures(study: Study) -> Iterator[str]:
    for name, settings in study.architectures.items():
        key = f"architectures.{name}"
        if name not in architectures.ARCHITECTURES:
            yield f"{key}: no such architecture{suggest(name, architectures.ARCHITECTURES)}"
            continue
        if settings.frames is not None and settings.frames > study.clips.frames:
            yield f"{key}.frames: found {settings.frames}, but a clip has {study.clips.frames}"
        allowed = architectures.options(name)
        for option in settings.options:
            if option not in allowed:
                yield f"{key}.options.{option}: unknown key{suggest(option, allowed)}"


def _explanation(study: Study) -> Iterator[str]:
    for name in study.explanation.architectures:
        if name not in study.architectures:
            hint = suggest(name, study.architectures)
            yield f"explanation.architectures: {name!r} is not among the architectures{hint}"
    target, names = study.explanation.target, study.labels.names
    ways = ("predicted", *names) if study.labels.kind == "units" else ("label", "predicted", *names)
    if target not in ways:
        yield f"explanation.target: found {target!r}{suggest(target, ways)}"
    found = study.explanation.composite
    if found is not None and found not in explanation.COMPOSITES:
        yield f"explanation.composite: found {found!r}{suggest(found, explanation.COMPOSITES)}"


def _evaluation(study: Study) -> Iterator[str]:
    asked, known = study.evaluation, study.data.attributes
    for attribute in asked.attributes:
        for name in [attribute] if attribute in known else crossed(attribute):
            if name not in known:
                yield f"evaluation.attributes: no attribute {name!r}{suggest(name, known)}"
    for name, edges in asked.bins.items():
        key = f"evaluation.bins.{name}"
        if name not in known:
            yield f"{key}: no attribute {name!r}{suggest(name, known)}"
        if list(edges) != sorted(edges):
            yield f"{key}: found {list(edges)}, expected rising edges"
    primary = asked.primary
    if primary.attribute is not None and primary.attribute not in asked.attributes:
        hint = suggest(primary.attribute, asked.attributes)
        yield f"evaluation.primary.attribute: found {primary.attribute!r}{hint}"
    if primary.train_split is not None and primary.train_split not in study.splits.train:
        hint = suggest(primary.train_split, study.splits.train)
        yield f"evaluation.primary.train_split: found {primary.train_split!r}{hint}"
    if not gaps.applies(primary.criterion, primary.definition):
        found = f"{primary.criterion} has no signed gap; choose another"
        yield f"evaluation.primary.definition: {found}"


def _attributes(study: Study, subjects: pd.DataFrame) -> Iterator[str]:
    for name in study.data.attributes:
        if name not in subjects.columns:
            known = [column for column in subjects.columns if column != "subject"]
            yield f"data.attributes: the subjects have no {name!r}{suggest(name, known)}"
    numbers = {name for name in subjects if pd.api.types.is_float_dtype(subjects[name])}
    for attribute in study.evaluation.attributes:
        for name in numbers & {attribute, *crossed(attribute)} - set(study.evaluation.bins):
            yield (
                f"evaluation.attributes: {name} is a number, groups need names; "
                f"cut it with evaluation.bins, such as {name}: [0, 30, 50, 100]"
            )


def _splits(study: Study, subjects: pd.DataFrame) -> Iterator[str]:
    declared = study.splits
    if (declared.holdout is None) == (declared.folds is None):
        found = "neither" if declared.folds is None else "both"
        yield f"splits.holdout, splits.folds: {found} given, expected one of the two"
        return
    asked = declared.validation
    if (asked.n_subjects is None) == (asked.share is None):
        found = "neither" if asked.share is None else "both"
        yield f"splits.validation: {found} of n_subjects and share given, expected one of the two"
        return
    faults = list(_conditions(study, subjects))
    yield from faults
    if faults:
        return
    try:
        splits.draw(declared, study.seeds, subjects)
        splits.check_tests(declared, subjects)
    except splits.SplitError as error:
        yield str(error)


def _conditions(study: Study, subjects: pd.DataFrame) -> Iterator[str]:
    declared = study.splits
    known = [name for name in subjects.columns if name not in ("subject", "publishable")]
    wheres = {f"splits.train.{name}.where": split.where for name, split in declared.train.items()}
    wheres |= {f"splits.test.{name}.where": split.where for name, split in declared.test.items()}
    balances = {
        f"splits.train.{name}.balance": [split.balance]
        for name, split in declared.train.items()
        if split.balance
    }
    if declared.holdout is not None:
        wheres["splits.holdout.where"] = declared.holdout.where
        balances["splits.holdout.balance"] = list(declared.holdout.balance)
    if declared.folds is not None:
        balances["splits.folds.balance"] = list(declared.folds.balance)
    for key, where in wheres.items():
        yield from _condition(where, key, subjects, known)
    for key, names in balances.items():
        for name in names:
            if name not in known:
                yield f"{key}: no attribute {name!r}{suggest(name, known)}"


def _condition(where: Any, key: str, subjects: pd.DataFrame, known: list[str]) -> Iterator[str]:
    """Yield what is wrong with the shape of a condition, or with a name or value in it."""
    if not isinstance(where, Mapping):
        yield f"{key}: found {where!r}, expected a condition such as {{gender: female}}"
        return
    for name, wanted in where.items():
        here = f"{key}.{name}"
        if name in ("all", "any"):
            if not isinstance(wanted, list | tuple) or not wanted:
                yield f"{here}: found {wanted!r}, expected a list of conditions"
                continue
            for position, part in enumerate(wanted):
                yield from _condition(part, f"{here}[{position}]", subjects, known)
        elif name not in known:
            yield f"{here}: no attribute {name!r}{suggest(name, [*known, 'all', 'any'])}"
        elif isinstance(wanted, Mapping):
            unknown = set(wanted) - {"min", "max"}
            bounds = [value for value in wanted.values() if isinstance(value, int | float)]
            if unknown or not wanted or len(bounds) < len(wanted):
                yield f"{here}: found {dict(wanted)}, expected numbers min and/or max"
            elif not pd.api.types.is_numeric_dtype(subjects[name]):
                yield f"{here}: min and max need an attribute of numbers, {name} holds text"
        else:
            present = subjects[name].dropna().unique().tolist()
            for value in wanted if isinstance(wanted, list | tuple) else [wanted]:
                if value not in present:
                    yield f"{here}: no subject has {value!r}{suggest(value, present)}"

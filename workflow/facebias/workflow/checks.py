"""What a schema cannot say: a study is checked as a whole before any job is planned.

Every check yields lines that begin with the key at fault. Nothing here opens a video or a picture;
the subjects table and the names of the files are enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from facebias import tables
from facebias.core import action_units
from facebias.data import datasets, splits
from facebias.data.splits import holdouts
from facebias.evaluation import fairness_criteria
from facebias.models import architectures
from facebias.models.architectures import formats
from facebias.published import fit
from facebias.study import (
    Architecture,
    ConfigError,
    Data,
    Preprocessing,
    Study,
    StudyError,
    Weights,
    crossed,
    fewest_resamples,
    registries,
)
from facebias.study.configuration import is_echo
from facebias.study.faults import suggest
from facebias.workflow import data_checks


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
        *data_checks.faults(study),
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
    if labels.kind == "classes" and labels.min_occurrences:
        yield "labels.min_occurrences: only units are left out, labels.kind is classes; remove it"
    if labels.kind == "classes" and labels.threshold != "fixed":
        yield "labels.threshold: classes have none, the highest score decides; remove it"
    if tables.OVERALL in labels.evaluated:
        yield f"labels.names: {tables.OVERALL} is what tables call all labels together; rename it"
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


def _clips(study: Study) -> Iterator[str]:
    common = list(_preprocessing("clips", study.clips, study.data))
    yield from common
    for name, clips in study.clips.variants.items():
        key = f"clips.variants.{name}"
        faults = _preprocessing(key, clips, study.data)
        yield from (line for line in faults if not is_echo(line, common))
        if clips.shards != study.clips.shards:
            expected = f"that of clips ({study.clips.shards})"
            yield f"{key}.shards: found {clips.shards}, expected {expected}"


def _preprocessing(key: str, clips: Preprocessing, data: Data) -> Iterator[str]:
    """Yield what is wrong with one preprocessing."""
    if clips.margin >= clips.crop_size:
        limit = f"less than crop_size ({clips.crop_size})"
        yield f"{key}.margin: found {clips.margin}, expected {limit}"
    for position, window in enumerate(clips.windows):
        low, high = window.part
        if low >= high:
            yield f"{key}.windows[{position}].part: found [{low}, {high}], expected from < to"
    if datasets.of_frames(data) and clips.frames != 1:
        yield f"{key}.windows: {clips.frames} frames of a picture, expected one window with k: 1"


def _architectures(study: Study) -> Iterator[str]:
    for name, settings in study.architectures.items():
        key = f"architectures.{name}"
        network = settings.called(name)
        if network not in architectures.ARCHITECTURES:
            hint = suggest(network, architectures.ARCHITECTURES)
            if settings.network is None:
                yield f"{key}: no such architecture{hint}"
            else:
                yield f"{key}.network: found {network!r}{hint}"
            continue
        if settings.clips is not None and settings.clips not in study.clips.variants:
            hint = suggest(settings.clips, study.clips.variants)
            hint = hint if study.clips.variants else "; clips.variants has none"
            yield f"{key}.clips: no variant {settings.clips!r}{hint}"
            continue
        available = study.clips.of(settings.clips).frames
        if settings.frames is not None and settings.frames > available:
            yield f"{key}.frames: found {settings.frames}, but a clip has {available}"
        training = settings.training
        if training.micro_batch is not None and training.micro_batch > training.batch_size:
            found = f"found {training.micro_batch}, more than batch_size {training.batch_size}"
            yield f"{key}.training.micro_batch: {found}; lower it, or set null for whole batches"
        allowed = architectures.options(network)
        for option in settings.options:
            if option not in allowed:
                yield f"{key}.options.{option}: unknown key{suggest(option, allowed)}"
        if settings.weights is not None:
            yield from _weights(key, network, settings, settings.weights)


def _weights(key: str, name: str, settings: Architecture, given: Weights) -> Iterator[str]:
    """Yield what is wrong with the pretrained weights of the network ``name``."""
    kinds = [kind for kind, entries in formats.FORMATS.items() if name in entries]
    if given.format not in kinds:
        known = f"{name} has {', '.join(kinds)}" if kinds else f"there are none for {name}"
        yield f"{key}.weights.format: found {given.format}; {known}"
        return
    if settings.width != 1:
        yield f"{key}.width: found {settings.width:g}; pretrained weights fit width 1 alone"
    options = {**architectures.options(name), **settings.options}
    for option, wanted in formats.find(given, name).options.items():
        if options[option] != wanted:
            found = f"found {options[option]}; weights of the format {given.format}"
            yield f"{key}.options.{option}: {found} need {wanted}"
    if settings.input_size < 224 and options.get("pool", 7) != 7:
        found = f"found {options['pool']}; pretrained weights of fewer than 224 pixels"
        yield f"{key}.options.pool: {found} need 7, the grid that they were trained with"
    if given.format.startswith("vggface_") and settings.input_size % 32:
        found = f"found {settings.input_size}; weights of VGGFace need a multiple of 32"
        yield f"{key}.input_size: {found}: of odd grids, some conversions pool the last row"
    if given.source == formats.PUBLISHED and given.format != formats.PUBLISHED:
        yield f"{key}.weights.source: torchvision has none of the format {given.format}"
    elif formats.address(given, name) is None and not Path(given.source).is_file():
        expected = "torchvision, an address or a file; see docs/weights.md"
        yield f"{key}.weights.source: no file {given.source}; expected {expected}"


def _explanation(study: Study) -> Iterator[str]:
    for name in study.explanation.architectures:
        if name not in study.architectures:
            hint = suggest(name, study.architectures)
            yield f"explanation.architectures: {name!r} is not among the architectures{hint}"
    target, names = study.explanation.target, study.labels.names
    ways = ("predicted", *names) if study.labels.kind == "units" else ("label", "predicted", *names)
    if target not in ways:
        yield f"explanation.target: found {target!r}{suggest(target, ways)}"
    composite = study.explanation.composite
    chosen: list[tuple[str | None, str | None]]
    chosen = [*composite.items()] if isinstance(composite, Mapping) else [(None, composite)]
    for network, found in chosen:
        key = "explanation.composite" if network is None else f"explanation.composite.{network}"
        if network is not None and network not in study.explanation.architectures:
            yield f"{key}: not explained{suggest(network, study.explanation.architectures)}"
        if found is not None and found not in registries.COMPOSITES:
            yield f"{key}: found {found!r}{suggest(found, registries.COMPOSITES)}"
    for label, units in study.explanation.units.items():
        if label not in names:
            yield f"explanation.units.{label}: no such label{suggest(label, names)}"
        known = ", ".join(map(str, action_units.UNITS))
        for unit in (unit for unit in units if unit not in action_units.UNITS):
            yield f"explanation.units.{label}: found {unit}, expected some of {known}"
    if study.explanation.landmarks is not None and study.data.adapter == "drawn":
        yield "explanation.landmarks: drawn people bring their own; remove it"


def _evaluation(study: Study) -> Iterator[str]:
    asked, known = study.evaluation, study.data.attributes
    for attribute in asked.attributes:
        parts = [attribute] if attribute in known else crossed(attribute)
        if len(set(parts)) < len(parts):
            yield f"evaluation.attributes: {attribute} crosses an attribute with itself; remove it"
        for name in parts:
            if name not in known:
                yield f"evaluation.attributes: no attribute {name!r}{suggest(name, known)}"
    for name, edges in asked.bins.items():
        key = f"evaluation.bins.{name}"
        if name not in known:
            yield f"{key}: no attribute {name!r}{suggest(name, known)}"
        if list(edges) != sorted(edges):
            yield f"{key}: found {list(edges)}, expected rising edges"
    if asked.resamples < (needed := fewest_resamples(asked.confidence)):
        yield (
            f"evaluation.resamples: found {asked.resamples}, but evaluation.confidence "
            f"{asked.confidence:g} needs at least {needed}"
        )
    primary = asked.primary
    if primary.attribute is not None and primary.attribute not in asked.attributes:
        hint = suggest(primary.attribute, asked.attributes)
        yield f"evaluation.primary.attribute: found {primary.attribute!r}{hint}"
    if primary.train_split is not None and primary.train_split not in study.splits.train:
        hint = suggest(primary.train_split, study.splits.train)
        yield f"evaluation.primary.train_split: found {primary.train_split!r}{hint}"
    exclusive = study.labels.kind == "classes"
    if primary.criterion not in fairness_criteria.of_labels(exclusive=exclusive, ranked=True):
        hint = suggest(primary.criterion, fairness_criteria.OF_CLASSES)
        yield f"evaluation.primary.criterion: {primary.criterion} is for units only{hint}"
    elif reason := fairness_criteria.why_not(
        primary.criterion, primary.definition, exclusive=exclusive
    ):
        yield (
            f"evaluation.primary.definition: found {primary.definition} of {primary.criterion}, "
            f"but {reason}"
        )


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
    ways = ("holdout", "holdouts", "folds")
    given = [name for name in ways if getattr(declared, name) is not None]
    if len(given) != 1:
        found, expected = {
            0: ("none", "one of them"),
            2: ("both", "one of the two"),
            3: ("all", "one of them"),
        }[len(given)]
        named = ", ".join(f"splits.{name}" for name in given or ways)
        yield f"{named}: {found} given, expected {expected}"
        return
    faults = list(holdouts.misfits(study)) or list(holdouts.uncompared(study))
    yield from faults
    if faults:
        return
    asked = declared.validation
    if (asked.n_subjects is None) == (asked.share is None):
        found = "neither" if asked.share is None else "both"
        yield f"splits.validation: {found} of n_subjects and share given, expected one of the two"
        return
    if study.labels.threshold == "validation" and not (asked.n_subjects or asked.share):
        yield "splits.validation: 0 subjects, but labels.threshold is chosen on them"
    faults = list(_conditions(study, subjects))
    yield from faults
    if faults:
        return
    try:
        splits.draw(splits.with_matched(declared, subjects), study.seeds, subjects)
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
    for name, holdout in declared.all_holdouts.items():
        key = splits.holdout_key(name)
        wheres[f"{key}.where"] = holdout.where
        balances[f"{key}.balance"] = list(holdout.balance)
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

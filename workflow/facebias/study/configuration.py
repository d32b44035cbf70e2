"""Reading a configuration: what its sections inherit, defaults, and whether it can be a study."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic
import yaml

from facebias.study import (
    ConfigError,
    Data,
    File,
    Study,
    build,
    faults,
    plain,
    registries,
    slice_of,
)

# Adapters with settings of their own, in the section of `data` named like them.
SECTIONS = {field.name for field in dataclasses.fields(Data)} & {*registries.DATA_SETS}


def load(config: Mapping[str, Any]) -> Study:
    """Check a configuration and build the study, defaults filled in.

    Text that YAML reads as the number, list or other value that a key should hold is taken for it:
    within a section of ``--config`` Snakemake knows nothing but text.

    Raises
    ------
    ConfigError
        With one line per fault: the key's path, what was found and what is allowed.
    """
    if not isinstance(config, Mapping):
        found = faults.show(config)
        raise ConfigError([f"the configuration is {found}, expected keys and values"])
    return slice_of(_checked(_with_inherited(plain(config))), Study)


def read(path: Path | str) -> Study:
    """Read a study from a YAML file."""
    with open(path, encoding="utf-8") as file:
        return load(yaml.safe_load(file) or {})


def resolve(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration as plain values with every default filled in."""
    return plain(load(config))


def _checked(values: dict[str, Any]) -> File:
    try:
        return build(File, values)
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False)
    if _reread(values, found):
        return _checked(values)
    lines = faults.describe(File, values, found)
    raise ConfigError([line for line in lines if not is_echo(line, lines)])


def _reread(values: dict[str, Any], found: Sequence[Mapping[str, Any]]) -> bool:
    """Read text in the wrong place as YAML, in place; tell whether any of it was more than text."""
    changed = False
    for fault in found:
        text = fault["input"]
        if fault["type"].endswith("_type") and isinstance(text, str):
            with contextlib.suppress(yaml.YAMLError):
                meant = yaml.safe_load(text)
                if not isinstance(meant, str):
                    *above, last = faults.place(fault, values)
                    holder: Any = values
                    for part in above:
                        holder = holder[part]
                    holder[last] = plain(meant)
                    changed = True
    return changed


def _with_inherited(config: dict[str, Any]) -> dict[str, Any]:
    """Write `training` under every architecture, below what the architecture overrides.

    So too `clips` under each of its variants, and under an architecture what is said of another one
    that has the name of its network.
    """
    clips = config.get("clips")
    if isinstance(clips, dict) and isinstance(clips.get("variants"), dict):
        main = {name: value for name, value in clips.items() if name != "variants"}
        for name, changes in clips["variants"].items():
            if isinstance(changes, dict):
                clips["variants"][name] = merge(main, changes)
    common = config.get("training", {})
    architectures = config.get("architectures")
    if isinstance(common, dict) and isinstance(architectures, dict):
        for name, settings in architectures.items():
            if not isinstance(settings, dict):
                continue
            network = settings.get("network")
            like = architectures.get(network) if isinstance(network, str) else None
            if isinstance(like, dict) and network != name:
                settings = architectures[name] = merge(like, settings)
            if isinstance(settings.get("training", {}), dict):
                settings["training"] = merge(common, settings.get("training", {}))
    data = config.get("data")
    if isinstance(data, dict):
        _with_section(data)
        sets = data.get("sets")
        for source in sets.values() if isinstance(sets, dict) else ():
            _with_section(source)
    return config


def _with_section(source: Any) -> None:
    """Add to a data set the section of its adapter, if it has one: defaults are filled in there."""
    if isinstance(source, dict) and source.get("adapter") in SECTIONS:
        source.setdefault(source["adapter"], {})


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``over`` on ``base``; mappings are merged, anything else is replaced."""
    merged = dict(base)
    for name, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = merge(merged[name], value) if both else value
    return merged


# Sections that are laid under others, and where those others are.
_INHERITED = {
    "training": re.compile(r"architectures\.[^.]+\.training\."),
    "clips": re.compile(r"clips\.variants\.[^.]+\."),
}


def is_echo(line: str, lines: Iterable[str]) -> bool:
    """Tell whether ``line`` repeats, under an architecture or variant, a fault of the common keys.

    Those of an architecture's ``training`` and of the variants of ``clips`` are inherited.
    """
    heirs = {common: heir.match(line) for common, heir in _INHERITED.items()}
    return any(f"{common}.{line[m.end() :]}" in lines for common, m in heirs.items() if m)

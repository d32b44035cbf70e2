"""Reading a configuration: defaults, checks against the JSON schema, and faults in plain words."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from facebias.replacement import replacing
from facebias.study import ConfigError, Study, build, plain

SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"
# Adapters with settings of their own, in the section of `data` named like them.
SECTIONS = ("drawn", "sase_fe", "ckplus", "actor_study", "ravdess")


def load(config: Mapping[str, Any]) -> Study:
    """Check a configuration against the schema, fill in defaults and build the study.

    Raises
    ------
    ConfigError
        With one line per fault: the key's path, what was found and what is allowed.
    """
    return build(Study, resolve(config))


def read(path: Path | str) -> Study:
    """Read a study from a YAML file."""
    with open(path, encoding="utf-8") as file:
        return load(yaml.safe_load(file) or {})


def resolve(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration as plain values with every default filled in."""
    schema = _schema()
    if not isinstance(config, Mapping):
        raise ConfigError([f"the configuration is {_show(config)}, expected keys and values"])
    values = _with_overrides(json.loads(json.dumps(plain(config))))
    _fill(schema, values, schema)
    faults = list(jsonschema.Draft202012Validator(schema).iter_errors(values))
    lines = dict.fromkeys(line for fault in faults for line in _explain(fault))
    lines = [line for line in lines if not is_echo(line, lines)]
    if lines:
        raise ConfigError(lines)
    del values["training"]
    return values


@functools.cache
def _schema() -> dict[str, Any]:
    # libyaml reads it ten times faster, and every plan waits for it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(SCHEMA.read_text(encoding="utf-8"), loader)


def _with_overrides(config: dict[str, Any]) -> dict[str, Any]:
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


def _fill(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any]) -> None:
    """Fill in the schema's defaults, in place, wherever ``value`` has the right shape."""
    schema = _follow(schema, root)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            _fill(schema["items"], item, root)
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    for name, part in known.items():
        part = {**_follow(part, root), **part}
        if "default" in part:
            value.setdefault(name, json.loads(json.dumps(part["default"])))
        if name in value:
            _fill(part, value[name], root)
    rest = schema.get("additionalProperties")
    if isinstance(rest, Mapping):
        for name in value.keys() - known.keys():
            _fill(rest, value[name], root)


def _follow(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    return root["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


# ------------------------------------------------------------------------------ faults in words

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys and values",
    "null": "null",
}
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}


def _explain(fault: jsonschema.ValidationError) -> Iterator[str]:
    key = key_path(fault.absolute_path) or "top level"
    found, rule, wanted = _show(fault.instance), fault.validator, fault.validator_value
    if rule == "additionalProperties":
        known = fault.schema.get("properties", {})
        for name in fault.instance.keys() - known.keys():
            where = key_path([*fault.absolute_path, name])
            yield f"{where}: unknown key{suggest(name, known)}"
    elif rule == "required":
        missing = [name for name in wanted if name not in fault.instance]
        yield from (
            f"{key_path([*fault.absolute_path, name])}: missing, it is needed" for name in missing
        )
    elif rule == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        expected = " or ".join(_KINDS[kind] for kind in kinds)
        yield f"{key}: found {found}, expected {expected}{_as_text(fault.instance, wanted)}"
    elif rule == "enum":
        yield f"{key}: found {found}{suggest(fault.instance, wanted)}"
    elif rule == "pattern":
        example = "a colour such as #0072B2" if "#" in wanted else "letters, digits, - and _"
        yield f"{key}: found {found}, expected {example}"
    elif rule in _BOUNDS:
        yield f"{key}: found {found}, expected {_BOUNDS[rule]} {wanted}"
    elif rule == "uniqueItems":
        twice = sorted({str(item) for item in fault.instance if fault.instance.count(item) > 1})
        yield f"{key}: {', '.join(twice)} stands more than once"
    elif rule in ("minItems", "maxItems", "minProperties", "minLength"):
        bound = "at least" if rule.startswith("min") else "at most"
        yield f"{key}: found {found}, expected {bound} {wanted} of them"
    else:
        yield f"{key}: {fault.message}"


def _as_text(value: Any, wanted: str | list[str]) -> str:
    """Say what to do where a value came as text, as all in a section of Snakemake's --config."""
    with contextlib.suppress(yaml.YAMLError):
        meant = yaml.safe_load(value) if isinstance(value, str) else value
        if meant != value and jsonschema.Draft202012Validator({"type": wanted}).is_valid(meant):
            return "; of --config it is text: write it into a file, further behind --configfile"
    return ""


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


def key_path(parts: Iterable[Any]) -> str:
    """Write the path of a key as ``splits.train.female`` or ``seeds[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def suggest(found: Any, allowed: Iterable[Any]) -> str:
    """Say what is allowed, close spellings first: ``; did you mean epochs? allowed: ...``."""
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(str(found), names, n=2)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"{hint}{'' if hint else ';'} allowed: {', '.join(names)}"


def _show(value: Any) -> str:
    if isinstance(value, Mapping):
        return "keys and values" if value else "nothing"
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --------------------------------------------------------------------------- plain values and back


def main(arguments: list[str]) -> None:
    """Write a resolved configuration to a file."""
    parser = argparse.ArgumentParser(prog="facebias resolve", description=main.__doc__)
    parser.add_argument("--settings", required=True, help="JSON: study")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    values = json.loads(given.settings)["study"]
    with replacing(given.out) as temporary:
        temporary.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

"""What does not fit in a configuration, in plain words: key, what was found, what is allowed."""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from facebias.study import COLOUR, NAME, SHA256

Path = tuple[str | int, ...]

_KINDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    Mapping: "keys and values",
    types.NoneType: "null",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "greater_than": ("gt", "more than"),
    "less_than": ("lt", "less than"),
    "multiple_of": ("multiple_of", "a multiple of"),
}
_LENGTHS = {
    "too_short": ("min_length", "at least"),
    "string_too_short": ("min_length", "at least"),
    "too_long": ("max_length", "at most"),
}
_PATTERNS = {
    NAME: "letters, digits, - and _",
    COLOUR: "a colour such as #0072B2",
    SHA256: "64 hexadecimal digits",
}
# How a fault of a mapping's key, and not of its value, ends its place.
_KEY = "[key]"


def describe(kind: type, values: Any, errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one line per fault that was found in ``values``, which should have been a ``kind``.

    Parameters
    ----------
    kind
        The section that the values were read as.
    values
        Plain values.
    errors
        Faults as pydantic lists them.
    """
    placed = [(place(error, values), error) for error in errors]
    lines: dict[str, None] = {}
    for path, error in placed:
        # Where a part is at fault, the whole is not also too short or of the wrong kind.
        inner = any(len(other) > len(path) and other[: len(path)] == path for other, _ in placed)
        if not (inner and error["type"].endswith(("_type", "_short"))):
            lines[_line(kind, path, error)] = None
    return list(lines)


def place(error: Mapping[str, Any], values: Any) -> Path:
    """Return which keys lead to a fault, without the names of types that pydantic puts between."""
    path: list[str | int] = []
    for part in error["loc"]:
        if isinstance(values, Mapping | list) and part in _indices(values):
            values = values[part]
            path.append(part)
    return (*path, error["loc"][-1]) if error["type"] == "missing" else tuple(path)


def _indices(values: Mapping[str, Any] | list[Any]) -> Iterable[str | int]:
    return values.keys() if isinstance(values, Mapping) else range(len(values))


def _line(kind: type, path: Path, error: Mapping[str, Any]) -> str:
    key, fault, context = key_path(path) or "top level", error["type"], error.get("ctx", {})
    found = show(error["input"])
    if fault == "unexpected_keyword_argument":
        return f"{key}: unknown key{suggest(path[-1], _keys(_hint(kind, path[:-1])))}"
    if fault == "missing":
        return f"{key}: missing, it is needed"
    if fault == "literal_error":
        expected = _hint(kind, path[:-1], keys=True) if _KEY in error["loc"] else _hint(kind, path)
        return f"{key}: found {found}{suggest(error['input'], choices(expected))}"
    if fault == "string_pattern_mismatch":
        return f"{key}: found {found}, expected {_PATTERNS[context['pattern']]}"
    if fault in _BOUNDS:
        name, words = _BOUNDS[fault]
        return f"{key}: found {found}, expected {words} {context[name]:g}"
    if fault in _LENGTHS:
        name, words = _LENGTHS[fault]
        return f"{key}: found {found}, expected {words} {context[name]} of them"
    if fault == "twice":
        return f"{key}: {context['names']} is repeated; each must be unique"
    if fault.endswith("_type"):
        return f"{key}: found {found}, expected {' or '.join(_words(_hint(kind, path)))}"
    return f"{key}: found {found}; {error['msg']}"


# ------------------------------------------------------------------------- what a key should hold


def choices(kind: Any) -> list[str]:
    """List the words that a key of this type may hold, alone or in a list."""
    found: list[str] = []
    for one in _members(kind):
        if typing.get_origin(one) is Literal:
            found += typing.get_args(one)
        elif typing.get_origin(one) is tuple:
            found += choices(typing.get_args(one)[0])
    return found


def _hint(kind: Any, path: Path, *, keys: bool = False) -> Any:
    """Return the type of what ``path`` leads to in a section ``kind``; or of its keys."""
    for part in path:
        kind = _inner(kind, part)
    return typing.get_args(kind)[0] if keys else kind


def _inner(kind: Any, part: str | int) -> Any:
    """Return the type of one part of a section, mapping or list."""
    for one in _members(kind):
        if dataclasses.is_dataclass(one):
            return typing.get_type_hints(one)[str(part)]
        if typing.get_origin(one) is not None:
            inner = typing.get_args(one)
            return inner[1] if _base(one) is Mapping else inner[0]
    return Any


def _members(kind: Any) -> tuple[Any, ...]:
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if union else (kind,)


def _base(kind: Any) -> Any:
    origin = typing.get_origin(kind) or kind
    is_mapping = dataclasses.is_dataclass(origin) or issubclass(origin, Mapping)
    return Mapping if is_mapping else origin


def _keys(kind: Any) -> list[str]:
    (section,) = (one for one in _members(kind) if dataclasses.is_dataclass(one))
    return [field.name for field in dataclasses.fields(section)]


def _words(kind: Any) -> list[str]:
    return [
        "text" if typing.get_origin(one) is Literal else _KINDS[_base(one)]
        for one in _members(kind)
    ]


# ------------------------------------------------------------------------------------------ words


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


def show(value: Any) -> str:
    """Write a value of a configuration short enough for a line."""
    if isinstance(value, Mapping):
        return "keys and values" if value else "nothing"
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."

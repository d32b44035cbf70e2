"""Settings as plain values: the dataclasses of a study as dicts, as JSON, and back."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping


def slice_of(value: typing.Any, kind: type) -> typing.Any:
    """Return what ``value`` has of the class ``kind`` that it extends."""
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: getattr(value, name) for name in names})


def build(kind: typing.Any, value: typing.Any) -> typing.Any:
    """Turn plain values (dicts, lists, scalars) into the dataclass or container type ``kind``."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        inner = next(part for part in typing.get_args(kind) if part is not type(None))
        return None if value is None else build(inner, value)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: build(hints[name], item) for name, item in value.items()})
    if origin is tuple:
        inner = typing.get_args(kind)[0]
        return tuple(build(inner, item) for item in value)
    if origin is Mapping:
        inner = typing.get_args(kind)[1]
        return {name: build(inner, item) for name, item in value.items()}
    if kind is float:
        return float(value)
    return value


def plain(value: typing.Any) -> typing.Any:
    """Turn dataclasses and containers into dicts, lists and scalars, as YAML and JSON have."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def settings(**parts: typing.Any) -> str:
    """Write the slice of a study that one job uses as one line of JSON, keys sorted."""
    return json.dumps(plain(parts), sort_keys=True)


def read_settings(text: str, **kinds: typing.Any) -> tuple[typing.Any, ...]:
    """Read ``settings`` back: one value per keyword, built as the type given for it.

    >>> read_settings('{"training": {...}}', training=Training)
    """
    values = json.loads(text)
    return tuple(build(kind, values[name]) for name, kind in kinds.items())

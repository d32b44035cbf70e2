"""What sections of a configuration are made of, and settings as JSON and back."""

from __future__ import annotations

import dataclasses
import functools
import json
import typing
from collections.abc import Mapping, Sequence

import pydantic_core
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter

T = typing.TypeVar("T")
_CHECKS = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


@typing.dataclass_transform(frozen_default=True, kw_only_default=True)
def section(kind: type[T]) -> type[T]:
    """Make a class a section of a configuration: a frozen dataclass whose fields are its keys.

    What a file says is checked when it is read (``build``), and nothing is converted: "3" is text,
    and 1.5 no whole number. What is made in Python is not checked.
    """
    kind.__pydantic_config__ = _CHECKS  # type: ignore[attr-defined]
    return dataclasses.dataclass(frozen=True, kw_only=True)(kind)


def key(
    default: typing.Any = dataclasses.MISSING,
    *,
    description: str,
    default_factory: typing.Any = dataclasses.MISSING,
    was: typing.Any = dataclasses.MISSING,
    **bounds: typing.Any,
) -> typing.Any:
    """Declare a key of a section.

    Parameters
    ----------
    default, default_factory
        Its value where a file has none.
    description
        What it means.
    was
        Of a key that was added: the value with which all is as it was without the key. As long as
        that is the default, ``settings`` leave the key out where it has this value, so that it
        reruns nothing.
    **bounds
        As those of pydantic's ``Field``.
    """
    return dataclasses.field(
        default=default,
        default_factory=default_factory,
        metadata={"description": description, "was": was, **bounds},
    )


def _once(values: Sequence[typing.Any]) -> Sequence[typing.Any]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise pydantic_core.PydanticCustomError("twice", "{names}", {"names": ", ".join(twice)})
    return values


# A list whose items must be unique.
Once = (AfterValidator(_once), Field(json_schema_extra={"uniqueItems": True}))
# What names files and columns, and a colour of a figure.
NAME, COLOUR, SHA256 = r"^[A-Za-z0-9][A-Za-z0-9_-]*$", r"^#[0-9A-Fa-f]{6}$", r"^[0-9a-f]{64}$"
Name = typing.Annotated[str, StringConstraints(pattern=NAME)]
Colour = typing.Annotated[str, StringConstraints(pattern=COLOUR)]
Sha256 = typing.Annotated[str, StringConstraints(pattern=SHA256)]
Text = typing.Annotated[str, StringConstraints(min_length=1)]
Texts = typing.Annotated[tuple[Text, ...], *Once]
# At least one.
SomeTexts = typing.Annotated[tuple[Text, ...], *Once, Field(min_length=1)]
Share = typing.Annotated[float, Field(ge=0, le=1)]
# May be 0, and may not.
Count = typing.Annotated[int, Field(ge=0)]
Number = typing.Annotated[int, Field(ge=1)]
Positive = typing.Annotated[float, Field(gt=0)]


def slice_of(value: typing.Any, kind: type) -> typing.Any:
    """Return what ``value`` has of the class ``kind`` that it extends."""
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: getattr(value, name) for name in names})


@functools.cache
def _adapter(kind: typing.Any) -> TypeAdapter[typing.Any]:
    return TypeAdapter(kind)


def build(kind: typing.Any, value: typing.Any) -> typing.Any:
    """Turn plain values (dicts, lists, scalars) into the section or container type ``kind``.

    Raises
    ------
    pydantic.ValidationError
        If they do not fit it.
    """
    return _adapter(kind).validate_json(json.dumps(value), strict=True)


def schema(kind: typing.Any) -> dict[str, typing.Any]:
    """Return the JSON schema of the section or container type ``kind``."""
    return _adapter(kind).json_schema()


def plain(value: typing.Any) -> typing.Any:
    """Turn dataclasses and containers into dicts, lists and scalars, as YAML and JSON have."""
    return pydantic_core.to_jsonable_python(value)


def lean(value: typing.Any) -> typing.Any:
    """Turn sections and containers into plain values, without added keys that change nothing."""
    if dataclasses.is_dataclass(value):
        fields = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {
            field.name: lean(part) for field, part in fields if not _changes_nothing(field, part)
        }
    if isinstance(value, Mapping):
        return {name: lean(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [lean(part) for part in value]
    return plain(value)


def _changes_nothing(field: dataclasses.Field[typing.Any], value: typing.Any) -> bool:
    was = field.metadata.get("was", dataclasses.MISSING)
    return was is not dataclasses.MISSING and bool(value == was == field.default)


def settings(asked: object = None, /, **parts: typing.Any) -> str:
    """Write what a job uses of a study, a section or parts by name, as one line of JSON."""
    return json.dumps(lean(parts if asked is None else asked), sort_keys=True)

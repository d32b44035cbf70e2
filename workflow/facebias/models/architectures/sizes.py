"""Numbers of channels, grids and the options of one architecture."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from facebias.study import StudyError

MULTIPLE = 8


def scaled(channels: int, width: float) -> int:
    """Scale a number of channels by ``width`` to the nearest multiple of 8, at least 8.

    A width of 1 leaves every number as it is.
    """
    if width == 1:
        return channels
    return max(MULTIPLE, round(channels * width / MULTIPLE) * MULTIPLE)


def options(name: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Complete the options given for architecture ``name`` by its defaults.

    Raises
    ------
    StudyError
        If an option does not exist, or is of another type than its default.
    """
    for key, value in given.items():
        where = f"architectures.{name}.options.{key}"
        if key not in defaults:
            close = difflib.get_close_matches(key, defaults, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            known = ", ".join(defaults) or "none"
            raise StudyError(f"{where}: no such option; {name} has {known}{hint}")
        expected = _types(defaults[key])
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            names = " or ".join(kind.__name__ for kind in expected)
            raise StudyError(f"{where}: found {value!r}; expected {names}")
    return {**defaults, **given}


def _types(default: Any) -> tuple[type, ...]:
    if default is None:
        return (int, type(None))
    if isinstance(default, bool):
        return (bool,)
    if isinstance(default, float):
        return (float, int)
    if isinstance(default, tuple):
        return (tuple, list)
    return (type(default),)

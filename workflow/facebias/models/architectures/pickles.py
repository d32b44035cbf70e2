"""Pickled NumPy arrays, read without running anything that a file asks for.

A pickle can call any function of any module. Here it gets only the few names with which NumPy 1
and 2 write arrays, and each of them is ours: no code of NumPy's own unpickling runs either.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from facebias.study import StudyError

NUMBERS = "fiu"  # kinds of NumPy types: real, whole, unsigned


class _Type:
    """A type of numbers, as a pickle describes it: ``f4``, then its byte order."""

    def __init__(self, name: str, align: object = False, copy: object = False):
        self.type = np.dtype(name)
        if self.type.kind not in NUMBERS:
            raise pickle.UnpicklingError(f"it holds values of type {name}, not numbers")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        if order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"it has a type with byte order {order!r}")
        self.type = self.type.newbyteorder(order)


class _Array:
    """An array, as a pickle describes it: made empty, then filled."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, in_columns, data = state
        if not isinstance(kind, _Type) or not isinstance(data, bytes | str):
            raise pickle.UnpicklingError("it has an array whose type or content is missing")
        # Of a pickle of Python 2, text is bytes.
        data = data.encode("latin1") if isinstance(data, str) else data
        found = np.frombuffer(data, kind.type).reshape(shape, order="F" if in_columns else "C")
        self.value = found.astype(kind.type.newbyteorder("="))


def _array(kind: object, shape: object, type_: object) -> _Array:
    return _Array()


def _latin1(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


# What a pickle of arrays names, by module and name, and what stands for it here.
ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _latin1,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return ADMITTED[module, name]


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Read a pickled dict of arrays of numbers, by name; pickles of Python 2 as well.

    Raises
    ------
    StudyError
        If the file asks for anything else than arrays, or is damaged.
    """
    with open(path, "rb") as file:
        found = _unpickled(file, path)
    wrong = [name for name, value in found.items() if not hasattr(value, "value")]
    if wrong:
        raise _refusal(path, f"{wrong[0]!r} is no array")
    return {str(name): array.value for name, array in found.items()}


def _unpickled(file: BinaryIO, path: Path) -> dict[Any, Any]:
    try:
        found = _Unpickler(file, encoding="latin1").load()
    except Exception as error:  # a file can be damaged in any way
        raise _refusal(path, str(error) or type(error).__name__) from None
    if not isinstance(found, dict):
        raise _refusal(path, f"it holds a {type(found).__name__}")
    return found


def _refusal(path: Path, found: str) -> StudyError:
    return StudyError(
        f"{path}: not read: {found}; expected a pickled dict of NumPy arrays and nothing else; "
        "take the file from where docs/weights.md says"
    )

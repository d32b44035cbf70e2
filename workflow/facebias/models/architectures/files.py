"""Readers of files of weights: each gives tensors by name, laid out as torch has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor

from facebias.models.architectures import pickles
from facebias.study import StudyError

# What of a Keras layer comes first and second.
KERAS = ("weight", "bias")


def state_dict(path: Path) -> dict[str, Tensor]:
    """Read a state dict that torch has saved. Nothing but tensors is unpickled.

    Raises
    ------
    StudyError
        If the file is damaged or holds anything else.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file can be damaged in any way
        # torch's own words tell how to read it all the same, whatever it runs.
        raise StudyError(
            f"{path}: not read ({type(error).__name__}); expected a state dict that torch has "
            "saved, and nothing but tensors: it is damaged, of another format, or holds code"
        ) from None
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    ):
        raise StudyError(
            f"{path}: holds no state dict; expected tensors by name, "
            "as torch.save(network.state_dict(), ...) writes them"
        )
    return dict(found)


def arrays(path: Path) -> dict[str, Tensor]:
    """Read a pickled dict of NumPy arrays.

    Raises
    ------
    StudyError
        As ``pickles.arrays``.
    """
    return {name: torch.from_numpy(value) for name, value in pickles.arrays(path).items()}


def keras(path: Path) -> dict[str, Tensor]:
    """Read weights that Keras has saved as HDF5, of a network whose layers have kernel and bias.

    Kernels (height, width, inputs, outputs) become (outputs, inputs, height, width), and (inputs,
    outputs) become (outputs, inputs).

    Raises
    ------
    StudyError
        If the file is damaged or of another kind.
    """
    try:
        with h5py.File(path) as file:
            root = file.get("model_weights", file)
            layers = {
                _text(layer): [
                    _numbers(path, root[_text(layer)][_text(name)])
                    for name in root[_text(layer)].attrs["weight_names"]
                ]
                for layer in root.attrs["layer_names"]
            }
    except (OSError, KeyError) as error:
        raise StudyError(
            f"{path}: not read: {error}; expected weights that Keras has saved as HDF5"
        ) from None
    return {
        f"{layer}.{part}": from_keras(value)
        for layer, values in layers.items()
        for part, value in _named(path, layer, values).items()
    }


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _numbers(path: Path, found: h5py.Dataset | h5py.Group) -> np.ndarray:
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in pickles.NUMBERS:
        raise StudyError(f"{path}: {found.name} is no array of numbers; expected weights of Keras")
    return np.asarray(found)


def _named(path: Path, layer: str, values: list[np.ndarray]) -> dict[str, np.ndarray]:
    if len(values) not in (0, len(KERAS)):
        raise StudyError(
            f"{path}: layer {layer} has {len(values)} arrays; expected kernel and bias"
        )
    return dict(zip(KERAS, values, strict=False))


def from_keras(value: np.ndarray) -> Tensor:
    """Lay out one array of Keras as torch has it."""
    order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(value.ndim, range(value.ndim))
    return torch.from_numpy(np.ascontiguousarray(value.transpose(*order)))


READERS: dict[str, Callable[[Path], dict[str, Tensor]]] = {
    "state_dict": state_dict,
    "arrays": arrays,
    "keras": keras,
}

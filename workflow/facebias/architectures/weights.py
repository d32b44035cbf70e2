"""Weights of a network on disk, as safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor, nn

from facebias.study import StudyError


def save(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict to ``path``."""
    safetensors.torch.save_file(
        {name: value.detach().cpu().contiguous() for name, value in state.items()}, path
    )


def load(network: nn.Module, path: Path) -> None:
    """Read ``path`` into ``network``; every tensor must have its place, and every place a tensor.

    Raises
    ------
    StudyError
        If the file cannot be read, or its names or shapes are not the network's.
    """
    try:
        state = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise StudyError(f"{path}: no readable weights ({error}); train the model again") from None
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    if found != expected:
        differing = sorted(set(found.items()) ^ set(expected.items()))
        name = differing[0][0]
        raise StudyError(
            f"{path}: {name} has shape {found.get(name, 'none')}, the configured network has "
            f"{expected.get(name, 'none')} ({len(differing)} differences); train the model again"
        )
    network.load_state_dict(state)

"""Weights of a network on disk, as safetensors, with what they expect of their input."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor, nn

from facebias.models.architectures.inputs import CONVENTIONS, InputConvention
from facebias.models.architectures.network import Network
from facebias.study import StudyError

# One key: safetensors writes several in an order that differs from run to run.
KEY = "facebias"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """A file of pretrained weights: ``source`` (address or name), ``format`` and its SHA-256."""

    source: str
    format: str
    sha256: str


def save(
    state: Mapping[str, Tensor],
    path: Path,
    *,
    convention: InputConvention = CONVENTIONS["imagenet"],
    origin: Origin | None = None,
) -> None:
    """Write a state dict to ``path``.

    Parameters
    ----------
    convention
        What the weights expect of pixels; by default what networks trained from scratch get.
    origin
        The pretrained weights in it or that it was trained from.
    """
    facts = {
        "convention": dataclasses.asdict(convention),
        "origin": None if origin is None else dataclasses.asdict(origin),
    }
    safetensors.torch.save_file(
        {name: value.detach().cpu().contiguous() for name, value in state.items()},
        path,
        metadata={KEY: json.dumps(facts, sort_keys=True)},
    )


def load(network: Network, path: Path) -> None:
    """Read ``path`` into ``network``, with its input convention.

    Every tensor must have its place, and every place a tensor.

    Raises
    ------
    StudyError
        If the file cannot be read, or its names or shapes are not the network's.
    """
    facts = _fill(network, path, remedy="train the model again")
    network.convention = _convention(facts)


def load_pretrained(network: Network, path: Path) -> Origin:
    """Read converted weights into the backbone of ``network``, with their input convention.

    Returns
    -------
    The file that they were converted from.

    Raises
    ------
    StudyError
        As ``load``.
    """
    facts = _fill(network.backbone, path, remedy="convert the weights again")
    network.convention = _convention(facts)
    return Origin(**facts["origin"])


def _fill(module: nn.Module, path: Path, *, remedy: str) -> dict[str, Any]:
    """Read ``path`` into ``module``; return what is noted beside the tensors."""
    try:
        state = safetensors.torch.load_file(path)
        with safetensors.safe_open(path, framework="pt") as file:
            noted = (file.metadata() or {}).get(KEY)
    except (OSError, safetensors.SafetensorError) as error:
        raise StudyError(f"{path}: no readable weights ({error}); {remedy}") from None
    if noted is None:
        raise StudyError(f"{path}: does not say what its weights expect of pixels; {remedy}")
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    if found != expected:
        differing = sorted(set(found.items()) ^ set(expected.items()))
        name = differing[0][0]
        raise StudyError(
            f"{path}: {name} has shape {found.get(name, 'none')}, the configured network has "
            f"{expected.get(name, 'none')} ({len(differing)} differences); {remedy}"
        )
    module.load_state_dict(state)
    return json.loads(noted)


def _convention(facts: Mapping[str, Any]) -> InputConvention:
    given = facts["convention"]
    return InputConvention(**{**given, "mean": tuple(given["mean"]), "std": tuple(given["std"])})

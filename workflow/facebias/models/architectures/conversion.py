"""Convert a file of pretrained weights: the names of our network, and its input convention."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import torch
from torch import Tensor

from facebias.core import provenance
from facebias.core.replacement import replacing
from facebias.models.architectures import formats, inputs, weights
from facebias.models.architectures import network as networks
from facebias.models.architectures.files import READERS
from facebias.models.architectures.formats import Format
from facebias.models.architectures.inputs import InputConvention
from facebias.models.architectures.weights import Origin
from facebias.stages.models import Convert
from facebias.study import StudyError, Weights

# Steps that batch norms have counted: of no use in a network that has been trained, and older files
# have none.
COUNTER = "num_batches_tracked"


def convert(
    found: Mapping[str, Tensor], kind: Format, expected: Mapping[str, Tensor], *, where: str
) -> dict[str, Tensor]:
    """Return the tensors of a file the names and shapes that our backbone has.

    Parameters
    ----------
    found
        Tensors of the file, by name.
    kind
        What kind of file it is.
    expected
        The state dict of the backbone; only names, shapes and types are looked at.
    where
        Names the file in errors.

    Returns
    -------
    A tensor for every name in ``expected``.

    Raises
    ------
    StudyError
        If a tensor has no place in the backbone, a place no tensor, a shape is another, or a
        value is not finite.
    """
    taken = {name: _ours(name, kind) for name in found if _layer(name) not in kind.dropped}
    unused = [name for name, ours in taken.items() if ours not in expected]
    unfilled = [
        name for name in expected if name not in taken.values() and not name.endswith(f".{COUNTER}")
    ]
    if unused or unfilled:
        raise StudyError(
            f"{where}: the network has no place for {_first(unused)}, and the file nothing for "
            f"{_first(unfilled)}; see whether architectures.NAME.weights.format is that of the "
            "file, and whether the options are those of the published network"
        )
    state = {
        name: torch.zeros(value.shape, dtype=value.dtype)
        for name, value in expected.items()
        if name.endswith(f".{COUNTER}")
    }
    for name, ours in taken.items():
        state[ours] = _value(found[name], expected[ours], kind.grids.get(_layer(ours)), ours, where)
    return state


def convention_of(kind: Format, pretrained: Weights) -> InputConvention:
    """Return the input convention of the format, with the order of channels that the file has."""
    convention = inputs.CONVENTIONS[kind.convention]
    order = kind.channel_order or convention.channel_order
    if pretrained.channel_order != "auto":
        order = pretrained.channel_order
    return convention.reordered(order)


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _ours(name: str, kind: Format) -> str | None:
    """Return the name that a tensor of the file has in the network; None: none is known."""
    if not kind.layers:
        return name
    layer, _, part = name.rpartition(".")
    return f"{kind.layers[layer]}.{part}" if layer in kind.layers else None


def _first(names: list[str]) -> str:
    if not names:
        return "no tensor"
    return names[0] if len(names) == 1 else f"{names[0]} (and {len(names) - 1} more)"


def _value(
    value: Tensor, expected: Tensor, grid: tuple[int, int, int] | None, name: str, where: str
) -> Tensor:
    """Bring one tensor to the layout and type of the network; its shape must be the network's."""
    if grid is not None and value.dim() == 2 and value.shape[1] == torch.Size(grid).numel():
        value = value.unflatten(1, grid).permute(0, 3, 1, 2).flatten(1)
    if value.shape != expected.shape:
        raise StudyError(
            f"{where}: {name} has shape {tuple(value.shape)}, the configured network has "
            f"{tuple(expected.shape)}; weights fit the published network alone: VGG16 with fewer "
            "than 224 pixels needs architectures.NAME.options.pool: 7"
        )
    if not value.isfinite().all():
        raise StudyError(f"{where}: {name} holds values that are not finite; fetch the file again")
    return value.to(expected.dtype).contiguous()


def main(arguments: list[str]) -> None:
    """Convert a file of pretrained weights to safetensors."""
    given = Convert.of(arguments)
    backbone, pretrained = given.settings.backbone, given.settings.weights
    network = backbone.called(given.architecture)
    found = provenance.digest(given.file)
    print(f"{given.file}: SHA-256 {found}", file=sys.stderr)
    formats.check_digest(given.file, found, formats.digest(pretrained, network))
    kind = formats.find(pretrained, network)
    with torch.device("meta"):
        expected = networks.build_backbone(network, backbone).state_dict()
    state = convert(READERS[kind.reader](given.file), kind, expected, where=str(given.file))
    source = formats.address(pretrained, network) or given.file.name
    with replacing(given.out) as temporary:
        weights.save(
            state,
            temporary,
            convention=convention_of(kind, pretrained),
            origin=Origin(source=source, format=pretrained.format, sha256=found),
        )

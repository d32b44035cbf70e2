"""Look at every operation that torch runs, also on the way back: what a GPU would be asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Operations that have no deterministic implementation on CUDA and raise under determinism, by the
# lines of the documentation of ``torch.use_deterministic_algorithms``.
RAISING = {
    "torch.nn.AvgPool3d": ["avg_pool3d_backward"],
    "torch.nn.AdaptiveAvgPool2d": ["_adaptive_avg_pool2d_backward"],
    "torch.nn.AdaptiveAvgPool3d": ["_adaptive_avg_pool3d_backward"],
    "torch.nn.MaxPool3d": ["max_pool3d_with_indices_backward"],
    "torch.nn.AdaptiveMaxPool2d": ["adaptive_max_pool2d_backward"],
    "torch.nn.FractionalMaxPool2d": ["fractional_max_pool2d_backward"],
    "torch.nn.FractionalMaxPool3d": ["fractional_max_pool3d_backward"],
    "torch.nn.MaxUnpool1d": ["max_unpool2d"],
    "torch.nn.MaxUnpool2d": ["max_unpool2d"],
    "torch.nn.MaxUnpool3d": ["max_unpool3d"],
    "torch.nn.functional.interpolate": [
        *("upsample_linear1d_backward", "upsample_bilinear2d_backward"),
        *("upsample_bicubic2d_backward", "upsample_trilinear3d_backward"),
        *("_upsample_bilinear2d_aa_backward", "_upsample_bicubic2d_aa_backward"),
    ],
    "torch.nn.ReflectionPad1d": ["reflection_pad1d_backward"],
    "torch.nn.ReflectionPad2d": ["reflection_pad2d_backward"],
    "torch.nn.ReflectionPad3d": ["reflection_pad3d_backward"],
    # Of pictures alone; of scores (N, C) it is deterministic.
    "torch.nn.NLLLoss": ["nll_loss2d_forward", "nll_loss2d_backward"],
    "torch.nn.CTCLoss": ["_ctc_loss_backward", "_cudnn_ctc_loss"],
    "torch.nn.EmbeddingBag": ["_embedding_bag_dense_backward"],
    "torch.Tensor.put_": ["put", "put_"],
    "torch.histc": ["histc"],
    "torch.bincount": ["bincount"],
    "torch.median": ["median.dim", "nanmedian.dim"],
    "torch.nn.functional.grid_sample": ["grid_sampler_2d_backward", "grid_sampler_3d_backward"],
    "torch.cumsum": ["cumsum", "cumsum_"],
    "torch.Tensor.scatter_reduce": ["scatter_reduce", "scatter_reduce_"],
    "torch.Tensor.resize_": [],  # of quantised numbers, which no network of ours has
}

Look = Callable[[str, tuple[Any, ...], Any], None]


class Looking(TorchDispatchMode):
    """Call ``look`` with the name, the arguments and the result of every operation.

    Names are those of aten, with the overload behind a point where there is one.
    """

    def __init__(self, look: Look):
        super().__init__()
        self.look = look

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping | None = None
    ) -> Any:
        """Run."""
        result = func(*args, **(kwargs or {}))
        self.look(func.name().removeprefix("aten::"), args, result)
        return result


def documented() -> Iterator[str]:
    """Yield what the installed torch says it raises at."""
    text = torch.use_deterministic_algorithms.__doc__
    raising = text.partition("operations will throw a")[2].partition("In addition")[0]
    yield from re.findall(r"^ +\* :(?:class|func):`([^`]+)`", raising, re.M)


def nondeterministic() -> Looking:
    """Note the operations that raise on CUDA under determinism, in ``found`` of what is given."""
    names = {name for each in RAISING.values() for name in each}
    found: set[str] = set()

    def look(name: str, arguments: tuple[Any, ...], result: Any) -> None:
        if name in names or (name.partition(".")[0] in names and _of_floats(arguments)):
            found.add(name)

    looking = Looking(look)
    looking.found = found
    return looking


def _of_floats(arguments: tuple[Any, ...]) -> bool:
    """Tell whether an operation is of floats: whole numbers add up alike in any order."""
    return any(isinstance(each, Tensor) and each.is_floating_point() for each in arguments)


def convolved() -> Looking:
    """Note in ``found`` the shapes of what convolutions get with the channels anywhere but last."""
    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    found: list[torch.Size] = []

    def look(name: str, arguments: tuple[Any, ...], result: Any) -> None:
        if name.partition(".")[0] in ("convolution", "_convolution", "cudnn_convolution"):
            given = arguments[0]
            if not given.is_contiguous(memory_format=layouts[given.dim()]):
                found.append(given.shape)

    looking = Looking(look)
    looking.found = found
    return looking

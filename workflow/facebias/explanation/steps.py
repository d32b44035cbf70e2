"""Steps of a forward pass that networks take without a layer, as layers, and their rules.

zennit's rules hook onto layers. A shortcut's addition, a gate's product and a mean are none:
``canonizers`` puts these in their place while a network is explained.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from zennit.core import Hook

from facebias.explanation.hooks import shared


class Addition(nn.Module):
    """The sum of two tensors of one shape."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Add."""
        return first + second


class Gate(nn.Module):
    """A signal times a gate; shapes broadcast."""

    def forward(self, signal: Tensor, gate: Tensor) -> Tensor:
        """Multiply."""
        return signal * gate


class Mean(nn.Module):
    """The mean over some dimensions. zennit's ``Norm`` shares its relevance by size."""

    def __init__(self, *dims: int):
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        """Average."""
        return x.mean(self.dims)


class Share(Hook):
    """The epsilon rule of an ``Addition``: each term gets relevance by its part of the sum.

    The same as zennit's ``Sum`` with ``Norm``, without stacking the two terms.
    """

    def __init__(self, stabilizer: float = 1e-6):
        super().__init__()
        self.stabilizer = stabilizer

    def forward(self, module: nn.Module, terms: tuple[Tensor, ...], output: Tensor) -> None:
        """Keep the two terms."""
        self.stored_tensors["terms"] = terms

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Share."""
        first, second = (term.detach() for term in self.stored_tensors["terms"])
        share = shared(grad_output[0], first + second, self.stabilizer)
        return first * share, second * share

    def copy(self) -> Share:
        """Return one like it for another layer."""
        return Share(self.stabilizer)


class SignalTakesAll(Hook):
    """The rule of a ``Gate``: all relevance to the signal, none to the gate (Arras et al. 2017)."""

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, Tensor]:
        """Pass."""
        return grad_output[0], torch.zeros_like(grad_input[1])

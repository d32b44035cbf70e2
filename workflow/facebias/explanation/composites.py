"""Composites: which rule of layer-wise relevance propagation each kind of layer gets.

A composite is a row of a table. The rules themselves are zennit's (Anders et al. 2021), ``steps``'
and ``recurrence``'s. The same in all: activations pass relevance on, means and average pools share
it by size, a gate's signal takes all of it, max-pools give it to the winner.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import nn
from zennit.core import Composite, Hook
from zennit.rules import Norm, Pass
from zennit.types import Activation, AvgPool, Convolution, Linear

from facebias.explanation.canonizers import canonizers
from facebias.explanation.hooks import (
    AlphaBeta,
    Box,
    DirectComposite,
    Epsilon,
    Flat,
    Gamma,
    Plus,
    WholePlus,
)
from facebias.explanation.recurrence import Recurrence
from facebias.explanation.steps import Addition, Gate, Mean, Share, SignalTakesAll
from facebias.models.architectures.inputs import InputConvention
from facebias.models.architectures.network import Network
from facebias.study import StudyError

# In every denominator, as zennit has it; in an LSTM a thousand times as much, as its authors have.
STABILIZER = 1e-6
RECURRENT = 1e3

# A rule is made from the stabilizer and the parameters that it leaves out.
Make = Callable[[float, list[str] | None], Hook]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of a composite.

    ``first``: of the first layer (None: as the others); it may depend on the input's range.
    ``upper``: of the later half of the convolutions (None: as the earlier ones). ``biases``:
    whether biases take relevance, which then never arrives; batch norms make large ones.
    """

    first: Callable[[InputConvention], Make] | None
    convolution: Make
    upper: Make | None = None
    dense: Make = lambda stabilizer, zero: Epsilon(stabilizer, zero_params=zero)
    biases: bool = True


def _flat(convention: InputConvention) -> Make:
    return lambda stabilizer, zero: Flat(stabilizer)


def _box(convention: InputConvention) -> Make:
    low, high = (torch.tensor(bound)[None] for bound in convention.bounds())
    return lambda stabilizer, zero: Box(low, high, stabilizer)


def _plus(stabilizer: float, zero: list[str] | None) -> Hook:
    return WholePlus(stabilizer) if zero else Plus(stabilizer)


def _gamma(stabilizer: float, zero: list[str] | None) -> Hook:
    return Gamma(0.25, stabilizer, zero_params=zero)


def _alpha_beta(stabilizer: float, zero: list[str] | None) -> Hook:
    return AlphaBeta(2, 1, stabilizer, zero_params=zero)


def _epsilon(stabilizer: float, zero: list[str] | None) -> Hook:
    return Epsilon(stabilizer, zero_params=zero)


COMPOSITES: dict[str, Rules] = {
    # zennit's own, by their names.
    "epsilon_plus_flat": Rules(first=_flat, convolution=_plus),
    "epsilon_plus": Rules(first=None, convolution=_plus),
    "epsilon_gamma_box": Rules(first=_box, convolution=_gamma),
    "epsilon_alpha2_beta1_flat": Rules(first=_flat, convolution=_alpha_beta),
    "epsilon": Rules(first=None, convolution=_epsilon),
    # All relevance arrives: no bias takes any.
    "conserving": Rules(first=_flat, convolution=_plus, biases=False),
    # Upper layers by the epsilon rule, which tells labels apart; lower ones by one that gives no
    # noise; pixels by their range (after Montavon et al. 2019).
    "layered": Rules(first=_box, convolution=_plus, upper=_epsilon, biases=False),
}


def composite(name: str, network: Network, *, stabilizer: float = STABILIZER) -> Composite:
    """Make the composite ``name`` for one network and the range of pixels that it takes.

    Parameters
    ----------
    name
        A key of ``COMPOSITES``.
    network
        What will be explained.
    stabilizer
        Added to every denominator, with its sign.

    Raises
    ------
    StudyError
        If there is no such composite.
    """
    if name not in COMPOSITES:
        raise StudyError(
            f"explanation.composite: found {name!r}; expected one of {', '.join(COMPOSITES)}"
        )
    rules = COMPOSITES[name]
    zero = None if rules.biases else ["bias"]
    lower = rules.convolution(stabilizer, zero)
    # Below the epsilon rule biases keep their part: without them its denominators may vanish.
    upper = lower if rules.upper is None else rules.upper(stabilizer, None)
    of_bias = zero if rules.upper is None else None
    first = None if rules.first is None else rules.first(network.convention)(stabilizer, zero)
    linear = [key for key, part in network.named_modules() if isinstance(part, Linear)]
    convolutions = [key for key, part in network.named_modules() if isinstance(part, Convolution)]
    late = set(convolutions[len(convolutions) // 2 :])
    others: list[tuple[type, Hook]] = [
        (Activation, Pass()),
        (Addition, Share(stabilizer)),
        (Gate, SignalTakesAll()),
        (Mean, Norm(stabilizer)),
        (AvgPool, Norm(stabilizer)),
        (nn.LSTM, Recurrence(RECURRENT * stabilizer, biases=of_bias is None)),
        (nn.Linear, rules.dense(stabilizer, of_bias)),
    ]

    def rule(context: dict, key: str, part: nn.Module) -> Hook | None:
        if first is not None and key == linear[0]:
            return first
        if isinstance(part, Convolution):
            return upper if key in late else lower
        return next((hook for kind, hook in others if isinstance(part, kind)), None)

    return DirectComposite(rule, canonizers())

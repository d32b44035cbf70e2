"""Composites: which rule of layer-wise relevance propagation each kind of layer gets.

A composite is a row of a table. The rules themselves are zennit's (Anders et al. 2021); those not
named here are the same in all: activations pass relevance on, average pools share it by size.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import nn
from zennit.canonizers import Canonizer
from zennit.composites import SpecialFirstLayerMapComposite, layer_map_base
from zennit.core import Composite, Hook
from zennit.rules import AlphaBeta, Epsilon, Flat, Gamma, ZBox, ZPlus
from zennit.types import Convolution, Linear

from facebias.architectures.inputs import InputConvention
from facebias.study import StudyError


def box(convention: InputConvention) -> Hook:
    """Give the box rule for the range of pixels that ``convention`` allows."""
    low, high = (torch.tensor(bound)[None, :, None, None] for bound in convention.bounds())
    return ZBox(low=low, high=high)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of a composite; ``first`` (None: as the others) may depend on the input's range."""

    first: Callable[[InputConvention], Hook] | None
    convolution: Callable[[], Hook]
    dense: Callable[[], Hook] = Epsilon


COMPOSITES: dict[str, Rules] = {
    "epsilon_plus_flat": Rules(first=lambda _: Flat(), convolution=ZPlus),
    "epsilon_plus": Rules(first=None, convolution=ZPlus),
    "epsilon_gamma_box": Rules(first=box, convolution=lambda: Gamma(0.25)),
    "epsilon_alpha2_beta1_flat": Rules(
        first=lambda _: Flat(), convolution=lambda: AlphaBeta(alpha=2, beta=1)
    ),
    "epsilon": Rules(first=None, convolution=Epsilon),
}


def composite(
    name: str, *, convention: InputConvention, canonizers: tuple[Canonizer, ...] = ()
) -> Composite:
    """Make the composite ``name`` for a network whose pixels follow ``convention``.

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
    return SpecialFirstLayerMapComposite(
        layer_map=[
            *layer_map_base(),
            (Convolution, rules.convolution()),
            (nn.Linear, rules.dense()),
        ],
        first_map=[] if rules.first is None else [(Linear, rules.first(convention))],
        canonizers=list(canonizers),
    )

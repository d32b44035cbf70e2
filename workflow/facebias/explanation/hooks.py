"""zennit's rules, without the pass back through autograd that they throw away.

zennit lets autograd take a layer's gradient and puts the rule's relevance in its place: one pass
too many for every layer, and copies of its input. Here a layer runs without a graph, and its rule
is all that is asked for on the way back. Rules and results are the same.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn
from zennit import rules
from zennit.core import (
    BasicHook,
    Composite,
    Hook,
    ParamMod,
    RemovableHandle,
    RemovableHandleList,
)


class DirectComposite(Composite):
    """A composite whose rules stand in for the layers' gradients."""

    def register(self, module: nn.Module) -> None:
        """Canonize a network and give every part its rule."""
        self.remove()
        for canonizer in self.canonizers:
            self.handles += canonizer.apply(module)
        context: dict[str, Any] = {}
        for name, part in module.named_modules():
            template = self.module_map(context, name, part)
            if template is not None:
                self.handles.append(attach(template.copy(), part))


def attach(hook: Hook, module: nn.Module) -> RemovableHandleList:
    """Make ``hook`` the way back through ``module``."""
    return RemovableHandleList(
        [
            RemovableHandle(hook),
            module.register_forward_pre_hook(functools.partial(_before, hook)),
            module.register_forward_hook(functools.partial(_after, hook)),
        ]
    )


def _before(hook: Hook, module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    hook.stored_tensors["given"] = given
    return tuple(tensor.detach().requires_grad_(isinstance(hook, Epsilon)) for tensor in given)


def _after(hook: Hook, module: nn.Module, given: tuple[Tensor, ...], output: Any) -> Any:
    hook.forward(module, given, output)
    first, *others = output if isinstance(output, tuple) else (output,)
    back = _Back.apply(hook, module, first.detach(), *hook.stored_tensors.pop("given"))
    return (back, *others) if others else back


class _Back(torch.autograd.Function):
    """Forward: the layer's output as it is. Backward: its rule."""

    @staticmethod
    def forward(ctx: Any, hook: Hook, module: nn.Module, output: Tensor, *given: Tensor) -> Tensor:
        ctx.hook, ctx.module, ctx.given = hook, module, tuple(part.detach() for part in given)
        return output

    @staticmethod
    def backward(ctx: Any, relevance: Tensor) -> tuple[Any, ...]:
        return (None, None, None, *ctx.hook.backward(ctx.module, ctx.given, (relevance,)))


def shared(relevance: Tensor, output: Tensor, stabilizer: float) -> Tensor:
    """Divide relevance by an output, which is moved away from 0 by ``stabilizer``.

    As zennit does, but with one new tensor instead of six: on a CPU, fresh memory costs more than
    the arithmetic.
    """
    steady = torch.copysign(output.new_tensor(stabilizer), output).add_(output)
    return torch.div(relevance, steady, out=steady)


class Stabilized(BasicHook):
    """A rule that knows its stabilizer."""

    stabilizer: float

    def copy(self) -> Stabilized:
        """Return one like it for another layer."""
        made = super().copy()
        made.stabilizer = self.stabilizer
        return made


class Epsilon(Stabilized, rules.Epsilon):
    """zennit's epsilon rule; with biases it asks what the layer itself has just computed."""

    def __init__(self, stabilizer: float, zero_params: list[str] | None = None):
        super().__init__(stabilizer, zero_params)
        self.stabilizer = stabilizer

    def forward(self, module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        """Keep the input, and the output with the way back to it."""
        super().forward(module, given, output)
        self.stored_tensors["output"] = output

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor | None, ...]:
        """Share by the products of input and weight."""
        (given,), output = self.stored_tensors["input"], self.stored_tensors["output"]
        if self.param_modifiers[0].zero_params or not output.requires_grad:
            return super().backward(module, grad_input, grad_output)
        share = shared(grad_output[0], output.detach(), self.stabilizer)
        (gradient,) = torch.autograd.grad(output, given, share)
        return (gradient.mul_(given.detach()),)


class Halved(BasicHook):
    """A rule that treats positive and negative inputs apart: what ReLUs left takes half the work.

    The passes for negative inputs have no bias, so that without such inputs they are zero.
    """

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Share as zennit does, leaving out the passes that are zero."""
        given = self.stored_tensors["input"][0].detach()
        negative = bool((given < 0).any())
        nothing = given.new_zeros(())
        inputs, outputs = [], []
        for of_input, of_parameters in zip(self.input_modifiers, self.param_modifiers, strict=True):
            if not negative and of_input(nothing + 1) == 0:
                inputs.append(nothing)
                outputs.append(nothing)
                continue
            inputs.append(of_input(given).clone().requires_grad_())
            with of_parameters(module) as modified, torch.enable_grad():
                outputs.append(modified.forward(inputs[-1]))
        shares = self.gradient_mapper(grad_output[0], [output.detach() for output in outputs])
        run = [place for place, output in enumerate(outputs) if output.requires_grad]
        gradients = [nothing] * len(outputs)
        found = torch.autograd.grad(
            *([each[place] for place in run] for each in (outputs, inputs, shares))
        )
        for place, gradient in zip(run, found, strict=True):
            gradients[place] = gradient
        return (self.reducer([each.detach() for each in inputs], gradients),)


class Plus(Halved, rules.ZPlus):
    """zennit's z+ rule."""


class AlphaBeta(Halved, rules.AlphaBeta):
    """zennit's alpha-beta rule."""


class Gamma(Halved, rules.Gamma):
    """zennit's gamma rule."""


class WholePlus(Stabilized, rules.ZPlus):
    """The z+ rule without biases, and without loss.

    A unit that only its bias makes active has no positive product to share its relevance by, which
    happens where a layer has few inputs (bottlenecks). All its inputs get the same of it.
    """

    def __init__(self, stabilizer: float):
        super().__init__(stabilizer, zero_params=["bias"])
        self.stabilizer = stabilizer

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Share by the positive products, and evenly where there are none."""
        given, relevance = self.stored_tensors["input"][0].detach(), grad_output[0]
        signs = [given] if given.min() >= 0 else [given.clamp(min=0), given.clamp(max=0)]
        inputs = [part.detach().requires_grad_() for part in signs]
        outputs = []
        for part, of_parameters in zip(inputs, self.param_modifiers, strict=False):
            with of_parameters(module) as modified, torch.enable_grad():
                outputs.append(modified.forward(part))
        whole = functools.reduce(torch.add, [output.detach() for output in outputs])
        left = relevance.masked_fill(whole != 0, 0)
        share = shared(relevance, whole, self.stabilizer)
        gradients = torch.autograd.grad(outputs, inputs, [share] * len(outputs))
        found = gradients[0].mul_(signs[0])
        for part, gradient in zip(signs[1:], gradients[1:], strict=True):
            found.addcmul_(part, gradient)
        if left.any():
            found += share_evenly(module, given, left, stabilizer=0)
        return (found,)


class Flat(Stabilized, rules.Flat):
    """zennit's flat rule: every input of a unit gets the same."""

    def __init__(self, stabilizer: float):
        super().__init__(stabilizer)
        self.stabilizer = stabilizer

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Share evenly."""
        given = self.stored_tensors["input"][0]
        found = share_evenly(module, given, grad_output[0], stabilizer=self.stabilizer)
        return (found.expand_as(given),)


class Box(Stabilized, rules.ZBox):
    """zennit's box rule, whose three passes are one: through a layer of three times the channels.

    Biases, and their positive and negative parts, cancel.
    """

    def __init__(self, low: Tensor, high: Tensor, stabilizer: float):
        super().__init__(low, high, stabilizer)
        self.stabilizer = stabilizer

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Share by the distance from the least that the input could have given."""
        value, low, high = (
            modified(self.stored_tensors["input"][0].detach()) for modified in self.input_modifiers
        )
        inputs = torch.cat([value, -low, -high], dim=1).requires_grad_()
        with _TRIPLE(module) as modified, torch.enable_grad():
            output = modified.forward(inputs)
        share = shared(grad_output[0], output.detach(), self.stabilizer)
        (gradient,) = torch.autograd.grad(output, inputs, share)
        return (gradient.mul_(inputs.detach()).unflatten(1, (3, -1)).sum(1),)


def share_evenly(
    module: nn.Module, given: Tensor, relevance: Tensor, *, stabilizer: float
) -> Tensor:
    """Share the relevance of a unit evenly among its inputs.

    Parameters
    ----------
    module
        A convolution in one group.
    given
        Its input (N, C, ...).
    relevance
        That of its output (N, C', ...).

    Returns
    -------
    (N, 1, ...): all channels get the same.
    """
    one = torch.ones_like(given[:, :1]).requires_grad_()
    with _SINGLE(module) as modified, torch.enable_grad():
        output = modified.forward(one)
    share = relevance.sum(1, keepdim=True) / (given.shape[1] * output.detach() + stabilizer)
    return torch.autograd.grad(output, one, share)[0]


def _single(parameter: Tensor, name: str) -> Tensor:
    """From one channel to one, all weights one."""
    if name == "bias":
        return torch.zeros_like(parameter[:1])
    return torch.ones_like(parameter[:1, :1])


def _triple(parameter: Tensor, name: str) -> Tensor:
    """From the input, its lowest and its highest values."""
    if name == "bias":
        return torch.zeros_like(parameter)
    return torch.cat([parameter, parameter.clamp(min=0), parameter.clamp(max=0)], dim=1)


_SINGLE, _TRIPLE = ParamMod(_single), ParamMod(_triple)

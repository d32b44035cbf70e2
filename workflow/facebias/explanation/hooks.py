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
from torch.nn import functional
from zennit import rules
from zennit.core import BasicHook, Composite, Hook, RemovableHandle, RemovableHandleList

# By the dimensions of the input.
CONVOLUTIONS = {4: functional.conv2d, 5: functional.conv3d}
# Positive and negative weights of a layer, without its bias.
SIGNS = (
    rules.ClampMod(min=0.0, zero_params=["bias"]),
    rules.ClampMod(max=0.0, zero_params=["bias"]),
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


class Epsilon(rules.Epsilon):
    """zennit's epsilon rule; with biases it asks what the layer itself has just computed."""

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
        share = self.gradient_mapper(grad_output[0], [output.detach()])
        (gradient,) = torch.autograd.grad(output, given, share)
        return (given.detach() * gradient,)


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
        shared = self.reducer([each.detach() for each in inputs], gradients)
        return self.completed(shared, module, given, sum(outputs).detach(), grad_output[0])

    def completed(
        self, shared: Tensor, module: nn.Module, given: Tensor, output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        """Add what no input has earned; here it is lost."""
        return (shared,)


class Plus(Halved, rules.ZPlus):
    """zennit's z+ rule; where no input is negative, as ReLUs leave them, in fewer steps.

    The output is not negative then, so that the stabilizer is a plain addition.
    """

    def __init__(self, stabilizer: float, zero_params: list[str] | None = None):
        super().__init__(stabilizer, zero_params)
        self.stabilizer = stabilizer

    def copy(self) -> Plus:
        """Give one like it for another layer."""
        made = super().copy()
        made.stabilizer = self.stabilizer
        return made

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Share by the products of input and positive weight."""
        given = self.stored_tensors["input"][0].detach()
        if given.min() < 0:
            return super().backward(module, grad_input, grad_output)
        asked = given.detach().requires_grad_()
        with self.param_modifiers[0](module) as modified, torch.enable_grad():
            output = modified.forward(asked)
        whole = output.detach()
        share = grad_output[0] / (whole + self.stabilizer)
        (gradient,) = torch.autograd.grad(output, asked, share)
        return self.completed(gradient * given, module, given, whole, grad_output[0])


class WholePlus(Plus):
    """The z+ rule without biases, and without loss.

    A unit that only its bias makes active has no positive product to share its relevance by, which
    happens where a layer has few inputs (bottlenecks). All its inputs get the same of it.
    """

    def __init__(self, stabilizer: float):
        super().__init__(stabilizer, zero_params=["bias"])

    def completed(
        self, shared: Tensor, module: nn.Module, given: Tensor, output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        """Share it evenly: all channels get the same, so one stands for them."""
        unearned = output == 0
        if not unearned.any():
            return (shared,)
        left = torch.where(unearned, relevance, 0)
        even = torch.ones_like(given[:, :1]).requires_grad_()
        kernel = torch.ones_like(module.weight[:1, :1])
        with torch.enable_grad():
            reached = CONVOLUTIONS[given.dim()](
                even, kernel, None, module.stride, module.padding, module.dilation
            )
        inputs = module.weight.shape[1] * reached.detach()
        each = (left / inputs).sum(1, keepdim=True)
        return (shared + torch.autograd.grad(reached, even, each)[0],)


class Box(rules.ZBox):
    """zennit's z-box rule in two passes where it has three, and both of them linear.

    With z = x w - low w+ - high w- (Montavon et al. 2017) an input gets x w - low w+ - high w- of
    its relevance over z, which is (x - low) w+ and (x - high) w-. The bias cancels.
    """

    def backward(
        self, module: nn.Module, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Share by the distances from the bounds."""
        given = self.stored_tensors["input"][0].detach()
        inputs, outputs = [], []
        for bound, of_parameters in zip(self.input_modifiers[1:], SIGNS, strict=True):
            inputs.append((given - bound(given[:1])).requires_grad_())
            with of_parameters(module) as modified, torch.enable_grad():
                outputs.append(modified.forward(inputs[-1]))
        nothing = given.new_zeros(())
        whole = sum(output.detach() for output in outputs)
        share, *_ = self.gradient_mapper(grad_output[0], [whole, nothing, nothing])
        gradients = torch.autograd.grad(outputs, inputs, [share, share])
        parts = zip(inputs, gradients, strict=True)
        return (sum(part.detach() * gradient for part, gradient in parts),)


class AlphaBeta(Halved, rules.AlphaBeta):
    """zennit's alpha-beta rule."""


class Gamma(Halved, rules.Gamma):
    """zennit's gamma rule."""

"""Layer-wise relevance propagation through an LSTM (Arras et al. 2017, 2019).

Gates get no relevance: what they multiply takes all. The sum that makes a cell's new state and the
linear map inside its candidate are split by the epsilon rule. In the order of PyTorch's weights::

    i, f, o = sigmoid(...)    g = tanh(z)    z = W_g x + b + V_g h'
    c = f * c' + i * g        h = o * tanh(c)

where h' and c' are the states of the frame before.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from zennit.core import Hook, Stabilizer

# As in the authors' own code: a cell's two parts often nearly cancel.
EPSILON = 1e-3


class Recurrence(Hook):
    """The rule of an ``nn.LSTM`` of one layer and one direction, with ``batch_first``.

    Parameters
    ----------
    epsilon
        Stabilises the two denominators, the cell's new state and its candidate's input z.
    biases
        Whether the candidate's bias takes its part of the relevance, which is then lost.
    """

    def __init__(self, epsilon: float = EPSILON, *, biases: bool = True):
        super().__init__()
        self.epsilon = epsilon
        self.biases = biases

    def copy(self) -> Recurrence:
        """Return one like it for another layer."""
        return Recurrence(self.epsilon, biases=self.biases)

    def forward(self, module: nn.LSTM, given: tuple[Tensor, ...], output: object) -> None:
        """Keep the input."""
        self.stored_tensors["steps"] = given[0]

    def backward(
        self, module: nn.LSTM, grad_input: tuple[Tensor, ...], grad_output: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Take the relevance of the outputs (N, T, H) to the inputs, from the last frame back."""
        steps, relevance = self.stored_tensors["steps"].detach(), grad_output[0]
        _, states = run(module, steps)
        stable = Stabilizer(self.epsilon)
        of_input, of_state = candidate_weights(module)
        found = torch.zeros_like(steps)
        of_output = of_cell = torch.zeros_like(relevance[:, 0])
        for time in reversed(range(steps.shape[1])):
            before, kept, added, z, bias = states[time]
            # The output gate and the tanh pass all on to the cell.
            of_cell = of_cell + of_output + relevance[:, time]
            share = of_cell / stable(kept + added)
            inner = share * added / stable(z if self.biases else z - bias)
            found[:, time] = steps[:, time] * (inner @ of_input)
            of_output = before * (inner @ of_state)
            of_cell = share * kept
        return (found,)


def candidate_weights(module: nn.LSTM) -> tuple[Tensor, Tensor]:
    """Return the weights of the candidate g, of input (H, F) and of the last output (H, H)."""
    candidate = slice(2 * module.hidden_size, 3 * module.hidden_size)
    return module.weight_ih_l0.detach()[candidate], module.weight_hh_l0.detach()[candidate]


@torch.no_grad()
def run(module: nn.LSTM, steps: Tensor) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
    """Run an LSTM over steps (N, T, F) and keep what its rule needs.

    Returns
    -------
    Its outputs (N, T, H), and per frame: the output before, ``f * c'``, ``i * g``, z, and
    the bias within z.
    """
    bias = module.bias_ih_l0 + module.bias_hh_l0
    output = cell = steps.new_zeros(len(steps), module.hidden_size)
    outputs, states = [], []
    for time in range(steps.shape[1]):
        gates = steps[:, time] @ module.weight_ih_l0.T + output @ module.weight_hh_l0.T + bias
        i, f, z, o = gates.chunk(4, dim=1)
        kept, added = f.sigmoid() * cell, i.sigmoid() * z.tanh()
        states.append((output, kept, added, z, bias.chunk(4)[2]))
        cell = kept + added
        output = o.sigmoid() * cell.tanh()
        outputs.append(output)
    return torch.stack(outputs, dim=1), states


def without_cudnn(module: nn.LSTM, *given: Tensor) -> object:
    """Run an LSTM so that it keeps a gradient in evaluation mode, which cuDNN's does not.

    ``torch.backends.cudnn.flags`` would also set TF32.
    """
    before = torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = False
    try:
        return type(module).forward(module, *given)
    finally:
        torch.backends.cudnn.enabled = before

"""The rule of an LSTM against the equations of Arras et al. (2017), taken step by step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from facebias.explanation import hooks, recurrence


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def linear(products, z, bias, relevance, epsilon, *, biases):
    """Eq. 1 of the paper without its bias term: from upper units to lower ones, one by one.

    ``products`` (lower, upper): x_i w_ij; ``z`` (upper,): their sums with the bias.
    """
    found = np.zeros(len(products))
    for j in range(products.shape[1]):
        total = z[j] if biases else z[j] - bias[j]
        total += epsilon * (1 if total >= 0 else -1)
        for i in range(len(products)):
            found[i] += products[i, j] / total * relevance[j]
    return found


def reference(weights, x, relevance, epsilon, *, biases):
    """One layer, one sequence: x (T, F), relevance of its outputs (T, H) to that of x."""
    w, u, b = weights
    size = u.shape[1]
    names = "ifgo"  # the order of PyTorch's weights
    part = {name: slice(k * size, (k + 1) * size) for k, name in enumerate(names)}
    h, c, memory = np.zeros(size), np.zeros(size), []
    for step in x:
        z = {name: w[part[name]] @ step + u[part[name]] @ h + b[part[name]] for name in names}
        i, f, o = (sigmoid(z[name]) for name in "ifo")
        g = np.tanh(z["g"])
        memory.append((step, h, z["g"], f * c, i * g))
        c = f * c + i * g
        h = o * np.tanh(c)
    found = np.zeros_like(x)
    of_h, of_c = np.zeros(size), np.zeros(size)
    for t in reversed(range(len(x))):
        step, before, z, kept, added = memory[t]
        # h = o * tanh(c): the gate gets nothing, the cell everything.
        of_c = of_c + of_h + relevance[t]
        # c = f * c' + i * g: the two terms of a sum, without a bias.
        terms = np.stack([kept, added])
        total = terms.sum(0) + epsilon * np.where(terms.sum(0) >= 0, 1, -1)
        of_kept, of_added = terms / total * of_c
        # g = tanh(W x + U h' + b): both inputs are lower units of one linear map.
        products = np.concatenate([(w[part["g"]] * step).T, (u[part["g"]] * before).T])
        lower = linear(products, z, b[part["g"]], of_added, epsilon, biases=biases)
        found[t], of_h, of_c = lower[: len(step)], lower[len(step) :], of_kept
    return found


def ours(lstm, x, relevance, epsilon, *, biases):
    rule = recurrence.Recurrence(epsilon, biases=biases)
    given = x.clone().requires_grad_()
    with hooks.DirectComposite(lambda context, name, part: rule).context(lstm):
        outputs, _ = lstm(given)
        (found,) = torch.autograd.grad(outputs, given, relevance)
    return found.numpy()


def made():
    torch.manual_seed(1)
    lstm = nn.LSTM(5, 4, batch_first=True).double().eval()
    x, relevance = torch.randn(3, 6, 5).double(), torch.randn(3, 6, 4).double()
    return lstm, x, relevance


def weights(lstm):
    state = {key: value.numpy() for key, value in lstm.state_dict().items()}
    return state["weight_ih_l0"], state["weight_hh_l0"], state["bias_ih_l0"] + state["bias_hh_l0"]


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("epsilon", [1e-3, 1e-12])
def test_equals_the_papers_equations_step_by_step(epsilon, biases):
    lstm, x, relevance = made()
    found = ours(lstm, x, relevance, epsilon, biases=biases)
    for sample in range(len(x)):
        expected = reference(
            weights(lstm), x[sample].numpy(), relevance[sample].numpy(), epsilon, biases=biases
        )
        assert np.allclose(found[sample], expected, rtol=1e-9, atol=1e-12)


def test_runs_as_torchs_own():
    lstm, x, _ = made()
    outputs, _ = recurrence.run(lstm, x)
    with torch.no_grad():
        assert torch.allclose(outputs, lstm(x)[0], atol=1e-12)


def test_without_biases_all_relevance_arrives():
    lstm, x, relevance = made()
    found = ours(lstm, x, relevance, 1e-14, biases=False)
    assert np.allclose(found.sum((1, 2)), relevance.sum((1, 2)).numpy(), rtol=1e-8)

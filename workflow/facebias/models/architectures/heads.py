"""From the features of the frames to scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facebias.study import Head, StudyError


class Recurrent(nn.Module):
    """LSTM over the frames; its last output, after dropout, through a linear layer.

    Layers are LSTMs of one layer each, with torch's dropout between them: that of cuDNN has random
    numbers of its own, which are neither seeded nor saved, so that a training could not go on to
    the same bits (pytorch issues 74177, 104697). On disk they are one LSTM, under torch's names.

    The forget gate starts open (bias 1), so that early frames are not lost before training has
    seen them matter (Jozefowicz et al. 2015).
    """

    def __init__(self, features: int, outputs: int, *, head: Head):
        super().__init__()
        self.lstm = nn.LSTM(features, head.hidden, batch_first=True)
        self.upper = nn.ModuleList(
            nn.LSTM(head.hidden, head.hidden, batch_first=True) for _ in range(1, head.layers)
        )
        self.dropout = nn.Dropout(head.dropout)
        self.linear = nn.Linear(head.hidden, outputs)
        for layer in (self.lstm, *self.upper):
            with torch.no_grad():
                layer.bias_ih_l0[head.hidden : 2 * head.hidden].fill_(1.0)
        self.register_state_dict_post_hook(_as_one)
        self.register_load_state_dict_pre_hook(_as_layers)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, T, F) to scores (N, outputs)."""
        steps, _ = self.lstm(features)
        for layer in self.upper:
            steps, _ = layer(self.dropout(steps))
        return self.linear(self.dropout(steps[:, -1]))


def _as_one(head: Recurrent, state: dict[str, Tensor], prefix: str, metadata: object) -> None:
    """Name the weights of all layers as those of one LSTM."""
    for own, name in _names(head, prefix).items():
        state[name] = state.pop(own)


def _as_layers(head: Recurrent, state: dict[str, Tensor], prefix: str, *others: object) -> None:
    """Undo ``_as_one``."""
    for own, name in _names(head, prefix).items():
        if name in state:
            state[own] = state.pop(name)


def _names(head: Recurrent, prefix: str) -> dict[str, str]:
    """Map the name of every weight above the first layer to its name in one LSTM."""
    return {
        f"{prefix}upper.{place}.{name}": f"{prefix}lstm.{name.removesuffix('0')}{place + 1}"
        for place, layer in enumerate(head.upper)
        for name, _ in layer.named_parameters()
    }


class Mean(nn.Module):
    """Mean over the frames, after dropout through a linear layer."""

    def __init__(self, features: int, outputs: int, *, head: Head):
        super().__init__()
        self.dropout = nn.Dropout(head.dropout)
        self.linear = nn.Linear(features, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, T, F) to scores (N, outputs)."""
        return self.linear(self.dropout(features.mean(1)))


HEADS = {"lstm": Recurrent, "mean": Mean}


def build(features: int, outputs: int, *, head: Head) -> nn.Module:
    """Make the head that ``head.kind`` names.

    Raises
    ------
    StudyError
        If there is no such kind.
    """
    if head.kind not in HEADS:
        raise StudyError(f"head.kind: found {head.kind!r}; expected one of {', '.join(HEADS)}")
    return HEADS[head.kind](features, outputs, head=head)

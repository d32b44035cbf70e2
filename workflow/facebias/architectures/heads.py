"""From the features of the frames to scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facebias.study import Head, StudyError


class Recurrent(nn.Module):
    """LSTM over the frames; its last output, after dropout, through a linear layer.

    The forget gate starts open (bias 1), so that early frames are not lost before training has
    seen them matter (Jozefowicz et al. 2015).
    """

    def __init__(self, features: int, outputs: int, *, head: Head):
        super().__init__()
        between = head.dropout if head.layers > 1 else 0.0
        self.lstm = nn.LSTM(features, head.hidden, head.layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(head.dropout)
        self.linear = nn.Linear(head.hidden, outputs)
        for layer in range(head.layers):
            with torch.no_grad():
                getattr(self.lstm, f"bias_ih_l{layer}")[head.hidden : 2 * head.hidden].fill_(1.0)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, T, F) to scores (N, outputs)."""
        steps, _ = self.lstm(features)
        return self.linear(self.dropout(steps[:, -1]))


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

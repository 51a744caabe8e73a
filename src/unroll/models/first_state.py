"""The core's first state, made of inputs that stand for whole sequences."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unroll.models.cell import State
from unroll.models.core import Core


class FirstState(nn.Module):
    """tanh(W c + b) in place of zeros, for the hidden units of each layer (Vinyals et al., 2015, of images)."""

    def __init__(self, names: Sequence[str], size: int, core: Core) -> None:
        """`names`: the inputs whose vectors, side by side of `size` numbers, are c."""
        super().__init__()
        self.names = tuple(names)
        self._hidden = core.hidden()
        sizes = [part[0].numel() for layer, hidden in zip(core.start(1), self._hidden, strict=True)
                 for part, made in zip(layer, hidden, strict=True) if made]
        self.parts = nn.ModuleList(nn.Linear(size, part) for part in sizes)

    def forward(self, context: Tensor, state: list[State]) -> list[State]:
        """context (B, E) → a state of the shapes of `state`; what holds numbers that were read stays as it is."""
        parts = iter(self.parts)
        return [tuple(torch.tanh(next(parts)(context)).view_as(part) if made else part
                      for part, made in zip(layer, hidden, strict=True))
                for layer, hidden in zip(state, self._hidden, strict=True)]

"""The core's first state, made of inputs that stand for whole sequences."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unroll.models.cell import State
from unroll.models.core import Core


class FirstState(nn.Module):
    """tanh(W c + b) in place of zeros, for each part of each layer's state (Vinyals et al., 2015, of images)."""

    def __init__(self, names: Sequence[str], size: int, core: Core) -> None:
        """`names`: the inputs whose vectors, side by side of `size` numbers, are c."""
        super().__init__()
        self.names = tuple(names)
        self.below = core.remembers     # layers of the state that no cell has
        sizes = [part[0].numel() for layer in core.start(1)[self.below :] for part in layer]
        self.parts = nn.ModuleList(nn.Linear(size, part) for part in sizes)

    def forward(self, context: Tensor, state: list[State]) -> list[State]:
        """context (B, E) → a state of the shapes of `state`."""
        parts = iter(self.parts)
        made = [tuple(torch.tanh(next(parts)(context)).view_as(part) for part in layer)
                for layer in state[self.below :]]
        return [*state[: self.below], *made]

"""Layers one above the other, dropout between them: what every core is."""

from collections.abc import Sequence

from torch import Tensor, nn

from unroll.models.cells import State
from unroll.models.dropout import Dropout, no_dropout


class Stack(nn.Module):
    """A layer has `start(lanes)` → state, and takes (x, state, lengths) → (y, state), x (T, B, ·)."""

    def __init__(self, layers: Sequence[nn.Module], dropout: float, size: int, directions: int = 1) -> None:
        """`size` numbers a step come out; of two `directions`, one has read from the end on."""
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.dropout, self.size, self.directions = dropout, size, directions

    def start(self, lanes: int) -> list[State]:
        return [layer.start(lanes) for layer in self.layers]    # type: ignore[operator]  # ModuleList forgets

    def forward(
        self, x: Tensor, state: list[State], dropout: Dropout = no_dropout, lengths: Tensor | None = None
    ) -> tuple[Tensor, list[State]]:
        """x (T, B, E) → (T, B, H), and the state after step T, padding included."""
        after = []
        for depth, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            if depth:
                x = dropout(x, self.dropout)
            x, now = layer(x, before, lengths)
            after.append(now)
        return x, after

    def step(self, x: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """One step of each lane, (B, E) → (B, H)."""
        y, after = self(x[None], state)
        return y[0], after

"""The core: layers of one cell, dropout between them, outside the kernels so that these keep their fast paths."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from unroll.base.errors import UserError
from unroll.config.cell import CellSettings
from unroll.config.cells import CELLS
from unroll.models.cell import BaseCell, State
from unroll.models.dropout import Dropout, no_dropout
from unroll.models.gap import Gap
from unroll.models.remember import Remember


class BothWays(nn.Module):
    """A layer from the start and one from the end, side by side (Schuster & Paliwal, 1997)."""

    def __init__(self, forwards: BaseCell, backwards: BaseCell) -> None:
        super().__init__()
        self.forwards, self.backwards = forwards, backwards
        self.size = forwards.size + backwards.size

    def forward(self, x: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """x (T, B, E) → (T, B, 2·H); each sequence is reversed within its own length, so that padding is read last."""
        half = len(state) // 2
        y, after = self.forwards(x, state[:half])
        gap = self.backwards.gap
        z, after_too = self.backwards(reverse(x if gap is None else gap.from_the_end(x), lengths), state[half:])
        return torch.cat([y, reverse(z, lengths)], dim=-1), (*after, *after_too)

    def start(self, lanes: int) -> State:
        return (*self.forwards.start(lanes), *self.backwards.start(lanes))


def reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """x (T, B, F) with the first `lengths` steps of each lane in reverse order; None: all of them."""
    if lengths is None:
        return x.flip(0)
    step = torch.arange(x.shape[0], device=x.device)[:, None]
    place = torch.where(step < lengths, lengths - 1 - step, step)               # (T, B)
    return x.gather(0, place[..., None].expand_as(x))


class Missing(NamedTuple):
    """Features of the core's input that may be NaN."""

    masked: tuple[int, ...] = ()        # it reads, too, which are
    held: tuple[int, ...] = ()          # it reads the last value alone
    gap: Gap | None = None              # what tells how long that was ago, where steps are no measure of it


NOTHING_MISSING = Missing()


class Core(nn.Module):
    """`size` features come out of each step; of two `directions`, one has read from the end."""

    def __init__(
        self, settings: CellSettings, input_size: int, longest: int, missing: Missing = NOTHING_MISSING
    ) -> None:
        """`longest` is the longest training sequence."""
        super().__init__()
        cell: type[BaseCell] = CELLS.code_of(settings.kind, "Cell")
        self.layers = nn.ModuleList()
        size = input_size
        masked = () if cell.reads_missing else missing.masked
        if masked or missing.held:
            remember = Remember(size, masked, missing.gap)
            self.layers.append(remember)
            size = remember.size
        self.remembers = len(self.layers)
        for depth in range(settings.num_layers):
            layers = [cell.layer(settings, size, depth, longest) for _ in range(1 + settings.both_ways)]
            for lowest in layers if depth == 0 and cell.reads_missing else ():
                lowest.gap = missing.gap
            layer = BothWays(*layers) if settings.both_ways else layers[0]
            self.layers.append(layer)
            size = layer.size
        self.cell, self.size, self.dropout = cell, size, settings.dropout
        self.directions = 2 if settings.both_ways else 1

    def start(self, lanes: int) -> list[State]:
        """The state before anything is read, a layer each."""
        return [layer.start(lanes) for layer in self.layers]    # type: ignore[operator]  # ModuleList forgets

    def hidden(self) -> list[tuple[bool, ...]]:
        """For each layer, which parts of its state are hidden units; the other parts hold inputs that were read."""
        found: list[tuple[bool, ...]] = [(False, False)] * self.remembers
        layers: list[nn.Module] = list(self.layers)
        for layer in layers[self.remembers :]:
            cells: Any = (layer.forwards, layer.backwards) if isinstance(layer, BothWays) else (layer,)
            found.append(tuple(name not in cell.remembered for cell in cells for name in cell.state_sizes))
        return found

    @property
    def has_onnx(self) -> bool:
        return not self.remembers and self.cell.has_onnx()

    def forward(
        self, x: Tensor, state: list[State], dropout: Dropout = no_dropout, lengths: Tensor | None = None
    ) -> tuple[Tensor, list[State]]:
        """x (T, B, E) → (T, B, H), and the state after step T, padding included."""
        after = []
        for depth, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            if depth > self.remembers:
                x = dropout(x, self.dropout)
            x, now = layer(x, before, lengths) if self.directions == 2 else layer(x, before)
            after.append(now)
        return x, after

    def step(self, x: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """One step of each lane, x (B, E) → (B, H), without the cost of calling the kernels for whole sequences."""
        if self.directions == 2:
            raise UserError("conflict", "model.core.bidirectional", "a network that also reads from the end takes "
                            "whole sequences, no single steps. Set it to false.")
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            x, now = layer.step(x, before)      # type: ignore[operator]
            after.append(now)
        return x, after

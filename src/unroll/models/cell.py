"""What a cell is: one layer of the core, its equations and its state."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from unroll.base.errors import UserError
from unroll.config.cell import CellSettings
from unroll.models.gap import Gap
from unroll.models.onnx.graph import Graph

State = tuple[Tensor, ...]      # the parts of a layer's state, in the order of `state_sizes`


class BaseCell(nn.Module, ABC):
    """A kind of cell has a class `Cell` derived from this one: parameters, and `step`.

    Shapes: T steps, B lanes, E features in, H features out. What stands after the end of a sequence is read like
    everything else; a cell only looks back, so that no earlier step changes.
    """

    variant: ClassVar[str] = "standard"                 # of the equations, where papers differ
    blocks: ClassVar[tuple[str, ...]] = ()              # gates whose matrices are stacked in one, in this order
    recurrent: ClassVar[bool] = True                    # gradients reach back through the state
    int8: ClassVar[bool] = False                        # `onnx` can also write matrices of whole numbers
    remembered: ClassVar[tuple[str, ...]] = ()          # parts of the state that hold what was read, not hidden units
    reads_missing: ClassVar[bool] = False               # the lowest layer deals with NaN itself, if data.missing=mask

    def __init__(self, settings: CellSettings, input_size: int) -> None:
        super().__init__()
        self.settings, self.input_size = settings, input_size
        self.gap: Gap | None = None     # of a cell that reads missing numbers, where an input is the time between steps

    @classmethod
    def layer(cls, settings: CellSettings, input_size: int, depth: int, longest: int) -> "BaseCell":
        """Layer number `depth` of a core, from 0; `longest` is the longest training sequence."""
        return cls(settings, input_size)

    @property
    def size(self) -> int:
        """H, the features of a step's output."""
        return self.settings.hidden_size

    @property
    def state_sizes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each part of the state, without lanes; they start at zero. `h` is shown as the hidden units."""
        return {"h": (self.size,)}

    def start(self, lanes: int) -> State:
        """The state before anything is read, (B, …) each."""
        like = next(self.parameters())
        return tuple(like.new_zeros(lanes, *shape) for shape in self.state_sizes.values())

    @abstractmethod
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """x (B, E) → y (B, H), and the next state."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """x (T, B, E) → y (T, B, H), and the state after step T; the same as stepping, where a kernel can be faster."""
        outputs = []
        for x_t in x:
            y, state = self.step(x_t, state)
            outputs.append(y)
        return torch.stack(outputs), state

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        """The values of the gates in a step, (B, H) each by name, between 0 and 1; {} if there are none."""
        return {}

    def onnx(self, graph: Graph, name: str, x: str) -> tuple[str, str]:
        """Write the layer into a step graph: x (T, B, E) → y (T, B, H) and (B, H), y at each lane's last step.

        Each part of the state is an input `state.<name>.<part>` and an output `next.<name>.<part>`; the graph's input
        `lengths` (B,) says which step is a lane's last. Optional: without it, models are stepped by PyTorch.
        """
        raise UserError("unsupported", "model.core.kind", f"a {self.settings.kind} has no step graph.")

    def onnx_state(self, name: str) -> dict[str, list[int | str]]:
        """The inputs `state.…` of this layer in a step graph, and their shapes; the second axis is the lanes."""
        return {f"state.{name}.{part}": [1, "B", *shape] for part, shape in self.state_sizes.items()}

    @classmethod
    def has_onnx(cls) -> bool:
        return cls.onnx is not BaseCell.onnx

"""Cells that PyTorch has fused kernels of: whole sequences run in these, single steps by the equations.

Gates lie stacked in PyTorch's and cuDNN's order: weight_ih (G·H, E), weight_hh (G·H, H), biases (G·H,) with G gates.
`projected` is W_ih x + b_ih, (B, G·H), which needs no state, so that a sequence computes all of its steps at once.
"""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from unroll.config.cell import RecurrentSettings
from unroll.models.cell import BaseCell, State
from unroll.models.onnx.graph import FLOAT, Graph


class Weights(NamedTuple):
    ih: Tensor
    hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor     # zero, unless the equations have a second bias


class KernelCell(BaseCell):
    """Gates, equations and the names of kernel and operator are the kind's."""

    operator: ClassVar[str]                     # of ONNX
    onnx_blocks: ClassVar[tuple[int, ...]]      # which of our blocks ONNX has first, second, …
    second_bias: ClassVar[bool] = False         # the equations have a bias beside W_hh h, too
    settings: RecurrentSettings

    def __init__(self, settings: RecurrentSettings, input_size: int) -> None:
        super().__init__(settings, input_size)
        self.kernel = self.make_kernel()
        self.initialise()

    @abstractmethod
    def make_kernel(self) -> nn.RNNBase:
        """PyTorch's kernel of one layer."""

    @abstractmethod
    def equations(self, projected: Tensor, state: State) -> State:
        """The next state, its first part the output."""

    @property
    def fused(self) -> bool:
        """Whether the kernel has these equations."""
        return True

    @property
    def weights(self) -> Weights:
        return Weights(*self.kernel.all_weights[0])

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        if not self.fused:
            return self.unrolled(x, state)
        parts = tuple(part.unsqueeze(0) for part in state)
        y, after = self.kernel(x, parts if len(parts) > 1 else parts[0])
        return y, tuple(part.squeeze(0) for part in (after if isinstance(after, tuple) else (after,)))

    def unrolled(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """The same as `forward`, step by step."""
        outputs = []
        for projected in self.projected(x):                                 # (T, B, G·H)
            state = self.equations(projected, state)
            outputs.append(state[0])
        return torch.stack(outputs), state

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        after = self.equations(self.projected(x), state)
        return after[0], after

    def projected(self, x: Tensor) -> Tensor:
        return linear(x, self.weights.ih, self.weights.bias_ih)

    def recurrent_part(self, h: Tensor) -> Tensor:
        """W_hh h + b_hh, (B, G·H)."""
        return linear(h, self.weights.hh, self.weights.bias_hh)

    @torch.no_grad()
    def initialise(self) -> None:
        weight_ih, weight_hh, bias_ih, bias_hh = self.weights
        if self.settings.recurrent_init == "orthogonal":
            for block in weight_ih.chunk(len(self.blocks)):
                nn.init.xavier_uniform_(block)      # Glorot & Bengio (2010)
            for block in weight_hh.chunk(len(self.blocks)):
                nn.init.orthogonal_(block)
            bias_ih.zero_()
        bias_hh.zero_()
        # where the equations have one bias, a second one that is added to it would only learn twice as fast
        bias_hh.requires_grad_(self.second_bias)

    def onnx(self, graph: Graph, name: str, x: str) -> tuple[str, str]:
        ih, hh, *biases = (self.in_onnx_order(weight) for weight in self.weights)
        bias = graph.weight(f"{name}.bias", torch.cat(biases)[None])
        parts = self.state_sizes
        before = [graph.input(f"state.{name}.{part}", FLOAT, [1, "B", self.size]) for part in parts]
        after = [graph.output(f"next.{name}.{part}", [1, "B", self.size]) for part in parts]
        y = self.onnx_operator(graph, name, x, (ih, hh), bias, before, after)           # (T, 1, B, H)
        return graph.node("Squeeze", y, graph.one()), graph.node("Squeeze", after[0], graph.zero())

    def onnx_operator(self, graph: Graph, name: str, x: str, matrices: tuple[Tensor, Tensor], bias: str,
                      before: list[str], after: list[str]) -> str:
        w, r = (graph.weight(f"{name}.{part}", matrix[None])
                for part, matrix in zip(("weight_ih", "weight_hh"), matrices, strict=True))
        return graph.node(self.operator, x, w, r, bias, "lengths", *before, also=after, hidden_size=self.size,
                          **self.onnx_attributes())

    def onnx_attributes(self) -> dict[str, Any]:
        return {}

    def in_onnx_order(self, weight: Tensor) -> Tensor:
        blocks = weight.chunk(len(self.blocks))
        return torch.cat([blocks[place] for place in self.onnx_blocks])

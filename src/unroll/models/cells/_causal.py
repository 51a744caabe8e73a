"""A layer without recurrence, for comparison: a causal convolution over time.

It reads streams, padded items and single steps as a recurrent layer does. Its state is the stretch of its input that
later steps still look back at.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d

from unroll.config.cell import CellSettings
from unroll.models.cell import BaseCell, State
from unroll.models.onnx.graph import FLOAT, INT64, Graph


class CausalCell(BaseCell):
    """relu(b + Σ_k W_k x_{t - k·dilation}); zeros stand before the first step."""

    recurrent: ClassVar[bool] = False

    def __init__(self, settings: CellSettings, input_size: int, kernel_size: int, dilation: int) -> None:
        super().__init__(settings, input_size)
        self.weight = nn.Parameter(torch.empty(self.size, input_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(self.size))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")      # He et al. (2015)
        self.dilation = dilation
        self.before = (kernel_size - 1) * dilation      # how many steps back it looks

    @property
    def state_sizes(self) -> dict[str, tuple[int, ...]]:
        return {"seen": (self.before, self.input_size)}

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        seen = torch.cat([state[0].transpose(0, 1), x])                     # (before + T, B, E)
        y = conv1d(seen.permute(1, 2, 0), self.weight, self.bias, dilation=self.dilation)
        return y.relu().permute(2, 0, 1), (seen[len(seen) - self.before :].transpose(0, 1),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        y, after = self(x[None], state)
        return y[0], after

    def onnx_state(self, name: str) -> dict[str, list[int | str]]:
        return {f"state.{name}": [self.before, "B", self.input_size]} if self.before else {}

    def onnx(self, graph: Graph, name: str, x: str) -> tuple[str, str]:
        seen = x
        if self.before:
            ((before, shape),) = self.onnx_state(name).items()
            seen = graph.node("Concat", graph.input(before, FLOAT, shape), x, axis=0)
            lanes = graph.node("Transpose", seen, perm=[1, 0, 2])                           # (B, before + T, E)
            steps = graph.weight(f"{name}.steps", np.arange(self.before).reshape(1, -1, 1))
            lengths = graph.node("Cast", "lengths", to=INT64)
            ends = graph.node("Unsqueeze", lengths, graph.weight("one and two", np.array([1, 2])))
            kept = graph.node("GatherND", lanes, graph.node("Add", ends, steps), batch_dims=1)      # (B, before, E)
            graph.node("Transpose", kept, perm=[1, 0, 2], also=[graph.output(f"next.{name}", shape)], outputs=0)
        wide = graph.node("Transpose", seen, perm=[1, 2, 0])
        weight, bias = graph.weight(f"{name}.weight", self.weight), graph.weight(f"{name}.bias", self.bias)
        y = graph.node("Relu", graph.node("Conv", wide, weight, bias, dilations=[self.dilation]))   # (B, H, T)
        place = graph.node("Sub", graph.node("Cast", "lengths", to=INT64), graph.one())
        last = graph.node("GatherND", graph.node("Transpose", y, perm=[0, 2, 1]),
                          graph.node("Unsqueeze", place, graph.one()), batch_dims=1)
        return graph.node("Transpose", y, perm=[2, 0, 1]), last

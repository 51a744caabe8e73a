"""Cores without recurrence, for comparison: a perceptron on a window, a convolutional network.

Both are causal convolutions over time, so that they read streams, padded items and single steps as a recurrent
core does. Their state is the stretch of each layer's input that later steps still look back at.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d

from unroll.config.model import CNNConfig, MLPConfig
from unroll.models.cells import State
from unroll.models.dropout import Dropout, no_dropout


class CausalLayer(nn.Module):
    """relu(b + Σ_k W_k x_{t - k·dilation}); zeros stand before the first step."""

    def __init__(self, input_size: int, hidden_size: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(hidden_size, input_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")      # He et al. (2015)
        self.input_size, self.dilation = input_size, dilation
        self.before = (kernel_size - 1) * dilation

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:     # x (T, B, E), state (B, before, E)
        seen = torch.cat([state[0].transpose(0, 1), x])                     # (before + T, B, E)
        y = conv1d(seen.permute(1, 2, 0), self.weight, self.bias, dilation=self.dilation)
        return y.relu().permute(2, 0, 1), (seen[len(seen) - self.before :].transpose(0, 1),)

    def start(self, lanes: int) -> State:
        return (self.weight.new_zeros(lanes, self.before, self.input_size),)


class WindowCore(nn.Module):
    directions = 1

    def __init__(self, config: MLPConfig | CNNConfig, input_size: int, longest: int) -> None:
        super().__init__()
        self.dropout, self.size = config.dropout, config.hidden_size
        if isinstance(config, MLPConfig):
            shapes = [(config.window or longest, 1)] + [(1, 1)] * (config.num_layers - 1)
        else:
            shapes = [(config.kernel_size, 2**depth) for depth in range(config.num_layers)]
        sizes = [input_size] + [config.hidden_size] * (config.num_layers - 1)
        self.layers = nn.ModuleList(
            CausalLayer(size, config.hidden_size, *shape) for size, shape in zip(sizes, shapes, strict=True)
        )

    def start(self, lanes: int) -> list[State]:
        return [layer.start(lanes) for layer in self._each()]

    def forward(
        self, x: Tensor, state: list[State], dropout: Dropout = no_dropout, lengths: Tensor | None = None
    ) -> tuple[Tensor, list[State]]:
        after = []
        for depth, (layer, before) in enumerate(zip(self._each(), state, strict=True)):
            if depth:
                x = dropout(x, self.dropout)
            x, now = layer(x, before)
            after.append(now)
        return x, after                                                     # (T, B, H)

    def step(self, x: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        y, after = self(x[None], state)
        return y[0], after

    def _each(self) -> list[CausalLayer]:
        return list(self.layers)  # type: ignore[arg-type]  # ModuleList forgets what it holds

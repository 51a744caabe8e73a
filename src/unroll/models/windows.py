"""Cores without recurrence, for comparison: a perceptron on a window, a convolutional network.

Both are causal convolutions over time, so that they read streams, padded items and single steps as a recurrent
core does. Their state is the stretch of each layer's input that later steps still look back at.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d

from unroll.config.model import CNNConfig, MLPConfig
from unroll.models.cells import State
from unroll.models.stack import Stack


class CausalLayer(nn.Module):
    """relu(b + Σ_k W_k x_{t - k·dilation}); zeros stand before the first step."""

    def __init__(self, input_size: int, hidden_size: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(hidden_size, input_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")      # He et al. (2015)
        self.input_size, self.dilation = input_size, dilation
        self.before = (kernel_size - 1) * dilation

    def forward(self, x: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """x (T, B, E), state (B, before, E) → (T, B, H); padding stands at the end, where no valid step reads it."""
        seen = torch.cat([state[0].transpose(0, 1), x])                     # (before + T, B, E)
        y = conv1d(seen.permute(1, 2, 0), self.weight, self.bias, dilation=self.dilation)
        return y.relu().permute(2, 0, 1), (seen[len(seen) - self.before :].transpose(0, 1),)

    def start(self, lanes: int) -> State:
        return (self.weight.new_zeros(lanes, self.before, self.input_size),)


class WindowCore(Stack):
    def __init__(self, config: MLPConfig | CNNConfig, input_size: int, longest: int) -> None:
        if isinstance(config, MLPConfig):
            shapes = [(config.window or longest, 1)] + [(1, 1)] * (config.num_layers - 1)
        else:
            shapes = [(config.kernel_size, 2**depth) for depth in range(config.num_layers)]
        sizes = [input_size] + [config.hidden_size] * (config.num_layers - 1)
        layers = [CausalLayer(size, config.hidden_size, *shape) for size, shape in zip(sizes, shapes, strict=True)]
        super().__init__(layers, config.dropout, config.hidden_size)

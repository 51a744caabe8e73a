"""h_t = f(W_hh h_{t-1} + W_xh x_t + b_h) (Elman, 1990)."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from unroll.config.cells.rnn import Settings
from unroll.models.cell import State
from unroll.models.cells._kernel import KernelCell


def identity(z: Tensor) -> Tensor:
    return z


NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": identity,
}


class Cell(KernelCell):
    blocks = ("h",)
    operator, onnx_blocks = "RNN", (0,)
    settings: Settings

    def make_kernel(self) -> nn.RNNBase:
        nonlinearity: Literal["tanh", "relu"] = "relu" if self.settings.nonlinearity == "relu" else "tanh"
        return nn.RNN(self.input_size, self.size, nonlinearity=nonlinearity)

    @property
    def fused(self) -> bool:
        return self.settings.nonlinearity in ("tanh", "relu")

    def equations(self, projected: Tensor, state: State) -> State:
        (h,) = state
        return (NONLINEARITIES[self.settings.nonlinearity](projected + self.recurrent_part(h)),)

    def onnx_attributes(self) -> dict[str, Any]:
        if self.settings.nonlinearity == "identity":
            return {"activations": ["Affine"], "activation_alpha": [1.0], "activation_beta": [0.0]}
        return {"activations": [self.settings.nonlinearity.capitalize()]}

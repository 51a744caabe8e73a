"""Gated recurrent units: Cho et al. (2014); the reset gate stands after the matrix product, as in cuDNN and ONNX."""

from typing import Any

from torch import Tensor, nn, sigmoid, tanh

from unroll.models.cell import State
from unroll.models.cells._kernel import KernelCell


class Cell(KernelCell):
    """r, z = σ(W_ih x + b_ih + W_hh h + b_hh), n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h."""

    variant = "reset after the matrix product"
    blocks = ("r", "z", "n")
    operator, onnx_blocks = "GRU", (1, 0, 2)
    second_bias = True      # the reset gate acts on W_hn h + b_hn

    def make_kernel(self) -> nn.RNNBase:
        return nn.GRU(self.input_size, self.size)

    def equations(self, projected: Tensor, state: State) -> State:
        (h,) = state
        r, z, n = projected.chunk(3, dim=-1)                                                # (B, H) each
        hr, hz, hn = self.recurrent_part(h).chunk(3, dim=-1)
        r, z = sigmoid(r + hr), sigmoid(z + hz)
        n = tanh(n + r * hn)
        return ((1 - z) * n + z * h,)

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        r, z, _ = (self.projected(x) + self.recurrent_part(state[0])).chunk(3, dim=-1)
        return {"reset": sigmoid(r), "update": sigmoid(z)}

    def onnx_attributes(self) -> dict[str, Any]:
        return {"linear_before_reset": 1}

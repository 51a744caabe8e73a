"""One step of each recurrent cell, as its paper has it. Gates lie stacked in PyTorch's and cuDNN's order.

Shapes: x (B, E), h and c (B, H), weight_ih (G·H, E), weight_hh (G·H, H), biases (G·H,) with G gates.
`projected` is W_ih x + b_ih, (B, G·H): it needs no state, so that a sequence computes all of its steps at once.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, sigmoid, tanh
from torch.nn.functional import linear

State = tuple[Tensor, ...]      # (h,) or, for the LSTM, (h, c)



def identity(z: Tensor) -> Tensor:
    return z


NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": identity,
}


class Weights(NamedTuple):
    ih: Tensor
    hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor     # zero but for the GRU's candidate, whose reset gate acts on W_hn h + b_hn


def rnn_step(projected: Tensor, state: State, weights: Weights, nonlinearity: str) -> State:
    """h_t = f(W_hh h_{t-1} + W_xh x_t + b_h) (Elman, 1990)."""
    (h,) = state
    return (NONLINEARITIES[nonlinearity](projected + linear(h, weights.hh, weights.bias_hh)),)


def lstm_step(projected: Tensor, state: State, weights: Weights) -> State:
    """Hochreiter & Schmidhuber (1997) with forget gates (Gers et al., 2000)."""
    h, c = state
    i, f, g, o = (projected + linear(h, weights.hh, weights.bias_hh)).chunk(4, dim=-1)    # each (B, H)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru_step(projected: Tensor, state: State, weights: Weights) -> State:
    """Cho et al. (2014); the reset gate after the matrix product, as in cuDNN (and ONNX's linear_before_reset)."""
    (h,) = state
    r, z, n = projected.chunk(3, dim=-1)                                                    # each (B, H)
    hr, hz, hn = linear(h, weights.hh, weights.bias_hh).chunk(3, dim=-1)
    r, z = sigmoid(r + hr), sigmoid(z + hz)
    n = tanh(n + r * hn)
    return ((1 - z) * n + z * h,)

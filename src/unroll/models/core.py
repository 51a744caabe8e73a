"""The recurrent core: layers of one cell, dropout outside the kernels so that these keep their fast paths."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from unroll.base.errors import UserError
from unroll.config.model import CNNConfig, CoreConfig, GRUConfig, LSTMConfig, MLPConfig, RecurrentConfig, RNNConfig
from unroll.models.cells import State, Weights, gru_step, lstm_step, rnn_step
from unroll.models.stack import Stack
from unroll.models.windows import WindowCore

GATES = {"rnn": ("h",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}


class Layer(nn.Module):
    """One recurrent layer. The library's fused kernel runs whole sequences, `step` one symbol at a time."""

    def __init__(self, config: RecurrentConfig, input_size: int) -> None:
        super().__init__()
        self.config = config
        # a plain cell with f other than tanh and relu has no kernel: it steps through the same parameters
        self._fused = not isinstance(config, RNNConfig) or config.nonlinearity in ("tanh", "relu")
        self.kernel: nn.RNNBase
        match config:
            case LSTMConfig():
                self.kernel = nn.LSTM(input_size, config.hidden_size)
            case GRUConfig():
                self.kernel = nn.GRU(input_size, config.hidden_size)
            case RNNConfig():
                name: Literal["tanh", "relu"] = "relu" if config.nonlinearity == "relu" else "tanh"
                self.kernel = nn.RNN(input_size, config.hidden_size, nonlinearity=name)
        self._initialise()

    def forward(self, x: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """x (T, B, E), state each (B, H) → y (T, B, H); padding stands at the end, where no valid step has read it."""
        if not self._fused:
            return self._unrolled(x, state)
        given = tuple(each.unsqueeze(0) for each in state)
        if isinstance(self.kernel, nn.LSTM):
            y, given = self.kernel(x, given)
        else:
            y, h = self.kernel(x, given[0])
            given = (h,)
        return y, tuple(each.squeeze(0) for each in given)                  # y (T, B, H)

    def step(self, x: Tensor, state: State) -> State:                       # x (B, E)
        return self._cell(linear(x, self.weights.ih, self.weights.bias_ih), state)

    @property
    def weights(self) -> Weights:
        return Weights(*self.kernel.all_weights[0])

    def start(self, lanes: int) -> State:
        """Zeros, (B, H) each."""
        zeros = self.kernel.all_weights[0][0].new_zeros(lanes, self.config.hidden_size)
        return (zeros, zeros) if isinstance(self.config, LSTMConfig) else (zeros,)

    def _unrolled(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        projected = linear(x, self.weights.ih, self.weights.bias_ih)        # (T, B, G·H)
        outputs = []
        for at_t in projected:
            state = self._cell(at_t, state)
            outputs.append(state[0])
        return torch.stack(outputs), state

    def _cell(self, projected: Tensor, state: State) -> State:
        match self.config:
            case LSTMConfig():
                return lstm_step(projected, state, self.weights)
            case GRUConfig():
                return gru_step(projected, state, self.weights)
            case RNNConfig():
                return rnn_step(projected, state, self.weights, self.config.nonlinearity)

    @torch.no_grad()
    def _initialise(self) -> None:
        weight_ih, weight_hh, bias_ih, bias_hh = self.weights
        if self.config.recurrent_init == "orthogonal":
            for gate in weight_ih.chunk(len(GATES[self.config.kind])):
                nn.init.xavier_uniform_(gate)       # Glorot & Bengio (2010)
            for gate in weight_hh.chunk(len(GATES[self.config.kind])):
                nn.init.orthogonal_(gate)
            bias_ih.zero_()
        bias_hh.zero_()
        # the equations have one bias; a second one that is added to it would only learn twice as fast
        bias_hh.requires_grad_(isinstance(self.config, GRUConfig))
        if isinstance(self.config, LSTMConfig):
            bias_ih.chunk(4)[1].fill_(self.config.forget_bias)


class BothWays(nn.Module):
    """A layer from the start on and one from the end on, side by side (Schuster & Paliwal, 1997)."""

    def __init__(self, config: RecurrentConfig, input_size: int) -> None:
        super().__init__()
        self.forwards, self.backwards = Layer(config, input_size), Layer(config, input_size)

    def forward(self, x: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        half = len(state) // 2
        y, after = self.forwards(x, state[:half])
        # each sequence is turned within its own length, so that padding stays at the end and is read last
        z, ahead = self.backwards(turned(x, lengths), state[half:])
        return torch.cat([y, turned(z, lengths)], dim=-1), (*after, *ahead)     # (T, B, 2·H)

    def start(self, lanes: int) -> State:
        return (*self.forwards.start(lanes), *self.backwards.start(lanes))


def turned(x: Tensor, lengths: Tensor | None) -> Tensor:
    """x (T, B, F), the first `lengths` steps of each lane in the other order."""
    if lengths is None:
        return x.flip(0)
    step = torch.arange(x.shape[0], device=x.device)[:, None]
    place = torch.where(step < lengths, lengths - 1 - step, step)               # (T, B)
    return x.gather(0, place[..., None].expand_as(x))


class Core(Stack):
    """Layers of one cell; `directions` is 2 when each also reads from the end on."""

    def __init__(self, config: RecurrentConfig, input_size: int) -> None:
        directions = 1 + config.bidirectional
        size = directions * config.hidden_size
        kind = BothWays if config.bidirectional else Layer
        sizes = [input_size] + [size] * (config.num_layers - 1)
        super().__init__([kind(config, each) for each in sizes], config.dropout, size, directions)

    def step(self, x: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """One symbol of each lane, x (B, E), without the sequence kernels' cost of a call."""
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            if not isinstance(layer, Layer):
                raise UserError("model.core.bidirectional: a network that also reads from the end on takes whole "
                                "sequences, no single steps. Set it to false.")
            after.append(layer.step(x, before))
            x = after[-1][0]
        return x, after                                                     # (B, H)


def make_core(config: CoreConfig, input_size: int, longest: int) -> Core | WindowCore:
    """`longest` is the longest training sequence, which a perceptron's window may be taken from."""
    if isinstance(config, MLPConfig | CNNConfig):
        return WindowCore(config, input_size, longest)
    return Core(config, input_size)

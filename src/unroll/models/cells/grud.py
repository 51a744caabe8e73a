"""GRU-D, gated recurrent units for series with missing values (Che et al., 2018), equations 3 to 6.

Numbers are scaled, so that their empirical mean is 0.
"""

import torch
from torch import Tensor, nn, sigmoid, tanh

from unroll.config.cell import CellSettings, RecurrentSettings
from unroll.models.cell import BaseCell, State
from unroll.models.cells import gru
from unroll.models.remember import recall


class Cell(BaseCell):
    """With m whether x is there, δ the steps since it was, and x' its last value:

    γ_x = exp(-max(0, w_x δ + b_x)), γ_h = exp(-max(0, W_h δ + b_h)), x̂ = m x + (1 - m) γ_x x', ĥ = γ_h h,
    r, z = σ(W [x̂, m] + U ĥ + b), n = tanh(W_n [x̂, m] + U_n (r ĥ) + b_n), h' = (1 - z) ĥ + z n.

    Where the times of steps are uneven, δ is in mean gaps. Layers above the first, which nothing is missing in, are
    gated recurrent units.
    """

    blocks = ("r", "z", "n")
    reads_missing = True
    remembered = ("value", "age")
    settings: RecurrentSettings

    def __init__(self, settings: RecurrentSettings, input_size: int) -> None:
        super().__init__(settings, input_size)
        self.from_input = nn.Linear(2 * input_size, 3 * self.size)
        self.from_state = nn.Linear(self.size, 3 * self.size, bias=False)
        self.input_decay = nn.Parameter(torch.empty(2, input_size))       # w_x, b_x
        self.state_decay = nn.Linear(input_size, self.size)
        nn.init.uniform_(self.input_decay, 0, 0.1)      # above 0, where max(0, ·) has a gradient
        nn.init.uniform_(self.state_decay.weight, 0, 0.1 / input_size)
        nn.init.zeros_(self.state_decay.bias)
        nn.init.zeros_(self.from_input.bias)
        if settings.recurrent_init == "orthogonal":
            for block in self.from_input.weight.chunk(3):
                nn.init.xavier_uniform_(block)
            for block in self.from_state.weight.chunk(3):
                nn.init.orthogonal_(block)

    @classmethod
    def layer(cls, settings: CellSettings, input_size: int, depth: int, longest: int) -> BaseCell:
        assert isinstance(settings, RecurrentSettings)
        return gru.Cell(settings, input_size) if depth else cls(settings, input_size)

    @property
    def state_sizes(self) -> dict[str, tuple[int, ...]]:
        return {"h": (self.size,), "value": (self.input_size,), "age": (self.input_size,)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        y, after = self(x[None], state)
        return y[0], after

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        projected, decay, (value, age) = self._read(x, state)
        h, outputs = state[0], []
        for own, kept in zip(projected, decay, strict=True):
            h = self._next(own, kept * h)
            outputs.append(h)
        return torch.stack(outputs), (h, value, age)

    def _read(self, x: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """(T, B, 3·H) what a step adds to its gates, (T, B, H) what it keeps of h, and what is remembered of x."""
        _, value, age = state
        seen = recall(x, value, age, self.gap)
        since = torch.cat([age.to(x)[None], seen.age[:-1]])
        since = since + (1 if self.gap is None else self.gap.elapsed(x))                        # δ, (T, B, E)
        weight, bias = self.input_decay
        decayed = torch.exp(-torch.relu(weight * since + bias)) * seen.value
        filled = torch.where(seen.known, seen.value, decayed)
        projected = self.from_input(torch.cat([filled, seen.known.to(x)], dim=-1))
        return projected, torch.exp(-torch.relu(self.state_decay(since))), (seen.value[-1], seen.age[-1])

    def _next(self, projected: Tensor, h: Tensor) -> Tensor:
        r, z, n = projected.chunk(3, dim=-1)
        gates, candidate = self.from_state.weight[: 2 * self.size], self.from_state.weight[2 * self.size :]
        hr, hz = nn.functional.linear(h, gates).chunk(2, dim=-1)
        z = sigmoid(z + hz)
        n = tanh(n + nn.functional.linear(sigmoid(r + hr) * h, candidate))
        return (1 - z) * h + z * n

    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        projected, decay, _ = self._read(x[None], state)
        h = decay[0] * state[0]
        r, z, _ = projected[0].chunk(3, dim=-1)
        hr, hz, _ = self.from_state(h).chunk(3, dim=-1)
        return {"reset": sigmoid(r + hr), "update": sigmoid(z + hz), "kept": decay[0]}

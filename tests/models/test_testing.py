"""Our own cells keep the contract of cells, and what breaks it is named."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unroll.config.cells import CELLS, rnn
from unroll.models.cell import BaseCell, State
from unroll.models.cells import rnn as code
from unroll.testing import check_cell

OWN: dict[str, list[dict[str, Any]]] = {
    "rnn": [{"nonlinearity": each} for each in ("tanh", "relu", "sigmoid", "identity")],
    "lstm": [{"forget_bias": 1.0}], "gru": [{}], "grud": [{}], "mlp": [{"window": 3}, {"window": None}, {"window": 1}],
    "cnn": [{"kernel_size": 3}],
}


@pytest.mark.parametrize(("kind", "own"), [(kind, own) for kind in CELLS.own for own in OWN[kind]], ids=str)
def test_our_cells_keep_the_contract(kind: str, own: dict[str, Any]) -> None:
    check_cell(kind, **own)


class Sound(BaseCell):
    """A cell that is right; each of the others breaks one thing."""

    def __init__(self, settings: rnn.Settings, input_size: int) -> None:
        super().__init__(settings, input_size)
        self.matrix = nn.Linear(input_size + self.size, self.size)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(self.matrix(torch.cat([x, state[0]], dim=-1)))
        return h, (h,)


class WrongShape(Sound):
    @property
    def state_sizes(self) -> dict[str, tuple[int, ...]]:
        return {"h": (self.size + 1,)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return super().step(x, (state[0][:, : self.size],))


class Precise(Sound):
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = super().step(x, state)[0].double()
        return h, (h.to(x),)


class Forgetful(Sound):
    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return super().forward(x, self.start(x.shape[1]))


class Averages(Sound):

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        y, state = super().forward(x, state)
        return y + x.mean(dim=(0, 2))[:, None], state


class Acausal(Sound):
    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return super().forward(x.flip(0), state)


class Mixed(Sound):
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return super().step(x + x.mean(dim=0), state)


class Overwrites(Sound):
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, _ = super().step(x, state)
        state[0].copy_(h)
        return h, state


class Untrained(Sound):
    def __init__(self, settings: rnn.Settings, input_size: int) -> None:
        super().__init__(settings, input_size)
        self.spare = nn.Parameter(torch.randn(3))


class Unseeded(Sound):
    def __init__(self, settings: rnn.Settings, input_size: int) -> None:
        super().__init__(settings, input_size)
        generator = torch.Generator()
        generator.seed()
        nn.init.normal_(self.matrix.weight, generator=generator)


class Unsaved(Sound):
    def __init__(self, settings: rnn.Settings, input_size: int) -> None:
        super().__init__(settings, input_size)
        self.scale = torch.rand(())

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return super().step(x * self.scale, state)


class WideGate(Sound):
    def gates(self, x: Tensor, state: State) -> dict[str, Tensor]:
        return {"update": self.step(x, state)[0] * 2}


@pytest.mark.parametrize(("cell", "complaint"), [
    (WrongShape, "state 'h' has shape (3, 4), not (3, 5)"),
    (Precise, "forward(): torch.float64 from torch.float32"),
    (Forgetful, "step() is not forward()"),
    (Averages, "step() is not forward()"),
    (Acausal, "step() is not forward()"),
    (Mixed, "lanes depend on each other"),
    (Overwrites, "changes what it was given"),
    (Untrained, "'spare' gets no gradient"),
    (Unseeded, "one seed gives different parameters"),
    (Unsaved, "a saved and loaded core gives other outputs"),
    (WideGate, "'update' is not between 0 and 1"),
])
def test_what_breaks_the_contract_is_named(cell: type[BaseCell], complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "Cell", Sound)
    check_cell("rnn", nonlinearity="tanh")
    monkeypatch.setattr(code, "Cell", cell)
    with pytest.raises(AssertionError) as caught:
        check_cell("rnn", nonlinearity="tanh")
    assert complaint in str(caught.value)


def test_a_setting_that_the_kind_alone_has_is_asked_for() -> None:
    with pytest.raises(AssertionError) as caught:
        check_cell("lstm")
    assert "forget_bias: missing" in str(caught.value)

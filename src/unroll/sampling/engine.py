"""What steps a model: a small interface, and the training network behind it."""

from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from unroll.models.cells import State
from unroll.models.network import Network
from unroll.sampling.rules import Logits

S = TypeVar("S")


class Engine(Protocol[S]):
    """Symbols and a state in, logits and the next state out; lanes are independent of each other."""

    def start(self, lanes: int) -> S: ...

    def step(self, symbols: NDArray[np.integer[Any]], state: S) -> tuple[Logits, S]:
        """symbols (B,) → logits (B, V)."""


class TorchEngine:
    """The network itself, one symbol at a time through its cells' equations."""

    def __init__(self, network: Network, field: str) -> None:
        self._network, self._field = network, field

    def start(self, lanes: int) -> list[State]:
        return self._network.start(lanes)

    @torch.inference_mode()
    def step(self, symbols: NDArray[np.integer[Any]], state: list[State]) -> tuple[Logits, list[State]]:
        device = next(self._network.parameters()).device
        inputs = {self._field: torch.from_numpy(symbols.astype(np.int64)).to(device)}
        outputs, state = self._network.step(inputs, state)
        return outputs[self._field].float().cpu().numpy(), state

"""The network itself as an engine: on a GPU its step is captured once and replayed, a launch instead of dozens."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unroll.generation.engine import Ids, Steps
from unroll.generation.rules import Logits
from unroll.models.cell import State
from unroll.models.network import Network

WORTHWHILE = 8      # steps with as many lanes, after which one is captured; lanes that end leave others


@dataclass(frozen=True)
class Held:
    """A state; `place` is that of the captured step when its own memory holds it."""

    layers: list[State]     # each (B, ·)
    place: object = None


class TorchEngine:
    """A network with one token input and one head, on its own device."""

    def __init__(self, network: Network, field: str, capture: bool = True) -> None:
        self._network, self._field = network, field
        (self._head,) = network.heads
        self._device = next(network.parameters()).device
        self._capture = capture and self._device.type == "cuda"
        self._captured: _Captured | None = None
        self._lanes = self._alike = 0       # how many steps in a row had so many lanes

    def start(self, lanes: int) -> Held:
        return Held(self._network.start(lanes))

    @torch.inference_mode()
    def read(self, steps: Steps, lengths: NDArray[np.int32], state: Held) -> tuple[Logits, Held]:
        given = torch.from_numpy(steps.astype(np.int64)).to(self._device)
        if len(steps) > 1:
            logits, layers = self._pass(given, lengths, state.layers)
            return logits.float().cpu().numpy(), Held(layers)
        lanes = steps.shape[1]
        self._alike, self._lanes = (self._alike + 1 if lanes == self._lanes else 0), lanes
        if self._captured is not None and self._captured.lanes != lanes:
            self._captured = None
        if not self._capture or (self._captured is None and self._alike < WORTHWHILE):
            outputs, layers = self._network.step({self._field: given[0]}, state.layers)
            return outputs[self._head].float().cpu().numpy(), Held(layers)
        if self._captured is None:
            self._captured = _Captured(self._network, self._field, self._head, state.layers)
        return self._captured.step(given[0], state)

    def take(self, state: Held, lanes: Ids) -> Held:
        chosen = torch.from_numpy(np.asarray(lanes)).to(self._device)
        return Held([tuple(part[chosen] for part in layer) for layer in state.layers])

    def join(self, states: Sequence[Held]) -> Held:
        layers = zip(*(each.layers for each in states), strict=True)
        return Held([tuple(torch.cat(parts) for parts in zip(*layer, strict=True)) for layer in layers])

    def _pass(self, symbols: Tensor, lengths: NDArray[np.int32], state: list[State]) -> tuple[Tensor, list[State]]:
        """Whole prompts, those of one length together: a kernel's state is that after its last step."""
        order = np.argsort(lengths, kind="stable")
        starts = np.flatnonzero(np.diff(lengths[order], prepend=0))
        logits, states = [], []
        for first, last in pairwise([*starts, len(order)]):
            lanes = torch.from_numpy(order[first:last]).to(self._device)
            before = [tuple(part[lanes] for part in layer) for layer in state]
            read = self._network.embed({self._field: symbols[: lengths[order[first]], lanes]})
            hidden, after = self._network.core(read, before)
            logits.append(self._network.head(self._head)(hidden[-1]))       # the others would be as many as symbols
            states.append(Held(after))
        back = torch.from_numpy(np.argsort(order)).to(self._device)
        return torch.cat(logits)[back], self.take(self.join(states), np.argsort(order)).layers


class _Captured:
    """One step as a CUDA graph, which reads and writes the same memory each time."""

    def __init__(self, network: Network, field: str, head: str, state: list[State]) -> None:
        self.lanes = len(state[0][0])
        self._symbols = torch.zeros(self.lanes, dtype=torch.int64, device=state[0][0].device)
        self._state = [tuple(part.clone() for part in layer) for layer in state]
        aside = torch.cuda.Stream()     # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):      # libraries set themselves up in the first calls, which must not be captured
            for _ in range(3):
                network.step({field: self._symbols}, self._state)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            outputs, after = network.step({field: self._symbols}, self._state)
            self._logits = outputs[head].float()
            self._put(after)

    def step(self, symbols: Tensor, state: Held) -> tuple[Logits, Held]:
        if state.place is not self:
            self._put(state.layers)
        self._symbols.copy_(symbols)
        self._graph.replay()
        return self._logits.cpu().numpy(), Held(self._state, self)

    def _put(self, state: list[State]) -> None:
        for to, layer in zip(self._state, state, strict=True):
            for part, value in zip(to, layer, strict=True):
                part.copy_(value)

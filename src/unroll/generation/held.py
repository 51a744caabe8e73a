"""The state of a network that is stepped by PyTorch, and a step of it as a CUDA graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unroll.generation.engine import Fields
from unroll.generation.rules import Logits
from unroll.models.cell import State
from unroll.models.network import Network


@dataclass(frozen=True)
class Held:
    """A state; `place` is the captured step whose own memory holds it, if one does."""

    layers: list[State]     # each (B, ·); last, what the network reads of whole sequences at every step, if anything
    place: object = None


def step(network: Network, values: dict[str, Tensor], state: list[State]) -> tuple[dict[str, Tensor], list[State]]:
    """One step from a state as `Held` has it."""
    before, context = split(network, state)
    outputs, after = network.step(values, before, None if context is None else context[0])
    return outputs, after if context is None else [*after, context]


def split(network: Network, state: list[State]) -> tuple[list[State], State | None]:
    """The core's state, and the context where there is one."""
    return (state[:-1], state[-1]) if network.throughout else (state, None)


class Captured:
    """One step as a CUDA graph, which reads and writes the same memory each time.

    The graph copies the values from pinned memory of the host, and the outputs into such, so that a step is one launch
    and one wait.
    """

    def __init__(self, network: Network, heads: Sequence[str], values: dict[str, Tensor], state: list[State]) -> None:
        self.lanes = len(next(iter(values.values())))
        inputs = {name: value.clone() for name, value in values.items()}
        self._state = [tuple(part.clone() for part in layer) for layer in state]
        aside = torch.cuda.Stream()     # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):      # libraries set themselves up in the first calls, which must not be captured
            for _ in range(3):
                outputs, _after = step(network, inputs, self._state)
        torch.cuda.current_stream().wait_stream(aside)
        read = {name: torch.zeros(value.shape, dtype=value.dtype, pin_memory=True) for name, value in values.items()}
        written = {name: torch.zeros(outputs[name].shape, pin_memory=True) for name in heads}
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            for name, value in inputs.items():
                value.copy_(read[name], non_blocking=True)
            outputs, after = step(network, inputs, self._state)
            for name, output in written.items():
                output.copy_(outputs[name].float(), non_blocking=True)
            self._put(after)
        self._values = {name: value.numpy() for name, value in read.items()}
        self._outputs = {name: output.numpy() for name, output in written.items()}
        self._stream = torch.cuda.current_stream()

    def step(self, values: Fields, state: Held) -> tuple[dict[str, Logits], Held]:
        if state.place is not self:
            with torch.inference_mode():
                self._put(state.layers)
        for name, value in values.items():
            self._values[name][:] = value
        self._graph.replay()
        self._stream.synchronize()
        return {name: output.copy() for name, output in self._outputs.items()}, Held(self._state, self)

    def _put(self, state: list[State]) -> None:
        for to, layer in zip(self._state, state, strict=True):
            for part, value in zip(to, layer, strict=True):
                part.copy_(value)

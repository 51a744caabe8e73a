"""The network itself as an engine: on a GPU its step is captured once and replayed, a launch instead of dozens."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unroll.generation.engine import Ids, Steps
from unroll.generation.rules import Logits
from unroll.models.cell import State
from unroll.models.folder import load_model
from unroll.models.network import Network

CAPTURE_AFTER = 8       # steps with the same number of lanes; lanes that end change it


@dataclass(frozen=True)
class Held:
    """A state; `place` is the captured step whose own memory holds it, if one does."""

    layers: list[State]     # each (B, ·)
    place: object = None


class TorchEngine:
    """A network with one input and one head that predicts its next step, on the network's device."""

    def __init__(self, network: Network, capture: bool = True) -> None:
        self._network = network
        (self._field,), (self._head,) = network.inputs, network.next_step or network.heads
        self._device = next(network.parameters()).device
        self._capture = capture and self._device.type == "cuda"
        self._captured: _Captured | None = None
        self._lanes = self._steps_alike = 0     # how many steps in a row had so many lanes

    def start(self, lanes: int) -> Held:
        return Held(self._network.start(lanes))

    def read(self, steps: Steps, lengths: NDArray[np.int32], state: Held) -> tuple[Logits, Held]:
        if len(steps) == 1 and self._captured is not None and self._captured.lanes == steps.shape[1]:
            return self._captured.step(steps[0], state)
        return self._launch(steps, lengths, state)

    @torch.inference_mode()
    def _launch(self, steps: Steps, lengths: NDArray[np.int32], state: Held) -> tuple[Logits, Held]:
        """Operation by operation, until the step is worth capturing."""
        whole_numbers = np.issubdtype(steps.dtype, np.integer)
        values = torch.from_numpy(steps.astype(np.int64 if whole_numbers else np.float32)).to(self._device)
        if len(steps) > 1:
            logits, layers = self._read_prompts(values, lengths, state.layers)
            return logits.float().cpu().numpy(), Held(layers)
        lanes = steps.shape[1]
        self._steps_alike, self._lanes = (self._steps_alike + 1 if lanes == self._lanes else 0), lanes
        self._captured = None
        if self._capture and self._steps_alike >= CAPTURE_AFTER:
            self._captured = _Captured(self._network, self._field, self._head, values[0], state.layers)
            return self._captured.step(steps[0], state)
        outputs, layers = self._network.step({self._field: values[0]}, state.layers)
        return outputs[self._head].float().cpu().numpy(), Held(layers)

    def take(self, state: Held, lanes: Ids) -> Held:
        places = torch.from_numpy(np.asarray(lanes)).to(self._device)
        return Held([tuple(part[places] for part in layer) for layer in state.layers])

    def join(self, states: Sequence[Held]) -> Held:
        layers = zip(*(state.layers for state in states), strict=True)
        return Held([tuple(torch.cat(parts) for parts in zip(*layer, strict=True)) for layer in layers])

    def hidden(self, state: Held) -> list[NDArray[np.float32]]:
        cells: Any = self._network.core.layers
        return [part.float().cpu().numpy() for layer, cell in zip(state.layers, cells, strict=True)
                for name, part in zip(cell.state_sizes, layer, strict=True) if name == "h"]

    def _read_prompts(self, values: Tensor, lengths: NDArray[np.int32], state: list[State]) \
            -> tuple[Tensor, list[State]]:
        """Prompts of one length together: a kernel's state is the one after its last step."""
        order = np.argsort(lengths, kind="stable")
        starts = np.flatnonzero(np.diff(lengths[order], prepend=0))
        logits, states = [], []
        for first, last in pairwise([*starts, len(order)]):
            lanes = torch.from_numpy(order[first:last]).to(self._device)
            before = [tuple(part[lanes] for part in layer) for layer in state]
            x = self._network.embed({self._field: values[: lengths[order[first]], lanes]})
            hidden, after = self._network.core(x, before)
            logits.append(self._network.head(self._head)(hidden[-1]))       # (B, V), of the last step alone
            states.append(Held(after))
        back = torch.from_numpy(np.argsort(order)).to(self._device)
        return torch.cat(logits)[back], self.take(self.join(states), np.argsort(order)).layers


class _Captured:
    """One step as a CUDA graph, which reads and writes the same memory each time.

    The graph copies the values from pinned memory of the host, and the logits into such, so that a step is one launch
    and one wait.
    """

    def __init__(self, network: Network, field: str, head: str, values: Tensor, state: list[State]) -> None:
        self.lanes = len(values)
        inputs = {field: values.clone()}
        self._state = [tuple(part.clone() for part in layer) for layer in state]
        aside = torch.cuda.Stream()     # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):      # libraries set themselves up in the first calls, which must not be captured
            for _ in range(3):
                outputs, _after = network.step(inputs, self._state)
        torch.cuda.current_stream().wait_stream(aside)
        read = torch.zeros(values.shape, dtype=values.dtype, pin_memory=True)
        written = torch.zeros(outputs[head].shape, pin_memory=True)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            inputs[field].copy_(read, non_blocking=True)
            outputs, after = network.step(inputs, self._state)
            written.copy_(outputs[head].float(), non_blocking=True)
            self._put(after)
        self._values, self._logits = read.numpy(), written.numpy()
        self._stream = torch.cuda.current_stream()

    def step(self, values: Steps, state: Held) -> tuple[Logits, Held]:
        if state.place is not self:
            with torch.inference_mode():
                self._put(state.layers)
        self._values[:] = values
        self._graph.replay()
        self._stream.synchronize()
        return self._logits.copy(), Held(self._state, self)

    def _put(self, state: list[State]) -> None:
        for to, layer in zip(self._state, state, strict=True):
            for part, value in zip(to, layer, strict=True):
                part.copy_(value)


def load_engine(folder: Path, threads: int = 1, device: str = "cpu") -> TorchEngine:
    """The network of a model folder; `threads` are PyTorch's, for the whole process."""
    torch.set_num_threads(threads)
    return TorchEngine(load_model(folder).network.to(device))

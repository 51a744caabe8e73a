"""The network itself as an engine: on a GPU its step is captured once and replayed, a launch instead of dozens."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unroll.generation.engine import Fields, Ids
from unroll.generation.held import Captured, Held, split, step
from unroll.generation.rules import Logits
from unroll.models.cell import State
from unroll.models.folder import load_model
from unroll.models.network import Network

CAPTURE_AFTER = 8       # steps with the same number of lanes; lanes that end change it


class TorchEngine:
    """A network on its own device."""

    def __init__(self, network: Network, capture: bool = True) -> None:
        self._network = network
        self.fields = [name for name in network.inputs if name not in network.static]
        self.context, self.own_axis = network.static, network.own_axis
        self.heads = network.next_step or [*network.heads]
        self._device = next(network.parameters()).device
        self._capture = capture and self._device.type == "cuda"
        self._captured: Captured | None = None
        self._lanes = self._steps_alike = 0     # how many steps in a row had so many lanes

    @torch.inference_mode()
    def start(self, lanes: int, context: Fields) -> Held:
        whole = self._tensors(context)
        layers = self._network.first_state(whole, lanes)
        return Held([*layers, (self._network.context(whole),)] if self._network.throughout else layers)

    def read(self, steps: Fields, lengths: NDArray[np.int32], state: Held) -> tuple[dict[str, Logits], Held]:
        count, lanes = next(iter(steps.values())).shape[:2]
        if count == 1 and self._captured is not None and self._captured.lanes == lanes:
            return self._captured.step({name: values[0] for name, values in steps.items()}, state)
        return self._launch(steps, lengths, state)

    @torch.inference_mode()
    def _launch(self, steps: Fields, lengths: NDArray[np.int32], state: Held) -> tuple[dict[str, Logits], Held]:
        """Operation by operation, until the step is worth capturing."""
        values = self._tensors(steps)
        count, lanes = next(iter(values.values())).shape[:2]
        if count > 1:
            outputs, layers = self._read_prompts(values, lengths, state.layers)
            return self._arrays(outputs), Held(layers)
        now = {name: value[0] for name, value in values.items()}
        self._steps_alike, self._lanes = (self._steps_alike + 1 if lanes == self._lanes else 0), lanes
        self._captured = None
        if self._capture and self._steps_alike >= CAPTURE_AFTER:
            self._captured = Captured(self._network, self.heads, now, state.layers)
            return self._captured.step({name: values[0] for name, values in steps.items()}, state)
        outputs, layers = step(self._network, now, state.layers)
        return self._arrays(outputs), Held(layers)

    def _tensors(self, fields: Fields) -> dict[str, Tensor]:
        return {name: torch.from_numpy(values.astype(np.int64 if np.issubdtype(values.dtype, np.integer)
                                                     else np.float32)).to(self._device)
                for name, values in fields.items()}

    def _arrays(self, outputs: dict[str, Tensor]) -> dict[str, Logits]:
        return {name: outputs[name].float().cpu().numpy() for name in self.heads}

    def take(self, state: Held, lanes: Ids) -> Held:
        places = torch.from_numpy(np.asarray(lanes)).to(self._device)
        return Held([tuple(part[places] for part in layer) for layer in state.layers])

    def join(self, states: Sequence[Held]) -> Held:
        layers = zip(*(state.layers for state in states), strict=True)
        return Held([tuple(torch.cat(parts) for parts in zip(*layer, strict=True)) for layer in layers])

    def hidden(self, state: Held) -> list[NDArray[np.float32]]:
        cells: Any = self._network.core.layers
        return [part.float().cpu().numpy() for layer, cell in zip(state.layers, cells, strict=False)
                for name, part in zip(cell.state_sizes, layer, strict=True) if name == "h"]

    def _read_prompts(self, values: dict[str, Tensor], lengths: NDArray[np.int32], state: list[State]) \
            -> tuple[dict[str, Tensor], list[State]]:
        """Prompts of one length together: a kernel's state is the one after its last step."""
        order = np.argsort(lengths, kind="stable")
        starts = np.flatnonzero(np.diff(lengths[order], prepend=0))
        found, states = [], []
        for first, last in pairwise([*starts, len(order)]):
            lanes = torch.from_numpy(order[first:last]).to(self._device)
            before, context = split(self._network, [tuple(part[lanes] for part in layer) for layer in state])
            x = self._network.embed({name: value[: lengths[order[first]], lanes] for name, value in values.items()},
                                    context=None if context is None else context[0])
            hidden, after = self._network.core(x, before)
            # (B, ·) each, of the last step alone
            found.append({name: self._network.head(name)(hidden[-1]) for name in self.heads})
            states.append(Held(after if context is None else [*after, context]))
        back = torch.from_numpy(np.argsort(order)).to(self._device)
        return ({name: torch.cat([outputs[name] for outputs in found])[back] for name in self.heads},
                self.take(self.join(states), np.argsort(order)).layers)


def load_engine(folder: Path, threads: int = 1, device: str = "cpu") -> TorchEngine:
    """The network of a model folder; `threads` are PyTorch's, for the whole process."""
    torch.set_num_threads(threads)
    return TorchEngine(load_model(folder).network.to(device))

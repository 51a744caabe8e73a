"""What steps a model: a small interface, and ONNX Runtime behind it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unroll.generation.rules import Logits

S = TypeVar("S")
Ids = NDArray[np.integer[Any]]
Steps = NDArray[Any]                    # symbols (T, B), or numbers (T, B, F) as the network reads them
Arrays = list[NDArray[np.float32]]      # each (·, B, ·)


class Engine(Protocol[S]):
    """Steps and a state in, logits and the next state out; lanes are independent of each other.

    Reading from a state may overwrite it: `take` a copy first to read from it twice.
    """

    def start(self, lanes: int) -> S:
        """The state before anything is read."""

    def read(self, steps: Steps, lengths: NDArray[np.int32], state: S) -> tuple[Logits, S]:
        """steps (T, B, …) → logits (B, V) and the state after each lane's first `lengths` (B,) steps, 1 … T."""

    def take(self, state: S, lanes: Ids) -> S:
        """The state of these lanes in this order; a lane may be taken several times."""

    def join(self, states: Sequence[S]) -> S:
        """States side by side."""

    def hidden(self, state: S) -> list[NDArray[np.float32]]:
        """The hidden units (B, H) of each recurrent layer; none in a network that reads windows."""


class OnnxEngine:
    """A step file in ONNX Runtime, on the CPU; it needs no PyTorch."""

    def __init__(self, model: Path | bytes, threads: int = 1) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        content = os.fspath(model) if isinstance(model, Path) else model
        self._session = InferenceSession(content, options, providers=["CPUExecutionProvider"])
        shapes = {value.name: value.shape for value in self._session.get_inputs()}
        self._state = {name: shape for name, shape in shapes.items() if name.startswith("state.")}
        (self._field,) = shapes.keys() - self._state.keys() - {"lengths"}
        heads = [value.name for value in self._session.get_outputs() if value.name.startswith("heads.")]
        self._outputs = heads + [name.replace("state.", "next.", 1) for name in self._state]

    def start(self, lanes: int) -> Arrays:
        return [np.zeros((first, lanes, last), np.float32) for first, _, last in self._state.values()]

    def read(self, steps: Steps, lengths: NDArray[np.int32], state: Arrays) -> tuple[Logits, Arrays]:
        before = dict(zip(self._state, state, strict=True))
        logits, *after = self._session.run(self._outputs, {self._field: steps, "lengths": lengths, **before})
        return logits, after

    def take(self, state: Arrays, lanes: Ids) -> Arrays:
        return [part[:, lanes] for part in state]

    def join(self, states: Sequence[Arrays]) -> Arrays:
        return [np.concatenate(parts, axis=1) for parts in zip(*states, strict=True)]

    def hidden(self, state: Arrays) -> list[NDArray[np.float32]]:
        return [part[0] for name, part in zip(self._state, state, strict=True) if name.endswith(".h")]

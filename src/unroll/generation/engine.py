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

    A state that was read from is spent: `take` it before, to read from it twice.
    """

    def start(self, lanes: int) -> S:
        """Before anything is read."""

    def read(self, steps: Steps, lengths: NDArray[np.int32], state: S) -> tuple[Logits, S]:
        """steps (T, B, …) → logits (B, V) and the state after each lane's first `lengths` (B,) steps, 1 … T."""

    def take(self, state: S, lanes: Ids) -> S:
        """The state of some lanes, in this order, one of them several times if so."""

    def join(self, states: Sequence[S]) -> S:
        """States side by side."""


class OnnxEngine:
    """A step file in ONNX Runtime, on the CPU; it needs no PyTorch."""

    def __init__(self, model: Path | bytes, threads: int = 1) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        given = os.fspath(model) if isinstance(model, Path) else model
        self._session = InferenceSession(given, options, providers=["CPUExecutionProvider"])
        shapes = {each.name: each.shape for each in self._session.get_inputs()}
        self._state = {name: shape for name, shape in shapes.items() if name.startswith("state.")}
        (self._field,) = shapes.keys() - self._state.keys() - {"lengths"}
        self._said = [each.name for each in self._session.get_outputs() if each.name.startswith("heads.")]
        self._said += [name.replace("state.", "next.", 1) for name in self._state]

    @property
    def parts(self) -> list[str]:
        """What the arrays of a state are called, in their order: `state.core.layers.0.h`, …"""
        return list(self._state)

    def start(self, lanes: int) -> Arrays:
        return [np.zeros((first, lanes, last), np.float32) for first, _, last in self._state.values()]

    def read(self, steps: Steps, lengths: NDArray[np.int32], state: Arrays) -> tuple[Logits, Arrays]:
        given = dict(zip(self._state, state, strict=True))
        logits, *state = self._session.run(self._said, {self._field: steps, "lengths": lengths, **given})
        return logits, state

    def take(self, state: Arrays, lanes: Ids) -> Arrays:
        return [each[:, lanes] for each in state]

    def join(self, states: Sequence[Arrays]) -> Arrays:
        return [np.concatenate(parts, axis=1) for parts in zip(*states, strict=True)]

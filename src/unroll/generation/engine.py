"""What steps a model: a small interface, and ONNX Runtime behind it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unroll.data.batches import LENGTHS
from unroll.generation.rules import Logits
from unroll.models.onnx.names import OWN_AXIS, field_input, field_of, start_input

S = TypeVar("S")
Ids = NDArray[np.integer[Any]]
Steps = NDArray[Any]                    # symbols (T, B), or numbers (T, B, F) as the network reads them
Fields = Mapping[str, NDArray[Any]]
Arrays = list[NDArray[np.float32]]      # each (·, B, ·)


class Engine(Protocol[S]):
    """Steps and a state in, outputs and the next state out; lanes are independent of each other.

    `fields` are read at each step, `context` stands for the whole of each sequence, some of it on an axis of its own
    (`own_axis`), and `heads` predict the next step of the fields that are called like them. Reading from a state may
    overwrite it: `take` a copy first to read from it twice.
    """

    fields: list[str]
    context: list[str]
    own_axis: list[str]
    heads: list[str]

    def start(self, lanes: int, context: Fields) -> S:
        """The state before anything is read; each of `context` is (lanes, ·), as the network reads it.

        On an axis of its own it is (T', lanes, …), padded, and beside it are its `LENGTHS`.
        """

    def read(self, steps: Fields, lengths: NDArray[np.int32], state: S) -> tuple[dict[str, Logits], S]:
        """Each field (T, B, …) → each head (B, ·) and the state after each lane's first `lengths` (B,) steps, 1 … T."""

    def take(self, state: S, lanes: Ids) -> S:
        """The state of these lanes in this order; a lane may be taken several times."""

    def join(self, states: Sequence[S]) -> S:
        """States side by side."""

    def hidden(self, state: S) -> list[NDArray[np.float32]]:
        """The hidden units (B, H) of each recurrent layer; none in a network that reads windows."""


class OnnxEngine:
    """A step file in ONNX Runtime, on the CPU; it needs no PyTorch."""

    def __init__(self, step: Path | bytes, threads: int = 1, start: Path | bytes | None = None) -> None:
        """`start` is the start file of a model that reads anything of whole sequences."""
        self._step, self._start = _session(step, threads), None if start is None else _session(start, threads)
        shapes = {value.name: value.shape for value in self._step.get_inputs()}
        self._state = {name: shape for name, shape in shapes.items() if name.startswith("state.")}
        self.fields = [field_of(name) for name in shapes if name not in self._state and name != "lengths"]
        names = [] if self._start is None else [value.name for value in self._start.get_inputs()]
        fields = [name for name in names if name.count(".") == 1]       # the others are lengths
        self.own_axis = [field_of(name) for name in fields if name.startswith(OWN_AXIS)]
        self.context = [field_of(name) for name in fields]
        self.heads = [value.name.removeprefix("heads.") for value in self._step.get_outputs()
                      if value.name.startswith("heads.")]
        self._inputs = {field_input(name): name for name in self.fields}
        self._outputs = [f"heads.{name}" for name in self.heads] + [name.replace("state.", "next.", 1)
                                                                    for name in self._state]

    def start(self, lanes: int, context: Fields) -> Arrays:
        state = {name: np.zeros((first, lanes, last), np.float32) for name, (first, _, last) in self._state.items()}
        if self._start is not None:
            outputs = [value.name for value in self._start.get_outputs()]
            given = {start_input(name, name in self.own_axis): context[name] for name in self.context}
            for name in self.own_axis:
                lengths = context[LENGTHS.format(name=name)]
                given[LENGTHS.format(name=start_input(name, True))] = lengths.astype(np.int32)
            made = self._start.run(outputs, given)
            state.update(zip(outputs, made, strict=True))
        return list(state.values())

    def read(self, steps: Fields, lengths: NDArray[np.int32], state: Arrays) -> tuple[dict[str, Logits], Arrays]:
        before = dict(zip(self._state, state, strict=True))
        fields = {name: steps[field] for name, field in self._inputs.items()}
        found = self._step.run(self._outputs, {**fields, "lengths": lengths, **before})
        return dict(zip(self.heads, found, strict=False)), found[len(self.heads) :]

    def take(self, state: Arrays, lanes: Ids) -> Arrays:
        return [part[:, lanes] for part in state]

    def join(self, states: Sequence[Arrays]) -> Arrays:
        return [np.concatenate(parts, axis=1) for parts in zip(*states, strict=True)]

    def hidden(self, state: Arrays) -> list[NDArray[np.float32]]:
        return [part[0] for name, part in zip(self._state, state, strict=True) if name.endswith(".h")]


def _session(model: Path | bytes, threads: int) -> Any:
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    content = os.fspath(model) if isinstance(model, Path) else model
    return InferenceSession(content, options, providers=["CPUExecutionProvider"])

"""A model as the loops see it: steps go in, and what comes out is of the next step.

A step is a symbol or a vector of the one field that is drawn, or, of `Records`, a NumPy record of all drawn fields.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.batches import LENGTHS
from unroll.data.given import Given
from unroll.generation.engine import Engine, Ids, Steps
from unroll.generation.rules import Logits

S = TypeVar("S")


class Reader(Protocol[S]):
    """What a loop needs of a model; see `Engine`."""

    def start(self, lanes: int) -> S: ...

    def read(self, steps: Steps, lengths: NDArray[np.int32], state: S) -> tuple[Logits, S]: ...

    def take(self, state: S, lanes: Ids) -> S: ...

    def join(self, states: Sequence[S]) -> S: ...


class Place(NamedTuple, Generic[S]):
    """A state, and how far each lane has come."""

    state: S
    lanes: Ids      # (B,) where each is among those that were started
    steps: Ids      # (B,) that each has read


class OneField:
    """An engine whose only head's field is drawn, `given` each lane what else is read of its sequence."""

    def __init__(self, engine: Engine[Any], given: Sequence[Given] = ()) -> None:
        self._engine = engine
        self._context: dict[str, NDArray[Any]] = {}
        for name in engine.context:
            parts = [values[name] for values in given]
            self._context[name] = _padded(parts) if name in engine.own_axis else np.stack(parts)
            if name in engine.own_axis:
                self._context[LENGTHS.format(name=name)] = np.array([len(part) for part in parts])
        beside = [name for name in engine.fields if name not in engine.heads]
        self._beside = {name: _padded([values[name] for values in given]) for name in beside}

    def start(self, lanes: int) -> Place[Any]:
        """The state of all lanes that something is given, or of as many as are asked for."""
        return Place(self._engine.start(lanes, self._context), np.arange(lanes), np.zeros(lanes, np.int64))

    def read(self, steps: Steps, lengths: NDArray[np.int32], state: Place[Any]) -> tuple[Logits, Place[Any]]:
        fields = self._drawn(steps)
        for name, values in self._beside.items():
            at = state.steps + np.arange(len(steps))[:, None]           # (T, B); of padding, whatever is there
            fields[name] = values[np.minimum(at, len(values) - 1), state.lanes]
        found, after = self._engine.read(fields, lengths, state.state)
        return self._outputs(found), Place(after, state.lanes, state.steps + lengths if self._beside else state.steps)

    def take(self, state: Place[Any], lanes: Ids) -> Place[Any]:
        return Place(self._engine.take(state.state, lanes), state.lanes[lanes], state.steps[lanes])

    def join(self, states: Sequence[Place[Any]]) -> Place[Any]:
        return Place(self._engine.join([place.state for place in states]),
                     np.concatenate([place.lanes for place in states]),
                     np.concatenate([place.steps for place in states]))

    def hidden(self, state: Place[Any]) -> list[NDArray[np.float32]]:
        return self._engine.hidden(state.state)

    def _drawn(self, steps: Steps) -> dict[str, Steps]:
        (name,) = self._engine.heads
        return {name: steps}

    def _outputs(self, found: Mapping[str, Logits]) -> Logits:
        (outputs,) = found.values()
        return outputs


class Records(OneField):
    """An engine whose steps are records, a value for each drawn field, and so are its outputs."""

    def _drawn(self, steps: Steps) -> dict[str, Steps]:
        return {name: np.ascontiguousarray(steps[name]) for name in self._engine.heads}

    def _outputs(self, found: Mapping[str, Logits]) -> Logits:
        return records(found)


def records(fields: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Arrays (n, …) by name → (n,) records."""
    count = len(next(iter(fields.values())))
    made = np.empty(count, [(name, values.dtype, values.shape[1:]) for name, values in fields.items()])
    for name, values in fields.items():
        made[name] = values
    return made


def needs(engine: Engine[Any]) -> list[str]:
    """What a model reads beside the field that is drawn: of the whole sequence, or of each of its steps."""
    return [*engine.context, *(name for name in engine.fields if name not in engine.heads)]


def reader_for(engine: Engine[Any], prompts: Sequence[Steps], given: Sequence[Given], length: int | None,
               kind: type[OneField] = OneField) -> OneField:
    """For prompts that begin with the begin symbol or row, and `length` steps after each.

    Raises `UserError` where something that the model reads is missing, or has too few steps.
    """
    for prompt, values in zip(prompts, given, strict=True):
        if missing := [name for name in needs(engine) if name not in values]:
            raise UserError("missing-value", "given", f"the model also reads {', '.join(needs(engine))}, and "
                            f"{', '.join(missing)} is missing. Give every one.")
        steps = len(prompt) - 1 + (length or 0)         # the last symbol is not read
        for name in engine.fields:
            if name not in engine.heads and (length is None or len(values[name]) < steps):
                raise UserError("too-short", f"given, {name}", f"has {len(values[name])} steps; a prompt of "
                                f"{len(prompt) - 1} symbols and a text of {length or 'any number of'} after it need "
                                f"{steps if length else 'more'}. Give more, or ask for a shorter text.")
    return kind(engine, given)


def _padded(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """(L, …) each → (longest, B, …)"""
    padded = np.zeros((max(1, *map(len, parts)), len(parts), *parts[0].shape[1:]), parts[0].dtype)
    for lane, part in enumerate(parts):
        padded[: len(part), lane] = part
    return padded

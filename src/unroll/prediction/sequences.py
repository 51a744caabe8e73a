"""Sequences of a model with one or several inputs, checked and encoded."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.data.batches import LENGTHS
from unroll.data.encoders import scaler_of
from unroll.data.frame import Frame
from unroll.data.missing import reaches
from unroll.data.spec import InputSpec, Spec
from unroll.data.tokenizers import Tokenizer
from unroll.prediction.ahead import calendar_of
from unroll.prediction.reading import InputReader
from unroll.prediction.values import category_values, check_known, choices, whole_numbers

Values = NDArray[Any]
Fields = dict[str, Values]


class SequenceReader:
    """Reads sequences: the values of the only input, or those of each input by name."""

    def __init__(self, spec: Spec, tokenizers: Mapping[str, Tokenizer], frame: Frame | None) -> None:
        self._fields, self._tokenizers = spec.inputs, tokenizers
        self.main, self._frame, self._reading = spec.main, frame, spec.reading
        self._readers = {name: InputReader(field, tokenizers.get(name), frame if name == spec.main else None)
                         for name, field in spec.inputs.items()
                         if field.per != "sequence" and field.kind != "categories"}

    @property
    def first(self) -> InputReader:
        """The reader of the main input, which is a text or real numbers."""
        return self._readers[self.main]

    def sequence(self, where: str, sequence: Any, closed: bool) -> Fields:
        """(T,), (T, F) or (T, K) of inputs of steps, (F,) or (K,) of whole sequences; raises `UserError`.

        Inputs on an axis of their own are (T',) or (T', F).
        """
        if len(self._fields) == 1:
            return {self.main: self._one(where, self.main, sequence, closed)}
        self._check_names(where, sequence, [*self._fields])
        if self._frame is not None:
            sequence = {name: calendar_of(f"{where}, {name}", values, self._reading, len(sequence[self.main]),
                                          self._frame.forecast.horizon, self._fields[name].names or ())
                        if self._fields[name].calendar else values for name, values in sequence.items()}
        values = {name: self._one(f"{where}, {name}", name, sequence[name], closed) for name in self._fields}
        if self._frame is not None:
            return self._window(where, values, self._frame, len(sequence[self.main]))
        self._check_equal(where, {name: values[name] for name, field in self._fields.items() if field.per == "step"})
        return values

    def _window(self, where: str, values: Fields, frame: Frame, steps: int) -> Fields:
        """What a forecast reads at the end of series of so many `steps`, and of what is known ahead."""
        found = dict(values)
        context, horizon = frame.forecast.context, frame.forecast.horizon
        for name, field in self._fields.items():
            if name == self.main or field.per == "sequence":
                continue
            needed, rows = steps + horizon * field.known_ahead, len(values[name])
            if rows != needed:
                ahead = f", the last {horizon} of them those that are forecast" if field.known_ahead else ""
                raise UserError("unequal-lengths", f"{where}, {name}", f"{rows} steps beside {steps} of {self.main}. "
                                f"Give {needed}{ahead}.")
            place = np.arange(steps - context, steps)
            found[name] = values[name][np.append(place, steps + frame.ahead) if field.known_ahead else place]
        return found

    def step(self, values: Any, lanes: int, optional: Collection[str] = ()) -> Fields:
        """One step of each lane, (B,), (B, F) or (B, K), and what stands for the whole, as the network reads it.

        Inputs that are `optional` may be missing.
        """
        named = values if len(self._fields) > 1 or isinstance(values, Mapping) else {self.main: values}
        self._check_names("step", named, [name for name in self._fields if name not in optional])
        return {name: array for name in self._fields if name in named
                for name, array in self._lanes(name, named[name], lanes).items()}

    def _lanes(self, name: str, values: Any, lanes: int) -> Fields:
        field = self._fields[name]
        if field.per == "step" and field.kind != "categories":
            return {name: self.encode(name, self._readers[name].step(values, lanes))}
        if not hasattr(values, "__len__") or isinstance(values, str) or len(values) != lanes:
            raise UserError("wrong-type", f"step, {name}", f"not the values of {lanes} lanes. Give them for each.")
        parts = [self._one(f"step, {name}", name, [value] if field.per == "step" else value, False) for value in values]
        read = stacked([{name: part} for part in parts], {name: field})
        return {part: self.encode(part, array[0] if field.per == "step" else array) for part, array in read.items()}

    def _check_equal(self, where: str, steps: Mapping[str, Values]) -> None:
        if len({*map(len, steps.values())}) > 1:
            found = ", ".join(f"{name} {len(values)}" for name, values in steps.items())
            raise UserError("unequal-lengths", where, f"unequal numbers of steps: {found}.")

    def _check_names(self, where: str, values: Any, needed: Sequence[str], known: Sequence[str] = ()) -> None:
        """`known` are the inputs that there may be; empty: all."""
        known = known or [*self._fields]
        if not isinstance(values, Mapping):
            raise UserError("wrong-type", where, f"not the values of {', '.join(known)}. Give them by name: "
                            "{name: values}.")
        for name in values:
            if name not in known:
                raise UserError("unknown-name", where, f"unknown input {name!r}; {nearest(name, known)}")
        for name in needed:
            if name not in values:
                raise UserError("missing-value", where, f"no input {name!r}. Give one.")

    def steps(self, where: str, values: Any, names: Sequence[str]) -> Fields:
        """Some inputs of steps alone, each value known in training; raises `UserError`."""
        self._check_names(where, values, names, names)
        read = {name: self._one(f"{where}, {name}", name, values[name], False) for name in names}
        self._check_equal(where, read)
        for name, numbers in read.items():
            field, tokenizer = self._fields[name], self._tokenizers.get(name)
            unknown = 0 if field.kind == "categories" else None if tokenizer is None else tokenizer.unknown
            for at in np.flatnonzero(numbers.reshape(len(numbers), -1)[:, 0] == unknown) if unknown is not None else ():
                raise UserError("unknown-symbol", f"{where}, {name}, step {at + 1}", "a value that was not in "
                                "training. Leave the sequence out, or end it before.")
        return read

    def beside(self, where: str, values: Any, needed: Sequence[str]) -> Fields:
        """What is read beside a sequence that is generated, by name, as the network reads it."""
        if not isinstance(values, Mapping):
            raise UserError("wrong-type", where, f"not the values of {', '.join(needed) or 'inputs'}. Give them by "
                            "name: {name: value}.")
        for name in values:
            if name not in needed:
                hint = nearest(name, needed) if needed else "the model reads nothing beside what it generates."
                raise UserError("unknown-name", where, f"unknown input {name!r}; {hint}")
        for name in needed:
            if name not in values:
                raise UserError("missing-value", where, f"no input {name!r}, which the model also reads. Give one"
                                f"{choices(self._fields[name])}.")
        read = {name: self._one(f"{where}, {name}", name, values[name], False) for name in needed}
        for name in needed:
            check_known(f"{where}, {name}", self._fields[name], values[name], read[name])
        encoded = {name: self.encode(name, value) for name, value in read.items()}
        return {name: value.astype(np.float32) if value.dtype.kind == "f" else value for name, value in encoded.items()}

    def _one(self, where: str, name: str, values: Any, closed: bool) -> Values:
        field = self._fields[name]
        if field.per == "own" and hasattr(values, "__len__") and not len(values):
            return np.zeros((0,) if field.kind == "tokens" else (0, field.width), np.int64)
        if field.kind == "categories":
            return category_values(where, field, values)
        if field.per != "sequence":
            return self._readers[name].sequence(where, values, closed and field.per == "step")
        return whole_numbers(where, field, values)

    def encode(self, name: str, values: Values) -> Values:
        """As the network reads them."""
        if name not in self._fields:        # lengths
            return values
        field = self._fields[name]
        if field.kind != "real":
            return values.astype(np.int64)
        numbers = scaler_of(field).encode(values).astype(np.float64)
        return numbers if reaches(field.missing, field.per) else np.nan_to_num(numbers)     # 0 is the mean


def stacked(sequences: Sequence[Fields], fields: Mapping[str, InputSpec]) -> Fields:
    """Sequences of one length side by side, (T, B, …), or (B, …) of whole sequences.

    Those on an axis of their own are padded, (T', B, …), and have their `LENGTHS` beside them.
    """
    found: Fields = {}
    for name, field in fields.items():
        values = [sequence[name] for sequence in sequences]
        if field.per == "own":
            lengths = found[LENGTHS.format(name=name)] = np.array([len(own) for own in values])
            longest = max(1, int(lengths.max()))
            values = [np.concatenate([own, np.zeros((longest - len(own), *own.shape[1:]), own.dtype)])
                      for own in values]
        found[name] = np.stack(values, axis=0 if field.per == "sequence" else 1)
    return found

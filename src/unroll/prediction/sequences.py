"""Sequences of a model with one or several inputs, checked and encoded."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.data.batches import LENGTHS
from unroll.data.encoders import Frame, scaler_of
from unroll.data.fields import category_numbers
from unroll.data.given import shown
from unroll.data.spec import InputSpec, Spec
from unroll.data.tokenizers import Tokenizer
from unroll.prediction.reading import InputReader, to_numbers

Values = NDArray[Any]
Fields = dict[str, Values]


class SequenceReader:
    """Reads sequences: the values of the only input, or those of each input by name."""

    def __init__(self, spec: Spec, tokenizers: Mapping[str, Tokenizer], frame: Frame | None) -> None:
        self._fields = spec.inputs
        self.main = spec.main
        self._readers = {name: InputReader(field, tokenizers.get(name), frame) for name, field in spec.inputs.items()
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
        if not isinstance(sequence, Mapping):
            raise UserError("wrong-type", where, f"not the values of {', '.join(self._fields)}. Give them by name: "
                            "{name: values}.")
        for name in sequence:
            if name not in self._fields:
                raise UserError("unknown-name", where, f"unknown input {name!r}; {nearest(name, self._fields)}")
        for name in self._fields:
            if name not in sequence:
                raise UserError("missing-value", where, f"no input {name!r}. Give one.")
        values = {name: self._one(f"{where}, {name}", name, sequence[name], closed) for name in self._fields}
        steps = {name: len(values[name]) for name, field in self._fields.items() if field.per == "step"}
        if len({*steps.values()}) > 1:
            found = ", ".join(f"{name} {count}" for name, count in steps.items())
            raise UserError("unequal-lengths", where, f"unequal numbers of steps: {found}.")
        return values

    def beside(self, where: str, values: Any, needed: Sequence[str]) -> Fields:
        """What is read beside a sequence that is generated, by name, as the network reads it."""
        if not isinstance(values, Mapping):
            raise UserError("wrong-type", where, f"not the values of {', '.join(needed) or 'inputs'}. Give them by "
                            "name: {name: value}.")
        for name in values:
            if name not in needed:
                hint = nearest(name, needed) if needed else "the model reads nothing beside what it generates"
                raise UserError("unknown-name", where, f"unknown input {name!r}; {hint}")
        for name in needed:
            if name not in values:
                raise UserError("missing-value", where, f"no input {name!r}, which the model also reads. Give one"
                                f"{_of(self._fields[name])}.")
        read = {name: self._one(f"{where}, {name}", name, values[name], False) for name in needed}
        for name in needed:
            _check_known(f"{where}, {name}", self._fields[name], values[name], read[name])
        encoded = {name: self.encode(name, value) for name, value in read.items()}
        return {name: value.astype(np.float32) if value.dtype.kind == "f" else value for name, value in encoded.items()}

    def _one(self, where: str, name: str, values: Any, closed: bool) -> Values:
        field = self._fields[name]
        if field.kind == "categories":
            return _categories(where, field, values)
        if field.per == "own" and hasattr(values, "__len__") and not len(values):
            return np.zeros((0,) if field.kind == "tokens" else (0, field.width), np.int64)
        if field.per != "sequence":
            return self._readers[name].sequence(where, values, closed and field.per == "step")
        try:
            numbers = to_numbers(where, values).reshape(-1)
        except UserError:
            numbers = np.zeros(0)
        if numbers.shape != (field.width,):
            raise UserError("wrong-type", where, f"{len(numbers)} numbers where the model reads {field.width}. Give as "
                            "many.")
        if not np.isfinite(numbers).all():
            raise UserError("bad-number", where, f"{numbers[~np.isfinite(numbers)][0]} is no finite number. Give one.")
        return numbers

    def encode(self, name: str, values: Values) -> Values:
        """As the network reads them."""
        if name not in self._fields:        # lengths
            return values
        field = self._fields[name]
        return values.astype(np.int64) if field.kind != "real" else scaler_of(field).encode(values).astype(np.float64)


def _of(field: InputSpec) -> str:
    """Which values an input takes, as far as a line can tell."""
    if field.categories is None:
        return f": {field.width} numbers" * (field.width > 1)
    return ": one of " + "; one of ".join(", ".join(names[:6]) + ", …" * (len(names) > 6) for names in field.categories)


def _check_known(where: str, field: InputSpec, names: Any, numbers: Values) -> None:
    """Nothing is generated for a category that training never saw: it is rather a slip."""
    if field.categories is None or field.per == "step":
        return
    for name, found, known in zip(np.atleast_1d(np.asarray(names, dtype=str)), shown(field, numbers), field.categories,
                                  strict=True):
        if found is None:
            raise UserError("unknown-name", where, f"{str(name)!r} was not in training; {nearest(str(name), known)}")


def _categories(where: str, field: InputSpec, values: Any) -> Values:
    if not isinstance(values, np.ndarray) or values.dtype.kind != "U":
        plain = values.tolist() if isinstance(values, np.ndarray) else values
        values = np.asarray(plain, dtype=object)       # True and 2.0 as they are; rows of unequal length as one value
    rows = np.atleast_1d(values)
    rows = rows[:, None] if field.per == "step" and field.width == rows.ndim == 1 else rows
    unequal = rows.dtype == object and any(isinstance(value, list | np.ndarray) for value in rows.flat)
    if unequal or rows.shape[-1] != field.width or rows.ndim != (2 if field.per == "step" else 1):
        raise UserError("wrong-type", where, f"of shape {rows.shape} where the model reads {field.width} categories"
                        f"{' at each step' * (field.per == 'step')}. Give as many.")
    if rows.dtype.kind != "U":
        columns = [[_name(value, known) for value in column]
                   for column, known in zip(rows.reshape(-1, field.width).T, field.categories or (), strict=True)]
        rows = np.array(columns, dtype=str).T.reshape(rows.shape)
    return category_numbers(field, rows)


def _name(value: Any, known: Collection[str]) -> str:
    """How the training data spells a category: True may be true there, 2.0 may be 2; None is an empty cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    spelt = [str(value)]
    if isinstance(value, bool | np.bool_):
        spelt += [str(value).lower(), str(int(value))]
    elif isinstance(value, int | float | np.number) and math.isfinite(value) and value == int(value):
        spelt += [str(int(value)), str(float(value))]
    return next((name for name in spelt if name in known), spelt[0])


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

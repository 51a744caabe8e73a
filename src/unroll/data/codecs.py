"""From a source's values of one field to the rows of its array, and what the spec has of them.

A codec is fitted on the training split and checks the values of every split; batches are scaled later, when they are
read.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import Code, UserError
from unroll.data.encoders import Scaler
from unroll.data.frame import Frame
from unroll.data.missing import Missing, interpolated
from unroll.data.npy import stretches
from unroll.data.spec import ForecastSpec, InputSpec, Names, TargetSpec
from unroll.data.tokenizers import Tokenizer

Values = NDArray[Any]
Per = Literal["step", "sequence", "own"]
PerTarget = Literal["step", "sequence"]
Located = Iterable[tuple[str, Any]]     # values, each after the place that an error names
LARGEST = 1e38      # where single precision ends
MISSING_NUMBER = ". Fill it, or set data.missing (mask, forward, mean or interpolate) where the source has it."


class Codec(ABC):
    """One field that has an array of its own."""

    advice: ClassVar[str] = ""      # where other fields have another number of steps

    def __init__(self, per: Per = "step", drawn: bool = False, closed: bool = False) -> None:
        """`drawn`: it is read one step late; `closed`: an item has a last row, at which this field is unknown."""
        self.per = per      # one row per step, one per sequence, or as many as it has on an axis of its own
        self.drawn, self.closed = drawn, closed

    @abstractmethod
    def encode(self, value: Any, where: str) -> Values:
        """The rows of a piece; raises `UserError` at `where`, with the step at fault."""

    @abstractmethod
    def dtype(self, rows: Values) -> np.dtype[Any]:
        """The smallest type that keeps the field, whose first rows these are."""

    def known(self, rows: Values) -> NDArray[np.bool_] | None:
        """Which numbers of the rows are known, where some may be unknown; None: all of them."""
        return None

    def count(self, value: Any, rows: Values) -> Mapping[str, int]:
        """What the piece adds to `Counts`, beside sequences and steps."""
        return {}

    def occurrences(self, rows: Values) -> NDArray[np.int64] | None:
        """(classes,) how often the rows have each of a target's classes; None of other fields."""
        return None

    @abstractmethod
    def describe_input(self, predicted: bool, names: Names | None) -> InputSpec:
        """`predicted`: whether its next step is a target."""

    @abstractmethod
    def describe_target(self, of: str | None, names: Names | None) -> TargetSpec:
        """As a target of its own, or as the future of the input `of`."""


class TextCodec(Codec):
    """Text as symbols."""

    advice = " Choose data/tokenizer=char, a symbol for each label."

    def __init__(self, tokenizer: Tokenizer, per: Per = "step", drawn: bool = False) -> None:
        super().__init__(per, drawn)
        self.tokenizer = tokenizer

    def encode(self, value: Any, where: str) -> Values:
        symbols = self.tokenizer.encode(value)
        return symbols if self.tokenizer.end is None else np.append(symbols, self.tokenizer.end)

    def dtype(self, rows: Values) -> np.dtype[Any]:
        return np.min_scalar_type(self.tokenizer.size - 1)

    def count(self, value: Any, rows: Values) -> Mapping[str, int]:
        if self.per == "own":       # losses are not of its characters
            return {}
        # the end of an item is a character of the source: its newline
        ends = int(self.tokenizer.end is not None)
        unknown = 0 if self.tokenizer.unknown is None else int((rows == self.tokenizer.unknown).sum())
        return {"characters": len(value) + ends, "bytes": len(value.encode()) + ends, "unknown": unknown}

    def describe_input(self, predicted: bool, names: Names | None) -> InputSpec:
        begin = self.tokenizer.begin if predicted else None
        return InputSpec(kind="tokens", size=self.tokenizer.size, width=1, per=self.per, begin=begin, names=names,
                         end=self.tokenizer.end if self.drawn else None)

    def describe_target(self, of: str | None, names: Names | None) -> TargetSpec:
        return TargetSpec(kind="classes", per="step", of=of, size=self.tokenizer.size)


class NumberCodec(Codec):
    """Real numbers, as the source has them; or `labels`, which are 0 or 1.

    Those of a `partial` target may be NaN, and those of an input with a way to deal with `missing` numbers.
    """

    def __init__(self, per: Per = "step", labels: bool = False, partial: bool = False, drawn: bool = False,
                 closed: bool = False, missing: Missing | None = None) -> None:
        super().__init__(per, drawn, closed)
        self._labels, self._missing, self._partial = labels, missing, partial or missing is not None
        self._width: int | None = None      # numbers per row, from the first one on
        self.ever: NDArray[np.bool_] = np.zeros(1, bool)        # (F,) of an input, whether a number was ever known
        self._scaler: Scaler | None = None

    def fit(self, scale: str, values: Located) -> "NumberCodec":
        self._scaler = Scaler.fit(scale, (self._rows(value, where) for where, value in values))
        return self

    @property
    def width(self) -> int:
        assert self._width is not None
        return self._width

    def encode(self, value: Any, where: str) -> Values:
        """(T, F), where one number a step may come as (T,); (1, F) for a sequence."""
        rows = self._rows(value, where)
        if self._missing != "interpolate" or self.per == "sequence":
            return rows
        assert self._scaler is not None
        return interpolated(rows, self._scaler.mean)

    def _rows(self, value: Any, where: str) -> Values:
        rows = np.atleast_1d(value)
        rows = rows.reshape(1, -1) if self.per == "sequence" else rows.reshape(len(rows), int(np.prod(rows.shape[1:])))
        self._width = rows.shape[1] if self._width is None else self._width
        if rows.shape[1] != self._width:
            raise UserError("unequal-lengths", where, f"{rows.shape[1]} numbers per step where others have "
                            f"{self._width}.")
        for first, stretch in stretches(rows):
            self._check(stretch, where, first)
            if self._missing is not None:
                self.ever = self.ever | ~np.isnan(stretch).all(axis=0)
        return rows

    def known(self, rows: Values) -> NDArray[np.bool_] | None:
        return ~np.isnan(rows) if self._partial else None

    def _check(self, rows: Values, where: str, first: int) -> None:
        """Raise on a number that cannot be used; `first` is the step of the first row."""
        unknown = np.isnan(rows) if self._partial else np.zeros(rows.shape, bool)
        refuse("bad-number", np.isinf(rows), rows, where, first, " is no number to learn from. Correct it.")
        refuse("missing-number", np.isnan(rows) & ~unknown, rows, where, first, MISSING_NUMBER)
        refuse("bad-number", np.abs(rows) > LARGEST, rows, where, first,
               " is too large a number. Give it in a larger unit.")
        if self._labels:
            refuse("bad-label", (rows != 0) & (rows != 1) & ~unknown, rows, where, first,
                   " where a label is 0 or 1. Correct it, or choose another kind of target.")

    def dtype(self, rows: Values) -> np.dtype[Any]:
        if rows.dtype == np.uint8:
            return np.dtype(np.uint8)
        level, swing = self._level_and_swing(rows)
        # the seven digits of float32 would lose a swing that is so small beside its level
        return np.dtype(np.float64 if (level > 1000 * swing).any() else np.float32)

    def _level_and_swing(self, rows: Values) -> tuple[Values, Values]:
        if self._scaler is None:
            return np.zeros(1), np.ones(1)
        return np.abs(self._scaler.mean), self._scaler.deviation

    def describe_input(self, predicted: bool, names: Names | None) -> InputSpec:
        assert self._scaler is not None
        return InputSpec(kind="real", size=self.width, width=self.width, per=self.per, scale=self._scaler.state(),
                         names=names, begin=0 if self.drawn else None, missing=self._missing)

    def describe_target(self, of: str | None, names: Names | None) -> TargetSpec:
        scale = None if self._labels or self._scaler is None else self._scaler.state()
        return TargetSpec(kind="labels" if self._labels else "reals", size=self.width, of=of, scale=scale, names=names,
                          per="sequence" if self.per == "sequence" else "step",
                          ahead=0 if of is None or self.drawn else 1)


class SeriesCodec(NumberCodec):
    """Series that are read and forecast window by window."""

    def __init__(self, forecast: ForecastSpec, missing: Missing | None = None) -> None:
        super().__init__(missing=missing)
        self.forecast = forecast

    def fit_frame(self, values: Located) -> "SeriesCodec":
        series = (self.encode(value, where) for where, value in values)
        self._frame = Frame.fit(self.forecast, series, self._missing)
        return self

    def encode(self, value: Any, where: str) -> Values:
        """(T, D); what is missing is filled window by window, so that no window sees what comes after it."""
        return self._rows(value, where)

    def _check(self, rows: Values, where: str, first: int) -> None:
        super()._check(rows, where, first)
        if self.forecast.log:
            refuse("bad-number", rows <= 0, rows, where, first, " has no logarithm. Set data.forecast.log=false.")
        if self.forecast.counts:
            refuse("bad-number", (rows < 0) | (rows != np.rint(rows)) & ~np.isnan(rows), rows, where, first,
                   " is no count. Set data.forecast.log=false, and another loss than one of counts.")

    def _level_and_swing(self, rows: Values) -> tuple[Values, Values]:
        if self.forecast.log:
            return np.zeros(1), np.ones(1)
        highest = np.max([np.abs(np.nan_to_num(stretch)).max(axis=0) for _, stretch in stretches(rows)], axis=0)
        return highest, self._frame.correction.deviation

    def describe_input(self, predicted: bool, names: Names | None) -> InputSpec:
        return InputSpec(kind="real", size=len(self._frame.inputs.mean), width=self.width, names=names,
                         missing=self._missing)

    def describe_target(self, of: str | None, names: Names | None) -> TargetSpec:
        return TargetSpec(kind="forecast", per="sequence", of=of, size=self.width, frame=self._frame.state(),
                          names=names)


def refuse(code: Code, wrong: NDArray[np.bool_], rows: Values, where: str, first: int, text: str) -> None:
    """Raise at the first number that is `wrong`, of rows whose first one is step `first` of a piece."""
    for step, number in np.argwhere(wrong)[:1]:
        raise UserError(code, f"{where}, step {first + step + 1}, number {number + 1}", f"{rows[step, number]:g}{text}")

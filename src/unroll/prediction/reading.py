"""Sequences and steps as a model takes them; anything else is a `UserError`."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import Code, UserError
from unroll.data.encoders import scaler_of
from unroll.data.frame import Frame
from unroll.data.missing import interpolated
from unroll.data.spec import InputSpec
from unroll.data.tokenizers import Tokenizer

Values = NDArray[Any]


class InputReader:
    """Reads one input: text or symbols where there is a tokenizer, else real numbers, `size` a step.

    `name` is what an error calls the sequence.
    """

    def __init__(self, field: InputSpec, tokenizer: Tokenizer | None, frame: Frame | None) -> None:
        self.size, self._symbols = field.width, field.size
        self._empty = field.per == "own"        # whether it may be
        self._missing, self._gap = field.missing, field.gap
        self._otherwise = scaler_of(field).mean if field.missing == "interpolate" and frame is None else None
        self._tokenizer, self._frame = tokenizer, frame

    def sequence(self, name: str, sequence: Any, closed: bool) -> Values:
        """Symbols (T,) or numbers (T, F), checked; `closed` ends a text with the symbol for that, if there is one."""
        return self._tokens(name, sequence, closed) if self._tokenizer else self._reals(name, sequence)

    def step(self, values: Any, lanes: int) -> Values:
        """(B,) symbols or (B, F) numbers, checked."""
        if self._tokenizer:
            ids = np.asarray(values)
            if ids.shape != (lanes,) or ids.dtype.kind not in "iu":
                raise UserError("wrong-type", "step", f"{ids.dtype} of shape {ids.shape} where the memory has {lanes} "
                                "lanes. Give a symbol for each.")
            self._check_symbols("step", ids)
            return ids
        numbers = to_numbers("step", values)
        if numbers.shape != (lanes, self.size):
            raise UserError("wrong-type", "step", f"numbers of shape {numbers.shape} where the model reads ({lanes}, "
                            f"{self.size}).")
        refuse_unusable(numbers, self._missing, lambda lane, place: f"step, lane {lane + 1}, number {place + 1}")
        self._refuse_gaps(numbers, "step, lane")
        return numbers

    def _refuse_gaps(self, numbers: NDArray[np.float64], where: str) -> None:
        """Raises `UserError` on a time between steps (n, 1) that is not above 0."""
        for row in np.flatnonzero(numbers[:, 0] <= 0)[:1] if self._gap else ():
            raise UserError("out-of-range", f"{where} {row + 1}", f"{numbers[row, 0]:g} since the step before. Times "
                            "between steps are above 0; that of the first step is missing.")

    def _tokens(self, name: str, sequence: Any, closed: bool) -> NDArray[np.int64]:
        assert self._tokenizer is not None
        if isinstance(sequence, str):
            try:
                sequence.encode()
            except UnicodeEncodeError as error:
                raise UserError("unknown-symbol", name, f"character {error.start + 1} is half of one. Leave it "
                                "out.") from None
            ids = self._tokenizer.encode(sequence).astype(np.int64)
            if closed and self._tokenizer.end is not None:
                ids = np.append(ids, self._tokenizer.end)
        else:
            ids = _array(sequence)
            if ids.ndim != 1 or ids.dtype.kind not in "iu":
                raise UserError("wrong-type", name, f"numbers of shape {ids.shape} where the model reads text. Give a "
                                "text, or its symbols (T,).")
            self._check_symbols(name, ids)
        if not len(ids) and not self._empty:
            raise UserError("empty", name, "empty, or without a single symbol. Leave it out.")
        return ids.astype(np.int64)

    def _reals(self, name: str, sequence: Any) -> NDArray[np.float64]:
        values = to_numbers(name, sequence)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or values.shape[1] != self.size or not len(values):
            raise UserError("wrong-type", name, f"of shape {values.shape} where the model reads (T, {self.size}), T ≥ "
                            f"1. Give one row of {self.size} numbers per step.")
        refuse_unusable(values, self._missing, lambda step, place: f"{name}, step {step + 1}, number {place + 1}")
        self._refuse_gaps(values, f"{name}, step")
        if self._frame is not None:
            return self._window(name, values, self._frame)
        return values if self._otherwise is None else interpolated(values, self._otherwise).astype(np.float64)

    def _window(self, name: str, values: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
        """The last steps of a series, those that a forecast reads."""
        rows, forecast = frame.rows, frame.forecast
        if len(values) < rows:
            raise UserError("too-short", name, f"{len(values)} steps where a forecast reads the last {rows} (context "
                            f"{forecast.context} and a season of {forecast.season}). Give more of it.")
        values, before = values[-rows:], len(values) - rows
        for number in np.flatnonzero(np.isnan(values).all(axis=0))[:1]:
            raise UserError("missing-number", f"{name}, number {number + 1}", f"no value is known in the last {rows} "
                            "steps, which a forecast reads. Give some.")
        for step, place in np.argwhere(values <= 0)[:1] if forecast.log else ():
            raise UserError("out-of-range", f"{name}, step {before + step + 1}, number {place + 1}",
                            f"{values[step, place]:g} has no logarithm, and the model forecasts positive series. "
                            "Correct it, or train with data.forecast.log=false.")
        counted = (values < 0) | (values != np.rint(values)) & ~np.isnan(values)
        for step, place in np.argwhere(counted)[:1] if forecast.counts else ():
            raise UserError("out-of-range", f"{name}, step {before + step + 1}, number {place + 1}",
                            f"{values[step, place]:g} is no count, and the model forecasts counts. Correct it, or "
                            "train with data.forecast.log=false and another loss.")
        return values

    def _check_symbols(self, name: str, ids: Values) -> None:
        for at in np.flatnonzero((ids < 0) | (ids >= self._symbols))[:1]:
            raise UserError("unknown-symbol", f"{name}, step {at + 1}", f"symbol {ids[at]} where the model has 0 to "
                            f"{self._symbols - 1}.")


def refuse_unusable(numbers: NDArray[np.float64], missing: str | None, where: Callable[[int, int], str]) -> None:
    """Raise at the first number (row, place) that is infinite, or missing where that has no meaning."""
    for row, place in np.argwhere(~np.isfinite(numbers) & (np.isinf(numbers) | (missing is None)))[:1]:
        code: Code = "bad-number" if np.isinf(numbers[row, place]) else "missing-number"
        reason = "infinite. Correct it." if code == "bad-number" else (
            "missing, and the model was trained on complete numbers. Give one, or train with data.missing=mask.")
        raise UserError(code, where(row, place), reason)


def to_numbers(name: str, sequence: Any) -> NDArray[np.float64]:
    """None, as JSON writes a missing number, is NaN."""
    values = _array(sequence)
    if values.dtype == object and all(value is None or isinstance(value, int | float) for value in values.flat):
        with suppress(OverflowError):
            values = values.astype(np.float64)
    if values.dtype.kind not in "iufb":
        raise UserError("wrong-type", name, "not an array of numbers. Give (T, F) or (T,).")
    return values.astype(np.float64)


def _array(sequence: Any) -> Values:
    try:
        return np.asarray(sequence)
    except ValueError:      # rows of unequal length
        return np.array("")

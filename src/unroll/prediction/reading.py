"""Sequences and steps as a model takes them, or what is wrong with them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.encoders import Frame
from unroll.data.spec import InputSpec
from unroll.data.tokenizers import Tokenizer

Values = NDArray[Any]


class Reader:
    """Of one input: text or symbols where there is a tokenizer, else real numbers, `size` a step."""

    def __init__(self, field: InputSpec, tokenizer: Tokenizer | None, frame: Frame | None) -> None:
        self.size, self._symbols = field.width, field.size
        self._tokenizer, self._frame = tokenizer, frame

    def sequence(self, name: str, sequence: Any, closed: bool) -> Values:
        """Symbols (T,) or numbers (T, F), checked."""
        return self._tokens(name, sequence, closed) if self._tokenizer else self._reals(name, sequence)

    def _tokens(self, name: str, sequence: Any, closed: bool) -> NDArray[np.int64]:
        """A text, with its end; or symbols as they are."""
        assert self._tokenizer is not None
        if isinstance(sequence, str):
            try:
                sequence.encode()
            except UnicodeEncodeError as error:
                raise UserError(f"{name}: character {error.start + 1} is half of one. Leave it out.") from None
            ids = self._tokenizer.encode(sequence).astype(np.int64)
            if closed and self._tokenizer.end is not None:
                ids = np.append(ids, self._tokenizer.end)
        else:
            ids = _array(sequence)
            if ids.ndim != 1 or ids.dtype.kind not in "iu":
                raise UserError(f"{name}: numbers of shape {ids.shape} where the model reads text. Give a text, or its "
                                "symbols (T,).")
            self._check_symbols(name, ids)
        if not len(ids):
            raise UserError(f"{name}: empty, or of nothing that is a symbol. Leave it out.")
        return ids.astype(np.int64)

    def _reals(self, name: str, sequence: Any) -> NDArray[np.float64]:
        values = self._numbers(name, sequence)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or values.shape[1] != self.size or not len(values):
            raise UserError(f"{name}: of shape {values.shape} where the model reads (T, {self.size}), T ≥ 1. Give a "
                            f"row a step of {self.size} numbers.")
        for step, place in np.argwhere(~np.isfinite(values))[:1]:
            raise UserError(f"{name}, step {step + 1}, number {place + 1}: {values[step, place]}. Missing and infinite "
                            "values are not supported yet; fill or leave them out.")
        if self._frame is None:
            return values
        rows, config = self._frame.rows, self._frame.forecast
        if len(values) < rows:
            raise UserError(f"{name}: {len(values)} steps where a forecast reads the last {rows} (context "
                            f"{config.context} and a season of {config.season}). Give more of it.")
        values, before = values[-rows:], len(values) - rows
        for step, place in np.argwhere(values <= 0)[:1] if config.log else ():
            raise UserError(f"{name}, step {before + step + 1}, number {place + 1}: {values[step, place]:g} has no "
                            "logarithm, and the model is of positive series. Mend it, or train with "
                            "data.forecast.log=false.")
        return values

    def _numbers(self, name: str, given: Any) -> NDArray[np.float64]:
        values = _array(given)
        if values.dtype.kind not in "iufb":
            raise UserError(f"{name}: not an array of numbers. Give (T, F) or (T,).")
        return values.astype(np.float64)

    def _check_symbols(self, name: str, ids: Values) -> None:
        size = self._symbols
        for at in np.flatnonzero((ids < 0) | (ids >= size))[:1]:
            raise UserError(f"{name}, step {at + 1}: symbol {ids[at]} where the model has 0 to {size - 1}.")

    def step(self, values: Any, lanes: int) -> Values:
        """(B,) symbols or (B, F) numbers."""
        if self._tokenizer:
            ids = np.asarray(values)
            if ids.shape != (lanes,) or ids.dtype.kind not in "iu":
                raise UserError(f"step: {ids.dtype} of shape {ids.shape} where the memory has {lanes} lanes. Give a "
                                "symbol for each.")
            self._check_symbols("step", ids)
            return ids
        numbers = self._numbers("step", values)
        if numbers.shape != (lanes, self.size) or not np.isfinite(numbers).all():
            raise UserError(f"step: numbers of shape {numbers.shape} where the model reads ({lanes}, {self.size}), "
                            "all of them finite.")
        return numbers


def _array(given: Any) -> Values:
    try:
        return np.asarray(given)
    except ValueError:      # rows of unequal length
        return np.array("")

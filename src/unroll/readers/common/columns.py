"""Columns of tables as numbers, text and times; a cell that cannot be read is named with file, row and column."""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.readers.common.advice import named, remedy
from unroll.readers.common.tables import Part
from unroll.readers.common.times import stamps

MISSING = ("", "-", "?", "#n/a", "<na>", "n/a", "na", "nan", "none", "null")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE | re.ASCII)
ADVICE = "Missing values are not supported yet, a later version will; fill them, or leave out the row or the column."
POINT = "If the point is the decimal mark, set {} to '.'."
FORMAT = "Give its format as {}, such as '%d.%m.%Y %H:%M'."
NO_TIME = "empty. Each row needs a time: fill it, or leave the row out."


class Columns:
    """Columns of one table or of several, read one after another: rows 0 … N - 1."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._starts = [0, *accumulate(len(part.table) for part in parts)]

    def __len__(self) -> int:
        return self._starts[-1]

    def where(self, row: int, column: str | None = None) -> str:
        """As a user finds the cell: file, row in the file, column."""
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._parts[part].where(row - self._starts[part]) + (f", column {column!r}" if column else "")

    def cell(self, row: int, column: str) -> str:
        """As it is written."""
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return str(self._parts[part].table[column][row - self._starts[part]].as_py())

    def numbers(self, names: Sequence[str], need: str, holes: bool = False) -> NDArray[np.float64]:
        """(N, F) of F columns, NaN where a cell is missing and there may be `holes`.

        `need` ends the error about a cell that is no finite number.
        """
        return np.stack([np.concatenate([self._numbers(at, name, need, holes) for at in range(len(self._parts))])
                         for name in names], axis=1)

    def _numbers(self, at: int, name: str, need: str, holes: bool) -> NDArray[np.float64]:
        part, column = self._parts[at], self._parts[at].table[name]
        kind = column.type
        if pa.types.is_temporal(kind) or pa.types.is_nested(kind):
            raise UserError("wrong-type", f"{part.file}, column {name!r}", f"of type {kind}, not numbers. {need}")
        if not is_number(kind):
            column = column.cast(pa.string())
        values = to_numbers(without_missing(column) if holes else column, part.reading.decimal)
        if values is None or not (np.isfinite(values) | (holes & np.isnan(values))).all():
            self._refuse(column, self._starts[at], name, part.reading.decimal, need, holes)
        assert values is not None
        return values

    def _refuse(self, column: Any, first: int, name: str, decimal: str, need: str, holes: bool) -> None:
        """Raises for the first cell that is no finite number."""
        for row, cell in enumerate(column.to_pylist(), first):
            text = "" if cell is None else str(cell).strip()
            if text.lower() in MISSING:
                if holes:
                    continue
                reason = f"{text!r} is no value" if text else "empty"
                raise UserError("missing-number", self.where(row, name), f"{reason}. {ADVICE}")
            if decimal == "," and "." in text and isinstance(cell, str):
                raise UserError("bad-number", self.where(row, name), f"{text!r} has a point where a comma is the "
                                f"decimal mark. Take thousands separators out.{remedy(POINT, 'decimal')}")
            number = text.replace(",", ".") if decimal == "," else text
            if not NUMBER.fullmatch(number):
                comma = " Is the decimal mark a comma?" + remedy("Set {} to ','.", "decimal") if NUMBER.fullmatch(
                    text.replace(",", ".")) else ""
                raise UserError("bad-number", self.where(row, name), f"{text!r} is no number.{comma or ' ' + need}")
            if not np.isfinite(float(number)):
                raise UserError("bad-number", self.where(row, name), f"{text!r} is infinite. Infinite values are not "
                                "supported; leave the row out, or correct it.")
        raise AssertionError(f"{name}: pyarrow refuses a cell that looks like a number")

    def texts(self, name: str, empty: str | None) -> list[str]:
        """(N,) cells as they are written; `empty` ends the error about an empty one, None: it may be empty."""
        cells: list[str | None] = []
        for part in self._parts:
            column = part.table[name]
            try:
                cells += column.cast(pa.string()).to_pylist()
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
                raise UserError("wrong-type", f"{part.file}, column {name!r}", f"of type {column.type}, not text. Name "
                                "another column.") from None
        if empty is not None:
            for row, cell in enumerate(cells):
                if not cell:
                    raise UserError("empty", self.where(row, name), empty)
        return [cell or "" for cell in cells]

    def times(self, name: str, form: str | None) -> NDArray[Any]:
        """(N,) numbers that rise with time; `form` is of strptime, None: numbers or ISO 8601."""
        columns = [part.table[name] for part in self._parts]
        if all(is_date(column.type) for column in columns):
            fine = any(getattr(column.type, "unit", None) == "ns" for column in columns)
            columns = [column.cast(pa.timestamp("ns" if fine else "us")).cast(pa.int64()) for column in columns]
        if all(pa.types.is_integer(column.type) or pa.types.is_floating(column.type) for column in columns):
            for column, first in zip(columns, self._starts, strict=False):
                missing = np.flatnonzero(column.is_null(nan_is_null=True))
                if len(missing):
                    raise UserError("bad-time", self.where(first + int(missing[0]), name), NO_TIME)
            return np.concatenate([column.to_numpy() for column in columns])
        cells = [cell.strip() for cell in self.texts(name, NO_TIME)]
        if form is None:
            for whole in (True, False):     # nanoseconds since 1970 are too long for a float
                numbers = to_numbers(pa.chunked_array([cells]), self._parts[0].reading.decimal, whole)
                if numbers is not None and np.isfinite(numbers).all():
                    return numbers
        return self._parsed(cells, name, form)

    def _parsed(self, cells: list[str], name: str, form: str | None) -> NDArray[np.int64]:
        try:
            times = stamps(cells, form)
        except ValueError as error:
            raise UserError("bad-time", named("time_format"), f"{form!r} is no format of strptime: {error}. Give one "
                            "such as '%d.%m.%Y %H:%M'.") from None
        wrong = np.flatnonzero(times.isna())
        if len(wrong):
            # among numbers, the first that is not a number
            row = next((row for row in wrong.tolist() if form or not NUMBER.fullmatch(cells[row])), int(wrong[0]))
            place, cell = self.where(row, name), cells[row]
            if form is not None:
                raise UserError("bad-time", place, f"{cell!r} is not written as {named('time_format')} "
                                f"describes, {form!r}. Correct it.")
            raise UserError("bad-time", place, f"{cell!r} is neither a number nor an ISO 8601 time such as "
                            f"2026-01-31T12:00.{remedy(FORMAT, 'time_format')}")
        return np.asarray(times.astype("int64"))


def without_missing(column: Any) -> Any:
    """With null for the texts that stand for a missing value."""
    if not pa.types.is_string(column.type):
        return column
    plain = pa.compute.utf8_lower(pa.compute.utf8_trim_whitespace(column))
    return pa.compute.if_else(pa.compute.is_in(plain, pa.array(MISSING)), None, column)


def to_numbers(column: Any, decimal: str, whole: bool = False) -> NDArray[Any] | None:
    """(N,) of an Arrow column, NaN where it has null; None when a cell is no number."""
    try:
        return _cast(column, decimal, pa.int64() if whole else pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _cast(column: Any, decimal: str, kind: Any) -> NDArray[Any]:
    if pa.types.is_string(column.type):
        column = pa.compute.utf8_trim_whitespace(column)
        if decimal == ",":
            if pa.compute.any(pa.compute.match_substring(column, ".")).as_py():
                raise pa.ArrowInvalid("a point where the decimal mark is a comma")
            column = pa.compute.replace_substring(column, ",", ".")
    return np.asarray(column.cast(kind, safe=False).to_numpy())


def is_number(kind: Any) -> bool:
    """Whether pyarrow's type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
                or pa.types.is_boolean(kind))


def is_date(kind: Any) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))

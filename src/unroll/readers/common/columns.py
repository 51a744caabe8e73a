"""Columns of tables as numbers, text and times; a cell that cannot be read is named with file, row and column."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers.common.advice import remedy
from unroll.readers.common.marks import MISSING, is_mark, without_marks, without_missing
from unroll.readers.common.tables import Part

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE | re.ASCII)
FILL = "Fill it, or leave out the row or the column."
MARK = "Or set {} to mask, forward, mean or interpolate."
GROUPS = "If it is between thousands, set {} to '.'."
POINT = "If the point is the decimal mark, set {} to '.'."


class Columns:
    """Columns of one table or of several, read one after another: rows 0 … N - 1.

    What ends with `blocks` yields consecutive rows, of tables on disk a block of them at a time; each can be called
    again.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._starts = [0, *accumulate(len(part.table) for part in parts)]

    def __len__(self) -> int:
        return self._starts[-1]

    def where(self, row: int, column: str | None = None) -> str:
        """As a user finds the cell: file, row in the file, column."""
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._parts[part].where(row - self._starts[part], column)

    def cell(self, row: int, column: str) -> str:
        """As it is written."""
        for _, first, block in self._blocks([column]):
            if row < first + len(block):
                return str(block[column][row - first].as_py())
        raise IndexError(row)

    def _blocks(self, names: Sequence[str]) -> Iterator[tuple[Part, int, Any]]:
        """Tables of consecutive rows of these columns, each after its file and its first row."""
        for part, first in zip(self._parts, self._starts, strict=False):
            for block in part.blocks(names):
                yield part, first, block
                first += len(block)

    def numbers(self, names: Sequence[str], need: str, holes: bool = False) -> NDArray[np.float64]:
        """(N, F) of F columns, as `number_blocks` has them."""
        found, first = np.empty((len(self), len(names))), 0
        for block in self.number_blocks(names, need, holes):
            found[first : first + len(block)] = block
            first += len(block)
        return found

    def number_blocks(self, names: Sequence[str], need: str, holes: bool = False) -> Iterator[NDArray[np.float64]]:
        """(n, F) of F columns, NaN where a cell is missing and there may be `holes`.

        `need` ends the error about a cell that is no finite number: the first such cell of the first such column.
        """
        error: UserError | None = None
        checked = len(names)        # columns; those after one with an error do not matter any more
        for part, first, block in self._blocks(names):
            columns = []
            for at, name in enumerate(names[:checked]):
                try:
                    columns.append(self._numbers(part, first, block[name], name, need, holes))
                except UserError as found:
                    error, checked = found, at
                    break
            if error is None:
                yield np.stack(columns, axis=1)
        if error is not None:
            raise error

    def _numbers(self, part: Part, first: int, column: Any, name: str, need: str, holes: bool) -> NDArray[np.float64]:
        kind = column.type
        if pa.types.is_temporal(kind) or pa.types.is_nested(kind):
            raise UserError("wrong-type", f"{part.file}, column {name!r}", f"of type {kind}, not numbers. {need}")
        if not is_number(kind):
            column = column.cast(pa.string())
        na_values = part.reading.na_values
        values = to_numbers(without_missing(column, na_values) if holes else column, part.reading.decimal)
        values = None if values is None else without_marks(values, na_values)
        if values is None or not (np.isfinite(values) | (holes & np.isnan(values))).all():
            self._refuse(column, first, name, part.reading, need, holes)
        assert values is not None
        return values

    def _refuse(self, column: Any, first: int, name: str, reading: Reading, need: str, holes: bool) -> None:
        """Raises for the first cell that is no finite number."""
        decimal = reading.decimal
        for row, cell in enumerate(column.to_pylist(), first):
            text = "" if cell is None else str(cell).strip()
            if text.lower() in MISSING or is_mark(text, reading.na_values, decimal):
                if holes:
                    continue
                reason = f"{text!r} is no value" if text else "empty"
                raise UserError("missing-number", self.where(row, name), f"{reason}. {FILL}"
                                f"{remedy(MARK, 'missing')}")
            if decimal == "," and "." in text and isinstance(cell, str):
                raise UserError("bad-number", self.where(row, name), f"{text!r} has a point where a comma is the "
                                f"decimal mark.{remedy(GROUPS, 'thousands')}{remedy(POINT, 'decimal')}")
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
        """(N,) cells, as `text_blocks` has them."""
        return [cell for block in self.text_blocks(name, empty) for cell in block]

    def text_blocks(self, name: str, empty: str | None) -> Iterator[list[str]]:
        """Cells as they are written; `empty` ends the error about an empty one, None: it may be empty."""
        return (column.to_pylist() for column in self._text_columns(name, empty))

    def coded_blocks(self, name: str, empty: str | None) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
        """The same, as which of the different cells of the block each one is, and those in the order of their rows."""
        for column in self._text_columns(name, empty):
            for chunk in column.chunks:
                coded = chunk.dictionary_encode()
                yield coded.indices.to_numpy().astype(np.int64), coded.dictionary.to_pylist()

    def _text_columns(self, name: str, empty: str | None) -> Iterator[Any]:
        error: UserError | None = None
        for part, first, block in self._blocks([name]):
            column = block[name]
            try:
                cells = pa.compute.fill_null(column.cast(pa.string()), "")
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
                raise UserError("wrong-type", f"{part.file}, column {name!r}", f"of type {column.type}, not text. Name "
                                "another column.") from None
            if empty is not None and error is None:
                at = pa.compute.index(cells, "").as_py()
                error = None if at < 0 else UserError("empty", self.where(first + at, name), empty)
            if error is None:
                yield cells
        if error is not None:
            raise error

    def typed_blocks(self, name: str) -> Iterator[tuple[int, Any]]:
        """A column as it is stored, each block after its first row."""
        return ((first, block[name]) for _, first, block in self._blocks([name]))

    def kinds(self, name: str) -> list[Any]:
        """pyarrow's type of a column in each file."""
        return [part.table.schema.field(name).type for part in self._parts]

    @property
    def decimal(self) -> str:
        return self._parts[0].reading.decimal


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

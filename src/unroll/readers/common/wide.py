"""Tables with a series in each row or in each column, as tables with a step in each row.

    id  2024-01  2024-02          id  name     value
    a   1        2          →     a   2024-01  1
    b   3                         a   2024-02  2
                                  b   2024-01  3

Cells that are empty before the first value of a series and after its last one are no steps: series begin and end at
different times, or are padded to one length.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.data.spec import Reading, WideReading
from unroll.readers.common.marks import without_missing

NAME, VALUE = "name", "value"       # of a cell: what its column is called, and what it holds


def wide_names(file: Path, names: Sequence[str], wide: WideReading) -> list[str]:
    """The columns that a table with a step in each row has; raises `UserError` on one that it cannot keep."""
    for name in wide.keep:
        if name not in names:
            raise UserError("unknown-name", file, f"no column {name!r} to keep; {nearest(name, names)}")
        if name in (NAME, VALUE):
            raise UserError("ambiguous", file, f"a column is named {name!r}, as those of steps are. Rename it.")
    if not set(names) - set(wide.keep):
        raise UserError("conflict", "data.wide", f"keeps all columns of {file}, so that none is left for steps.")
    return [*wide.keep, NAME, VALUE]


def unpivot(read: Iterable[Any], again: Iterable[Any], names: Sequence[str], reading: Reading,
            columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of a step in each row, from those of the file's rows.

    `read` and `again` are the file's tables, the second ones to look ahead; `columns` are those that are wanted.
    """
    assert reading.wide is not None
    steps = pa.array(_steps(names, reading.wide))
    for block, cells in _cells(read, again, names, reading):
        row, column = np.nonzero(cells)
        kept = {name: block[name].take(row) for name in reading.wide.keep if name in columns}
        if NAME in columns:
            kept[NAME] = steps.take(column)
        if VALUE in columns:
            kept[VALUE] = _values(block.select(steps.to_pylist()), row, column)
        yield pa.table(kept).select(list(columns))


def place(number: int, read: Iterable[Any], again: Iterable[Any], names: Sequence[str], reading: Reading) \
        -> tuple[int, str]:
    """The file's row, from 0 on, and the column of a step, by its number."""
    assert reading.wide is not None
    first = 0
    for block, cells in _cells(read, again, names, reading):
        row, column = np.nonzero(cells)
        if number < len(row):
            return first + int(row[number]), _steps(names, reading.wide)[column[number]]
        number, first = number - len(row), first + len(block)
    raise IndexError(number)


def _steps(names: Sequence[str], wide: WideReading) -> list[str]:
    return [name for name in names if name not in wide.keep]


def _cells(read: Iterable[Any], again: Iterable[Any], names: Sequence[str], reading: Reading) \
        -> Iterator[tuple[Any, NDArray[np.bool_]]]:
    """Each table with those of its cells (n, C) that are steps."""
    assert reading.wide is not None
    steps, first = _steps(names, reading.wide), 0
    begin, end = _extents(again, steps, reading) if reading.wide.series == "columns" else (None, None)
    for block in read:
        if begin is None or end is None:
            known = _known(block, steps, reading)
            after = np.logical_or.accumulate(known, axis=1)
            yield block, after & np.logical_or.accumulate(known[:, ::-1], axis=1)[:, ::-1]
        else:
            row = first + np.arange(len(block))[:, None]
            yield block, (row >= begin) & (row < end)
        first += len(block)


def _extents(blocks: Iterable[Any], steps: Sequence[str], reading: Reading) -> tuple[NDArray[np.int64], ...]:
    """(C,) the first row with a value of each column, and the one after its last."""
    begin, end, first = np.full(len(steps), np.iinfo(np.int64).max), np.zeros(len(steps), np.int64), 0
    for block in blocks:
        known = _known(block, steps, reading)
        there = known.any(axis=0)
        begin = np.where(there, np.minimum(begin, first + known.argmax(axis=0)), begin)
        end = np.where(there, first + len(known) - known[::-1].argmax(axis=0), end)
        first += len(block)
    return begin, end


def _known(block: Any, steps: Sequence[str], reading: Reading) -> NDArray[np.bool_]:
    """(n, C) which cells hold something."""
    return np.stack([without_missing(block[name], reading.na_values).is_valid().to_numpy() for name in steps], axis=1)


def _values(block: Any, row: NDArray[np.int64], column: NDArray[np.int64]) -> Any:
    """Cells of a table, all of one type."""
    kinds = {column.type for column in block.columns}
    if len(kinds) > 1:
        numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)
                      for kind in kinds)
        kind = pa.float64() if numbers else pa.string()
        block = block.cast(pa.schema([(name, kind) for name in block.column_names]))
    return pa.chunked_array([chunk for each in block.columns for chunk in each.chunks]).take(column * len(block) + row)

"""Which rows of a table make a sequence: the same for training and for predictions."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import TableReading
from unroll.readers.common.advice import remedy
from unroll.readers.common.columns import Columns
from unroll.readers.common.keys import Coding, Names
from unroll.readers.common.numbers import Numbers
from unroll.readers.common.rising import read_times
from unroll.readers.common.sequences import Sequences


def find_sequences(table: Columns, reading: TableReading, scratch: Path | None = None) -> Sequences:
    """Each sequence's rows and times, 16 bytes a row in temporary files in `scratch`.

    Without a series column the table is one sequence. Raises `UserError` on rows out of order.
    """
    if reading.series is None:
        found = Sequences(Names("1"), np.array([len(table)]), None, None)
    else:
        found = by_series(table, reading.series, scratch)
    if reading.time is not None:
        found.times = read_times(reading, reading.time, table, found, scratch)
    elif reading.series is not None and found.again is not None:
        _refuse_again(reading.series, table, found, found.again)
    return found


def by_series(table: Columns, series: str, scratch: Path | None = None) -> Sequences:
    """The rows of each series, in whatever order they come."""
    return _Finder(table, series).find(scratch)


class _Finder:
    """Reads the column of the sequences' names, and counts."""

    def __init__(self, table: Columns, series: str) -> None:
        self._cells = table.coded_blocks(series, "empty. Each row needs the name of its sequence.")
        self._coding, self._names = Coding(), Names()
        self._lengths = np.zeros(0, np.int64)       # of each sequence, and room for more
        self._again: int | None = None
        self._row, self._last = 0, -1               # the next row, and the sequence of the one before

    def find(self, scratch: Path | None) -> Sequences:
        numbers = Numbers(scratch, self._blocks())
        return Sequences(self._names, self._lengths[: len(self._names)], numbers, self._again)

    def _blocks(self) -> Iterator[NDArray[np.int64]]:
        """Each row's sequence."""
        for codes, cells in self._cells:
            known = len(self._names)
            of_cells = self._coding.numbers(cells)
            for cell, number in zip(cells, of_cells.tolist(), strict=True):
                if number == len(self._names):
                    self._names.append(cell)
            numbers = of_cells[codes]
            self._count(numbers, known)
            yield numbers

    def _count(self, numbers: NDArray[np.int64], known: int) -> None:
        """`known` sequences have been met before these rows."""
        if len(self._names) > len(self._lengths):
            self._lengths = np.append(self._lengths, np.zeros(2 * len(self._names), np.int64))
        found, counts = np.unique(numbers, return_counts=True)
        self._lengths[found] += counts
        starts = np.flatnonzero(np.diff(numbers, prepend=self._last))       # of runs of equal ones
        highest = np.maximum.accumulate(np.append(known - 1, numbers[starts]))[:-1]     # met before each
        for start in starts[numbers[starts] <= highest][:1] if self._again is None else ():
            self._again = self._row + int(start)
        self._row, self._last = self._row + len(numbers), int(numbers[-1])


def _refuse_again(column: str, table: Columns, found: Sequences, row: int) -> None:
    """Without a time, rows come in the file's order: a sequence that starts anew may be another of the same name."""
    advice = remedy("If a column orders the rows, name it as {}.", "time")
    raise UserError("out-of-order", table.where(row, column), f"sequence {table.cell(row, column)!r} continues here "
                    "after rows of another one. Sort the rows by sequence, or give each sequence a name of its own."
                    f"{advice}")

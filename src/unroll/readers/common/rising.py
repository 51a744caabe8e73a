"""The times of a table's rows, which must rise within each sequence."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import TableReading
from unroll.readers.common.advice import remedy
from unroll.readers.common.clock import Blocks, NotSo, is_local, ways
from unroll.readers.common.columns import Columns
from unroll.readers.common.numbers import Numbers
from unroll.readers.common.sequences import Sequences
from unroll.readers.common.timeline import Timeline


def read_times(reading: TableReading, column: str, table: Columns, found: Sequences, scratch: Path | None) -> Timeline:
    """Raises `UserError` on a cell that is no time, and on rows out of order."""
    for way in ways(table, column, reading.time_format):
        rising = _Rising(found)
        try:
            numbers = Numbers(scratch, rising.checked(way.blocks()))
            break
        except NotSo:
            continue
    if rising.wrong is not None:
        _refuse(reading, column, table, found, rising.wrong)
    if found.mixed:
        numbers = numbers.moved(scratch, found.places)
    return Timeline(numbers, way.unit, way.unit is not None and is_local(table, column), found.offsets)


def _refuse(reading: TableReading, column: str, table: Columns, found: Sequences, wrong: tuple[int, int, int, bool]
            ) -> None:
    sequence, before, row, equal = wrong
    place, alone = table.where(row, column), reading.series is None
    within = "" if alone else f" in sequence {found.name(sequence)!r}"
    advice = remedy("If the rows are of several sequences, name the column that tells them apart as {}.", "series") \
        if alone else ""
    if equal:
        raise UserError("out-of-order", place, f"{table.cell(row, column)!r} already occurs{within} at "
                        f"{table.where(before)}. A sequence has one row a time: leave one of them out.{advice}")
    raise UserError("out-of-order", place, f"{table.cell(row, column)!r} comes{within} after "
                    f"{table.cell(before, column)!r} at {table.where(before)}. Sort the rows by time.{advice}")


class _Rising:
    """Passes times on, and keeps where they do not rise."""

    def __init__(self, found: Sequences) -> None:
        self._found = found
        self._last_row = np.full(len(found), -1)
        self._last_time: NDArray[Any] | None = None
        # in the first sequence whose times do not rise: its number, two rows of it, and whether their times are equal
        self.wrong: tuple[int, int, int, bool] | None = None

    def checked(self, times: Blocks) -> Blocks:
        first = 0
        for stamps in times:
            self._check(first, stamps)
            first += len(stamps)
            yield stamps

    def _check(self, first: int, stamps: NDArray[Any]) -> None:
        numbers = self._found.numbers_of(first, first + len(stamps))
        if self._last_time is None:
            self._last_time = np.zeros(len(self._found), stamps.dtype)
        order = np.argsort(numbers, kind="stable")      # rows by sequence
        by, time, rows = numbers[order], stamps[order], order + first
        starts = np.ones(len(by), bool)
        starts[1:] = by[1:] != by[:-1]
        earlier, before = np.empty_like(time), np.empty_like(rows)
        earlier[1:], before[1:] = time[:-1], rows[:-1]
        earlier[starts], before[starts] = self._last_time[by[starts]], self._last_row[by[starts]]
        for at in np.flatnonzero((before >= 0) & ~(time > earlier))[:1]:
            if self.wrong is None or by[at] < self.wrong[0]:
                self.wrong = int(by[at]), int(before[at]), int(rows[at]), bool(time[at] == earlier[at])
        ends = np.append(starts[1:], True)
        self._last_time[by[ends]], self._last_row[by[ends]] = time[ends], rows[ends]

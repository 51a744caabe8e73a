"""The times of a table's rows, which must rise within each sequence."""

from pathlib import Path
from typing import Any, NamedTuple

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
from unroll.readers.common.zones import set_back, settle


def read_times(reading: TableReading, column: str, table: Columns, found: Sequences, scratch: Path | None) -> Timeline:
    """Raises `UserError` on a cell that is no time, and on rows out of order."""
    for way in ways(table, column, reading.time_format, reading.time_zone):
        rising = _Rising(found)
        try:
            numbers = Numbers(scratch, rising.checked(way.blocks()))
            break
        except NotSo:
            continue
    if rising.wrong is not None:
        back = way.unit is not None and is_local(table, column, reading) and set_back(
            *np.array(rising.wrong.times).astype(f"M8[{way.unit}]"))
        _refuse(reading, column, table, found, rising.wrong, back)
    if found.mixed:
        numbers = numbers.moved(scratch, found.places)
    return Timeline(numbers, way.unit, way.unit is not None and is_local(table, column, reading), found.offsets)


class _Fall(NamedTuple):
    """In the first sequence whose times do not rise: its number, two rows of it, and their times."""

    sequence: int
    before: int
    row: int
    times: tuple[Any, Any]


def _refuse(reading: TableReading, column: str, table: Columns, found: Sequences, wrong: _Fall, back: bool) -> None:
    place, alone = table.where(wrong.row, column), reading.series is None
    within = "" if alone else f" in sequence {found.name(wrong.sequence)!r}"
    cell, before = table.cell(wrong.row, column), table.where(wrong.before)
    if back:
        zone = remedy("Name their zone as {}, such as Europe/Berlin, or", "time_zone") or " Please"
        raise UserError("out-of-order", place, f"{cell!r} comes{within} after {table.cell(wrong.before, column)!r} at "
                        f"{before}: clocks were set back, and an hour came twice.{zone} write times with their offset "
                        "from UTC.")
    advice = remedy("If the rows are of several sequences, name the column that tells them apart as {}.", "series") \
        if alone else ""
    if wrong.times[0] == wrong.times[1]:
        raise UserError("out-of-order", place, f"{cell!r} already occurs{within} at {before}. A sequence has one row a "
                        f"time: leave one of them out.{advice}")
    raise UserError("out-of-order", place, f"{cell!r} comes{within} after {table.cell(wrong.before, column)!r} at "
                    f"{before}. Sort the rows by time.{advice}")


class _Rising:
    """Passes times on, and keeps where they do not rise."""

    def __init__(self, found: Sequences) -> None:
        self._found = found
        self._last_row = np.full(len(found), -1)
        self._last_time: NDArray[Any] | None = None
        self.wrong: _Fall | None = None

    def checked(self, times: Blocks) -> Blocks:
        first = 0
        for stamps in times:
            yield self._check(first, stamps)
            first += len(stamps)

    def _check(self, first: int, stamps: NDArray[Any]) -> NDArray[Any]:
        """(n,) times; of two readings (n, 2) the first that is later than the one before."""
        numbers = self._found.numbers_of(first, first + len(stamps))
        if self._last_time is None:
            self._last_time = np.zeros(len(self._found), stamps.dtype)
        order = np.argsort(numbers, kind="stable")      # rows by sequence
        by, time, rows = numbers[order], stamps[order], order + first
        starts = np.ones(len(by), bool)
        starts[1:] = by[1:] != by[:-1]
        last_time, last_row = self._last_time[by[starts]], self._last_row[by[starts]]
        if time.ndim == 2:
            time = settle(time, starts, np.where(last_row < 0, np.iinfo(np.int64).min, last_time))
            stamps = np.empty_like(time)
            stamps[order] = time
        earlier, before = np.empty_like(time), np.empty_like(rows)
        earlier[1:], before[1:] = time[:-1], rows[:-1]
        earlier[starts], before[starts] = last_time, last_row
        for at in np.flatnonzero((before >= 0) & ~(time > earlier))[:1]:
            if self.wrong is None or by[at] < self.wrong.sequence:
                self.wrong = _Fall(int(by[at]), int(before[at]), int(rows[at]), (earlier[at], time[at]))
        ends = np.append(starts[1:], True)
        self._last_time[by[ends]], self._last_row[by[ends]] = time[ends], rows[ends]
        return stamps

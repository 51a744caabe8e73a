"""Which rows of a table make a sequence: the same for training and for predictions."""

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import TableReading
from unroll.readers.common.advice import remedy
from unroll.readers.common.clock import Blocks, NotSo, ways
from unroll.readers.common.columns import Columns
from unroll.readers.common.keys import Keys, Names
from unroll.readers.common.sequences import Sequences


def find_sequences(table: Columns, reading: TableReading) -> Sequences:
    """Each sequence's rows; raises `UserError` on rows out of order.

    Without a series column the table is one sequence.
    """
    names, keys, starts = Names(), Keys(), array("q")
    for name, row in [("1", 0)] if reading.series is None else _runs(table, reading.series):
        names.append(name)
        keys.add(name)
        starts.append(row)
    found = Sequences(names, np.array(starts, np.int64), keys.numbers(), len(table))
    if reading.time is not None:
        _check_rising(reading, reading.time, table, found)
    elif reading.series is not None:
        _check_contiguous(reading.series, table, found)
    return found


def _runs(table: Columns, series: str) -> Iterator[tuple[str, int]]:
    """The name of each run, and its first row."""
    before, row = None, 0
    for cells in table.text_blocks(series, "empty. Each row needs the name of its sequence."):
        for name in cells:
            if name != before:
                yield name, row
                before = name
            row += 1


def _check_contiguous(column: str, table: Columns, found: Sequences) -> None:
    """Without a time, rows come in the file's order: a sequence that starts anew may be another of the same name."""
    again = np.flatnonzero(found.numbers != np.arange(len(found.numbers)))      # they count up as names are first met
    for run in again[:1]:
        advice = remedy("If a column orders the rows, name it as {}.", "time")
        raise UserError("out-of-order", table.where(int(found.starts[run]), column), "sequence "
                        f"{found.name(int(found.numbers[run]))!r} continues here after rows of another one. Sort the "
                        f"rows by sequence, or give each sequence a name of its own.{advice}")


def _check_rising(reading: TableReading, column: str, table: Columns, found: Sequences) -> None:
    wrong = None
    for way in ways(table, column, reading.time_format):
        try:
            wrong = _first_fall(way(), found)
            break
        except NotSo:
            continue
    if wrong is None:
        return
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


def _first_fall(times: Blocks, found: Sequences) -> tuple[int, int, int, bool] | None:
    """In the first sequence whose times do not rise: its number, two rows of it, and whether their times are equal."""
    last_row = np.full(len(found), -1)
    last_time: NDArray[Any] | None = None
    wrong: tuple[int, int, int, bool] | None = None
    first = 0
    for stamps in times:
        numbers = found.numbers_of(first, first + len(stamps))
        last_time = np.zeros(len(found), stamps.dtype) if last_time is None else last_time
        order = np.argsort(numbers, kind="stable")      # rows by sequence
        by, time, rows = numbers[order], stamps[order], order + first
        starts = np.ones(len(by), bool)
        starts[1:] = by[1:] != by[:-1]
        earlier, before = np.empty_like(time), np.empty_like(rows)
        earlier[1:], before[1:] = time[:-1], rows[:-1]
        earlier[starts], before[starts] = last_time[by[starts]], last_row[by[starts]]
        for at in np.flatnonzero((before >= 0) & ~(time > earlier))[:1]:
            if wrong is None or by[at] < wrong[0]:
                wrong = int(by[at]), int(before[at]), int(rows[at]), bool(time[at] == earlier[at])
        ends = np.append(starts[1:], True)
        last_time[by[ends]], last_row[by[ends]] = time[ends], rows[ends]
        first += len(stamps)
    return wrong

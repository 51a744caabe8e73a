"""Which rows of a table make a sequence: the same for training and for predictions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import TableReading
from unroll.readers.common.advice import remedy
from unroll.readers.common.columns import Columns


@dataclass(frozen=True)
class Rows:
    """A sequence's name, 1 of a table that is a single one, and its rows in order."""

    name: str
    index: NDArray[np.int64]


def find_sequences(table: Columns, reading: TableReading) -> list[Rows]:
    """Each sequence's rows, sequences in the order of their first row; raises `UserError` on rows out of order.

    Without a series column the table is one sequence.
    """
    names, codes = ["1"], np.zeros(len(table), np.int64)
    if reading.series is not None:
        cells = table.texts(reading.series, "empty. Each row needs the name of its sequence.")
        codes, found = pd.factorize(np.array(cells, dtype=object))
        names = [str(name) for name in found]
        if reading.time is None:
            _check_contiguous(reading.series, table, codes, names)
    order = np.argsort(codes, kind="stable")
    if reading.time is not None:
        _check_rising(reading, table, codes, order, names)
    starts = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return [Rows(name, order[first:last]) for name, first, last in zip(names, starts, starts[1:], strict=False)]


def _check_contiguous(column: str, table: Columns, codes: NDArray[np.int64], names: list[str]) -> None:
    """Without a time, rows come in the file's order: a sequence that starts anew may be another of the same name."""
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    again = np.flatnonzero(codes[starts] != np.arange(len(starts)))     # codes count up as names are first met
    for row in starts[again[:1]]:
        advice = remedy("If a column orders the rows, name it as {}.", "time")
        raise UserError("out-of-order", table.where(int(row), column), f"sequence {names[codes[row]]!r} continues here "
                        "after rows of another one. Sort the rows by sequence, or give each sequence a name of its "
                        f"own.{advice}")


def _check_rising(
    reading: TableReading, table: Columns, codes: NDArray[np.int64], order: NDArray[np.int64], names: list[str]
) -> None:
    assert reading.time is not None
    stamps = table.times(reading.time, reading.time_format)
    same = codes[order][1:] == codes[order][:-1]
    wrong = np.flatnonzero(same & ~(stamps[order][1:] > stamps[order][:-1]))
    if not len(wrong):
        return
    before, row = int(order[wrong[0]]), int(order[wrong[0] + 1])
    cell, earlier = table.cell(row, reading.time), table.cell(before, reading.time)
    place, alone = table.where(row, reading.time), reading.series is None
    within = "" if alone else f" in sequence {names[codes[row]]!r}"
    advice = remedy("If the rows are of several sequences, name the column that tells them apart as {}.", "series") \
        if alone else ""
    if stamps[row] == stamps[before]:
        raise UserError("out-of-order", place, f"{cell!r} already occurs{within} at {table.where(before)}. A sequence "
                        f"has one row a time: leave one of them out.{advice}")
    raise UserError("out-of-order", place, f"{cell!r} comes{within} after {earlier!r} at {table.where(before)}. Sort "
                    f"the rows by time.{advice}")

"""A column of times as numbers that rise with time, block by block."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import TableReading
from unroll.readers.common.advice import named, remedy
from unroll.readers.common.columns import NUMBER, Columns, is_date, to_numbers
from unroll.readers.common.times import EPOCHS, OFFSET, stamps, zoned
from unroll.readers.common.zones import readings, zone_of

FORMAT = "Give its format as {}, such as '%d.%m.%Y %H:%M'."
NO_TIME = "empty. Each row needs a time: fill it, or leave the row out."
Blocks = Iterator[NDArray[Any]]


class NotSo(Exception):
    """The column cannot be read in this way."""


class Way(NamedTuple):
    """How a column may be read: as which units since 1970, or as numbers, in blocks (n,).

    In a time zone (n, 2): as before clocks are set back, and as after; mostly they are the same.
    """

    unit: Literal["ns", "us"] | None
    blocks: Callable[[], Blocks]


def ways(table: Columns, name: str, form: str | None, zone: str | None = None) -> list[Way]:
    """Ways in which the column may be read, the first that does not raise `NotSo` before its end counts.

    `form` is of strptime or one of `unroll.readers.common.times`, None: numbers or ISO 8601; `zone` is that of times
    without an offset. A cell that is no time raises `UserError`.
    """
    if zone is not None and (form in EPOCHS or "%z" in (form or "")):
        raise UserError("conflict", named("time_zone"), f"times written as {form} need none. Leave it out.")
    kinds = table.kinds(name)
    if all(map(is_date, kinds)):
        unit: Literal["ns", "us"] = "ns" if any(getattr(kind, "unit", None) == "ns" for kind in kinds) else "us"
        if zone is None:
            return [Way(unit, lambda: _typed(table, name, lambda column: column.cast(pa.timestamp(unit)).cast(
                pa.int64()).to_numpy()))]
    elif form is None and zone is None and all(pa.types.is_integer(kind) or pa.types.is_floating(kind)
                                               for kind in kinds):
        kind = np.result_type(*(kind.to_pandas_dtype() for kind in kinds))
        kind = np.dtype(np.int64) if kind.kind in "iu" else kind        # differences would not fit into a narrow one
        return [Way(None, lambda: _typed(table, name, lambda column: column.to_numpy().astype(kind)))]
    # nanoseconds since 1970 are too long for a float; some years are too far away for nanoseconds
    whole = [] if form is not None or zone is not None else [
        Way(None, lambda: _numbers(table, name, True)), Way(None, lambda: _numbers(table, name, False))]
    return [*whole, Way("ns", lambda: _written(table, name, form, "ns", zone)),
            Way("us", lambda: _written(table, name, form, "us", zone))]


def is_local(table: Columns, name: str, reading: TableReading) -> bool:
    """Whether times are those of a clock on a wall, by the first: without a zone or an offset."""
    (kind, *_) = table.kinds(name)
    return not (reading.time_format in EPOCHS or reading.time_zone is not None or getattr(kind, "tz", None) is not None
                or OFFSET.search(table.cell(0, name).strip()) is not None)


def _typed(table: Columns, name: str, read: Callable[[Any], NDArray[Any]]) -> Blocks:
    for first, column in table.typed_blocks(name):
        for row in np.flatnonzero(column.is_null(nan_is_null=True))[:1]:
            raise UserError("bad-time", table.where(first + int(row), name), NO_TIME)
        yield read(column)


def _numbers(table: Columns, name: str, whole: bool) -> Blocks:
    for cells in _stripped(table, name):
        numbers = to_numbers(pa.chunked_array([cells], pa.string()), table.decimal, whole)
        if numbers is None or not np.isfinite(numbers).all():
            raise NotSo
        yield numbers


def _written(table: Columns, name: str, form: str | None, unit: str, zone: str | None) -> Blocks:
    place = None if zone is None else zone_of(zone)
    first, wrong = 0, _Wrong(table, name, form)
    for cells in _stripped(table, name):
        try:
            times = stamps(cells, form)
        except ValueError as error:
            raise UserError("bad-time", named("time_format"), f"{form!r} is no format of times: {error}. Give one of "
                            "strptime, such as '%d.%m.%Y %H:%M'.") from None
        wrong.look(first, cells, times)
        if wrong.row is None:
            try:
                if place is None:
                    yield np.asarray(times.dt.as_unit(unit).astype("int64"))
                else:
                    both = readings(times.dt.tz_localize(None), place)
                    for row in np.flatnonzero(both[0].isna())[:1]:
                        raise UserError("bad-time", table.where(first + int(row), name), f"{cells[row]!r} does not "
                                        f"exist in {zone}, where clocks were set forward over it. Correct it.")
                    yield np.stack([np.asarray(read.dt.as_unit(unit).astype("int64")) for read in both], axis=1)
            except pd.errors.OutOfBoundsDatetime:
                raise NotSo from None
        first += len(cells)
    wrong.refuse(zone)


class _Wrong:
    """The first cell that is no time or, among numbers, that is not even a number."""

    def __init__(self, table: Columns, name: str, form: str | None) -> None:
        self._table, self._name, self._form = table, name, form
        self._zoned: bool | None = None     # whether the first time has an offset
        self._offset: tuple[int, str] | None = None     # the first time that differs in this
        self.row: int | None = None
        self._cell, self._certain = "", False
        self._numbers, self._dates = 0, 0       # cells
        self._date: tuple[int, str] | None = None       # the first time that is no number

    def look(self, first: int, cells: list[str], times: Any) -> None:
        if self._form is None and self._offset is None:
            offsets = zoned(cells)
            self._zoned = bool(offsets[0]) if self._zoned is None and len(offsets) else self._zoned
            for row in np.flatnonzero((offsets != self._zoned) & ~times.isna().to_numpy())[:1]:
                self._offset = first + int(row), cells[row]
        known = ~times.isna().to_numpy()
        if self._form is None and not known.all():
            numbers = np.array([NUMBER.fullmatch(cell) is not None for cell in cells])
            self._numbers, known = self._numbers + int(numbers.sum()), known & ~numbers
        self._dates += int(known.sum())
        for row in np.flatnonzero(known)[:1] if self._date is None else ():
            self._date = first + int(row), cells[row]
        for row in np.flatnonzero(times.isna()).tolist():
            certain = self._form is not None or NUMBER.fullmatch(cells[row]) is None
            if self.row is None or (certain and not self._certain):
                self.row, self._cell, self._certain = first + row, cells[row], certain
            if self._certain:
                break

    def refuse(self, zone: str | None) -> None:
        """Raises `UserError` where there is such a cell."""
        if self.row is not None:
            place = self._table.where(self.row, self._name)
            if self._form is not None:
                raise UserError("bad-time", place, f"{self._cell!r} is not written as {named('time_format')} "
                                f"describes, {self._form!r}. Correct it.")
            row, cell = self._date or (0, "0")
            if not self._certain and NUMBER.fullmatch(cell) is None and self._numbers > self._dates:
                raise UserError("bad-time", self._table.where(row, self._name), f"{cell!r} is no number, as other "
                                f"times are, such as {self._cell!r}. Write all of them in one way.")
            raise UserError("bad-time", place, f"{self._cell!r} is neither a number nor an ISO 8601 time such as "
                            f"2026-01-31T12:00.{remedy(FORMAT, 'time_format')}")
        if self._offset is not None:
            row, cell = self._offset
            has, first = ("no offset from UTC", "has one") if self._zoned else ("an offset from UTC", "has none")
            raise UserError("bad-time", self._table.where(row, self._name), f"{cell!r} has {has}, while the first time "
                            f"{first}. Write all of them in one way.")
        if self._zoned and zone is not None:
            raise UserError("conflict", named("time_zone"), "the times have offsets from UTC, which say more than a "
                            "zone. Leave it out.")


def _stripped(table: Columns, name: str) -> Iterator[list[str]]:
    return ([cell.strip() for cell in cells] for cells in table.text_blocks(name, NO_TIME))

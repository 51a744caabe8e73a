"""A column of times as numbers that rise with time, block by block."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.readers.common.advice import named, remedy
from unroll.readers.common.columns import NUMBER, Columns, is_date, to_numbers
from unroll.readers.common.times import OFFSET, stamps

FORMAT = "Give its format as {}, such as '%d.%m.%Y %H:%M'."
NO_TIME = "empty. Each row needs a time: fill it, or leave the row out."
Blocks = Iterator[NDArray[Any]]


class NotSo(Exception):
    """The column cannot be read in this way."""


class Way(NamedTuple):
    """How a column may be read: as which units since 1970, or as numbers, in blocks (n,)."""

    unit: Literal["ns", "us"] | None
    blocks: Callable[[], Blocks]


def ways(table: Columns, name: str, form: str | None) -> list[Way]:
    """Ways in which the column may be read, the first that does not raise `NotSo` before its end counts.

    `form` is of strptime, None: numbers or ISO 8601. A cell that is no time raises `UserError`.
    """
    kinds = table.kinds(name)
    if all(map(is_date, kinds)):
        unit: Literal["ns", "us"] = "ns" if any(getattr(kind, "unit", None) == "ns" for kind in kinds) else "us"
        return [Way(unit, lambda: _typed(table, name, lambda column: column.cast(pa.timestamp(unit)).cast(pa.int64())))]
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        kind = np.result_type(*(kind.to_pandas_dtype() for kind in kinds))
        return [Way(None, lambda: (block.astype(kind) for block in _typed(table, name, lambda column: column)))]
    # nanoseconds since 1970 are too long for a float; some years are too far away for nanoseconds
    whole = [] if form is not None else [Way(None, lambda: _numbers(table, name, True)),
                                         Way(None, lambda: _numbers(table, name, False))]
    return [*whole, Way("ns", lambda: _written(table, name, form, "ns")),
            Way("us", lambda: _written(table, name, form, "us"))]


def is_local(table: Columns, name: str) -> bool:
    """Whether times are those of a clock on a wall, by the first: without a zone or an offset."""
    (kind, *_) = table.kinds(name)
    return getattr(kind, "tz", None) is None and OFFSET.search(table.cell(0, name).strip()) is None


def _typed(table: Columns, name: str, read: Callable[[Any], Any]) -> Blocks:
    for first, column in table.typed_blocks(name):
        values = read(column)
        for row in np.flatnonzero(values.is_null(nan_is_null=True))[:1]:
            raise UserError("bad-time", table.where(first + int(row), name), NO_TIME)
        yield values.to_numpy()


def _numbers(table: Columns, name: str, whole: bool) -> Blocks:
    for cells in _stripped(table, name):
        numbers = to_numbers(pa.chunked_array([cells], pa.string()), table.decimal, whole)
        if numbers is None or not np.isfinite(numbers).all():
            raise NotSo
        yield numbers


def _written(table: Columns, name: str, form: str | None, unit: str) -> Blocks:
    first, wrong = 0, None      # the first row, and whether it is certain
    for cells in _stripped(table, name):
        try:
            times = stamps(cells, form)
        except ValueError as error:
            raise UserError("bad-time", named("time_format"), f"{form!r} is no format of strptime: {error}. Give one "
                            "such as '%d.%m.%Y %H:%M'.") from None
        for row in np.flatnonzero(times.isna()).tolist():
            # among numbers, the first that is not a number
            certain = form is not None or NUMBER.fullmatch(cells[row]) is None
            if wrong is None or (certain and not wrong[2]):
                wrong = first + row, cells[row], certain
            if wrong[2]:
                break
        if wrong is None:
            try:
                yield np.asarray(times.dt.as_unit(unit).astype("int64"))
            except pd.errors.OutOfBoundsDatetime:
                raise NotSo from None
        first += len(cells)
    if wrong is None:
        return
    row, cell, _ = wrong
    if form is not None:
        raise UserError("bad-time", table.where(row, name), f"{cell!r} is not written as {named('time_format')} "
                        f"describes, {form!r}. Correct it.")
    raise UserError("bad-time", table.where(row, name), f"{cell!r} is neither a number nor an ISO 8601 time such as "
                    f"2026-01-31T12:00.{remedy(FORMAT, 'time_format')}")


def _stripped(table: Columns, name: str) -> Iterator[list[str]]:
    return ([cell.strip() for cell in cells] for cells in table.text_blocks(name, NO_TIME))

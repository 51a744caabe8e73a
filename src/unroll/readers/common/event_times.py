"""The times of events, and the settings that are in their unit."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from unroll.base.errors import UserError
from unroll.data.spec import EventsReading, TableReading
from unroll.readers.common.advice import named
from unroll.readers.common.clock import NotSo, ways
from unroll.readers.common.columns import Columns
from unroll.readers.common.numbers import Numbers
from unroll.readers.common.times import stamps


class EventTimes(NamedTuple):
    numbers: Numbers            # of each event, since 1970 or of no unit
    unit: str | None            # ns or us
    end: float | int | None     # of what is read
    bin: float | int | None     # width of a step


def read_event_times(table: Columns, rows: TableReading, reading: EventsReading, scratch: Path | None) -> EventTimes:
    """In the order of the rows, which need not be that of time; raises `UserError` on a cell that is no time."""
    assert rows.time is not None
    for way in ways(table, rows.time, rows.time_format):
        try:
            numbers = Numbers(scratch, way.blocks())
            break
        except NotSo:
            continue
    end = None if reading.until is None else _end(reading.until, way.unit, rows.time_format)
    width = None if reading.bin is None else _width(reading.bin, way.unit)
    return EventTimes(numbers, way.unit, end, width)


def _end(until: float | str, unit: Any, form: str | None) -> float | int:
    if (unit is None) == isinstance(until, str):
        what = "a number, as the times are" if unit is None else "a time, as the table has them"
        raise UserError("wrong-type", named("until"), f"{until!r} is not {what}. Correct it.")
    if not isinstance(until, str):
        return int(until) if until == int(until) else until     # which leaves whole times whole
    found = stamps([until], form)
    if found.isna().any():
        raise UserError("bad-time", named("until"), f"{until!r} is no time as the table has them. Correct it.")
    return int(found.dt.as_unit(unit).astype("int64").iloc[0])


def _width(width: float | str, unit: Any) -> float | int:
    if unit is None and not isinstance(width, str):
        return width
    try:
        if unit is None or not isinstance(width, str):
            raise ValueError
        found = int(pd.Timedelta(width if width[:1].isdigit() else f"1{width}").as_unit(unit).asm8.astype(np.int64))
    except (ValueError, TypeError):
        found = 0
    if found <= 0:
        what = "a number above 0, as the times are" if unit is None else "a width such as 30min, 6h or 7D"
        raise UserError("wrong-type", named("bin"), f"{width!r} is not {what}. Correct it.")
    return found

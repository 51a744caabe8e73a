"""Series of the Monash archive: a line each, read as a table with a row for each step."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers.common.lines import lines_of

HOLDS = "table"
ENDINGS = (".tsf",)
STREAMED = True
SETTINGS = ()       # it is written in one way only
ROWS = 1 << 16      # that are handed on at a time
START, TIME, VALUE = "start_timestamp", "time", "value"
# what @frequency names, and how many of these a step is
STEPS = {"yearly": "years", "quarterly": "months", "monthly": "months", "weekly": "weeks", "daily": "days",
         "hourly": "hours", "minutely": "minutes", "secondly": "seconds", "half_hourly": "minutes"}
UNITS = {"weeks": "W", "days": "D", "hours": "h", "minutes": "min", "seconds": "s"}
COUNTS = {"quarterly": 3, "half_hourly": 30}


class Header(NamedTuple):
    attributes: tuple[str, ...]
    frequency: str | None


def column_names(file: Path, reading: Reading) -> list[str]:
    """The attributes, each series' own, but its start; then the time of each step, or its number, and its value."""
    header = _header(file, lines_of(file))
    return [*(name for name in header.attributes if name != START), TIME, VALUE]


def blocks_of(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of consecutive rows of these columns, as text, of which a series has one or more."""
    lines = lines_of(file)
    header = _header(file, lines)
    for line, text in _series(lines):
        own, values = _split(file, line, text, header)
        for first in range(0, len(values), ROWS):
            part = values[first : first + ROWS]
            cells = {name: pa.repeat(pa.scalar(cell, pa.string()), len(part)) for name, cell in own.items()}
            if TIME in columns:
                cells[TIME] = pa.array(_times(file, line, own.get(START), header, first, len(part)), pa.string())
            cells[VALUE] = pa.array(part, pa.string())
            yield pa.table({name: cells[name] for name in columns})


def row_numbers(file: Path, reading: Reading) -> Iterator[int]:
    """For each step, the line that its series stands in."""
    lines = lines_of(file)
    header = _header(file, lines)
    return (line for line, text in _series(lines) for _ in _split(file, line, text, header)[1])


def _header(file: Path, lines: Iterator[tuple[int, str]]) -> Header:
    """What stands before the series; reads up to @data."""
    attributes: list[str] = []
    frequency = None
    for _, text in lines:
        word, *rest = text.split() or [""]
        if word.lower() == "@data":
            return Header(tuple(attributes), frequency)
        if word.lower() == "@attribute" and rest:
            attributes.append(rest[0])
        elif word.lower() == "@frequency" and rest:
            frequency = rest[0].lower()
    raise UserError("unreadable", file, "not a .tsf file: it has no line @data before its series. Write it again.")


def _series(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    return ((line, text.strip()) for line, text in lines if text.strip() and not text.startswith("#"))


def _split(file: Path, line: int, text: str, header: Header) -> tuple[dict[str, str], list[str]]:
    """A series' attributes and values."""
    *cells, values = text.split(":", len(header.attributes))
    if len(cells) < len(header.attributes):
        raise UserError("unequal-lengths", f"{file}, row {line}", f"{len(cells)} attributes where there are "
                        f"{len(header.attributes)}, each before a colon. Correct the row.")
    return dict(zip(header.attributes, cells, strict=True)), [value.strip() for value in values.split(",")]


def _times(file: Path, line: int, start: str | None, header: Header, first: int, count: int) -> list[str]:
    """Times of `count` steps from step `first` on; numbers from 1 where the series has no start or no frequency."""
    steps = np.arange(first, first + count)
    if start is None or header.frequency is None:
        return [str(step + 1) for step in steps.tolist()]
    number, _, unit = header.frequency.rpartition("_")
    if header.frequency in STEPS:
        size, unit = COUNTS.get(header.frequency, 1), STEPS[header.frequency]
    elif number.isdecimal() and unit in (*UNITS, "months", "years"):
        size = int(number)
    else:
        raise UserError("unsupported", file, f"@frequency {header.frequency} is not one that is read. Take the line "
                        "out to have steps numbered.")
    try:
        begin = pd.to_datetime(start, format="%Y-%m-%d %H-%M-%S" if "-" in start[11:] else "ISO8601")
    except ValueError:
        raise UserError("bad-time", f"{file}, row {line}", f"{start!r} is no time. Write it as 2020-01-31 00-00-00."
                        ) from None
    if unit in ("months", "years"):     # of a 31st: the last day of shorter months
        months = steps * size * (12 if unit == "years" else 1)
        return [str(begin + pd.DateOffset(months=int(step))) for step in months]
    times: list[str] = pd.Series(begin + pd.to_timedelta(steps * size, unit=UNITS[unit])).astype(str).tolist()
    return times

"""How a column's times are written."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# a day before a month first: where both fit and are as likely, that is taken
DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
         "%d %b %Y", "%d %B %Y", "%b %Y", "%B %Y", "%Y %b", "%b %d, %Y", "%B %d, %Y", "%m/%Y", "%Y/%m")
NAT = np.iinfo(np.int64).min       # what pandas makes of a time that is missing
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


def forms(cells: NDArray[Any]) -> tuple[str | None, ...]:
    """The formats of dates that every cell has, the likeliest first; of those that come to the same, one."""
    sample = cells[:: max(1, len(cells) // 100)]
    if not all(any(digit in str(cell) for digit in "0123456789") for cell in sample):
        return ()
    fitting = [form for form in (None, *dated(str(cells[0]).strip())) if fits(sample, form)]
    read = {form: parse(cells, form) for form in fitting if fits(cells, form)}
    different = {times.tobytes(): form for form, times in reversed(read.items())}
    return tuple(sorted(reversed(different.values()), key=lambda form: _unlikely(read[form])))


def dated(cell: str) -> list[str]:
    return [date + clock for date in DATES for clock in CLOCKS if _is_written(cell, date + clock)]


def called(form: str | None) -> str:
    return form or "ISO 8601"


def _unlikely(times: NDArray[np.int64]) -> tuple[bool, bool, bool, float]:
    """Read as it was written, a column rises, and its steps are even: the first of each month is no day of January."""
    known = pd.DatetimeIndex(np.unique(times))
    distances = np.diff(known.asi8)
    even = len(known) > 2 and pd.infer_freq(known) is not None
    return (not (np.diff(times) > 0).all(), not even, not (known.day == 1).all(),
            float(distances.max() / distances.min()) if len(distances) else 1.0)


def _is_written(cell: str, form: str) -> bool:
    try:
        datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def fits(cells: NDArray[Any], form: str | None) -> bool:
    try:
        return bool((parse(cells, form) != NAT).all())
    except ValueError:      # no format, or a year that nanoseconds do not reach
        return False


def parse(cells: NDArray[Any], form: str | None) -> NDArray[np.int64]:
    """(N,) nanoseconds since 1970."""
    return np.asarray(stamps(cells, form).astype("datetime64[ns, UTC]").astype("int64"))


def stamps(cells: NDArray[Any], form: str | None) -> Any:
    stripped = pd.Series([str(cell).strip() for cell in cells], dtype=object)
    return pd.to_datetime(stripped, format=form or "ISO8601", utc=True, errors="coerce")

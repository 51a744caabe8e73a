"""How times are written, and times as nanoseconds."""

import re
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# a day before a month first: where both fit and are as likely, that is taken
DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
         "%d %b %Y", "%d %B %Y", "%b %Y", "%B %Y", "%Y %b", "%b %d, %Y", "%B %d, %Y", "%m/%Y", "%Y/%m")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
NOT_A_TIME = np.iinfo(np.int64).min     # pandas' nanoseconds of a cell that is missing or written otherwise
ISO = "ISO 8601"
OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def stamps(cells: Any, form: str | None, utc: bool = True) -> Any:
    """(N,) cells as a series of pandas' times, NaT where one is not written so.

    `form` is of strptime, None: ISO 8601. Without `utc` a column of several offsets is a `ValueError`, as is a format
    that strptime does not know.
    """
    stripped = pd.Series([str(cell).strip() for cell in cells], dtype=object)
    return pd.to_datetime(stripped, format=form or "ISO8601", utc=utc, errors="coerce")


def nanoseconds(cells: NDArray[Any], form: str | None) -> NDArray[np.int64]:
    """(N,) since 1970, NOT_A_TIME where a cell is not written so."""
    return np.asarray(stamps(cells, form).astype("datetime64[ns, UTC]").astype("int64"))


def fits(cells: NDArray[Any], form: str | None) -> bool:
    """Whether every cell is written so."""
    try:
        return bool((nanoseconds(cells, form) != NOT_A_TIME).all())
    except ValueError:      # no format, or a year that nanoseconds do not reach
        return False


def forms(cells: NDArray[Any]) -> tuple[str | None, ...]:
    """The formats in which every cell may be written, the likeliest first; of those that read the same times, one."""
    sample = cells[:: max(1, len(cells) // 100)]
    if not all(any(digit in str(cell) for digit in "0123456789") for cell in sample):
        return ()
    fitting = [form for form in (None, *forms_of(str(cells[0]).strip())) if fits(sample, form)]
    times = {form: nanoseconds(cells, form) for form in fitting if fits(cells, form)}
    different = {read.tobytes(): form for form, read in reversed(times.items())}
    return tuple(sorted(reversed(different.values()), key=lambda form: _unlikely(times[form])))


def forms_of(cell: str) -> list[str]:
    """The formats of strptime in which one cell may be written."""
    return [date + clock for date in DATES for clock in CLOCKS if _is_written(cell, date + clock)]


def _is_written(cell: str, form: str) -> bool:
    try:
        datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def _unlikely(times: NDArray[np.int64]) -> tuple[bool, bool, bool, float]:
    """A sort key. Read as it was written, a column rises, and its steps are even: the first of each month, not days

    of January.
    """
    known = pd.DatetimeIndex(np.unique(times))
    distances = np.diff(known.asi8)
    even = len(known) > 2 and pd.infer_freq(known) is not None
    return (not (np.diff(times) > 0).all(), not even, not (known.day == 1).all(),
            float(distances.max() / distances.min()) if len(distances) else 1.0)

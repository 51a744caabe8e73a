"""How times may be written, and which ways are likely."""

import warnings
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.api import guess_datetime_format

from unroll.readers.common.times import NOT_A_TIME, nanoseconds, zoned

# a day before a month first: where both fit and are as likely, that is taken
DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
         "%d %b %Y", "%d %B %Y", "%b %Y", "%B %Y", "%Y %b", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y",
         "%d-%b-%Y", "%d-%b-%y", "%b-%y", "%b-%Y", "%m/%Y", "%Y/%m", "%Y年%m月%d日", "%Y年%m月")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
QUARTERS = ("%YQ%q", "%Y-Q%q", "%Y Q%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "%Y年第%q季度", "%Y年%q季度")


def fits(cells: NDArray[Any], form: str | None) -> bool:
    """Whether every cell is written so."""
    try:
        return bool((nanoseconds(cells, form) != NOT_A_TIME).all()) and (
            form is not None or len(np.unique(zoned(cells))) == 1)
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
    """The formats but ISO 8601 in which one cell may be written: those above, and what pandas guesses."""
    with warnings.catch_warnings(action="ignore"):      # of a day that would be a month
        guesses = [guess_datetime_format(cell, dayfirst=first) for first in (True, False)]
    known = [date + clock for date in DATES for clock in CLOCKS if _is_written(cell, date + clock)]
    more = [form for form in guesses if form is not None and not form.startswith(("%Y-%m", "%Y/%d", "%Y-%d", "%Y%d"))]
    return [*dict.fromkeys([*known, *more]), *(form for form in QUARTERS if fits(np.array([cell]), form))]


def _is_written(cell: str, form: str) -> bool:
    try:
        datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def _unlikely(times: NDArray[np.int64]) -> tuple[bool, bool, bool, float]:
    """A sort key: read as it was written, a column rises in even steps, by firsts of months rather than by days."""
    known = pd.DatetimeIndex(np.unique(times))
    distances = np.diff(known.asi8)
    even = len(known) > 2 and pd.infer_freq(known) is not None
    return (not (np.diff(times) > 0).all(), not even, not (known.day == 1).all(),
            float(distances.max() / distances.min()) if len(distances) else 1.0)

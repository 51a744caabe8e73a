"""The times of a series' next steps, after its last one."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from unroll.readers.common.frequency import Frequency
from unroll.readers.common.times import EPOCHS, NUMBERS, OFFSET
from unroll.readers.common.times import stamps as read_times
from unroll.readers.common.zones import set_back

# a pattern for how a time may be written, and its format of strptime
STYLES = {
    r"(1[89]|2[01])\d\d(0[1-9]|1[0-2])": "%Y%m",
    r"(1[89]|2[01])\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])": "%Y%m%d",
    r"\d{4}-\d\d": "%Y-%m",
    r"\d{4}-\d\d-\d\d": "%Y-%m-%d",
    r"\d{4}-\d\d-\d\d \d\d:\d\d": "%Y-%m-%d %H:%M",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d": "%Y-%m-%dT%H:%M",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "%Y-%m-%d %H:%M:%S",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d": "%Y-%m-%dT%H:%M:%S",
}


def ahead(times: Sequence[str], horizon: int, form: str | None, frequency: str | None = None) -> list[str] | None:
    """The times of the next steps, written like those before; None where they cannot be derived.

    Months and other steps of the calendar continue as such, others at their usual distance; `frequency` is the step of
    the training data. Times that are numbers since 1970, or decimal years, continue as ISO 8601.
    """
    step = None if frequency is None else Frequency(frequency)
    if len(times) < (3 if step is None else 1):
        return None
    times = [time.strip() for time in times]
    if form is not None and not _is_written(times, form):       # a column with a type has no format
        form = None
    if form is None:
        form = next((form for style, form in STYLES.items() if all(re.fullmatch(style, time) for time in times)), None)
    if form is None and (len(times) > 2 or (step is not None and step.number)):
        numbers = pd.to_numeric(pd.Series(times), errors="coerce")
        if not numbers.isna().any():
            distance = np.median(np.diff(numbers)) if step is None or not step.number else step.distance
            whole = all(re.fullmatch(r"[+-]?\d+", time) for time in times)
            return _numbers(np.asarray(numbers), distance, horizon, whole)
    zones = {found[0][1:] if (found := OFFSET.search(time)) else "" for time in times} if form is None else {""}
    if len(zones) == 1:     # one offset, or none: by the local calendar
        (zone,) = zones
        stamps = _parsed([time.removesuffix(zone) for time in times], form)
    else:
        zone, stamps = "Z", _parsed(times, None, utc=True)
    if stamps is None or (step is not None and step.number):
        return None
    try:
        later = _next(stamps, horizon, step)
        return _written(stamps.iloc[-1], later, times[-1], form, zone)
    except (OverflowError, ValueError, NotImplementedError):    # after the last year of the calendar
        return None


def _is_written(times: Sequence[str], form: str) -> bool:
    try:
        return bool(read_times(times[-1:], form).notna().all())
    except ValueError:
        return False


def _written(last: Any, later: Sequence[Any], cell: str, form: str | None, zone: str) -> list[str]:
    """Times after the `last` one, which is written as the cell is."""
    if form in NUMBERS:
        dates = all(stamp == stamp.normalize() for stamp in [last, *later])
        return [f"{stamp:%Y-%m-%d}" if dates else stamp.isoformat() + "Z" * (form in EPOCHS) for stamp in later]
    padded = form is None or _spell(last, form, "", "") == cell
    return [_spell(stamp, form, zone, " " if cell[10:11] == " " else "T", padded) for stamp in later]


def typed(times: Sequence[str], form: str | None) -> Any:
    """Times as pandas' times, where they are not numbers."""
    if form is None and not pd.to_numeric(pd.Series(times), errors="coerce").isna().any():
        return times
    found = read_times(times, form if form is not None and form not in NUMBERS and _is_written(times, form) else None)
    return times if found.isna().any() else found if OFFSET.search(times[0]) else found.dt.tz_localize(None)


def on_axis(times: Sequence[str], steps: int, form: str | None) -> Any:
    """So many steps' times for a picture, numpy.datetime64 or numbers; None where they are not those of all steps."""
    found = typed(times, form)
    if len(times) != steps:
        return None
    numbers = pd.to_numeric(pd.Series(times), errors="coerce") if found is times else found
    return None if numbers.isna().any() else numbers.to_numpy()


def _numbers(numbers: Any, distance: Any, horizon: int, whole: bool) -> list[str] | None:
    if not distance > 0:
        return None
    if whole and distance == round(distance):
        return [str(int(numbers[-1]) + int(distance) * step) for step in range(1, horizon + 1)]
    return [f"{numbers[-1] + distance * step:.12g}" for step in range(1, horizon + 1)]


def _spell(stamp: Any, form: str | None, zone: str, separator: str, padded: bool = True) -> str:
    """Without `padded`, numbers of one digit have no 0 before them."""
    if form is None:
        return str(stamp.isoformat(separator)) + zone
    form = form.replace("%q", str(stamp.quarter))
    for mark, number in (("%d", stamp.day), ("%m", stamp.month), ("%H", stamp.hour)) if not padded else ():
        form = form.replace(mark, str(number))
    return str((stamp.tz_localize("UTC") if "%z" in form else stamp).strftime(form))


def _parsed(times: Sequence[str], form: str | None, utc: bool = False) -> Any:
    """Stamps without a zone; None when one cannot be read, or they do not rise."""
    stamps = read_times(times, form, utc or "%z" in (form or ""))     # zones in a user's own format become UTC
    if stamps.isna().any():
        return None
    if not stamps.is_monotonic_increasing:      # clocks may have been set back before the last of them
        fall = int(np.flatnonzero(stamps.diff().dt.total_seconds() < 0)[-1])
        if not set_back(*stamps.iloc[[fall - 1, fall]].dt.tz_localize(None).to_numpy()):
            return None
        stamps = stamps.iloc[fall:]
    return stamps if stamps.dt.tz is None else stamps.dt.tz_localize(None)


def _is_step(alias: str, step: Frequency) -> bool:
    """Whether what few times look like, the last business day of each month, say, is the step itself."""
    try:
        return Frequency(alias).same(step)
    except ValueError:
        return False


def _next(stamps: Any, horizon: int, step: Frequency | None) -> list[Any]:
    last, distance = stamps.iloc[-1], stamps.diff().median()
    frequency = pd.infer_freq(stamps) if len(stamps) > 2 else None
    if frequency is not None and (step is None or _is_step(frequency, step)):
        return list(pd.date_range(last, periods=horizon + 1, freq=frequency)[1:])
    if step is not None:
        return [pd.Timestamp(step.after(last.to_datetime64(), number)) for number in range(1, horizon + 1)]
    months = int((stamps.dt.year * 12 + stamps.dt.month).diff().median())
    # steps are missing, or no two are alike: as most of them are
    if months >= 1 and stamps.dt.day.nunique() == 1:
        return [last + pd.DateOffset(months=months * number) for number in range(1, horizon + 1)]
    if distance == pd.Timedelta(days=1) and stamps.dt.dayofweek.max() < 5 and len(stamps) > 5:
        return list(pd.date_range(last, periods=horizon + 1, freq="B")[1:])
    return [last + distance * number for number in range(1, horizon + 1)]

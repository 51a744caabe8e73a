"""The times of a series' next steps, after its last one."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from unroll.readers.common.times import stamps as read_times

OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
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


def ahead(times: Sequence[str], horizon: int, form: str | None) -> list[str] | None:
    """The times of the next steps, written like those before; None where they cannot be derived.

    Months and other steps of the calendar continue as such, others at their usual distance.
    """
    if len(times) < 3:
        return None
    times = [time.strip() for time in times]
    if form is None:
        form = next((form for style, form in STYLES.items() if all(re.fullmatch(style, time) for time in times)), None)
    if form is None:
        numbers = pd.to_numeric(pd.Series(times), errors="coerce")
        if not numbers.isna().any():
            return _numbers(np.asarray(numbers), horizon, all(re.fullmatch(r"[+-]?\d+", time) for time in times))
    zones = {found[0] if (found := OFFSET.search(time)) else "" for time in times} if form is None else {""}
    if len(zones) == 1:     # one offset, or none: by the local calendar
        (zone,) = zones
        stamps = _parsed([time.removesuffix(zone) for time in times], form)
    else:
        zone, stamps = "Z", _parsed(times, None, utc=True)
    if stamps is None:
        return None
    try:
        return [_spell(stamp, form, zone, " " if times[-1][10:11] == " " else "T") for stamp in _next(stamps, horizon)]
    except (OverflowError, ValueError, NotImplementedError):    # after the last year of the calendar
        return None


def _numbers(numbers: Any, horizon: int, whole: bool) -> list[str] | None:
    distance = np.median(np.diff(numbers))
    if not distance > 0:
        return None
    if whole and distance == round(distance):
        return [str(int(numbers[-1]) + int(distance) * step) for step in range(1, horizon + 1)]
    return [f"{numbers[-1] + distance * step:.12g}" for step in range(1, horizon + 1)]


def _spell(stamp: Any, form: str | None, zone: str, separator: str) -> str:
    if form is None:
        return str(stamp.isoformat(separator)) + zone
    return str((stamp.tz_localize("UTC") if "%z" in form else stamp).strftime(form))


def _parsed(times: Sequence[str], form: str | None, utc: bool = False) -> Any:
    """Stamps without a zone; None when one cannot be read, or they do not rise."""
    stamps = read_times(times, form, utc or "%z" in (form or ""))     # zones in a user's own format become UTC
    if stamps.isna().any() or not stamps.is_monotonic_increasing:
        return None
    return stamps if stamps.dt.tz is None else stamps.dt.tz_localize(None)


def _next(stamps: Any, horizon: int) -> list[Any]:
    last, distance = stamps.iloc[-1], stamps.diff().median()
    frequency = pd.infer_freq(stamps)
    months = int((stamps.dt.year * 12 + stamps.dt.month).diff().median())
    if frequency is not None:
        return list(pd.date_range(last, periods=horizon + 1, freq=frequency)[1:])
    # steps are missing, or no two are alike: as most of them are
    if months >= 1 and stamps.dt.day.nunique() == 1:
        return [last + pd.DateOffset(months=months * step) for step in range(1, horizon + 1)]
    if distance == pd.Timedelta(days=1) and stamps.dt.dayofweek.max() < 5 and len(stamps) > 5:
        return list(pd.date_range(last, periods=horizon + 1, freq="B")[1:])
    return [last + distance * step for step in range(1, horizon + 1)]

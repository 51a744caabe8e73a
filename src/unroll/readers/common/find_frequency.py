"""The step on which nearly all times of a table agree."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.frequencies import to_offset

from unroll.readers.common.frequency import DAY, TOLERANCE, Frequency, business_days, nearest_days

MOST = 0.8          # share of distances that have to be one step
OFF = 0.02          # share of times that may lie between two steps
ROUND = [pd.Timedelta(size, unit) for unit, sizes in (
    ("s", (1, 2, 5, 10, 15, 20, 30)), ("min", (1, 2, 5, 10, 15, 20, 30)), ("h", (1, 2, 3, 4, 6, 8, 12)), ("D", (1, 7)))
    for size in sizes]


def find_frequency(times: NDArray[Any], starts: NDArray[np.bool_], local: bool = True) -> Frequency | None:
    """The step on which nearly all times agree, None where there is none.

    `times` (n,), numpy.datetime64 or numbers, are those of sequences, one after another, which begin at `starts` (n,).
    """
    within = ~starts[1:]
    distances = np.diff(times)[within]
    if len(distances) < 2 or not (distances > type(distances[0])(0)).all():
        return None
    for frequency in _candidates(times, distances):
        steps, off = (found[within] for found in frequency.steps(times, local))
        if (steps[~off] == 1).sum() >= MOST * len(steps) and off.mean() <= OFF:
            return frequency
    return None


def _candidates(times: NDArray[Any], distances: NDArray[Any]) -> list[Frequency]:
    typical: Any = np.median(distances) if distances.dtype.kind != "m" else np.median(
        distances.astype(np.int64)).astype(distances.dtype)
    if distances.dtype.kind != "m":
        return [Frequency(f"{typical:.12g}")]
    stamps = pd.DatetimeIndex(times)
    if typical >= 27.5 * DAY:
        months = _months(pd.DatetimeIndex(nearest_days(times)), round(float(typical / DAY) / 30.4))
        return [months, *_even(typical)] if months is not None else _even(typical)
    week = stamps.max() - stamps.min() >= 7 * DAY
    if abs(typical / DAY - 1) < TOLERANCE and np.is_busday(business_days(times)).all() and week:
        return [Frequency("B")]
    return _even(typical)


def _months(stamps: pd.DatetimeIndex, months: int) -> Frequency | None:
    """A step of months, where times stand at the beginning, at the end, or on one day of each."""
    begin, end = stamps.day <= 3, stamps.days_in_month - stamps.day <= 3
    if not any(share.mean() >= 1 - OFF for share in (begin, end)) and pd.Series(stamps.day).value_counts(
            normalize=True).iloc[0] < MOST:
        return None
    name = {12: "Y", 3: "Q", 1: "M"}.get(months, f"{months}M")
    return Frequency(name + ("E" if end.mean() >= 1 - OFF else "S"))


def _even(typical: Any) -> list[Frequency]:
    near = [size for size in ROUND if abs(typical / size.to_timedelta64() - 1) <= OFF]
    found: Any = near[0] if near else pd.Timedelta(typical)
    days = found / pd.Timedelta(days=1)
    whole = f"{days:.0f}D" if days == round(days) else to_offset(found).freqstr
    return [Frequency({1: "D", 7: "W"}.get(days, whole))]

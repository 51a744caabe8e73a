"""The step of a clock: how far apart the times of a series are."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries import offsets
from pandas.tseries.frequencies import to_offset

TOLERANCE = 0.25    # of a step: clocks are read a little late, and a day of 23 hours is one
HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
MONTHS = ((offsets.YearBegin, 12), (offsets.YearEnd, 12), (offsets.BYearBegin, 12), (offsets.BYearEnd, 12),
          (offsets.QuarterBegin, 3), (offsets.QuarterEnd, 3), (offsets.BQuarterBegin, 3), (offsets.BQuarterEnd, 3),
          (offsets.MonthBegin, 1), (offsets.MonthEnd, 1), (offsets.BMonthBegin, 1), (offsets.BMonthEnd, 1))
SPRING = (3, 4, 9, 10, 11)      # months in which clocks are set forward, on either half of the earth
# alias → as an adverb, and what one step is called
WORDS = {"YS": ("yearly", "year"), "QS": ("quarterly", "quarter"), "MS": ("monthly", "month"), "W": ("weekly", "week"),
         "D": ("daily", "day"), "B": ("business days", "business day"), "h": ("hourly", "hour"),
         "min": ("every minute", "minute"), "s": ("every second", "second")}
UNITS = {"D": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond", "us": "microsecond"}


def nearest_days(times: NDArray[Any]) -> NDArray[Any]:
    """The days that begin next to times: of midnights in another zone the days there."""
    return (times + 12 * HOUR).astype("M8[D]")


def business_days(times: NDArray[Any]) -> NDArray[Any]:
    """The days of times, or those that begin next to them where some would be at weekends."""
    days = times.astype("M8[D]")
    return days if np.is_busday(days).all() else nearest_days(times)


@dataclass(frozen=True)
class Frequency:
    """A step by its name in pandas: h, 15min, D, B, MS, …; of numbers it is a number."""

    alias: str

    def __post_init__(self) -> None:
        """Raises `ValueError` on what is no step."""
        if not (self.months or self.business or self.distance > type(self.distance)(0)):
            raise ValueError(f"{self.alias!r} is no step")

    @cached_property
    def months(self) -> int:
        """Months in a step of the calendar; 0 for other steps."""
        offset = self._offset
        return next((months * offset.n for kind, months in MONTHS if isinstance(offset, kind)), 0)

    @property
    def business(self) -> bool:
        """Whether weekends are left out: of every such day, by no calendar of its own."""
        return type(self._offset) is offsets.BusinessDay and self._offset.n == 1

    @property
    def number(self) -> bool:
        """Whether it is a step of numbers, not of times."""
        return self._offset is None

    @cached_property
    def distance(self) -> Any:
        """The length of a step that is always as long: numpy.timedelta64, or a number."""
        if self._offset is None:
            return float(self.alias)
        if isinstance(self._offset, offsets.Tick):
            return pd.Timedelta(self._offset).to_timedelta64()
        days = {offsets.Day: 1, offsets.Week: 7}.get(type(self._offset), 0)
        return days * self._offset.n * DAY

    @cached_property
    def _offset(self) -> Any:
        try:
            float(self.alias)
            return None
        except ValueError:
            return to_offset(self.alias)

    @property
    def words(self) -> str:
        if self.number:
            return f"steps of {self.alias}"
        return WORDS[self._plain][0] if self._plain in WORDS else f"every {self.size}"

    @property
    def size(self) -> str:
        """How far apart two times are: 1 hour, 15 minutes, 1 business day."""
        if self.number or self._plain in WORDS:
            return self.alias if self.number else self.count(1)
        if self.months:
            return f"{self.months} months"
        unit = UNITS.get(self._offset.rule_code)
        return self.alias if unit is None else f"{self._offset.n} {unit}s"

    @property
    def _plain(self) -> str:
        """The alias without the day at which a step of the calendar begins."""
        return {12: "YS", 3: "QS", 1: "MS"}.get(self.months, self.alias)

    def count(self, steps: int) -> str:
        """So many steps in words."""
        unit = WORDS[self._plain][1] if self._plain in WORDS else "step"
        return f"{steps:,} {unit}{'s' * (steps != 1)}"

    def same(self, other: "Frequency") -> bool:
        ours, theirs = ((found.months, found.business, found.months or found.distance) for found in (self, other))
        return ours == theirs and (self._offset is None) == (other._offset is None)

    def steps(self, times: NDArray[Any], local: bool) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """(n - 1,) how many steps each time is after the one before, and whether it lies between two steps.

        Of a clock on a wall (`local`), the hour that is left out when clocks are set forward is not missing.
        """
        if self.months:
            exact = np.diff(nearest_days(times).astype("M8[M]").astype(np.int64)) / self.months
        elif self.business:
            days = business_days(times)
            exact = np.busday_count(days[:-1], days[1:]).astype(float)
        else:
            exact = np.diff(times) / self.distance
            if local and times.dtype.kind == "M" and self.distance <= HOUR:
                exact = np.where(self._forward(times), 1.0, exact)
        steps = np.rint(exact).clip(1)
        return steps.astype(np.int64), np.abs(exact - steps) > TOLERANCE

    def _forward(self, times: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether clocks were set forward before each of the times but the first: early on a Sunday in spring."""
        jumped = np.diff(times) == self.distance + HOUR
        left = pd.DatetimeIndex(times[:-1] + self.distance)
        return np.asarray(jumped & (left.dayofweek == 6) & (left.hour <= 3) & left.month.isin(SPRING))

    def after(self, time: Any, steps: int = 1) -> Any:
        """The time so many steps later."""
        if self.months:
            stamp = pd.Timestamp(time)
            later = stamp + pd.DateOffset(months=self.months * steps)
            return (later + pd.offsets.MonthEnd(0) if stamp.is_month_end else later).to_datetime64()
        if self.business:
            day = time.astype("M8[D]")
            return np.busday_offset(day, steps, roll="backward") + (time - day)
        return time + self.distance * steps

"""The step of a clock, and what is missing in it."""

import numpy as np
import pandas as pd
import pytest

from unroll.readers.common.find_frequency import find_frequency
from unroll.readers.common.frequency import Frequency
from unroll.readers.common.gaps import describe, find_gaps


def dates(start: str, alias: str, count: int = 60) -> np.ndarray:
    return pd.date_range(start, periods=count, freq=alias).to_numpy().astype("M8[ns]")


def found(times: np.ndarray, local: bool = True) -> tuple[str | None, str]:
    """The alias of the step, and what is missing."""
    frequency = find_frequency(times, np.arange(len(times)) == 0, local)
    if frequency is None:
        return None, ""
    gaps = find_gaps(times, np.array([0, len(times)]), frequency, local)
    return frequency.alias, describe(gaps, times, frequency) if len(gaps) else ""


@pytest.mark.parametrize(("alias", "expected"), [
    ("h", "h"), ("2h", "2h"), ("15min", "15min"), ("30min", "30min"), ("min", "min"), ("s", "s"), ("250ms", "250ms"),
    ("D", "D"), ("B", "B"), ("7D", "W"), ("W-WED", "W"), ("MS", "MS"), ("ME", "ME"), ("BME", "ME"), ("QS", "QS"),
    ("QE", "QE"), ("YS", "YS"), ("YE", "YE"), ("6MS", "6MS"), ("28D", "28D"), ("90min", "90min"),
])
def test_a_step_is_found(alias: str, expected: str) -> None:
    assert found(dates("2015-01-31", alias)) == (expected, "")


@pytest.mark.parametrize(("times", "expected"), [
    (np.delete(dates("2015-01-30", "h"), 4), ("h", "1 hour missing at 2015-01-30 04:00")),
    (np.delete(dates("2015-01-30", "h"), [4, 5]), ("h", "2 hours missing from 2015-01-30 04:00 on")),
    (np.delete(dates("2015-01-30", "h"), [4, 30, 31]), ("h", "3 hours missing in 2 places, the first at 2015-01-30 04:00")),
    (np.delete(dates("2015-01-01", "D"), 8), ("D", "1 day missing at 2015-01-09")),
    (np.delete(dates("2015-01-01", "B"), 8), ("B", "1 business day missing at 2015-01-13")),
    (np.delete(dates("2015-01-01", "W-SUN"), 8), ("W", "1 week missing at 2015-03-01")),
    (np.delete(dates("2015-01-01", "MS"), 8), ("MS", "1 month missing at 2015-09-01")),
    (np.delete(dates("2015-01-01", "ME"), 1), ("ME", "1 month missing at 2015-02-28")),
    (np.delete(dates("2015-01-01", "QE"), 1), ("QE", "1 quarter missing at 2015-06-30")),
    (np.delete(dates("2015-01-01", "15min"), 8), ("15min", "1 step missing at 2015-01-01 02:00")),
    (np.delete(np.arange(60), 8), ("1", "1 step missing at 8")),
    (np.delete(np.arange(60) / 10, 8), ("0.1", "1 step missing at 0.8")),
])
def test_what_is_missing_is_named(times: np.ndarray, expected: tuple[str, str]) -> None:
    assert found(times) == expected


def test_a_clock_may_be_read_late_and_run_slow() -> None:
    late = np.random.default_rng(1).integers(0, 60, 200).astype("m8[s]")
    assert found(dates("2015-01-01", "10min", 200) + late) == ("10min", "")
    slow = np.cumsum(np.full(2000, 10_010, "m8[ms]"))       # after 1,000 steps it is a whole one late
    assert found(np.datetime64("2015-01-01", "ns") + slow) == ("10s", "")


def test_times_without_a_step_have_none() -> None:
    draw = np.random.default_rng(1)
    assert found(np.datetime64("2015-01-01", "ns") + np.cumsum(draw.exponential(3600, 200).astype("m8[s]"))) == (None, "")
    assert found(dates("2015-01-01", "h")[[0, 1]]) == (None, ""), "two rows show no step"
    assert found(dates("2015-01-01", "h")[::-1]) == (None, "")


def test_a_seventh_of_the_rows_may_be_missing() -> None:
    kept = np.sort(np.random.default_rng(1).choice(1000, 860, replace=False))
    alias, words = found(dates("2015-01-01", "h", 1000)[kept])
    assert alias == "h" and words.startswith("139 hours missing in 122 places")


@pytest.mark.parametrize(("zone", "alias"), [("Europe/Berlin", "h"), ("America/New_York", "15min"), ("Australia/Sydney", "h")])
def test_the_hour_that_clocks_leave_out_in_spring_is_not_missing(zone: str, alias: str) -> None:
    year = pd.date_range("2022-01-05", "2022-12-20", freq=alias, tz=zone).tz_localize(None).drop_duplicates().sort_values()
    assert found(year.to_numpy().astype("M8[ns]")) == (alias, "")
    assert found(year.to_numpy().astype("M8[ns]"), local=False)[1] != "", "of a clock that is not set forward it is"


def test_days_of_a_zone_are_days_in_other_zones() -> None:
    year = pd.date_range("2022-01-01", "2022-12-31", freq="D", tz="Europe/Berlin").tz_convert(None)
    assert found(year.to_numpy().astype("M8[ns]"), local=False) == ("D", "")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("alias", ["B", "MS", "ME", "QS", "W"])
def test_days_and_months_of_a_zone_are_found_in_utc(zone: str, alias: str) -> None:
    times = pd.date_range("2021-01-01", periods=60, freq=alias, tz=zone).tz_convert(None).to_numpy().astype("M8[ns]")
    assert found(times, local=False) == (alias, "")
    missing = found(np.delete(times, 7), local=False)
    assert missing[0] == alias and missing[1].startswith("1 ")


def test_business_days_may_have_an_hour() -> None:
    close = dates("2021-01-01", "B") + np.timedelta64(21, "h")
    assert found(np.delete(close, 7)) == ("B", "1 business day missing at 2021-01-12 21:00")


def test_several_sequences_begin_anew() -> None:
    times = np.concatenate([dates("2015-01-01", "h", 30), np.delete(dates("2011-01-01", "h", 30), 10)])
    starts = np.isin(np.arange(59), [0, 30])
    frequency = find_frequency(times, starts)
    assert frequency is not None and frequency.alias == "h"
    gaps = find_gaps(times, np.array([0, 30, 59]), frequency, True)
    assert (gaps.rows.tolist(), gaps.counts.tolist()) == ([40], [1])
    assert gaps.filled(np.array([0, 30, 59])).tolist() == [0, 30, 60]
    assert [part.tolist() for part in gaps.stretches(np.array([0, 30, 59]))] == [[0, 30], [0, 10, 29]]


@pytest.mark.parametrize(("one", "other", "same"), [
    ("h", "60min", True), ("MS", "ME", True), ("QS", "3MS", True), ("D", "B", False), ("W", "7D", True), ("h", "2h", False),
    ("1", "1.0", True), ("1", "D", False),
])
def test_steps_are_the_same_by_any_name(one: str, other: str, same: bool) -> None:
    assert Frequency(one).same(Frequency(other)) == same


@pytest.mark.parametrize("alias", ["fortnight", "", "0", "-1", "-1h", "WOM-1MON", "2B", "C"])
def test_what_is_no_step_is_refused(alias: str) -> None:
    with pytest.raises(ValueError):
        Frequency(alias)

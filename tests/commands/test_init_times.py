"""How `unroll init` finds out how times are written, and what it refuses."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.commands.test_init import brought, init, refused
from tests.commands.test_init_clocks import waves

MONTHS = pd.date_range("2000-01-01", periods=60, freq="MS")
DAYS = pd.date_range("2020-01-01", periods=120)
HOURS = pd.date_range("2022-01-01", periods=240, freq="h")
QUARTERS = pd.date_range("1990-01-01", periods=60, freq="QS")


def epoch(times: pd.DatetimeIndex, unit: str) -> Any:
    return (times - pd.Timestamp(0)) // pd.Timedelta(1, unit)


@pytest.mark.parametrize(("name", "cells", "form", "frequency", "season"), [
    ("date", MONTHS.strftime("%b %-d %Y"), "%b %d %Y", "MS", 12), ("quarter", QUARTERS.to_period("Q").astype(str), "%YQ%q", "QS", 4),
    ("月份", [f"{t.year}年{t.month}月" for t in MONTHS], "%Y年%m月", "MS", 12),
    ("日期", [f"{t.year}年{t.month}月{t.day}日" for t in DAYS], "%Y年%m月%d日", "D", 7),
    ("day", DAYS.strftime("%Y%m%d").astype(int), "%Y%m%d", "D", 7), ("period", MONTHS.strftime("%Y%m").astype(int), "%Y%m", "MS", 12),
    ("when", HOURS.strftime("%Y%m%d%H").astype(int), "%Y%m%d%H", "h", 24), ("ts", epoch(HOURS, "s"), "epoch s", "h", 24),
    ("ts", epoch(HOURS, "ms"), "epoch ms", "h", 24), ("when", epoch(HOURS, "ms"), "epoch ms", "h", 24),
    ("year", [f"{1949 + month / 12:.3f}" for month in range(60)], "decimal year", "MS", 12),
    ("time", [f"{1949 + month / 12:.2f}" for month in range(60)], "decimal year", "MS", 12),
    ("month end", pd.date_range("2000-01-31", periods=60, freq="ME").strftime("%d.%m.%Y"), "%d.%m.%Y", "ME", 12),
    ("quarter end", pd.date_range("2000-01-31", periods=60, freq="QE").strftime("%Y-%m-%d"), None, "QE", 4),
    ("time", HOURS.tz_localize("Europe/Berlin").strftime("%Y-%m-%dT%H:%M%z"), None, "h", 24),
])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_way_of_writing_is_found(project, name, cells, form, frequency, season, ending):
    table = pd.DataFrame({name: cells, "y": waves(len(cells), season)})
    data = init(brought(project, f"a.{ending}", table))[0].data
    assert (data.time, data.time_format, data.frequency, data.forecast.season) == (name, form, frequency, season)
    assert data.columns == {"x": ["y"]}


def test_symbols_with_spelt_dates_are_series(project):
    rows = [(symbol, time, value) for symbol in ("ABC", "DEF", "GHI")
            for time, value in zip(MONTHS.strftime("%b %-d %Y"), waves(60, 12), strict=True)]
    config, source = init(brought(project, "a.csv", pd.DataFrame(rows, columns=["symbol", "date", "price"])))
    assert (config.data.series, config.data.columns) == ("symbol", {"x": ["price"]})
    assert [place.name for place in source.places("test")] == ["ABC", "DEF", "GHI"]


@pytest.mark.parametrize(("name", "values"), [
    ("population", np.cumsum(np.random.default_rng(1).integers(1, 10**7, 200)) + 10**9), ("pressure", 1500 + np.arange(200) / 4),
    ("code", np.random.default_rng(1).integers(180_001, 220_012, 200)), ("price", np.random.default_rng(1).integers(10**11, 10**12, 200)),
])
def test_numbers_of_that_size_are_not_times_by_themselves(project, name, values):
    data = init(brought(project, "a.csv", pd.DataFrame({name: values, "y": waves(200, 7)})), "--task", "forecast")[0].data
    assert data.time is None


@pytest.mark.parametrize(("cells", "row"), [
    ([*DAYS[:60].strftime("%Y-%m-%d"), *DAYS[60:].strftime("%d.%m.%Y")], 62),
    ([*DAYS[:20].strftime("%d.%m.%Y"), *DAYS[20:].strftime("%Y-%m-%d")], 22),
    ([*HOURS[:60].strftime("%Y-%m-%dT%H:%M"), *HOURS[60:120].strftime("%Y-%m-%dT%H:%MZ")], 62),
])
def test_two_ways_of_writing_in_one_column_are_refused_with_the_row(project, capsys, cells, row):
    path = brought(project, "a.csv", pd.DataFrame({"when": cells, "y": waves(len(cells), 7)}))
    assert refused(capsys, project, path) == ("bad-time", f"a.csv, row {row}, column 'when'")


AUTUMN = pd.date_range("2022-10-20", "2022-11-10", freq="h", tz="America/New_York")


def test_a_clock_that_was_set_back_says_so_and_is_read_by_its_zone(project, capsys):
    path = brought(project, "a.csv", pd.DataFrame({"time": AUTUMN.strftime("%Y-%m-%d %H:%M"), "y": waves(len(AUTUMN), 24)}))
    assert refused(capsys, project, path) == ("out-of-order", "data/raw/mine/a.csv, row 412, column 'time'")
    with pytest.raises(SystemExit) as stop:
        init(path)
    assert "clocks were set back" in str(stop.value.__context__) and "--time-zone" in str(stop.value.__context__)
    data = init(path, "--time-zone", "America/New_York")[0].data
    assert (data.time_zone, data.frequency, data.gaps, data.forecast.season) == ("America/New_York", "h", "split", 24)


@pytest.mark.parametrize(("zone", "error"), [
    ("Moon", ("unknown-name", "--time-zone")), ("Asia/Tokyo", ("out-of-order", "data/raw/mine/a.csv, row 412, column 'time'")),
])
def test_a_zone_has_to_be_the_right_one(project, capsys, zone, error):
    path = brought(project, "a.csv", pd.DataFrame({"time": AUTUMN.strftime("%Y-%m-%d %H:%M"), "y": waves(len(AUTUMN), 24)}))
    assert refused(capsys, project, path, "--time-zone", zone) == error

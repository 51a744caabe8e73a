"""Times of a table to `unroll init`: the step, what is missing, cycles, and which columns are no series."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.commands.test_init import brought, init, refused
from unroll.data.source import SPLITS, Place

DRAW = np.random.default_rng(1)
HOURS = pd.date_range("2015-01-01", periods=1000, freq="h")


def waves(count: int, *cycles: int, noise: float = 0.3) -> Any:
    """10 + a wave of amplitude 3 for each cycle."""
    steps = np.arange(count)
    values = 10 + 3 * sum(np.sin(2 * np.pi * steps / cycle) for cycle in cycles) + DRAW.normal(0, noise, count)
    return np.round(values, 3)


def series(times: Any, *cycles: int, noise: float = 0.3) -> pd.DataFrame:
    return pd.DataFrame({"time": times, "y": waves(len(times), *cycles, noise=noise)})


def test_one_missing_hour_is_named_and_the_day_stays(project, capsys):
    config, source = init(brought(project, "a.csv", series(HOURS, 24).drop(index=700)))
    data = config.data
    assert (data.frequency, data.gaps, data.forecast.season, data.forecast.horizon) == ("h", "split", 24, 24)
    assert "1 hour missing at 2015-01-30 04:00" in capsys.readouterr().out
    assert source.places("validation") == [Place("1", 700, "2015-01-30T05:00")] and len(list(source.pieces("validation"))) == 1


def test_a_series_is_given_in_stretches_without_gaps(project, capsys):
    _, source = init(brought(project, "a.csv", series(HOURS, 24).drop(index=[400, 640])))
    assert "2 hours missing in 2 places, the first at 2015-01-17 16:00" in capsys.readouterr().out
    found = [(place.first, place.first + len(piece["x"])) for place, piece in zip(
        source.places("train"), source.pieces("train"), strict=True)]
    assert found == [(0, 400), (400, 639)], "the 60 steps after the second one are too few"
    assert [place.first for place in source.places("validation")] == [639]


def test_gaps_are_what_the_option_says(project, capsys):
    path = brought(project, "a.csv", series(HOURS, 24).drop(index=700))
    assert refused(capsys, project, path, "--gaps", "refuse") == (
        "bad-time", "data/raw/mine/a.csv, row 702, column 'time'")
    assert refused(capsys, project, path, "--gaps", "fill", "--missing", "refuse") == ("missing-number", "--gaps")
    config, source = init(path, "--gaps", "ignore")
    assert config.data.gaps == "ignore" and [len(list(source.pieces(split))) for split in SPLITS] == [1, 1, 1]


def test_gaps_that_are_filled_are_read_with_masks(project):
    config, source = init(brought(project, "a.csv", series(HOURS, 24).drop(index=700)), "--gaps", "fill")
    assert (config.data.gaps, config.data.missing) == ("fill", "mask")
    assert sum(np.isnan(piece["x"]).sum() for split in SPLITS for piece in source.pieces(split)) in (1, 2)


def test_series_of_which_little_would_be_left_are_filled(project, capsys):
    config, _ = init(brought(project, "a.csv", series(HOURS, 24).drop(index=range(50, 1000, 50))))
    assert (config.data.frequency, config.data.gaps, config.data.missing) == ("h", "fill", "mask")
    assert config.data.forecast.season == 24
    assert "too little would be left" in capsys.readouterr().out


def test_of_several_series_each_is_split_at_its_own_gap(project):
    parts = [series(HOURS, 24).drop(index=row).assign(name=f"s{row}") for row in (100, 850)]
    config, source = init(brought(project, "a.csv", pd.concat(parts)))
    assert (config.data.series, config.data.gaps) == ("name", "split")
    names = [[place.name for place in source.places(split)] for split in SPLITS]
    assert names[0] == ["s100", "s100", "s850"] and names[2] == ["s100", "s850"]


def test_holidays_are_no_gaps_and_weekends_are_not_missing(project, capsys):
    days = pd.bdate_range("2015-01-01", periods=400).delete([80, 200, 201, 333])
    config, _ = init(brought(project, "a.csv", series(days, 5)))
    assert (config.data.frequency, config.data.gaps, config.data.forecast.season) == ("B", "ignore", 5)
    assert "4 business days missing in 3 places, the first at 2015-04-23" in capsys.readouterr().out


def test_uneven_times_are_read_in_their_order(project, capsys):
    uneven = pd.Timestamp("2015-01-01") + pd.to_timedelta(np.cumsum(DRAW.exponential(3600, 300)).round(), unit="s")
    config, _ = init(brought(project, "a.csv", series(uneven, 300)))
    assert (config.data.time, config.data.frequency, config.data.gaps) == ("time", None, "ignore")
    assert "their order, not their distance" in capsys.readouterr().out
    path = brought(project, "b.csv", series(uneven, 300))
    assert refused(capsys, project, path, "--gaps", "split", name="other") == ("conflict", "--gaps")


@pytest.mark.parametrize(("frequency", "count", "cycles", "season", "others"), [
    ("h", 1000, (24,), 24, []), ("h", 1500, (24, 168), 168, ["24, a day"]), ("h", 900, (24, 168), 24, ["168, a week"]),
    ("h", 1500, (168,), 168, []), ("15min", 1000, (96,), 96, []), ("30min", 1000, (48,), 48, []),
    ("10min", 1000, (144,), 144, []), ("D", 400, (7,), 7, []), ("MS", 144, (12,), 12, []), ("QS", 60, (4,), 4, []),
    ("W", 400, (52,), 52, []), ("YS", 200, (11,), 11, []), ("s", 1000, (60,), 60, []),
])
def test_a_cycle_is_found_from_step_and_values(project, capsys, frequency, count, cycles, season, others):
    start = "1900-01-01" if frequency == "YS" else "2015-01-01"
    times = pd.date_range(start, periods=count, freq=frequency)
    config, _ = init(brought(project, "a.csv", series(times, *cycles)))
    assert config.data.forecast.season == season
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("season")]
    assert line.count("; also") == len(others) and all(f"; also {other}" in line for other in others)


def test_a_cycle_is_found_without_a_time(project, capsys):
    config, _ = init(brought(project, "a.csv", series(HOURS, 17)[["y"]]), "--task", "forecast")
    assert (config.data.time, config.data.forecast.season) == (None, 17)
    assert "found in the values" in capsys.readouterr().out


@pytest.mark.parametrize(("values", "rows", "season", "words"), [
    (np.cumsum(DRAW.normal(size=400)), 400, 1, ": no cycle"), (DRAW.normal(size=400), 400, 7, "by the step alone"),
    (waves(20, 7), 20, 1, ": too short for a cycle of 7, a week"),
])
def test_no_cycle_a_doubtful_one_and_too_few_rows_are_different(project, capsys, values, rows, season, words):
    table = pd.DataFrame({"day": pd.date_range("2015-01-01", periods=rows), "y": values.round(3)})
    config, _ = init(brought(project, "a.csv", table))
    assert config.data.forecast.season == season and words in capsys.readouterr().out


@pytest.mark.parametrize("name", ["temp", "tax", "timely", "total", "t_shirt", "yearling", "monthly", "turnover"])
def test_a_time_is_a_whole_word_of_a_name(project, name):
    table = pd.DataFrame({name: np.arange(200) + 0.5, "power": DRAW.integers(0, 50, 200)})
    config, _ = init(brought(project, "a.csv", table), "--task", "forecast")
    assert config.data.time is None and name in config.data.columns["x"]


@pytest.mark.parametrize("name", ["time", "Time (s)", "start_time", "eventTime", "t", "unix", "月份"])
def test_numbers_that_rise_are_a_time_by_a_word_of_their_name(project, name):
    config, _ = init(brought(project, "a.csv", pd.DataFrame({name: np.arange(200) * 2, "y": waves(200, 24)})))
    assert (config.data.time, config.data.frequency) == (name, "2")


def test_a_word_is_not_enough_for_numbers_that_fall(project):
    table = pd.DataFrame({"year_built": np.sort(DRAW.integers(1900, 2000, 200)), "y": waves(200, 24)})
    config, _ = init(brought(project, "a.csv", table), "--task", "forecast")
    assert config.data.time is None


def test_what_is_no_series_is_not_forecast(project, capsys):
    table = series(HOURS, 24).assign(flag=0, hour=HOURS.hour, row=np.arange(1000) + 5,
                                     zip=DRAW.integers(10_000, 99_999, 1000), other=waves(1000, 24))
    config, _ = init(brought(project, "a.csv", table))
    assert config.data.columns == {"x": ["y", "other"]}
    out = capsys.readouterr().out
    for reason in ("'flag': the same in all rows", "'hour': by its name, of the time", "'row', which numbers the rows",
                   "'zip': by its name, codes rather than numbers"):
        assert f"left out   {reason}" in out
    config, _ = init_again(project, "--task", "forecast", "--target", "y", "--target", "flag")
    assert config.data.columns == {"x": ["y", "flag"]}


@pytest.mark.parametrize("name", ["sales_per_day", "temp_min", "number", "number_of_cases", "paid", "minutes_played", "key_figure", "t2"])
def test_whole_numbers_are_forecast_whatever_word_is_in_their_name(project, name):
    config, _ = init(brought(project, "a.csv", series(HOURS[:300], 24).assign(**{name: DRAW.integers(0, 99, 300)})))
    assert config.data.columns == {"x": ["y", name]}


@pytest.mark.parametrize("name", ["hour", "day_of_week", "weekNumber", "dayofweek", "type", "shop_code", "zip", "userId"])
def test_whole_numbers_of_the_clock_and_codes_are_not(project, name):
    config, _ = init(brought(project, "a.csv", series(HOURS[:300], 24).assign(**{name: DRAW.integers(0, 99, 300)})), "--series", "none")
    assert config.data.columns == {"x": ["y"]}


def init_again(project: Any, *options: str) -> Any:
    for kind in ("data", "experiment"):
        (project / "conf" / kind / "mine.yaml").unlink()
    return init(project / "data" / "raw" / "mine" / "a.csv", *options)


def test_what_is_the_same_in_each_series_and_counts_is_not_forecast(project):
    parts = [series(HOURS[:300], 24).assign(shop=f"s{shop}", size=shop * 10, count=np.arange(300)) for shop in range(3)]
    config, _ = init(brought(project, "a.csv", pd.concat(parts)))
    assert (config.data.series, config.data.columns) == ("shop", {"x": ["y"]})


def test_a_column_that_is_a_time_by_its_name_is_asked_for(project, capsys):
    table = pd.DataFrame({"symbol": ["A", "B"] * 60, "price": waves(120, 12),
                          "date": [f"{each // 2 % 28 + 1}th of month {each // 56}" for each in range(120)]})
    assert refused(capsys, project, brought(project, "a.csv", table)) == ("ambiguous", "--time-format")


def test_a_few_short_series_do_not_decide_for_all(project, capsys):
    days = pd.date_range("2020-01-01", periods=12, freq="D")
    chicks = [pd.DataFrame({"chick": f"c{number}", "day": days[: 2 if number == 7 else 12],
                            "weight": 40 + 5 * np.arange(2 if number == 7 else 12) + number}) for number in range(30)]
    config, source = init(brought(project, "a.csv", pd.concat(chicks)))
    assert config.data.forecast.horizon == 1 and config.data.min_length is None
    assert "1 of 30 series" in capsys.readouterr().out
    assert "c7" not in {place.name for place in source.places("train")}


def test_months_of_many_series_are_forecast_as_asked(project, capsys):
    parts = [pd.DataFrame({"shop": f"s{number}", "month": pd.date_range("2015-01-01", periods=20 + number % 40, freq="MS"),
                           "sold": waves(20 + number % 40, 12)}) for number in range(200)]
    config, source = init(brought(project, "a.csv", pd.concat(parts)), "--horizon", "6", "--season", "12")
    assert (config.data.forecast.horizon, config.data.forecast.season) == (6, 12)
    assert 50 <= len(source.places("train")) < 200 and "of 200 series are left out" in capsys.readouterr().out


def test_a_day_without_nights_has_as_many_steps_as_rows(project, capsys):
    times = pd.date_range("2016-10-04", periods=80 * 48, freq="30min")
    rows = series(times, 48)[(times.hour >= 8) & (times.hour < 17)]
    config, _ = init(brought(project, "a.csv", rows))
    assert (config.data.frequency, config.data.gaps, config.data.forecast.season) == ("30min", "ignore", 18)
    assert "season     18 steps, a day" in capsys.readouterr().out


def test_of_hours_of_which_a_seventh_is_missing_the_day_stays(project):
    kept = np.sort(DRAW.choice(1000, 860, replace=False))
    config, _ = init(brought(project, "a.csv", series(HOURS, 24).iloc[kept]))
    assert (config.data.frequency, config.data.gaps, config.data.forecast.season) == ("h", "fill", 24)


def test_weeks_without_weekends_have_as_many_steps_as_rows(project):
    times = pd.date_range("2015-01-05", periods=24 * 7 * 12, freq="h")
    config, _ = init(brought(project, "a.csv", series(times, 24)[times.dayofweek < 5]))
    assert (config.data.frequency, config.data.gaps, config.data.forecast.season) == ("h", "ignore", 24)


def test_columns_for_year_month_day_and_hour_are_no_time(project):
    parts = {name: getattr(HOURS, name) for name in ("year", "month", "day", "hour")}
    config, _ = init(brought(project, "a.csv", pd.DataFrame({**parts, "y": waves(1000, 24)})), "--task", "forecast", "--target", "y")
    assert (config.data.time, config.data.forecast.season) == (None, 24)


@pytest.mark.parametrize(("count", "calibration"), [(3000, "conformal"), (600, "none")])
def test_intervals_are_calibrated_where_there_are_many_origins(project, count, calibration):
    config, _ = init(brought(project, "a.csv", series(pd.date_range("2015-01-01", periods=count, freq="h"), 24)))
    assert config.model.heads["x"].calibration == calibration


def test_one_short_series_of_three_does_not_decide_for_all(project):
    parts = [series(pd.date_range("2021-03-01", periods=count, freq="D"), 7).assign(shop=f"s{count}") for count in (700, 650, 9)]
    config, source = init(brought(project, "a.csv", pd.concat(parts)), "--series", "shop")
    assert config.data.forecast.season == 7 and config.data.forecast.horizon == 7
    assert {place.name for place in source.places("train")} == {"s700", "s650"}


@pytest.mark.parametrize(("name", "values", "log", "loss"), [
    ("counts", lambda draw: draw.poisson(3, 400), "counts", "negative_binomial"),
    ("large counts", lambda draw: draw.poisson(3000, 400), False, "quantile"),
    ("below 0", lambda draw: draw.poisson(3, 400) - 2, False, "quantile"),
    ("a flag", lambda draw: draw.integers(0, 3, 400), False, "quantile"),
    ("halves", lambda draw: draw.poisson(3, 400) / 2, False, "quantile"),
])
def test_small_whole_numbers_are_forecast_as_counts(project, name, values, log, loss):
    table = pd.DataFrame({"day": pd.date_range("2015-01-01", periods=400), "y": values(np.random.default_rng(1))})
    config, _ = init(brought(project, "a.csv", table), "--task", "forecast")
    assert (config.data.forecast.log, config.model.heads["x"].loss.kind) == (log, loss)

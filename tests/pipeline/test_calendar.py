"""Hours and weekdays beside a series whose times have gaps: computed from the times, for the steps to come as well."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import unroll
from tests.conftest import refused, run
from tests.pipeline import test_covariates as sales
from unroll.base.workspace import Workspace
from unroll.commands.predict import predict
from unroll.config.schema import Config
from unroll.data.store import open_prepared
from unroll.readers.common.calendar import features, following
from unroll.readers.common.frequency import Frequency

HORIZON, HOURS = 6, 24 * 21
MISSING = (100, 101, 300)
DATA = {
    "path": "data/raw/visits.csv", "columns": {"x": ["visits"], "clock": ["hour", "weekday"]}, "series": None,
    "time": "time", "frequency": None, "gaps": "fill", "missing": "forward",
    "inputs": {"x": "real", "clock": "calendar"}, "targets": {"x": "forecast"},
    "forecast": {"horizon": HORIZON, "context": 4, "season": 1, "log": False, "start": "season", "window": "none", "stride": 1, "eval_stride": 1, "eval_windows": None},
}


def rows(missing: tuple[int, ...] = MISSING) -> pd.DataFrame:
    """A level for each hour of working days, and another for each of a weekend."""
    times, draw = pd.date_range("2021-03-01", periods=HOURS, freq="h"), np.random.default_rng(0)
    level = draw.normal(0, 10, (2, 24))[(times.dayofweek >= 5).astype(int), times.hour]
    table = pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M"), "visits": (level + draw.normal(0, 0.3, HOURS)).round(3)})
    return table.drop(index=list(missing))


def values(**data: Any) -> Config:
    found = sales.values(epochs=25).model_dump(mode="json")
    found["data"] |= {**DATA, **data}
    found["model"] |= {"inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0},
                                  "clock": {"kind": "category", "size": 4, "dropout": 0.0}},
                       "heads": {"x": sales.MODEL["heads"]["sales"]}}
    return Config.model_validate(found)


def write(folder: Path, table: pd.DataFrame) -> Workspace:
    (folder / "data" / "raw").mkdir(parents=True)
    table.to_csv(folder / "data" / "raw" / "visits.csv", index=False)
    return Workspace(folder, folder)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = write(tmp_path_factory.mktemp("visits"), rows())
    run(workspace, values(), "prepare", "train", "evaluate", "generate")
    return workspace


def test_hours_and_weekdays_are_used(done):
    found = json.loads((done.metrics / "test.json").read_text())
    assert found["test/mae"] < 2.5 < 8 < found["baseline/naive_mae"]


def test_every_step_has_its_hour_those_that_are_filled_in_too(done):
    prepared = open_prepared(done.prepared)
    field = prepared.spec.inputs["clock"]
    hours, days = field.categories
    assert (len(hours), len(days), field.known_ahead, field.calendar) == (24, 7, True, True)
    found = np.asarray(prepared.values("clock", "train"))
    times = pd.date_range("2021-03-01", periods=len(found), freq="h")
    assert [hours[number - 1] for number in found[:, 0]] == [str(hour) for hour in times.hour]
    assert [days[number - 1] for number in found[:, 1]] == [*times.day_name()]


def test_predictions_need_no_future(done, tmp_path):
    """Those of the last origin of the test split."""
    own = pd.read_csv(done.samples / "predictions.csv")
    own = own[own["origin"] == HOURS - HORIZON].drop(columns=["origin"]).reset_index(drop=True)
    rows().iloc[:-HORIZON].to_csv(tmp_path / "past.csv", index=False)
    predict(tmp_path / "past.csv", tmp_path / "out.csv", str(done.model), None, None)
    table = pd.read_csv(tmp_path / "out.csv")
    assert table.pop("time").tolist() == rows()["time"].tolist()[-HORIZON:]
    pd.testing.assert_frame_equal(table, own, atol=1e-3)
    with refused("no-effect", "--future"):
        predict(tmp_path / "past.csv", tmp_path / "out.csv", str(done.model), None, None, {}, tmp_path / "past.csv")


def test_python_takes_times_or_what_the_calendar_says(done):
    table, model = rows(()), unroll.load(done.model)
    past = table.iloc[-50:-HORIZON]
    times = pd.DatetimeIndex(table["time"].iloc[-50:])
    said = np.array([[str(time.hour), time.day_name()] for time in times], object)
    series = past["visits"].to_numpy()
    found = [model.predict([{"x": series, "clock": clock}])[0]
             for clock in (past["time"].tolist(), times[:-HORIZON].to_numpy(), said)]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    with refused("bad-time", "sequence 1, clock, step 1", "'soon'"):
        model.predict([{"x": series, "clock": ["soon"] * len(series)}])


@pytest.mark.parametrize(("change", "code", "where"), [
    ({"columns": {"x": ["visits"], "clock": ["weekdy"]}}, "unknown-name", "data.columns.clock"),
    ({"time": None, "gaps": "ignore"}, "missing-value", "data.time"),
])
def test_settings_that_have_no_calendar_are_refused(tmp_path, change, code, where):
    workspace = write(tmp_path, rows())
    with refused(code, where):
        run(workspace, values(**change), "prepare")


@pytest.mark.parametrize("times", ["numbers", "uneven"])
def test_times_without_a_step_or_a_calendar_are_refused(tmp_path, times):
    table = rows(())
    apart = np.random.default_rng(0).permutation(np.arange(1, HOURS + 1)).cumsum()
    table["time"] = np.arange(HOURS) if times == "numbers" else [f"{time:%Y-%m-%dT%H:%M:%S}" for time in (
        pd.Timestamp("2021-01-01") + pd.to_timedelta(apart, unit="s"))]
    with refused("bad-time", "data.inputs.clock"):
        run(write(tmp_path, table), values(gaps="ignore"), "prepare")


def test_a_calendar_is_for_forecasts():
    with pytest.raises(ValidationError, match="calendar"):
        values(targets={"x": "next"}, forecast=None)


def test_the_calendar_is_that_of_the_zone():
    times = np.array(["2021-03-27T23:30", "2021-03-28T01:30"], "M8[ns]")
    assert features(times, ["hour", "weekday"], "Europe/Berlin").tolist() == [["0", "Sunday"], ["3", "Sunday"]]
    assert features(times, ["hour", "month", "week", "quarter", "day", "day_of_year"], None)[0].tolist() == [
        "23", "3", "12", "1", "27", "86"]
    days = following(np.datetime64("2021-03-26T23:00", "ns"), 2, Frequency("D"), "Europe/Berlin")
    assert days.astype("M8[h]").tolist() == np.array(["2021-03-27T23", "2021-03-28T22"], "M8[h]").tolist()

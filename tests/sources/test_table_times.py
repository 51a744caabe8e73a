"""Times of a table in each way of writing, and in a time zone."""

import numpy as np
import pandas as pd
import pytest

from tests.refusals import refusal
from tests.sources.test_table import config, open_table, write
from unroll.data.spec import Reading, TableReading
from unroll.readers.common.columns import Columns
from unroll.readers.common.rows import find_sequences
from unroll.readers.common.tables import read_parts


def refused(project, rows: str, **changes: object) -> tuple[str, str]:
    write(project, rows)
    return refusal(lambda: open_table(config(columns={"x": ["a"]}, time="t", **changes), project), f"{project}/data/raw/")


@pytest.mark.parametrize(("rows", "changes", "where"), [
    ("2015Q1,1\n2015Q2,1\n2015Q5,1\n", {"time_format": "%YQ%q"}, "1.csv, row 4, column 't'"),
    ("1640995200000,1\nsoon,1\n", {"time_format": "epoch ms"}, "1.csv, row 3, column 't'"),
    ("20150101,1\n20150132,1\n", {"time_format": "%Y%m%d"}, "1.csv, row 3, column 't'"),
    ("2015-01-01T00:00,1\n2015-01-01T01:00Z,1\n", {}, "1.csv, row 3, column 't'"),
    ("2015-01-01T00:00Z,1\n2015-01-01T01:00,1\n", {}, "1.csv, row 3, column 't'"),
    ("2022-03-27T01:00,1\n2022-03-27T02:30,1\n", {"time_zone": "Europe/Berlin"}, "1.csv, row 3, column 't'"),
    ("2022-01-01,1\n2022-01-02,1\n", {"time_format": "%Q"}, "data.time_format"),
])
def test_a_cell_that_is_no_such_time_is_named(tmp_path, rows, changes, where):
    assert refused(tmp_path, "t,a\n" + rows, **changes) == ("bad-time", where)


def test_a_zone_that_is_none_or_not_needed_is_refused(tmp_path):
    rows = "t,a\n2015-01-01T00:00Z,1\n2015-01-01T01:00Z,1\n"
    assert refused(tmp_path, rows, time_zone="Moon") == ("unknown-name", "data.time_zone")
    assert refused(tmp_path, rows, time_zone="Europe/Berlin") == ("conflict", "data.time_zone")
    epochs = "t,a\n1640995200,1\n1640998800,1\n"
    assert refused(tmp_path, epochs, time_zone="Europe/Berlin", time_format="epoch s") == ("conflict", "data.time_zone")


def test_an_hour_that_comes_twice_is_said_or_read_in_its_zone(tmp_path):
    times = pd.date_range("2022-10-29 20:00", periods=24, freq="30min", tz="Europe/Berlin")
    table = pd.concat([pd.DataFrame({"t": times.strftime("%Y-%m-%d %H:%M"), "a": np.arange(24), "id": name}) for name in "pq"])
    # the rows of both stand between each other
    write(tmp_path, table.sort_values(["a", "id"], kind="stable").to_csv(index=False))
    settings = {"columns": {"x": ["a"]}, "time": "t", "series": "id"}
    place, text = "1.csv, row 30, column 't'", "clocks were set back"
    assert refusal(lambda: open_table(config(**settings), tmp_path), f"{tmp_path}/data/raw/") == ("out-of-order", place)
    with pytest.raises(Exception, match=text):
        open_table(config(**settings), tmp_path)
    reading = Reading(table=TableReading(series="id", time="t", time_format=None, joint="", time_zone="Europe/Berlin"))
    found = find_sequences(Columns(read_parts([tmp_path / "data/raw/1.csv"], reading)), reading.table)
    expected = times.tz_convert(None).to_numpy().astype("M8[ns]")
    assert found.times is not None and not found.times.local
    assert (found.times[0:48].astype("M8[ns]") == np.tile(expected, 2)).all()
    frequency = found.times.frequency()
    assert frequency is not None and frequency.alias == "30min" and not len(found.times.gaps(frequency))


def test_times_of_a_file_may_be_typed(tmp_path):
    times = pd.date_range("2022-10-29 20:00", periods=12, freq="h", tz="Europe/Berlin")
    (tmp_path / "data" / "raw").mkdir(parents=True)
    for name, column in (("zoned", times), ("naive", times.tz_localize(None)), ("epoch", times.astype("int64"))):
        pd.DataFrame({"t": column, "a": np.arange(12.0)}).to_parquet(tmp_path / f"data/raw/{name}.parquet")
    usual = {"columns": {"x": ["a"]}, "time": "t"}

    def alias(name: str, **changes: object) -> str | None:
        settings = config(**{**usual, "path": f"data/raw/{name}.parquet", **changes})
        return open_table(settings, tmp_path).reading.table.frequency

    assert alias("zoned") == "h"
    assert refusal(lambda: alias("naive"), f"{tmp_path}/data/raw/") == ("out-of-order", "naive.parquet, row 8, column 't'")
    assert alias("naive", time_zone="Europe/Berlin") == "h"
    unit = {"ns": "epoch ns", "us": "epoch us"}[times.unit]
    assert alias("epoch", time_format=unit) == "h"

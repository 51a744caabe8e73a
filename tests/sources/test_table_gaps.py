"""Tables whose times have gaps."""

import numpy as np
import pandas as pd
import pytest

from tests.refusals import refusal
from tests.sources.test_table import config, open_table, write
from unroll.data.source import SPLITS, Place
from unroll.readers.common.numbers import Numbers
from unroll.sources.common.stored import Labels

FORECAST = {"columns": {"x": ["a"]}, "targets": {"x": "forecast"}, "time": "t",
            "forecast": {"horizon": 2, "context": 3, "season": 1, "log": False, "start": "season", "window": "none", "stride": 1,
                         "eval_stride": 1, "eval_windows": None}}


def hours(*missing: int, count: int = 60) -> pd.DataFrame:
    times = pd.date_range("2015-01-30", periods=count, freq="h")
    return pd.DataFrame({"t": times, "a": np.arange(count)}).drop(index=list(missing))


def test_the_step_is_kept_with_the_data(tmp_path):
    write(tmp_path, hours(20).to_csv(index=False))
    reading = open_table(config(**FORECAST, gaps="split"), tmp_path).reading.table
    assert (reading.frequency, reading.gaps) == ("h", "split")
    reading = open_table(config(**FORECAST, gaps="ignore"), tmp_path).reading.table
    assert (reading.frequency, reading.gaps) == ("h", "ignore")
    write(tmp_path, "t,a\n" + "".join(f"{step**2},{step}\n" for step in range(60)))
    assert open_table(config(**FORECAST), tmp_path).reading.table.frequency is None


def test_a_series_is_split_where_steps_are_missing(tmp_path):
    write(tmp_path, hours(20, 22, 43).to_csv(index=False))
    source = open_table(config(**FORECAST, gaps="split"), tmp_path)
    values = {split: [piece["x"].ravel().tolist() for piece in source.pieces(split)] for split in SPLITS}
    assert values == {"train": [list(range(20)), list(range(23, 36))], "validation": [list(range(32, 43))],
                      "test": [list(range(44, 60))]}
    assert source.places("train") == [Place("1", 0, "2015-01-30"), Place("1", 21, "2015-01-30T23:00")], "rows, from 0 on"


@pytest.mark.parametrize(("gaps", "missing", "first", "time"), [
    ("split", "refuse", 41, "2015-01-31T20:00"), ("fill", "mask", 44, "2015-01-31T20:00"), ("ignore", "refuse", 41, ""),
])
def test_a_place_has_its_first_step_s_time_where_steps_are_regular(tmp_path, gaps, missing, first, time):
    write(tmp_path, hours(20, 22, 43).to_csv(index=False))
    assert open_table(config(**FORECAST, gaps=gaps, missing=missing), tmp_path).places("test")[0] == ("1", first, time)


def test_stretches_of_mixed_series_are_their_own(tmp_path):
    one, other = hours(20).assign(id="p"), hours(5).assign(id="q")
    other["a"] += 100
    write(tmp_path, pd.concat([one, other]).sort_values(["t", "id"]).to_csv(index=False))
    source = open_table(config(**FORECAST, gaps="split", series="id"), tmp_path)
    found = [piece["x"].ravel().tolist() for piece in source.pieces("train")]
    assert found == [list(range(20)), list(range(21, 36)), list(range(106, 136))]
    assert [place.name for place in source.places("train")] == ["p", "p", "q"]


@pytest.mark.parametrize(("changes", "error"), [
    ({"gaps": "refuse"}, ("bad-time", "1.csv, row 22, column 't'")), ({"gaps": "fill"}, ("missing-number", "data.gaps")),
    ({"gaps": "split", "frequency": "2h"}, ("bad-time", "data.frequency")),
    ({"gaps": "split", "frequency": "fortnight"}, ("bad-time", "data.frequency")),
    ({"gaps": "split", "time": None}, ("no-effect", "data.gaps")),
    ({"frequency": "h", "time": None}, ("no-effect", "data.frequency")),
    ({"gaps": "split", "targets": {"x": "next"}, "forecast": None}, ("unsupported", "data.gaps")),
], ids=str)
def test_gaps_are_refused_in_a_line(tmp_path, changes, error):
    write(tmp_path, hours(20).to_csv(index=False))
    assert refusal(lambda: open_table(config(**{**FORECAST, **changes}), tmp_path), f"{tmp_path}/data/raw/") == error


def test_times_without_a_step_are_refused_where_gaps_matter(tmp_path):
    write(tmp_path, "t,a\n" + "".join(f"{step**2},{step}\n" for step in range(60)))
    assert refusal(lambda: open_table(config(**FORECAST, gaps="split"), tmp_path)) == ("bad-time", "data.frequency")


def test_a_time_far_from_all_others_is_not_filled_up_to(tmp_path):
    table = hours()
    table.loc[0, "t"] -= pd.Timedelta(hours=540)
    write(tmp_path, table.to_csv(index=False))
    assert open_table(config(**FORECAST, gaps="fill", missing="mask"), tmp_path).reading.table.gaps == "fill"
    table.loc[0, "t"] -= pd.Timedelta(days=9999)
    write(tmp_path, table.to_csv(index=False))
    assert refusal(lambda: open_table(config(**FORECAST, gaps="fill", missing="mask"), tmp_path)) == (
        "too-large", f"{tmp_path}/data/raw/1.csv, row 3, column 't'")


def test_a_gap_is_written_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("unroll.readers.common.numbers.stretch_of", lambda width: 3)
    sizes, full = [], np.full
    monkeypatch.setattr(np, "full", lambda shape, value: sizes.append(shape[0]) or full(shape, value))
    filled = Numbers(tmp_path, [np.arange(4.0)[:, None]]).with_rows(tmp_path, np.array([1, 3]), np.array([7, 3]))
    assert sizes == [3, 3, 1, 3]
    assert np.flatnonzero(np.isfinite(np.concatenate([filled[at : at + 1] for at in range(14)]))).tolist() == [0, 8, 9, 13]


def test_rows_and_labels_are_filled_in(tmp_path, monkeypatch):
    numbers = Numbers(tmp_path, [np.arange(6.0).reshape(3, 2), np.arange(6.0, 10).reshape(2, 2)])
    filled = numbers.with_rows(tmp_path, np.array([1, 4]), np.array([2, 1]))
    assert np.isnan(filled[0:8]).any(axis=1).tolist() == [False, True, True, False, False, False, True, False]
    assert filled[3:6].tolist() == [[2, 3], [4, 5], [6, 7]]
    labels = Labels(tmp_path, [(np.array([0, 1, 0]), ["on", "off"])])
    assert labels.with_rows(tmp_path, np.array([2]), np.array([1]))[0:4].tolist() == ["on", "off", "", "on"]

"""Times of a file to predict from: the step that the model was trained on, what is missing, how they are written."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.prediction.conftest import CONTEXT, SEASON, Make, asked, shops
from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.commands.cli import main
from unroll.data.spec import Spec
from unroll.prediction.inputs import Inputs, read
from unroll.prediction.times import ahead

MONTHS = pd.date_range("2015-01-01", periods=60, freq="MS")
NEEDED = CONTEXT + SEASON


def spec_of(zoo: Make, **changes: Any) -> Spec:
    """Of a forecaster of three series of months; with other settings of its times."""
    spec = zoo("forecast").predictor.spec
    assert spec.reading.table is not None and spec.reading.table.frequency == "MS"
    table = spec.reading.table.model_copy(update=changes)
    return spec.model_copy(update={"reading": spec.reading.model_copy(update={"table": table})})


def given(folder: Path, times: Any, **others: Any) -> Path:
    file = folder / "given.csv"
    shops(times).to_csv(file, index=False, **others)
    return file


@pytest.mark.parametrize(("times", "own"), [
    (pd.date_range("2024-02-20", periods=60, freq="D"), "1 day apart"), (MONTHS[::2].repeat(1), "2 months apart"),
    (pd.date_range("2024-02-20", periods=60, freq="15min"), "15 minutes apart"),
    (pd.date_range("2024-02-20", periods=60, freq="B"), "1 business day apart"),
    (pd.to_datetime("2024-01-01") + pd.to_timedelta(np.cumsum(np.tile([1, 2, 3], 20)), unit="min"), "uneven distances"),
])
def test_rows_at_another_step_are_refused_and_both_are_named(zoo: Make, tmp_path: Path, times: Any, own: str) -> None:
    file, spec = given(tmp_path, times), spec_of(zoo)
    assert refusal(lambda: read(file, spec)) == ("conflict", f"{file}, column 'month'")
    with pytest.raises(Exception, match=f"{own}.* 1 month apart"):
        read(file, spec)


@pytest.mark.parametrize("times", [
    MONTHS, MONTHS[:2], pd.date_range("2015-01-31", periods=60, freq="ME"), np.arange(60), np.delete(MONTHS, [5, 20]),
])
def test_rows_at_its_step_are_read(zoo: Make, tmp_path: Path, times: Any) -> None:
    assert len(read(given(tmp_path, times), spec_of(zoo)).sequences[0]) == len(times)


def test_of_short_sequences_that_are_no_series_a_step_is_not_expected(zoo: Make, tmp_path: Path) -> None:
    spec = spec_of(zoo).model_copy(update={"layout": "items"})
    assert len(read(given(tmp_path, MONTHS[[0, 2, 4]]), spec).sequences) == 3
    uneven = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.cumsum(np.tile([1, 2, 3], 20)), unit="D")
    assert len(read(given(tmp_path, uneven), spec).sequences) == 3
    assert refusal(lambda: read(given(tmp_path, MONTHS[::2]), spec))[0] == "conflict"


def read_with(zoo: Make, folder: Path, missing: list[int], gaps: str) -> Inputs:
    return read(given(folder, np.delete(MONTHS, missing)), spec_of(zoo, gaps=gaps))


def test_of_series_that_are_split_the_last_stretch_is_read(zoo: Make, tmp_path: Path) -> None:
    inputs = read_with(zoo, tmp_path, [10, 30], "split")
    assert [len(sequence) for sequence in inputs.sequences] == [29, 29, 29]
    assert inputs.times is not None and inputs.times[0][0] == "2017-08-01"
    file, spec = given(tmp_path, np.delete(MONTHS, 60 - NEEDED)), spec_of(zoo, gaps="split")
    assert refusal(lambda: read(file, spec)) == ("too-short", f"{file}, row {60 - NEEDED + 2}, column 'month'")


def test_gaps_are_refused_or_filled_in(zoo: Make, tmp_path: Path) -> None:
    assert refusal(lambda: read_with(zoo, tmp_path, [10], "refuse")) == (
        "bad-time", f"{tmp_path}/given.csv, row 12, column 'month'")
    filled = read_with(zoo, tmp_path, [10, 30, 31], "fill").sequences
    assert [np.isnan(sequence).any(axis=1).nonzero()[0].tolist() for sequence in filled] == [[10, 30, 31]] * 3
    assert len(filled[0]) == 60
    assert len(read_with(zoo, tmp_path, [10], "ignore").sequences[0]) == 59


def test_predict_has_the_options_that_its_advice_names(
    zoo: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, model, out = given(tmp_path, MONTHS.strftime("%d.%m.%Y"), sep=";"), zoo("forecast").model, tmp_path / "out.csv"

    def error(*options: str) -> str:
        with pytest.raises(SystemExit) as stop:
            main(["predict", str(file), "-o", str(out), "--model", str(model), *options])
        assert stop.value.code == 2
        return capsys.readouterr().err

    assert "--delimiter" in error()
    assert "--time-format" in (line := error("--delimiter", ";")) and line.endswith("[bad-time]\n")
    main(["predict", str(file), "-o", str(out), "--model", str(model), "--delimiter", ";", "--time-format", "%d.%m.%Y"])
    assert pd.read_csv(out)["time"][0] == "01.01.2020"
    assert error("--time-format", "%H").endswith("[unknown-name]\n") and "[unknown-name]" in error("--encoding", "klingon")


def test_an_option_that_changes_nothing_is_refused(zoo: Make, tmp_path: Path) -> None:
    shops(MONTHS).to_parquet(tmp_path / "given.parquet")
    spec = spec_of(zoo)
    for path in (tmp_path / "given.parquet", tmp_path):
        assert refusal(lambda path=path: read(path, spec, changes={"delimiter": ";"})) == ("no-effect", "--delimiter")
    for wrong in ("", ";;"):
        assert refusal(lambda wrong=wrong: read(given(tmp_path, MONTHS), spec, changes={"delimiter": wrong})) == (
            "wrong-type", "--delimiter")
    assert read(given(tmp_path, MONTHS), spec, changes={"delimiter": ","}).names
    text = zoo("bytes")
    corpus = text.workspace.root / "data/raw/corpus.txt"
    assert refusal(lambda: read(corpus, text.prepared.spec, changes={"delimiter": ";"})) == ("no-effect", "--delimiter")
    assert read(corpus, text.prepared.spec, changes={"encoding": "utf-8"}).names
    other = spec_of(zoo, time=None, frequency=None)
    assert refusal(lambda: read(given(tmp_path, MONTHS), other, changes={"time_format": "%Y"})) == (
        "no-effect", "--time-format")


def test_a_file_in_another_encoding_is_read_by_its_option(zoo: Make, tmp_path: Path) -> None:
    file = given(tmp_path, MONTHS, encoding="cp1252")
    assert refusal(lambda: read(file, spec_of(zoo), changes={}))[0] == "unreadable"
    assert read(file, spec_of(zoo), changes={"encoding": "cp1252"}).names[2] == "süd"


def test_times_are_written_as_times(zoo: Make, tmp_path: Path) -> None:
    shops(MONTHS).assign(month=np.tile((MONTHS - pd.Timestamp(0)) // pd.Timedelta("1ms"), 3)).to_csv(
        tmp_path / "given.csv", index=False)
    out = tmp_path / "out.csv"
    main(["predict", str(tmp_path / "given.csv"), "-o", str(out), "--model", str(zoo("forecast").model), "--time-format",
          "epoch ms"])
    assert pd.read_csv(out)["time"][:2].tolist() == ["2020-01-01", "2020-02-01"]
    assert asked(zoo("forecast"), given(tmp_path, MONTHS), out)["time"][0] == "2020-01-01"


def test_times_in_parquet_have_a_type(zoo: Make, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert asked(zoo("forecast"), given(tmp_path, MONTHS), out)["time"][0] == pd.Timestamp("2020-01-01")
    assert asked(zoo("forecast"), given(tmp_path, np.arange(60)), out)["time"][0] == "60"
    shops(MONTHS).to_parquet(tmp_path / "given.parquet")
    main(["predict", str(tmp_path / "given.parquet"), "-o", str(out), "--model", str(zoo("forecast").model),
          "--time-format", "%d.%m.%Y"])
    assert pd.read_parquet(out)["time"][0] == pd.Timestamp("2020-01-01")


@pytest.mark.parametrize(("times", "form", "frequency", "expected"), [
    (["1640995200", "1640998800", "1641002400"], "epoch s", None, ["2022-01-01T03:00:00Z", "2022-01-01T04:00:00Z"]),
    (["1640995200000"], "epoch ms", "h", ["2022-01-01T01:00:00Z", "2022-01-01T02:00:00Z"]),
    (["1949.0", "1949.083", "1949.167"], "decimal year", "MS", ["1949-04-01", "1949-05-01"]),
    (["2015-Q2", "2015-Q3", "2015-Q4"], "%Y-Q%q", "QS", ["2016-Q1", "2016-Q2"]),
    (["2010年1月", "2010年2月", "2010年3月"], "%Y年%m月", "MS", ["2010年4月", "2010年5月"]),
    (["Jan 8 2000", "Jan 9 2000"], "%b %d %Y", "D", ["Jan 10 2000", "Jan 11 2000"]),
    (["2010年01月", "2010年02月", "2010年03月"], "%Y年%m月", "MS", ["2010年04月", "2010年05月"]),
    # a column of a file with types
    (["2024-01-31 10:00:00", "2024-01-31 11:00:00"], "%d.%m.%Y", "h", ["2024-01-31 12:00:00", "2024-01-31 13:00:00"]),
    (["2024-01-31 10:00:00", "2024-01-31 11:00:00"], "%Q", "h", ["2024-01-31 12:00:00", "2024-01-31 13:00:00"]),
    # steps are missing
    (["2020-01-31", "2020-03-31", "2020-04-30"], None, "ME", ["2020-05-31", "2020-06-30"]),
    (["2024-01-04", "2024-01-05"], None, "B", ["2024-01-08", "2024-01-09"]),
    (["2024-01-31T10:00", "2024-01-31T13:00", "2024-01-31T14:00"], None, "h", ["2024-01-31T15:00", "2024-01-31T16:00"]),
    (["2020-01-31", "2020-02-28", "2020-03-31"], None, "ME", ["2020-04-30", "2020-05-29"]),    # business days
    # few times look like another step
    (["2020-01-30", "2020-02-29", "2020-03-30"], None, "MS", ["2020-04-30", "2020-05-30"]),
    (["2020-01-17", "2020-02-21", "2020-03-20"], None, "MS", ["2020-04-20", "2020-05-20"]),
    (["2024-01-02 17:30", "2024-01-04 17:30", "2024-01-05 17:30"], None, "B", ["2024-01-08 17:30", "2024-01-09 17:30"]),
    (["2024-01-06 09:00"], None, "B", ["2024-01-08 09:00", "2024-01-09 09:00"]),
    # numbers
    (["1", "2"], None, "1", ["3", "4"]), (["7"], None, "0.5", ["7.5", "8"]), (["1", "2", "4", "6"], None, "1", ["7", "8"]),
    # clocks were set back
    (["2022-11-06 00:00", "2022-11-06 01:00", "2022-11-06 01:00", "2022-11-06 02:00"], None, "h",
     ["2022-11-06 03:00", "2022-11-06 04:00"]),
    (["2022-11-06 01:30", "2022-11-06 01:00", "2022-11-06 01:30"], None, "30min", ["2022-11-06 02:00", "2022-11-06 02:30"]),
])
def test_times_go_on_by_the_step_and_in_their_format(
    times: list[str], form: str | None, frequency: str | None, expected: list[str]
) -> None:
    assert ahead(times, 2, form, frequency) == expected


def test_lines_above_the_table_may_be_as_many_as_elsewhere(zoo: Make, tmp_path: Path) -> None:
    """A model of an export with lines above its header reads a file without them."""
    spec, file = spec_of(zoo), given(tmp_path, MONTHS)
    exported = spec.model_copy(update={"reading": spec.reading.model_copy(update={"skip": 3})})
    with pytest.raises(UserError, match=r"first 3 lines were skipped.* --skip") as caught:
        read(file, exported, changes={"skip": None})
    assert caught.value.code == "unknown-name"
    assert read(file, exported, changes={"skip": 0}).names == read(file, spec).names

"""Tables that declare their columns: ARFF, and the series of the Monash archive."""

from pathlib import Path

import pytest

from tests.refusals import refusal
from unroll.commands.init.dispatch import make_draft
from unroll.commands.init.draft import Options, Place
from unroll.data.spec import Reading
from unroll.readers import tsf
from unroll.readers.common.columns import Columns
from unroll.readers.common.tables import column_names, read_parts

ARFF = """% about
@RELATION weather

@attribute 'air\\'s temperature' NUMERIC
@attribute day date "yyyy-MM-dd"
@attribute sky {sunny, 'partly, cloudy'}
@data
% the first
20.5, 2020-01-01, sunny

?,2020-01-02,'partly, cloudy'
"""
TSF = """# about
@relation sales
@attribute series_name string
@attribute start_timestamp date
@frequency {frequency}
@missing true
@data
T1:2020-01-31 00-00-00:1,2.5,?
T2:2021-06-30 12-30-00:4
"""


def table(file: Path, text: str) -> Columns:
    file.write_text(text)
    return Columns(read_parts([file], Reading()))


def test_an_arff_file_is_a_table_of_its_attributes(tmp_path: Path) -> None:
    found = table(tmp_path / "a.arff", ARFF)
    assert column_names(tmp_path / "a.arff", Reading()) == ["air's temperature", "day", "sky"]
    assert found.texts("sky", None) == ["sunny", "partly, cloudy"]
    assert found.numbers(["air's temperature"], "", holes=True)[:, 0].tolist() == pytest.approx([20.5, float("nan")], nan_ok=True)
    assert found.where(1) == f"{tmp_path / 'a.arff'}, row 11"


@pytest.mark.parametrize(("change", "code", "where"), [
    (("@data", "@date"), "unreadable", "a.arff"), (("20.5, 2020-01-01, sunny", "{0 20.5}"), "unsupported", "a.arff, row 9"),
    ((", sunny\n", "\n"), "unequal-lengths", "a.arff, row 9"), (("NUMERIC", "relational"), "unsupported", "a.arff, row 4"),
])
def test_an_arff_file_that_is_not_read_is_refused(tmp_path: Path, change: tuple[str, str], code: str, where: str) -> None:
    assert refusal(lambda: table(tmp_path / "a.arff", ARFF.replace(*change)), f"{tmp_path}/") == (code, where)


@pytest.mark.parametrize(("frequency", "times"), [
    ("monthly", ["2020-01-31 00:00:00", "2020-02-29 00:00:00", "2020-03-31 00:00:00"]),
    ("quarterly", ["2020-01-31 00:00:00", "2020-04-30 00:00:00", "2020-07-31 00:00:00"]),
    ("yearly", ["2020-01-31 00:00:00", "2021-01-31 00:00:00", "2022-01-31 00:00:00"]),
    ("weekly", ["2020-01-31", "2020-02-07", "2020-02-14"]), ("daily", ["2020-01-31", "2020-02-01", "2020-02-02"]),
    ("half_hourly", ["2020-01-31 00:00:00", "2020-01-31 00:30:00", "2020-01-31 01:00:00"]),
    ("10_minutes", ["2020-01-31 00:00:00", "2020-01-31 00:10:00", "2020-01-31 00:20:00"]),
    ("4_seconds", ["2020-01-31 00:00:00", "2020-01-31 00:00:04", "2020-01-31 00:00:08"]),
])
def test_a_series_has_the_times_of_its_start_and_frequency(tmp_path: Path, frequency: str, times: list[str]) -> None:
    found = table(tmp_path / "a.tsf", TSF.format(frequency=frequency))
    assert column_names(tmp_path / "a.tsf", Reading()) == ["series_name", "time", "value"]
    assert [time[: len(times[0])] for time in found.texts("time", None)[:3]] == times
    assert found.texts("series_name", None) == ["T1", "T1", "T1", "T2"]
    assert found.texts("value", None) == ["1", "2.5", "?", "4"]
    assert found.texts("time", None)[3][:19] == "2021-06-30 12:30:00"
    assert found.where(3) == f"{tmp_path / 'a.tsf'}, row 9"


def test_steps_are_numbered_without_a_frequency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsf, "ROWS", 2)
    found = table(tmp_path / "a.tsf", TSF.replace("@frequency {frequency}\n", ""))
    assert found.texts("time", None) == ["1", "2", "3", "1"]


@pytest.mark.parametrize(("change", "code", "where"), [
    (("@data\n", ""), "unreadable", "a.tsf"), (("T2:2021-06-30 12-30-00:4", "T2"), "unequal-lengths", "a.tsf, row 9"),
    (("2021-06-30 12-30-00", "June"), "bad-time", "a.tsf, row 9"), (("daily", "often"), "unsupported", "a.tsf"),
])
def test_a_tsf_file_that_is_not_read_is_refused(tmp_path: Path, change: tuple[str, str], code: str, where: str) -> None:
    text = TSF.format(frequency="daily").replace(*change)
    assert refusal(lambda: table(tmp_path / "a.tsf", text), f"{tmp_path}/") == (code, where)


def test_init_drafts_a_forecast_of_a_monash_file(tmp_path: Path) -> None:
    file = tmp_path / "a.tsf"
    values = ",".join(str(step % 7) for step in range(60))
    head = TSF.format(frequency="daily").partition("T1")[0]
    file.write_text(head + "".join(f"T{n}:2020-01-01 00-00-00:{values}\n" for n in range(3)))
    draft = make_draft(Place("a", file, "data/raw/a/a.tsf", "data/raw/a", False), Options(horizon=2))
    assert {name: draft.data[name] for name in ("kind", "series", "time", "frequency", "columns")} == {
        "kind": "table", "series": "series_name", "time": "time", "frequency": "D", "columns": {"x": ["value"]}}

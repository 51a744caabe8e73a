"""Sheets of workbooks: as tables, and what may be wrong with them."""

import io
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from tests.refusals import refusal
from unroll.data.spec import Reading
from unroll.readers import xlsx
from unroll.readers.common.columns import Columns
from unroll.readers.common.tables import column_names, read_parts

PLAIN = [["day", "sold"], [datetime(2020, 1, 1), 3], [datetime(2020, 1, 2), 4.5], [datetime(2020, 1, 3), None]]


def book(file: Path, **sheets: list[list[Any]]) -> Path:
    written = openpyxl.Workbook()
    written.remove(written.active)
    for name, rows in sheets.items():
        sheet = written.create_sheet(name)
        for row in rows:
            sheet.append(row)
    written.save(file)
    return file


def texts(file: Path, **reading: Any) -> dict[str, list[str]]:
    table = Columns(read_parts([file], Reading(**reading)))
    return {name: table.texts(name, None) for name in column_names(file, Reading(**reading))}


def test_cells_are_texts_of_numbers_and_times(tmp_path):
    file = book(tmp_path / "a.xlsx", first=[
        ["when", "a", "b", "c", ""], [datetime(2020, 1, 1, 13, 30), 0.1, True, "x, y", None], [],
        [date(2020, 1, 2), -3, False, "", None]])
    assert texts(file) == {"when": ["2020-01-01 13:30:00", "2020-01-02 00:00:00"], "a": ["0.1", "-3"],
                           "b": ["true", "false"], "c": ["x, y", ""]}
    assert [*xlsx.row_numbers(file, Reading())] == [2, 4]


def test_hours_are_whole_ones(tmp_path):
    """A workbook keeps times as parts of a day."""
    hours = [datetime(2022, 1, 1) + timedelta(hours=at) for at in range(2000)]
    file = book(tmp_path / "a.xlsx", only=[["t", "y"], *([hour, 1] for hour in hours)])
    assert texts(file)["t"] == [hour.isoformat(sep=" ") for hour in hours]


def test_the_first_sheet_is_read_or_the_one_that_is_named(tmp_path):
    file = book(tmp_path / "a.xlsx", one=[["a"], [1]], two=[["b"], [2]])
    assert (texts(file), texts(file, sheet="two")) == ({"a": ["1"]}, {"b": ["2"]})
    assert refusal(lambda: texts(file, sheet="three")) == ("unknown-name", "data.sheet")
    assert "sheet" in xlsx.sniff(file, {})[1] and "sheet" not in xlsx.sniff(book(tmp_path / "b.xlsx", one=PLAIN), {})[1]


def test_rows_above_the_header_are_found(tmp_path):
    rows = [["Sales of the north"], [], PLAIN[0], [None, "kg"], *[[datetime(2020, 1, day), day] for day in range(1, 9)]]
    file = book(tmp_path / "a.xlsx", only=rows)
    reading, findings = xlsx.sniff(file, {})
    assert (reading.skip, reading.units, reading.header) == (2, True, True) and {"skip", "units"} <= findings.keys()
    assert Columns(read_parts([file], reading)).numbers(["sold"], "")[:, 0].tolist() == [*range(1, 9)]
    assert [*xlsx.row_numbers(file, reading)][:2] == [5, 6]


def test_what_pandas_writes_is_read(tmp_path):
    """Its rows are numbered in a column without a name."""
    pd.DataFrame({"t": pd.date_range("2020-01-01", periods=3), "y": [1.5, np.nan, 2]}).to_excel(tmp_path / "a.xlsx")
    assert texts(tmp_path / "a.xlsx") == {
        "": ["0", "1", "2"], "t": ["2020-01-01 00:00:00", "2020-01-02 00:00:00", "2020-01-03 00:00:00"], "y": ["1.5", "", "2"]}


def test_merged_years_above_the_names_are_no_numbers(tmp_path):
    file = book(tmp_path / "a.xlsx", only=[["2020", None, "2021", None], [*"abcd"], *[[1, 2, 3, 4]] * 9])
    reading, findings = xlsx.sniff(file, {})
    assert reading.header and "units" not in findings
    assert refusal(lambda: column_names(file, reading), f"{tmp_path}/") == ("missing-value", "a.xlsx, row 1, column 2")
    assert column_names(file, Reading(skip=1)) == [*"abcd"]


def test_a_table_without_a_header(tmp_path):
    file = book(tmp_path / "a.xlsx", only=[[1, 2], [3, 4]])
    assert not xlsx.sniff(file, {})[0].header
    assert texts(file, header=False) == {"column_1": ["1", "3"], "column_2": ["2", "4"]}


def test_decimal_commas_are_of_csv_alone(tmp_path):
    file = book(tmp_path / "a.xlsx", only=PLAIN)
    numbers = Columns(read_parts([file], Reading(decimal=",", thousands="."))).numbers(["sold"], "", holes=True)[:, 0]
    np.testing.assert_array_equal(numbers, [3, 4.5, np.nan])


@pytest.mark.parametrize(("rows", "code", "where"), [
    ([["2020", None, "kind"], [1, 2, "x"]], "missing-value", "row 1, column 2"),      # merged above two columns
    ([["a", "b"], [1, 2], [1, 2, 3], [1, 2]], "missing-value", "row 1, column 3"),
    ([["a", "b"], *[[1, 2]] * 300, [1, 2, 3]], "unequal-lengths", "row 302"),
    ([["a", "b"], [1, "=A2*2"]], "missing-number", "cell B2"),
    ([["a", "a"], [1, 2]], "ambiguous", ""), ([], "empty", ""), ([["a", "b"]], "empty", ""),
])
def test_what_is_wrong_in_a_sheet_is_one_line(tmp_path, rows, code, where):
    file = book(tmp_path / "a.xlsx", only=rows)
    place = f"a.xlsx, {where}" if where else "a.xlsx"
    assert refusal(lambda: texts(file), f"{tmp_path}/") == (code, place)


def test_formulas_have_the_values_that_were_computed(tmp_path):
    """An empty text may be one of them."""
    file = book(tmp_path / "a.xlsx", only=[["a", "b", "c"], [1, "=A2*2", '=IF(A2>0,"","x")'], [2, "=A3*2", "y"]])
    content = io.BytesIO(file.read_bytes())
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name.endswith("sheet1.xml"):
                part = part.replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>").replace(b"<f>A2*2</f><v></v>", b"<f>A2*2</f><v>2</v>")
                part = part.replace(b"<f>A3*2</f><v />", b"<f>A3*2</f><v>4</v>").replace(b"<f>A3*2</f><v></v>", b"<f>A3*2</f><v>4</v>")
                part = part.replace(b'<c r="C2">', b'<c r="C2" t="str">')
            new.writestr(name, part)
    assert texts(file) == {"a": ["1", "2"], "b": ["2", "4"], "c": ["", "y"]}


@pytest.mark.parametrize("content", [b"", b"PK", b"\xd0\xcf\x11\xe0 an encrypted one"])
def test_what_is_no_workbook_is_one_line(tmp_path, content):
    (tmp_path / "a.xlsx").write_bytes(content)
    assert refusal(lambda: texts(tmp_path / "a.xlsx"), f"{tmp_path}/") == ("unreadable", "a.xlsx")


def test_an_archive_that_is_no_workbook_is_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
    assert refusal(lambda: texts(tmp_path / "a.xlsx"), f"{tmp_path}/") == ("unreadable", "a.xlsx")

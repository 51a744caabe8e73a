"""What a CSV file has beside its rows is found, said, and left out whoever reads the file."""

from pathlib import Path
from typing import Any

import pytest

from tests.refusals import refusal
from unroll.commands.init.dispatch import make_draft
from unroll.commands.init.draft import Options, Place
from unroll.data.spec import Reading
from unroll.readers import csv
from unroll.readers.common.columns import Columns
from unroll.readers.common.tables import column_names, read_parts

PLAIN = "day,sold,left\n" + "".join(f"2020-01-{day:02},{day}.5,{day}\n" for day in range(1, 9))


def found(file: Path, text: str, **settings: Any) -> tuple[Reading, dict[str, str]]:
    file.write_text(text, encoding="utf-8")
    reading, findings = csv.sniff(file, settings)
    return reading, findings


def numbers(file: Path, reading: Reading, *columns: str) -> list[list[float]]:
    values: list[list[float]] = Columns(read_parts([file], reading)).numbers(columns, "").tolist()
    return values


BESIDE: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": (PLAIN, {}),
    "comments before": ("# a station, in the north\n# of the town\n" + PLAIN, {"comment": "#"}),
    "comments between": (PLAIN.replace("2020-01-03", "% moved\n2020-01-03"), {"comment": "%"}),
    "a comment that ends the file": (PLAIN + "# end", {"comment": "#"}),
    "lines before": ("Station: Berlin\nHeight: 36 m\n\n" + PLAIN, {"skip": 3}),
    "a line padded by a spreadsheet": ("Station: Berlin,,\n,,\n" + PLAIN, {"skip": 2}),
    "more lines before than rows": ("".join(f"note {n}\n" for n in range(12)) + PLAIN, {"skip": 12}),
    "lines and comments before": ("# raw\nBerlin\n" + PLAIN, {"skip": 2, "comment": "#"}),
    "units": (PLAIN.replace("left\n", "left\n,kWh,pieces\n"), {"units": True}),
    "a unit of one column": (PLAIN.replace("left\n", "left\nUTC,°C,\n"), {"units": True}),
    "all of it": ("# raw\nBerlin\n" + PLAIN.replace("left\n", "left\n-,[kWh],[1]\n# from here on\n"),
                  {"skip": 2, "comment": "#", "units": True}),
}


@pytest.mark.parametrize("name", BESIDE)
def test_lines_beside_the_rows_are_found_and_left_out(tmp_path: Path, name: str) -> None:
    text, settings = BESIDE[name]
    reading, findings = found(tmp_path / "a.csv", text)
    assert reading == Reading(delimiter=",", **settings)
    assert findings.keys() == {"encoding", "delimiter", "header", *settings}
    assert column_names(tmp_path / "a.csv", reading) == ["day", "sold", "left"]
    assert numbers(tmp_path / "a.csv", reading, "sold", "left") == [[day + 0.5, float(day)] for day in range(1, 9)]


def test_rows_keep_the_numbers_of_their_lines(tmp_path: Path) -> None:
    text, _ = BESIDE["all of it"]
    reading, _ = found(tmp_path / "a.csv", text)
    table = Columns(read_parts([tmp_path / "a.csv"], reading))
    assert [table.where(row) for row in (0, 7)] == [f"{tmp_path / 'a.csv'}, row {line}" for line in (6, 13)]


def test_what_looks_like_a_comment_within_quotation_marks_is_a_cell(tmp_path: Path) -> None:
    reading, _ = found(tmp_path / "a.csv", '# notes\na,b\n"x\n# y",1\nz,2\n')
    assert reading.comment == "#"
    assert Columns(read_parts([tmp_path / "a.csv"], reading)).texts("a", None) == ["x\n# y", "z"]


@pytest.mark.parametrize("text", [
    "#day,sold\n1,2\n3,4\n5,6\n",                       # a header
    "tag,count\n#a,1\n#b,2\nc,3\n",                     # names
    "name,\"x\"\nn1,1,2\nn2,3,4\nn3,5,6\n",             # R's header, which lacks a cell
    "day,sold\n2020-01-01,bad\n2020-01-02,2\n2020-01-03,3\n2020-01-04,4\n",     # a mistake
    "name,x,y\na,none?,no\na,1,2\nb,3,4\nb,5,6\n",
    "a,b\n1.234,2\n5.678,3\n", "a;b\n1,234;2\n5,678;3\n",                       # decimals
    "said\nyes\nno\nwell, yes\nno\nwell, no\nyes\n",       # texts
    "ip,b\n192.168.100.200,1\n10.0.0.1,2\n",
])
def test_what_may_be_a_row_or_a_number_is_no_finding(tmp_path: Path, text: str) -> None:
    reading, _ = found(tmp_path / "a.csv", text)
    assert (reading.comment, reading.skip, reading.units, reading.thousands) == (None, 0, False, None)


@pytest.mark.parametrize(("text", "thousands", "decimal", "values"), [
    ('a,b\n"1,234.5",1\n12,2\n"-12,345,678",3\n', ",", ".", [1234.5, 12.0, -12345678.0]),
    ('a,b\n"1,234",1\n999,2\n', ",", ".", [1234.0, 999.0]),
    ("a;b\n1.234,5;1\n0,25;2\n12;3\n", ".", ",", [1234.5, 0.25, 12.0]),
    ("a;b\n1,234.5;1\n2;2\n", ",", ".", [1234.5, 2.0]),
    ("a;b\n1'234.5;1\n2;2\n", "'", ".", [1234.5, 2.0]),
    ("a;b\n1\u00a0234,5;1\n2,5;2\n", "\u00a0", ",", [1234.5, 2.5]),
])
def test_thousands_are_found_and_read(tmp_path: Path, text: str, thousands: str, decimal: str, values: list[float]) -> None:
    reading, findings = found(tmp_path / "a.csv", text)
    assert (reading.thousands, reading.decimal) == (thousands, decimal) and "thousands" in findings
    assert [row[0] for row in numbers(tmp_path / "a.csv", reading, "a")] == values


def test_numbers_that_are_grouped_otherwise_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a\n"1,234"\n"1,23"\n')
    assert refusal(lambda: numbers(tmp_path / "a.csv", Reading(thousands=","), "a"), f"{tmp_path}/") == (
        "bad-number", "a.csv, row 3, column 'a'")


def test_init_writes_what_it_found(tmp_path: Path) -> None:
    top = tmp_path / "a.csv"
    rows = "".join(f'2020-01-{day % 28 + 1:02},"{1 + day % 7},{100 + day}.5"\n' for day in range(1, 29))
    top.write_text(f"Berlin\n# raw\nday,sold\n,kWh\n{rows}")
    draft = make_draft(Place("a", top, "data/raw/a/a.csv", "data/raw/a", False), Options(horizon=2, time="none"))
    assert {name: draft.data[name] for name in ("skip", "comment", "units", "thousands")} == {
        "skip": 2, "comment": "#", "units": True, "thousands": ","}


def test_settings_decide(tmp_path: Path) -> None:
    text, _ = BESIDE["all of it"]
    reading, findings = found(tmp_path / "a.csv", text, comment="", skip=2, units=True, thousands="")
    assert (reading.comment, reading.skip, reading.units, reading.thousands) == (None, 2, True, None)
    assert not {"comment", "skip", "units", "thousands"} & findings.keys()
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")
    assert column_names(tmp_path / "a.csv", Reading(skip=1)) == ["1", "2"]

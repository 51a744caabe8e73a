"""A table with a series in each row or column reads as one with a step in each row."""

import pyarrow as pa
import pyarrow.parquet
import pytest

from unroll.base.errors import UserError
from unroll.data.spec import Reading, TableReading, WideReading
from unroll.readers.common.columns import Columns
from unroll.readers.common.rows import find_sequences
from unroll.readers.common.tables import column_names, read_parts

ROWS = "id,place,V2,V3,V4,V5\na,north,1,2,3,\nb,south,NA,4,,5\nc,north,,,6,7\n"
COLUMNS = "day,a,b,c\n2024-01-01,1,,3\n2024-01-02,2,4,\n2024-01-03,,5,6\n2024-01-04,,,\n"


def table(path, text: str, keep: tuple[str, ...], series: str, columns=None) -> Columns:
    path.write_text(text)
    reading = Reading(wide=WideReading(keep=keep, series=series))
    assert column_names(path, reading) == [*keep, "name", "value"]
    return Columns(read_parts([path], reading, columns))


def rows(found: Columns, *names: str) -> list[tuple[str, ...]]:
    return [*zip(*(found.texts(name, None) for name in names), strict=True)]


def test_each_cell_of_a_row_is_a_step_but_for_those_before_the_first_value_and_after_the_last(tmp_path):
    found = table(tmp_path / "x.csv", ROWS, ("id", "place"), "rows")
    assert rows(found, "id", "place", "name", "value") == [
        ("a", "north", "V2", "1"), ("a", "north", "V3", "2"), ("a", "north", "V4", "3"),
        ("b", "south", "V3", "4"), ("b", "south", "V4", ""), ("b", "south", "V5", "5"),
        ("c", "north", "V4", "6"), ("c", "north", "V5", "7")]


def test_each_column_is_a_series_that_begins_with_its_first_value(tmp_path):
    found = table(tmp_path / "x.csv", COLUMNS, ("day",), "columns")
    assert sorted(rows(found, "name", "day", "value")) == [
        ("a", "2024-01-01", "1"), ("a", "2024-01-02", "2"), ("b", "2024-01-02", "4"), ("b", "2024-01-03", "5"),
        ("c", "2024-01-01", "3"), ("c", "2024-01-02", ""), ("c", "2024-01-03", "6")]
    reading = TableReading(series="name", time="day", time_format=None, joint="")
    sequences = find_sequences(found, reading)
    assert [(sequences[at].name, len(sequences[at].index)) for at in range(3)] == [("a", 2), ("c", 3), ("b", 2)]


@pytest.mark.parametrize("row", [1, 4])
def test_an_error_names_the_cell_of_the_file(tmp_path, row):
    text = {1: ROWS.replace(",2,3", ",two,3"), 4: ROWS.replace("NA,4,,5", "NA,4,-9x,5")}[row]
    found = table(tmp_path / "x.csv", text, ("id", "place"), "rows")
    with pytest.raises(UserError) as caught:
        found.numbers(["value"], "", holes=True)
    where = {1: "row 2, column 'V3'", 4: "row 3, column 'V4'"}[row]
    assert (caught.value.code, caught.value.where) == ("bad-number", f"{tmp_path / 'x.csv'}, {where}")
    assert found.where(3, "id") == f"{tmp_path / 'x.csv'}, row 3, column 'id'"


def test_columns_of_several_types_are_of_one(tmp_path):
    pa.parquet.write_table(pa.table({"id": ["a", "b"], "1": [1, 2], "2": [1.5, None], "3": pa.array([3, 4], pa.int8())}),
                           tmp_path / "x.parquet")
    reading = Reading(wide=WideReading(keep=("id",), series="rows"))
    found = Columns(read_parts([tmp_path / "x.parquet"], reading, ["id", "value"]))
    assert found.numbers(["value"], "", holes=True)[:, 0].tolist()[:4] == [1, 1.5, 3, 2]
    assert found.texts("id", None) == ["a"] * 3 + ["b"] * 3


@pytest.mark.parametrize(("keep", "code"), [(("who",), "unknown-name"), (("id", "name"), "ambiguous"),
                                            (("id", "name", "x"), "ambiguous")])
def test_a_column_that_cannot_be_kept_is_named(tmp_path, keep, code):
    (tmp_path / "x.csv").write_text("id,name,x\na,b,1\n")
    with pytest.raises(UserError) as caught:
        column_names(tmp_path / "x.csv", Reading(wide=WideReading(keep=keep, series="rows")))
    assert (caught.value.code, caught.value.where) == (code, str(tmp_path / "x.csv"))

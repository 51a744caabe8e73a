"""Tables of formats beside CSV and Parquet, and tables whose folders' names are columns."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.refusals import refusal
from unroll.commands.init.dispatch import make_draft
from unroll.commands.init.draft import Options, Place
from unroll.data.spec import Reading
from unroll.readers import feather, jsonl
from unroll.readers.common.columns import Columns
from unroll.readers.common.tables import column_names, read_parts
from unroll.sources import Access

TABLE = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=70_000, freq="h"), "name": "a",
                      "sold": [row / 4 for row in range(70_000)], "left": range(70_000)})


@pytest.mark.parametrize(("name", "compression"), [("a.feather", "lz4"), ("a.arrow", "uncompressed")])
def test_feather_is_read_by_blocks_in_the_order_asked_for(tmp_path: Path, name: str, compression: str) -> None:
    file = tmp_path / name
    TABLE.to_feather(file, compression=compression, chunksize=len(TABLE))         # type: ignore[arg-type]
    assert column_names(file, Reading()) == ["day", "name", "sold", "left"]
    table = Columns(read_parts([file], Reading(), ["left", "sold", "name"]))
    assert table.numbers(["sold", "left"], "")[-1].tolist() == [17_499.75, 69_999.0]
    assert table.where(69_999) == f"{file}, row 70000"
    assert max(map(len, feather.blocks_of(file, Reading(), ["left"]))) <= feather.ROWS


def test_what_is_no_feather_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.feather").write_text("a,b\n1,2\n")
    assert refusal(lambda: column_names(tmp_path / "a.feather", Reading()), f"{tmp_path}/") == ("unreadable", "a.feather")


def records(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n")
    return file


def test_json_lines_are_rows(tmp_path: Path) -> None:
    file = records(tmp_path / "a.jsonl", '{"a": 1.50, "b": "x", "c": true}', "", '{"c": false, "a": -2e3, "b": null}',
                   '{"b": "ž", "a": NaN}')
    table = Columns(read_parts([file], Reading()))
    assert table.texts("a", None) == ["1.50", "-2e3", "NaN"] and table.texts("b", None) == ["x", "", "ž"]
    assert table.texts("c", None) == ["true", "false", ""]
    assert table.where(2) == f"{file}, row 4"
    assert refusal(lambda: table.numbers(["a"], ""), f"{tmp_path}/") == ("missing-number", "a.jsonl, row 4, column 'a'")


def test_many_json_lines_may_be_compressed(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson.gz"
    file.write_bytes(gzip.compress("".join(json.dumps({"a": row}) + "\n" for row in range(40_000)).encode()))
    assert Columns(read_parts([file], Reading())).numbers(["a"], "")[:, 0].tolist() == [*map(float, range(40_000))]
    assert max(map(len, jsonl.blocks_of(file, Reading(), ["a"]))) <= jsonl.ROWS


@pytest.mark.parametrize(("line", "code", "where"), [
    ('{"a": 1, "z": 2}', "conflict", "row 2"), ('{"a": [1]}', "wrong-type", "row 2, column 'a'"),
    ('{"a": {"b": 1}}', "wrong-type", "row 2, column 'a'"), ('{"a": 1', "unreadable", "row 2"),
    ("[1]", "wrong-type", "row 2"), ("{}", "wrong-type", "row 2"),
])
def test_a_line_that_is_no_flat_record_of_the_same_keys_is_refused(tmp_path: Path, line: str, code: str, where: str
                                                                  ) -> None:
    file = records(tmp_path / "a.jsonl", '{"a": 1, "b": 2}', line)
    assert refusal(lambda: read_parts([file], Reading()), f"{tmp_path}/") == (code, f"a.jsonl, {where}")


def folders(top: Path) -> list[Path]:
    for year in (2015, 2016):
        for place in ("New%20York", "__HIVE_DEFAULT_PARTITION__"):
            (top / f"year={year}" / f"place={place}").mkdir(parents=True)
            pd.DataFrame({"sold": [year + 0.25, year + 0.5]}).to_parquet(top / f"year={year}/place={place}/part-0.parquet")
    (top / "_SUCCESS").touch()
    return sorted(top.rglob("*.parquet"))


def test_folders_named_after_a_value_are_columns(tmp_path: Path) -> None:
    files = folders(tmp_path / "sales")
    assert column_names(files[0], Reading()) == ["sold", "year", "place"]
    table = Columns(read_parts(files, Reading(), ["year", "sold"]))
    assert table.numbers(["sold", "year"], "")[[0, -1]].tolist() == [[2015.25, 2015.0], [2016.5, 2016.0]]
    assert Columns(read_parts(files, Reading(), ["place"])).texts("place", None)[:4] == ["New York"] * 2 + [""] * 2
    assert column_names(files[0], Reading(whole=True)) == ["sold"]


def test_a_column_of_the_file_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "year=1").mkdir()
    (tmp_path / "year=1" / "a.csv").write_text("year\n2\n")
    assert Columns(read_parts([tmp_path / "year=1" / "a.csv"], Reading())).texts("year", None) == ["2"]


def test_such_folders_are_one_table_and_no_classes(tmp_path: Path) -> None:
    top = tmp_path / "data" / "raw" / "sales"
    for year in range(2015, 2019):
        (top / f"year={year}").mkdir(parents=True)
        pd.DataFrame({"sold": [float(step % 7) for step in range(100)]}).to_csv(top / f"year={year}" / "a.csv", index=False)
    (top / "_SUCCESS").touch()
    draft = make_draft(Place("sales", top, "data/raw/sales", "data/raw/sales", False),
                       Options(inputs=("sold",), horizon=2))
    assert (draft.data["kind"], draft.data["path"]) == ("table", "data/raw/sales")
    assert [file.parent.name for file in draft.files] == [f"year={year}" for year in range(2015, 2019)]
    assert Access(tmp_path).files("data/raw/sales") == draft.files

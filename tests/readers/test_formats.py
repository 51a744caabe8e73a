"""Which format reads a file, and which way of correcting a mistake its errors name."""

import gc
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers import csv, endings, format_of, formats
from unroll.readers.common.advice import Way, corrected_by
from unroll.readers.common.columns import Columns
from unroll.readers.common.tables import read_parts
from unroll.readers.text import whole_text

FUNCTIONS = {
    "table": ("column_names", "blocks_of", "row_numbers", "SETTINGS"), "text": ("blocks",),
    "arrays": ("Arrays", "sequences", "sequences_of"),
    "labelled": ("blocks", "header", "sequences"), "sequences": ("sequences",),
}


def test_every_format_has_what_goes_with_what_it_holds() -> None:
    for module in formats():
        assert [name for name in FUNCTIONS[module.HOLDS] if not hasattr(module, name)] == [], module.__name__
        assert all(ending == ending.lower() and ending.startswith(".") for ending in module.ENDINGS)
        assert hasattr(module, "sniff") == bool(getattr(module, "SETTINGS", ()))


def test_an_ending_belongs_to_one_format() -> None:
    assert len(endings()) == len(set(endings()))


@pytest.mark.parametrize(("name", "holds", "format"), [
    ("a.csv", (), "csv"), ("a.TSV", (), "csv"), ("a.txt", (), "text"), ("a.txt", ("table",), "csv"),
    ("a.txt", ("text",), "text"), ("a.pq", ("table",), "parquet"), ("a.npz", ("arrays",), "npz"), ("a.npz", ("table",), None),
    ("a.npy", (), "npy"), ("a.ts", ("labelled",), "ts"), ("a.mat", (), "mat"), ("a.XLSX", (), "xlsx"), ("a", (), None),
])
def test_a_format_is_found_by_the_ending_among_those_that_make_sense(
    name: str, holds: tuple[str, ...], format: str | None
) -> None:
    found = format_of(Path(name), *holds)       # type: ignore[arg-type]
    assert (found and found.__name__.rpartition(".")[2]) == format


@pytest.mark.parametrize(("way", "advice"), [
    ("settings", " Is the decimal mark a comma? Set data.decimal to ','."),
    ("options", " Is the decimal mark a comma? Set --decimal to ','."),
    ("none", " Is the decimal mark a comma?"),
])
def test_a_mistake_is_corrected_by_what_exists_at_that_door(tmp_path: Path, way: Way, advice: str) -> None:
    (tmp_path / "a.csv").write_text('a\n"1,5"\n')
    (tmp_path / "b.txt").write_bytes("größe Größe größere".encode("cp1252"))
    with corrected_by(way):
        with pytest.raises(UserError) as caught:
            Columns(read_parts([tmp_path / "a.csv"], Reading())).numbers(["a"], "Give a number.")
        assert caught.value.text == f"'1,5' is no number.{advice}"
        with pytest.raises(UserError) as caught:
            whole_text(tmp_path / "b.txt", "utf-8")
    assert ("data." in caught.value.text) == (way == "settings") and ("--" in caught.value.text) == (way == "options")


def test_the_way_ends_with_its_block() -> None:
    with pytest.raises(ZeroDivisionError), corrected_by("options"):
        raise ZeroDivisionError
    with pytest.raises(UserError) as caught:
        whole_text(Path(__file__), "utf-9")
    assert caught.value.where == "data.encoding"


@pytest.mark.parametrize("text", ["a,b\n", "a,b\n1,2\n", "a,b\n1,2\n3\n"], ids=["no rows", "a row", "a short row"])
def test_nothing_holds_a_file_once_it_is_read(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that did while Python ends would abort the process, whose exit code is then another one."""
    (tmp_path / "a.csv").write_text(text)
    read = csv._Utf8.readinto

    def slow(file: csv._Utf8, buffer: Any) -> int:
        count = read(file, buffer)
        if not count:
            time.sleep(0.1)
        return count

    monkeypatch.setattr(csv._Utf8, "readinto", slow)
    with suppress(UserError):
        list(csv.blocks_of(tmp_path / "a.csv", Reading(), ["a"]))
    assert not any(isinstance(each, csv._Utf8) for each in gc.get_objects())

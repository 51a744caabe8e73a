"""Compressed files: what is in them is read as if it were not compressed, and each mistake has its line."""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.commands.init.dispatch import make_draft
from unroll.commands.init.draft import Options, Place
from unroll.data.spec import Reading
from unroll.readers import format_of, ts
from unroll.readers.common.columns import Columns
from unroll.readers.common.encodings import find_encoding
from unroll.readers.common.packed import ending_of, open_bytes, stem_of
from unroll.readers.common.tables import read_parts, table_format
from unroll.readers.text import whole_text

TABLE = "a,b\n" + "".join(f"{row},{row / 4}\n" for row in range(40_000))


def zstd(file: Path, content: bytes) -> None:
    with pa.CompressedOutputStream(str(file), "zstd") as out:
        out.write(content)


def archive(file: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return file


def zipped(file: Path, content: bytes) -> None:
    archive(file, **{"__MACOSX/._in.csv": "\x00", "folder/": "", f"folder/{file.stem}": content})


PACK: dict[str, Callable[[Path, bytes], object]] = {
    ".gz": lambda file, content: file.write_bytes(gzip.compress(content)),
    ".bz2": lambda file, content: file.write_bytes(bz2.compress(content)),
    ".xz": lambda file, content: file.write_bytes(lzma.compress(content)),
    ".zst": zstd, ".zip": zipped,
}


@pytest.mark.parametrize("packing", PACK)
def test_a_compressed_table_is_read_as_the_table(tmp_path: Path, packing: str) -> None:
    file = tmp_path / f"a.csv{packing}"
    PACK[packing](file, TABLE.encode())
    table = Columns(read_parts([file], Reading()))
    assert (ending_of(file), stem_of(file)) == (".csv", "a")
    assert table.numbers(["a", "b"], "")[-1].tolist() == [39_999.0, 9_999.75]
    assert table.where(39_999) == f"{file}, row 40001"


@pytest.mark.parametrize("packing", PACK)
def test_a_compressed_text_is_read_and_its_encoding_found(tmp_path: Path, packing: str) -> None:
    file, plain, text = tmp_path / f"a.txt{packing}", tmp_path / "b.txt", "größe Größe größere"
    plain.write_bytes(text.encode("cp1252"))
    PACK[packing](file, plain.read_bytes())
    assert find_encoding(file) == find_encoding(plain)
    assert whole_text(file, "cp1252") == text
    assert refusal(lambda: whole_text(file, "utf-8"), f"{tmp_path}/") == ("unreadable", file.name)


@pytest.mark.parametrize("packing", PACK)
def test_a_file_that_ends_early_is_refused(tmp_path: Path, packing: str) -> None:
    file = tmp_path / f"a.csv{packing}"
    PACK[packing](file, TABLE.encode())
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert refusal(lambda: read_parts([file], Reading()), f"{tmp_path}/") == ("unreadable", file.name)


@pytest.mark.parametrize("packing", PACK)
def test_a_file_of_something_else_is_refused(tmp_path: Path, packing: str) -> None:
    file = tmp_path / f"a.csv{packing}"
    file.write_text(TABLE)
    assert refusal(lambda: read_parts([file], Reading()), f"{tmp_path}/") == ("unreadable", file.name)


def test_a_damaged_byte_is_noticed(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", **{"a.csv": TABLE})
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    assert refusal(lambda: open_bytes(file).read(), f"{tmp_path}/") == ("unreadable", "a.zip")


def test_an_archive_has_one_file(tmp_path: Path) -> None:
    several = archive(tmp_path / "a.zip", **{"train.csv": TABLE, "test.csv": TABLE})
    with pytest.raises(UserError) as caught:
        format_of(several)
    assert caught.value.code == "ambiguous" and "'train.csv', 'test.csv'" in caught.value.text
    assert refusal(lambda: format_of(archive(tmp_path / "b.zip")), f"{tmp_path}/") == ("empty", "b.zip")
    leaving = archive(tmp_path / "c.zip", **{"../up.csv": TABLE})
    assert refusal(lambda: read_parts([leaving], Reading()), f"{tmp_path}/") == ("unsupported", "c.zip")
    assert format_of(archive(tmp_path / "d.zip", **{"d.csv": TABLE})).HOLDS == "table"      # type: ignore[union-attr]


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", **{"a.csv": "a\n1\n"})
    content = bytearray(file.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    file.write_bytes(content)
    assert refusal(lambda: format_of(file), f"{tmp_path}/") == ("unsupported", "a.zip")


@pytest.mark.parametrize(("name", "says"), [
    ("a.parquet.gz", "Unpack it"), ("a.xls", ".xlsx"), ("a.npz", "hold arrays, not a table"), ("a.docx", "end in .docx"),
    ("a", "without an ending"),
])
def test_a_file_that_is_not_read_is_refused_for_its_reason(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        table_format(tmp_path / name)
    assert caught.value.code == "unsupported" and says in caught.value.text


def test_labelled_cases_may_be_compressed(tmp_path: Path) -> None:
    file = tmp_path / "a.ts.gz"
    file.write_bytes(gzip.compress(b"@problemName a\n@timeStamps false\n@univariate true\n@equalLength true\n"
                                   b"@classLabel true x y\n@data\n1,2,3:x\n4,5,6:y\n"))
    assert ts.header(file)["problemname"] == "a"
    assert [sequence.tolist() for sequence in ts.sequences(file)] == [[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]


def test_files_that_hold_different_things_are_named(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.ts"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError) as caught:
        make_draft(Place("a", tmp_path, "data/raw/a", "data/raw/a", False), Options())
    assert caught.value.code == "ambiguous" and "(.csv)" in caught.value.text and "(.ts)" in caught.value.text
    (tmp_path / "c.docx").write_bytes(b"")
    with pytest.raises(UserError) as caught:
        make_draft(Place("a", tmp_path, "data/raw/a", "data/raw/a", False), Options())
    assert (caught.value.code, caught.value.where) == ("unsupported", str(tmp_path / "c.docx"))

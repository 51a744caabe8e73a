"""CSV and its relatives, parsed by pyarrow; every cell is text until something asks for a number or a time."""

import csv
import io
import time
import weakref
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers.common.advice import named, remedy
from unroll.readers.common.dialect import grouped_by
from unroll.readers.common.packed import ending_of
from unroll.readers.common.plain_rows import rows_alone
from unroll.readers.common.sniffing import sniff as sniff
from unroll.readers.text import blocks

HOLDS = "table"
ENDINGS = (".csv", ".tsv")
ALSO = (".txt",)
STREAMED = True
# of `Reading`, that say how it is written
SETTINGS = ("delimiter", "decimal", "encoding", "header", "skip", "comment", "units", "thousands")
RELEASE_SECONDS = 1
BLOCKS = (1 << 20, 1 << 26)     # bytes that pyarrow parses at a time, some thirty blocks ahead; where a row is longer,
                                # the next size


def column_names(file: Path, reading: Reading) -> list[str]:
    """Those of the first row, or column_1, column_2, … without a header; raises `UserError` on an empty file."""
    record = next(records(file, reading), None)
    if record is None:
        raise UserError("empty", file, "empty. Leave it out, or give a table with rows.")
    return list(record[1]) if reading.header else [f"column_{number + 1}" for number in range(len(record[1]))]


def blocks_of(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of consecutive rows of these columns, as text.

    Raises `UserError` naming a row of another number of cells.
    """
    names, done = column_names(file, reading), 0
    for size in BLOCKS:
        try:
            for block in _parsed(file, reading, columns, names, size, done):
                yield block
                done += len(block)
            return
        except pa.ArrowInvalid as error:        # a row may be longer than the block, or wrong
            reason = " ".join(str(error).split()).rstrip(".")
    raise _ragged(file, reading, len(names)) or UserError("unreadable", file, f"not CSV: {reason}.")


def _parsed(file: Path, reading: Reading, columns: Sequence[str], names: list[str], size: int, skip: int
            ) -> Iterator[Any]:
    """Tables of consecutive rows, without the first `skip` rows."""
    source: Any = _Utf8(rows_alone(blocks([file], reading.encoding), reading))
    held, parsed = weakref.ref(source), None
    try:
        parsed = pa.csv.open_csv(
            io.BufferedReader(source),
            pa.csv.ReadOptions(use_threads=False, block_size=size, column_names=None if reading.header else names),
            pa.csv.ParseOptions(delimiter=delimiter_of(file, reading), newlines_in_values=True),
            pa.csv.ConvertOptions(include_columns=list(columns), column_types=dict.fromkeys(columns, pa.string()),
                                  strings_can_be_null=False),
        )
        for batch in parsed:
            if skip < batch.num_rows:
                yield _without_thousands(pa.Table.from_batches([batch.slice(skip)]), reading.thousands)
            skip = max(0, skip - batch.num_rows)
    finally:
        # a thread of pyarrow's that still held the file while Python ends would abort the process
        source = parsed = None
        until = time.monotonic() + RELEASE_SECONDS
        while held() is not None and time.monotonic() < until:
            time.sleep(0.001)


def _without_thousands(table: Any, mark: str | None) -> Any:
    """Cells that are numbers with this mark between thousands, without it; others, such as texts, as they are."""
    if mark is None:
        return table
    pattern = rf"^\s*{grouped_by(mark).pattern}\s*$"
    return pa.table({name: pa.compute.if_else(pa.compute.match_substring_regex(column, pattern),
                                              pa.compute.replace_substring(column, mark, ""), column)
                     for name, column in zip(table.column_names, table.columns, strict=True)})


class _Utf8(io.RawIOBase):
    """Blocks of text as a file that can be read."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts, self._rest = texts, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            text = next(self._texts, None)
            if text is None:
                return 0
            self._rest = memoryview(text.encode())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def row_numbers(file: Path, reading: Reading) -> Iterator[int]:
    """The line on which each row starts, as an editor counts: cells may hold line ends; empty lines are no rows."""
    return (line for line, _ in islice(records(file, reading), int(reading.header), None))


def delimiter_of(file: Path, reading: Reading) -> str:
    return reading.delimiter or ("\t" if ending_of(file) == ".tsv" else ",")


def records(file: Path, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """Each row's first line and its cells, as pyarrow has them: empty lines are no rows."""
    delimiter = delimiter_of(file, reading)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise UserError("wrong-type", named("delimiter"), f"{delimiter!r} is not one ASCII character between cells. "
                        "Give ',', ';' or '\\t'.")
    csv.field_size_limit(BLOCKS[-1])     # texts are longer than the 128 KiB that the module expects of a cell
    reader = csv.reader(_lines(file, reading), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UserError("unreadable", f"{file}, row {line}", f"not CSV: {error}. Correct the row.") from None
        if cells is None:
            return
        if cells:
            yield line, cells


def _lines(file: Path, reading: Reading) -> Iterator[str]:
    rest = ""
    for block in rows_alone(blocks([file], reading.encoding), reading):
        *lines, rest = (rest + block).split("\n")
        yield from (line + "\n" for line in lines)
    if rest:
        yield rest


def _ragged(file: Path, reading: Reading, width: int) -> UserError | None:
    """Names the first row that has more cells than the first one, or fewer."""
    for line, cells in records(file, reading):
        if len(cells) != width:
            cause = "a quotation mark that is never closed" if any("\n" in cell for cell in cells) else (
                "a delimiter within a cell that is not quoted, or a cell left out")
            return UserError("unequal-lengths", f"{file}, row {line}", f"{len(cells)} cell{'s' * (len(cells) != 1)} "
                             f"where the first row has {width}: {cause}? Correct the row."
                             f"{remedy('Or is {} another one?', 'delimiter')}")
    return None

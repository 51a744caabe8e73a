"""CSV and Parquet files as Arrow columns, and on which line of its file a row stands."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from unroll.base.errors import UserError, nearest
from unroll.sources.text import blocks

PARQUET = (".parquet", ".pq")
CSV = (".csv", ".tsv", ".txt")
BLOCK = 1 << 26     # bytes that pyarrow parses at a time: a row may not be longer


class Format(NamedTuple):
    """How CSV is written; Parquet needs none of it."""

    delimiter: str
    decimal: str
    encoding: str
    header: bool


@dataclass(frozen=True)
class Part:
    """One file's columns; those of CSV are text, those of Parquet as they are."""

    file: Path
    format: Format
    table: Any          # pyarrow.Table

    def where(self, row: int) -> str:
        """The file and the row in it as an editor counts, from 1 on, the header included; Parquet has none."""
        if is_parquet(self.file):
            return f"{self.file}, row {row + 1}"
        return f"{self.file}, row {self._lines[row] if row < len(self._lines) else row + 1 + self.format.header}"

    @cached_property
    def _lines(self) -> list[int]:
        # where cells hold newlines and lines are empty, a row's number is not its line: only errors need to know
        records = list(_records(self.file, self.format))
        return [line for line, _ in records[int(self.format.header) :]]


def is_parquet(file: Path) -> bool:
    return file.suffix.lower() in PARQUET


def column_names(file: Path, form: Format) -> list[str]:
    """Of a file; raises `UserError` when it is empty, of another kind, or a name stands in it twice."""
    if is_parquet(file):
        names = list(_parquet(file, None).schema_arrow.names)
    elif file.suffix.lower() in CSV:
        record = next(_records(file, form), None)
        if record is None:
            raise UserError(f"{file}: empty. Leave it out, or give a table with rows.")
        names = list(record[1]) if form.header else [f"column_{number}" for number in range(1, len(record[1]) + 1)]
    else:
        raise UserError(f"{file}: not a table that is read here. Give CSV (.csv, .tsv, .txt) or Parquet (.parquet).")
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{file}: column {name!r} stands {names.count(name)} times. Give each column a name of "
                            "its own.")
    return names


def read_parts(files: Sequence[Path], form: Format, wanted: Sequence[str] | None = None) -> list[Part]:
    """The wanted columns of every file, or all of them; raises `UserError` when files disagree or have no rows."""
    parts = []
    first = column_names(files[0], form)
    for file in files:
        names = first if file == files[0] else column_names(file, form)
        if set(names) != set(first):
            differing = ", ".join(map(repr, sorted(set(names) ^ set(first))))
            raise UserError(f"{file}: its columns differ from those of {files[0]} in {differing}. Give files of the "
                            "same columns, or name one of them.")
        chosen = list(first if wanted is None else dict.fromkeys(wanted))
        for name in chosen:
            if name not in names:
                raise UserError(f"{file}: no column {name!r}; {_other(name, names, form)}")
        table = _parquet(file, chosen) if is_parquet(file) else _csv(file, form, names, chosen)
        if not len(table):
            raise UserError(f"{file}: no rows{' below the header' if form.header else ''}. Leave it out, or give some.")
        parts.append(Part(file, form, table))
    return parts


def _other(name: str, names: list[str], form: Format) -> str:
    seen = next((mark for mark in ";\t|," if len(names) == 1 and mark in names[0]), None)
    if seen is not None:
        return f"the whole line is one column, {names[0]!r}. Is data.delimiter {seen!r} instead of {form.delimiter!r}?"
    return nearest(name, names)


def _parquet(file: Path, columns: list[str] | None) -> Any:
    try:
        return pa.parquet.ParquetFile(file) if columns is None else pa.parquet.ParquetFile(file).read(columns)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{file}: not a Parquet file that can be read: {_one_line(error)}. Write it again.") from None


def _csv(file: Path, form: Format, names: list[str], chosen: list[str]) -> Any:
    text = "".join(blocks([file], form.encoding)).encode()
    try:
        return pa.csv.read_csv(
            io.BytesIO(text),
            pa.csv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=None if form.header else names),
            pa.csv.ParseOptions(delimiter=form.delimiter, newlines_in_values=True),
            pa.csv.ConvertOptions(include_columns=chosen, column_types=dict.fromkeys(chosen, pa.string()),
                                  strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise UserError(_ragged(file, form, len(names)) or f"{file}: not CSV: {_one_line(error)}.") from None


def _ragged(file: Path, form: Format, width: int) -> str | None:
    """The first row that has more cells than the first one, or fewer."""
    for line, cells in _records(file, form):
        if len(cells) != width:
            cause = "a quotation mark that is never closed" if any("\n" in cell for cell in cells) else (
                "a delimiter within a cell that is not quoted, or a cell left out")
            return (f"{file}, row {line}: {len(cells)} cell{'s' * (len(cells) != 1)} where the first row has {width}: "
                    f"{cause}? Mend the row, or set data.delimiter.")
    return None


def _records(file: Path, form: Format) -> Iterator[tuple[int, list[str]]]:
    """Each row's first line and its cells, as pyarrow has them: empty lines are none."""
    if len(form.delimiter) != 1 or not form.delimiter.isascii() or form.delimiter in '"\r\n':
        raise UserError(f"data.delimiter: {form.delimiter!r} is not one ASCII character between cells. Give ',', ';' "
                        "or '\\t'.")
    csv.field_size_limit(BLOCK)     # texts are longer than the 128 KiB that the module expects of a cell
    reader = csv.reader(_lines(file, form.encoding), delimiter=form.delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UserError(f"{file}, row {line}: not CSV: {error}. Mend the row.") from None
        if cells is None:
            return
        if cells:
            yield line, cells


def _lines(file: Path, encoding: str) -> Iterator[str]:
    rest = ""
    for block in blocks([file], encoding):
        *lines, rest = (rest + block).split("\n")
        yield from (line + "\n" for line in lines)
    if rest:
        yield rest


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")

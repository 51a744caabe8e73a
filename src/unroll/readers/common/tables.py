"""The columns of one table or of several files of one, whatever their format."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from unroll.base.errors import UserError, nearest
from unroll.data.spec import Reading
from unroll.readers import format_of, refusal
from unroll.readers.common.advice import named, remedy
from unroll.readers.common.folder_keys import keys_of, with_keys
from unroll.readers.common.spool import Spool
from unroll.readers.common.wide import place, unpivot, wide_names


@dataclass(frozen=True)
class Part:
    """One file's columns: text of CSV, typed of Parquet."""

    file: Path
    reading: Reading
    table: Any          # pyarrow.Table, or a Spool

    def blocks(self, columns: Sequence[str]) -> Iterator[Any]:
        """Tables of consecutive rows of some columns; a single one where all rows are in memory."""
        return self.table.blocks(columns) if isinstance(self.table, Spool) else iter([self.table])

    def where(self, row: int, column: str | None = None) -> str:
        """The file, the row in it as an editor counts, from 1 on, a header included, and the column."""
        if self.reading.wide is not None:
            row, step = place(row, *_read_twice(self.file, self.reading))
            column = column if column in self.reading.wide.keep else step
        numbers = iter(table_format(self.file).row_numbers(self.file, self.reading))    # only errors need them
        return f"{self.file}, row {next(islice(numbers, row, None))}" + (f", column {column!r}" if column else "")


def table_format(file: Path) -> ModuleType:
    """The format that reads a table; raises `UserError` when none does."""
    found = format_of(file, "table")
    if found is None:
        raise refusal(file, "table")
    return found


def column_names(file: Path, reading: Reading) -> list[str]:
    """Column names of a file; raises `UserError` when it is empty, in another format, or two columns share a name."""
    names: list[str] = table_format(file).column_names(file, reading)
    names = [*names, *(key for key in _keys(file, reading) if key not in names)]
    for name in names:
        if names.count(name) > 1:
            raise UserError("ambiguous", file, f"{names.count(name)} columns are named {name!r}. Give each a name of "
                            "its own.")
    return names if reading.wide is None else wide_names(file, names, reading.wide)


def whole(blocks: Iterator[Any]) -> Any:
    """One table in memory; of no blocks, nothing."""
    tables = list(blocks)
    return pa.concat_tables(tables) if tables else ()


def read_parts(files: Sequence[Path], reading: Reading, columns: Sequence[str] | None = None,
               keep: Callable[[Iterator[Any]], Any] = whole) -> list[Part]:
    """The columns of every file, by default all, kept in memory or by a `Spool`.

    Raises `UserError` when files disagree or have no rows.
    """
    parts = []
    first = column_names(files[0], reading)
    for file in files:
        names = first if file == files[0] else column_names(file, reading)
        if set(names) != set(first):
            differing = ", ".join(map(repr, sorted(set(names) ^ set(first))))
            raise UserError("conflict", file, f"its columns differ from those of {files[0]} in {differing}. Give files "
                            "of the same columns, or name one of them.")
        wanted = list(first if columns is None else dict.fromkeys(columns))
        for name in wanted:
            if name not in names:
                raise UserError("unknown-name", file, f"no column {name!r}; {_alternative(name, names, reading)}")
        table = keep(_blocks(file, reading, wanted))
        if not len(table):
            raise UserError("empty", file, f"no rows{' below the header' if reading.header else ''}. Leave it out, or "
                            "give some.")
        parts.append(Part(file, _own(file, reading), table))
    return parts


def _own(file: Path, reading: Reading) -> Reading:
    """How numbers are written in a file of its format, where that is in one way only."""
    plain = {"decimal": ".", "thousands": None}
    found = table_format(file).SETTINGS
    return reading.model_copy(update={name: value for name, value in plain.items() if name not in found})


def _keys(file: Path, reading: Reading) -> dict[str, str]:
    """Columns in the names of folders, which are something else where each file is a sequence."""
    return {} if reading.whole else keys_of(file)


def _blocks(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of consecutive rows of these columns."""
    if reading.wide is None:
        return _as_written(file, reading, columns)
    return unpivot(*_read_twice(file, reading), columns)


def _read_twice(file: Path, reading: Reading) -> tuple[Iterator[Any], Iterator[Any], list[str], Reading]:
    """All columns of a wide table, twice, and their names."""
    plain = reading.model_copy(update={"wide": None})
    names = column_names(file, plain)
    return _as_written(file, plain, names), _as_written(file, plain, names), names, reading


def first_rows(file: Path, reading: Reading) -> Any:
    """A table of all columns."""
    return next(_blocks(file, reading, column_names(file, reading)))


def _as_written(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    reader, keys = table_format(file), _keys(file, reading)
    if not keys:
        blocks: Iterator[Any] = reader.blocks_of(file, reading, columns)
        return blocks
    names = reader.column_names(file, reading)
    own = [name for name in columns if name in names] or names[:1]      # any column has as many rows
    return with_keys(reader.blocks_of(file, reading, own), keys, columns)


def _alternative(name: str, names: list[str], reading: Reading) -> str:
    mark = next((mark for mark in ";\t|," if len(names) == 1 and mark in names[0]), None)
    if mark is not None:
        return (f"the whole line is one column, {names[0]!r}. Is {named('delimiter')} {mark!r} instead of "
                f"{reading.delimiter or ','!r}?")
    skipped = "" if not reading.skip else remedy(
        f"Its first {reading.skip} lines were skipped, as set: {{}} says how many are.", "skip")
    return nearest(name, names) + skipped

"""Weka's ARFF: a table whose columns are declared before it."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers.common.lines import lines_of

HOLDS = "table"
ENDINGS = (".arff",)
STREAMED = True
SETTINGS = ()       # it is written in one way only
ROWS = 1 << 14      # that are handed on at a time
CELL = 1 << 26      # characters of a cell at most
ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{]+)\s*(.*)""", re.IGNORECASE)


def column_names(file: Path, reading: Reading) -> list[str]:
    return _header(file, lines_of(file))


def blocks_of(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of consecutive rows of these columns, as text; raises `UserError` naming a row's line."""
    lines = lines_of(file)
    names = _header(file, lines)
    places = [names.index(name) for name in columns]
    schema = pa.schema([(name, pa.string()) for name in columns])
    while rows := [_cells(file, line, text, len(names)) for line, text in islice(_rows(lines), ROWS)]:
        yield pa.Table.from_arrays([pa.array([row[at] for row in rows], pa.string()) for at in places], schema=schema)


def row_numbers(file: Path, reading: Reading) -> Iterator[int]:
    """Lines below @data."""
    lines = lines_of(file)
    _header(file, lines)
    return (line for line, _ in _rows(lines))


def _header(file: Path, lines: Iterator[tuple[int, str]]) -> list[str]:
    """The attributes' names; reads up to @data."""
    names: list[str] = []
    for line, text in lines:
        word = text.split()[0].lower() if text.split() else ""
        if word == "@data" and names:
            return names
        if word == "@attribute":
            found = ATTRIBUTE.match(text.strip())
            if found is None or found[2].lower().startswith("relational"):
                raise UserError("unsupported", f"{file}, row {line}", "an attribute that has a table in each cell, or "
                                "no name. Write the table as .csv, a row for each step.")
            names.append(_bare(found[1]))
    raise UserError("unreadable", file, "not an .arff file: it has no @attribute, or no @data below them. Write it "
                    "again, or as .csv.")


def _rows(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    return ((line, text) for line, text in lines if text.strip() and not text.lstrip().startswith("%"))


def _cells(file: Path, line: int, text: str, width: int) -> list[str]:
    if text.lstrip().startswith("{"):
        raise UserError("unsupported", f"{file}, row {line}", "a row of pairs, which leaves out zeros. Write every "
                        "value.")
    mark = "'" if "'" in text else '"'
    delimiter = "\t" if "\t" in text and "," not in text else ","
    csv.field_size_limit(CELL)
    cells = next(csv.reader([text.strip()], delimiter=delimiter, quotechar=mark, escapechar="\\",
                            skipinitialspace=True))
    if len(cells) != width:
        raise UserError("unequal-lengths", f"{file}, row {line}", f"{len(cells)} cells where there are {width} "
                        "attributes. Correct the row.")
    return [cell.strip() for cell in cells]


def _bare(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name[:1] in "'\"" else name

"""JSON lines: a record a line, whose keys are columns. As in CSV, every cell is text until something asks for more."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers.common.lines import lines_of

HOLDS = "table"
ENDINGS = (".jsonl", ".ndjson")
STREAMED = True
SETTINGS = ()       # it is UTF-8, with points in numbers
ROWS = 1 << 14      # that are handed on at a time
DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)      # numbers as they are written


def column_names(file: Path, reading: Reading) -> list[str]:
    """The keys of the first record."""
    for line, text in _lines(file):
        return list(_record(file, line, text))
    raise UserError("empty", file, "empty. Leave it out, or give a table with rows.")


def blocks_of(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of consecutive rows of these columns, as text; a key that a record lacks is an empty cell.

    Raises `UserError` naming the line of what is no flat record, or has a key that the first one lacks.
    """
    known = dict.fromkeys(column_names(file, reading))
    schema = pa.schema([(name, pa.string()) for name in columns])
    lines = _lines(file)
    while rows := [_row(file, line, text, known, columns) for line, text in islice(lines, ROWS)]:
        yield pa.Table.from_arrays([pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)], schema=schema)


def row_numbers(file: Path, reading: Reading) -> Iterator[int]:
    """Lines; empty ones are no rows."""
    return (line for line, _ in _lines(file))


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    return ((line, text) for line, text in lines_of(file) if text.strip())


def _row(file: Path, line: int, text: str, known: dict[str, None], columns: Sequence[str]) -> list[str]:
    record = _record(file, line, text)
    if record.keys() - known.keys():
        name = next(name for name in record if name not in known)
        raise UserError("conflict", f"{file}, row {line}", f"a key {name!r} that the first record lacks. Give the "
                        "first one all keys, with null where it has no value.")
    return [_cell(file, line, name, record.get(name)) for name in columns]


def _record(file: Path, line: int, text: str) -> dict[str, Any]:
    try:
        record = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise UserError("unreadable", f"{file}, row {line}", f"not JSON: {error}. Give a record a line.") from None
    if not isinstance(record, dict) or not record:
        raise UserError("wrong-type", f"{file}, row {line}", "not a record with keys. Give one a line, such as "
                        '{"day": "2020-01-01", "sold": 3}.')
    return record


def _cell(file: Path, line: int, name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        kind = "a record" if isinstance(value, dict) else "a list"
        raise UserError("wrong-type", f"{file}, row {line}, column {name!r}", f"{kind}, where a cell is one number or "
                        "one text. Write each of its values under a key of its own: in pandas, json_normalize.")
    return "" if value is None else json.dumps(value)

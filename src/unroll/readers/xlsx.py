"""Workbooks of Excel: the rows of one sheet. As in CSV, every cell is text until something asks for more."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from unroll.base.errors import UserError
from unroll.data.spec import Reading
from unroll.readers.common.advice import remedy
from unroll.readers.common.dialect import ABOVE, NUMBER, find_header
from unroll.readers.common.dialect import ROWS as SAMPLE
from unroll.readers.common.preamble import find_skip, find_units
from unroll.readers.common.sheets import Row, names_of, rows_of

HOLDS = "table"
ENDINGS = (".xlsx", ".xlsm")
SETTINGS = ("sheet", "skip", "header", "units")     # of `Reading`, that say where the table is
ROWS = 1 << 12      # that are handed on at a time


def column_names(file: Path, reading: Reading) -> list[str]:
    """Those of the first row, or column_1, column_2, … without a header; raises `UserError` on an empty sheet."""
    return [*_table(file, reading)[0].values()]


def blocks_of(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of consecutive rows of these columns, as text.

    Raises `UserError` naming a row that has a cell where the header has none.
    """
    names, rows = _table(file, reading)
    places = [next(at for at, name in names.items() if name == column) for column in columns]
    schema = pa.schema([(column, pa.string()) for column in columns])
    while block := list(islice(rows, ROWS)):
        for number, cells in block:
            stray = next((cell for at, cell in enumerate(cells) if cell.strip() and at not in names), None)
            if stray is not None:
                raise UserError("unequal-lengths", f"{file}, row {number}", f"{stray[:40]!r} in a column without a "
                                "name. Give it one in the header, or take the cell out.")
        cut = [[cells[at] if at < len(cells) else "" for at in places] for _, cells in block]
        yield pa.Table.from_arrays([pa.array(cells, pa.string()) for cells in zip(*cut, strict=True)], schema=schema)


def row_numbers(file: Path, reading: Reading) -> Iterator[int]:
    """As Excel counts; rows without a value are no rows."""
    return (number for number, _ in _table(file, reading)[1])


def sniff(file: Path, settings: Mapping[str, Any]) -> tuple[Reading, dict[str, str]]:
    """Where the table is, and in words what was found for each setting that `settings` does not decide."""
    known = {name: value for name, value in settings.items() if value is not None}
    findings: dict[str, str | None] = {}

    def decide(name: str, found: tuple[Any, str | None]) -> None:
        known[name], findings[name] = found

    if "sheet" not in known:
        sheets = names_of(file)
        decide("sheet", (None, f"{sheets[0]!r}, the first; beside it {', '.join(map(repr, sheets[1:]))}"
                         if len(sheets) > 1 else None))
    found = list(islice(rows_of(file, known["sheet"]), ABOVE + SAMPLE))
    if not found:
        raise _empty(file)
    places = [number - 1 for number, _ in found]
    if "skip" not in known:
        decide("skip", find_skip([cells for _, cells in found], places))
    width = max(len(cells) for _, cells in found)
    rows = [cells + [""] * (width - len(cells)) for place, (_, cells) in zip(places, found, strict=True)
            if place >= known["skip"]]
    if not rows:
        raise _empty(file)
    merged = _is_merged(found[-len(rows)][1], rows)
    if "units" not in known:
        decide("units", find_units(rows) if known.get("header", True) and not merged else (False, None))
    if "header" not in known:
        decide("header", (True, "the first row, in which cells are merged") if merged else find_header(
            rows[:1] + rows[1 + known["units"] :]))
    if not known["header"] and known["units"]:
        known["units"], findings["units"] = False, None
    return Reading(delimiter=",", **known), {name: reason for name, reason in findings.items() if reason is not None}


def _is_merged(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has gaps, and the second one names: even years above them are no numbers then."""
    return "" in first[1:] and len(rows) > 1 and not any(NUMBER.fullmatch(cell.strip()) for cell in rows[1])


def _table(file: Path, reading: Reading) -> tuple[dict[int, str], Iterator[Row]]:
    """The name of each column by its place, and the rows below the header."""
    rows = (row for row in rows_of(file, reading.sheet) if row[0] > reading.skip)
    first = next(rows, None)
    if first is None:
        raise _empty(file)
    if not reading.header:
        begun = [first, *islice(rows, SAMPLE)]
        return {at: f"column_{at + 1}" for at in range(max(len(cells) for _, cells in begun))}, chain(begun, rows)
    if reading.units:
        next(rows, None)
    below = list(islice(rows, SAMPLE))
    return _names(file, first, [cells for _, cells in below]), chain(below, rows)


def _names(file: Path, header: Row, rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """Names of the columns; one without any is a margin, or, as the first, numbers rows.

    Raises `UserError` where a column with values has none, as below merged cells.
    """
    number, names = header
    used = {at for cells in rows for at, cell in enumerate(cells) if cell.strip()}
    unnamed = [at for at in sorted(used) if at >= len(names) or not names[at].strip()]
    if unnamed and unnamed != [min(used)]:
        at = next(at for at in unnamed if at != min(used))
        raise UserError("missing-value", f"{file}, row {number}, column {at + 1}", "no name above its values. Cells of "
                        "the header may be merged: give each column a name of its own."
                        f"{remedy('Or is the header further down? {} are the rows above it.', 'skip')}")
    return {at: name for at, name in enumerate(names) if name.strip()} | dict.fromkeys(unnamed, "")


def _empty(file: Path) -> UserError:
    return UserError("empty", file, f"no rows in the sheet. Give one with a table.{remedy('Name it as {}.', 'sheet')}")

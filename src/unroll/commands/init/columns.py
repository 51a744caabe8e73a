"""What each column of a table holds: numbers, times or text."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.commands.init.draft import Options, report
from unroll.commands.init.numeric_times import numeric_form
from unroll.commands.init.stray import stray_cell
from unroll.commands.init.time_names import has_time_name
from unroll.data.spec import Reading
from unroll.readers.common.columns import NUMBER, Columns, is_date, is_number, to_numbers
from unroll.readers.common.forms import fits, forms
from unroll.readers.common.marks import MISSING, is_mark, without_marks, without_missing
from unroll.readers.common.tables import Part
from unroll.readers.common.times import EPOCHS, ISO, NOT_A_TIME, OFFSET, nanoseconds

NAMES = 12      # at most so many different cells are listed
CLASSES = 20    # at most so many different cells are names rather than numbers with a stray cell


@dataclass(frozen=True, eq=False)
class Column:
    """A column of all files; `values` are floats (N,) with NaN, nanoseconds (N,), or text."""

    name: str
    kind: str                   # number, time or text
    values: NDArray[Any]
    missing: float              # share of cells without a value
    forms: tuple[str | None, ...] = ()      # of times: formats that fit, None: ISO 8601
    local: bool = True      # of times: whether they are those of a clock on a wall, without an offset
    stray: UserError | None = None          # of text: names the cell that keeps it from being numbers or times
    word: tuple[int, str] | None = None     # row and text of the first cell that says that there is no value: NA

    @cached_property
    def names(self) -> set[str]:
        """All different texts."""
        return set(self.values.tolist())

    @cached_property
    def distinct(self) -> int:
        return len(pd.unique(self.present))

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """(N,) equal numbers of equal values, -1 where there is none; empty cells alone are none of texts."""
        if self.kind == "number":
            return np.asarray(pd.factorize(self.values)[0])
        if self.kind == "time":
            return np.where(self.values == NOT_A_TIME, -1, pd.factorize(self.values)[0])
        return np.where(self.values == "", -1, pd.factorize(self.values)[0])

    @cached_property
    def present(self) -> NDArray[Any]:
        """The values of cells that are not missing."""
        if self.kind == "text":
            known = np.array([str(cell).strip().lower() not in MISSING for cell in self.values])
        else:
            known = ~np.isnan(self.values) if self.kind == "number" else self.values != NOT_A_TIME
        return np.asarray(self.values[known])

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers."""
        return self.kind == "number" and bool((self.present == np.round(self.present)).all())

    @cached_property
    def of_series(self) -> bool:
        """Whether its cells hold several numbers each, with spaces between them."""
        words = [str(cell).replace(",", ".").split() for cell in self.present] if self.kind == "text" else []
        return any(len(cell) > 1 for cell in words) and all(NUMBER.fullmatch(word) for cell in words for word in cell)

    @property
    def labels(self) -> NDArray[Any]:
        """(N,) as text, one spelling per value."""
        if self.whole:
            return np.array(["" if np.isnan(value) else str(int(value)) for value in self.values], dtype=object)
        return np.array([str(value) for value in self.values], dtype=object)

    def describe(self) -> str:
        """The column in one line."""
        gaps = f", {self.missing:.1%} missing" if self.missing else ""
        if self.kind == "number":
            if not len(self.present):
                return f"no values{gaps}"
            kind = "whole numbers" if self.whole else "numbers"
            few = f", {self.distinct} different" if self.whole and self.distinct <= CLASSES else ""
            return f"{kind} {self.present.min():g} to {self.present.max():g}{few}{gaps}"
        if self.kind == "time":
            first, last = (pd.Timestamp(int(time)) for time in (self.present.min(), self.present.max()))
            return f"times {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, written as {self.forms[0] or ISO}{gaps}"
        if self.stray is not None:
            gaps = f"{gaps}; {self.stray.text}"
        sizes = [len(str(cell)) for cell in self.present]
        if self.distinct <= NAMES:
            return f"{self.distinct} names: {', '.join(map(str, sorted(pd.unique(self.present))))}{gaps}"
        kind = "numbers with spaces between them, in" if self.of_series else "text of"
        return f"{kind} {min(sizes):,} to {max(sizes):,} characters, {self.distinct:,} different{gaps}"


def find_columns(parts: Sequence[Part], time: str | None = None, form: str | None = None) -> list[Column]:
    """Every column with its kind, each reported.

    `form` is how the column `time` is written or, where no column is named, any that does not hold numbers. Raises
    `UserError` where none is written so.
    """
    columns = []
    for name in parts[0].table.column_names:
        chunks = [part.table[name] for part in parts]
        column = None if form is None or time not in (None, name) else _as_times(name, chunks, form, time is not None)
        column = column or _column(name, Columns(parts), chunks, parts[0].reading)
        report("column", f"{name!r}: {column.describe()}")
        columns.append(column)
    if form is not None and not any(column.forms == (form,) for column in columns):
        which = f"column {time!r} is not" if time else "no column of text is"
        raise UserError("bad-time", "--time-format", f"{which} written as {form!r}. Give a format of strptime, such as "
                        "'%d.%m.%Y', and the column as --time.")
    return columns


def refuse_stray_cells(columns: Sequence[Column], options: Options, named: Any = None) -> None:
    """Raise where a column of numbers or times would be left out, or become text, because of a stray cell.

    `named` recognises names of columns that tell sequences apart, which may be anything.
    """
    for column in columns:
        if column.stray is None or not _would_be_read(column, options, named):
            continue
        way = ("declare it a class: --task classify or tag" if column.name in options.targets
               else f"leave the column out: --kind {shlex.quote(column.name)}=none")
        raise UserError(column.stray.code, column.stray.where, f"{column.stray.text}. Correct it, or {way}.")


def _would_be_read(column: Column, options: Options, named: Any) -> bool:
    """Whether a column of numbers or times would be read, by the options and its name."""
    if options.kind_of(column.name) not in (None, "real", "static_real", "value", "values"):
        return False
    if column.name in options.targets:
        return options.task not in ("classify", "tag")
    if options.inputs or column.name == options.series or (options.targets and options.task == "forecast"):
        return False
    return column.distinct > CLASSES and not (named is not None and named.fullmatch(column.name.strip()))


def _as_times(name: str, chunks: list[Any], form: str, numbers: bool) -> Column | None:
    """A column of times if every cell has this form; a column of numbers is one only with `numbers`."""
    cells, present = _cells(chunks)
    if not present.any() or not fits(cells[present], form) or not (numbers or has_time_name(name) or any(
            NUMBER.fullmatch(cell.strip()) is None for cell in cells[present])):
        return None
    local = form not in EPOCHS and _local(cells[present])
    return Column(name, "time", nanoseconds(cells, form), float(1 - present.mean()), (form,), local)


def _local(cells: NDArray[Any]) -> bool:
    return OFFSET.search(str(cells[0]).strip()) is None


def _column(name: str, rows: Columns, chunks: list[Any], reading: Reading) -> Column:
    decimal, na_values = reading.decimal, reading.na_values
    if all(is_date(chunk.type) for chunk in chunks):
        stamps = pd.concat([chunk.cast(pa.timestamp("ns"), safe=False).to_pandas() for chunk in chunks])
        local = all(getattr(chunk.type, "tz", None) is None for chunk in chunks)
        return Column(name, "time", np.asarray(stamps.astype("int64")), float(stamps.isna().mean()), (None,), local)
    if all(is_number(chunk.type) and not pa.types.is_boolean(chunk.type) for chunk in chunks):
        values = np.concatenate([np.asarray(to_numbers(chunk, decimal)) for chunk in chunks])
        return _of_numbers(name, chunks, without_marks(values, na_values))
    if all(pa.types.is_boolean(chunk.type) for chunk in chunks):
        chunks = [chunk.cast(pa.string()) for chunk in chunks]      # two names, as prepare writes them
    if all(pa.types.is_string(chunk.type) for chunk in chunks):
        written = _written_numbers(chunks, reading)
        if written is not None:
            return _of_numbers(name, chunks, *written)
    cells, present = _cells(chunks)
    if na_values:
        present &= np.array([not is_mark(cell.strip(), na_values, decimal) for cell in cells], bool)
    missing = float(1 - present.mean())
    words = [(int(row), str(cells[row])) for row in np.flatnonzero(~present) if cells[row].strip()][:1]
    word = words[0] if words else None
    numbers = to_numbers(pa.chunked_array([[str(cell) for cell in cells[present]]], pa.string()), decimal)
    if numbers is not None:
        values = np.full(len(cells), np.nan)
        values[present] = numbers
        return _of_numbers(name, chunks, values, word)
    fitting = forms(cells[present]) if present.any() else ()
    if fitting:
        return Column(name, "time", nanoseconds(cells, fitting[0]), missing, fitting, _local(cells[present]), word=word)
    found = stray_cell(cells, np.flatnonzero(present), decimal)
    if found is None:
        return Column(name, "text", cells, missing, word=word)
    row, code, reason = found
    cell = shorten(str(cells[row]), 60)
    stray = UserError(code, rows.where(row, name), f"{cell!r} {reason}")
    return Column(name, "text", cells, missing, stray=stray, word=word)


def _written_numbers(chunks: list[Any], reading: Reading) -> tuple[NDArray[np.float64], tuple[int, str] | None] | None:
    """Cells of text that are numbers or missing, and the first that has a word for that; None where others are.

    Of millions of cells no objects of Python are made.
    """
    cells = pa.chunked_array([piece for chunk in chunks for piece in chunk.chunks], pa.string())
    values = to_numbers(without_missing(cells, reading.na_values), reading.decimal)
    if values is None:
        return None
    values = without_marks(values, reading.na_values)
    filled = pa.compute.fill_null(pa.compute.not_equal(pa.compute.utf8_trim_whitespace(cells), ""), False)
    rows = np.flatnonzero(np.isnan(values) & filled.to_numpy())[:1].tolist()
    return values, (rows[0], cells[rows[0]].as_py()) if rows else None


def _of_numbers(name: str, chunks: list[Any], values: NDArray[np.float64], word: tuple[int, str] | None = None
                ) -> Column:
    """Times where the numbers are rather these."""
    known = ~np.isnan(values)
    form = numeric_form(name, values[known]) if known.any() else None
    times = None if form is None else _as_times(name, chunks, form, True)
    return times or Column(name, "number", values, float(1 - known.mean()), word=word)


def _cells(chunks: list[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The cells as text, and which of them have a value."""
    if all(pa.types.is_string(chunk.type) for chunk in chunks):
        pieces = [piece for chunk in chunks for piece in chunk.chunks]
        text = pa.compute.fill_null(pa.chunked_array(pieces, pa.string()), "")
        return text.to_numpy(), ~np.asarray(without_missing(text).is_null().to_numpy())
    written = ["" if cell is None else str(cell) for chunk in chunks for cell in chunk.to_pylist()]
    cells = np.array(written, dtype=object)
    return cells, np.array([cell.strip().lower() not in MISSING for cell in cells])

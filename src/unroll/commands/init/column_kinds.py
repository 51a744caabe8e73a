"""What each column of a table holds: numbers, times or text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.commands.init.draft import Say
from unroll.commands.init.spoilt import spoilt
from unroll.commands.init.times import NAT, called, fits, forms, parse
from unroll.sources.columns import MISSING, NUMBER, Columns, to_numbers
from unroll.sources.tabular import Part


@dataclass(frozen=True, eq=False)
class Column:
    """A column of all files; `values` are floats (N,) with NaN, nanoseconds (N,), or text."""

    name: str
    kind: str                   # number, time or text
    values: NDArray[Any]
    missing: float              # share of cells without a value
    forms: tuple[str | None, ...] = ()      # of a time: formats that fit, None: ISO 8601
    spoilt: tuple[str, str] | None = None   # of text: a cell but for which it would be numbers or times; what it is

    @cached_property
    def distinct(self) -> int:
        return len(pd.unique(self.present))

    @cached_property
    def present(self) -> NDArray[Any]:
        if self.kind == "text":
            known = np.array([str(each).strip().lower() not in MISSING for each in self.values])
        else:
            known = ~np.isnan(self.values) if self.kind == "number" else self.values != NAT
        return np.asarray(self.values[known])

    @property
    def whole(self) -> bool:
        return self.kind == "number" and bool((self.present == np.round(self.present)).all())

    @property
    def labels(self) -> NDArray[Any]:
        """(N,) as text, one spelling a value."""
        if self.whole:
            return np.array(["" if np.isnan(each) else str(int(each)) for each in self.values], dtype=object)
        return np.array([str(each) for each in self.values], dtype=object)

    def describe(self) -> str:
        """One line."""
        gaps = f", {self.missing:.1%} missing" if self.missing else ""
        if self.kind == "number":
            if not len(self.present):
                return f"no values{gaps}"
            kind = "whole numbers" if self.whole else "numbers"
            few = f", {self.distinct} different" if self.whole and self.distinct <= 20 else ""
            return f"{kind} {self.present.min():g} to {self.present.max():g}{few}{gaps}"
        if self.kind == "time":
            first, last = (pd.Timestamp(int(each)) for each in (self.present.min(), self.present.max()))
            return f"times {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, written {called(self.forms[0])}{gaps}"
        if self.spoilt is not None:
            gaps = f"{gaps}; {self.spoilt[1]}"
        sizes = [len(str(each)) for each in self.present]
        if self.distinct <= 12:
            return f"{self.distinct} names: {', '.join(map(str, sorted(pd.unique(self.present))))}{gaps}"
        return f"text of {min(sizes):,} to {max(sizes):,} characters, {self.distinct:,} different{gaps}"


def find_kinds(parts: Sequence[Part], say: Say, time: str | None = None, form: str | None = None) -> list[Column]:
    """Every column's kind; each is said. `form` is how the column `time` is written, or, where none is named, any that

    is no number. Raises `UserError` where none is written so.
    """
    columns = []
    for name in parts[0].table.column_names:
        chunks = [part.table[name] for part in parts]
        column = None if form is None or time not in (None, name) else _time(name, chunks, form, time is not None)
        column = column or _kind(name, Columns(parts), chunks, parts[0].format.decimal)
        say.line("column", f"{name!r}: {column.describe()}")
        columns.append(column)
    if form is not None and not any(each.forms == (form,) for each in columns):
        which = f"column {time!r} is not" if time else "no column of text is"
        raise UserError(f"--time-format: {which} written as {form!r}. Give one as of strptime, '%d.%m.%Y' say, and the "
                        "column as --time.")
    return columns


def _time(name: str, chunks: list[Any], form: str, numbers: bool) -> Column | None:
    """Where every cell is written so; what looks like numbers may be one by name alone."""
    cells, present = _cells(chunks)
    if not present.any() or not fits(cells[present], form) or not (
            numbers or any(NUMBER.fullmatch(each.strip()) is None for each in cells[present])):
        return None
    return Column(name, "time", parse(cells, form), float(1 - present.mean()), (form,))


def _kind(name: str, rows: Columns, chunks: list[Any], decimal: str) -> Column:
    if all(pa.types.is_timestamp(chunk.type) or pa.types.is_date(chunk.type) for chunk in chunks):
        stamps = pd.concat([chunk.cast(pa.timestamp("ns"), safe=False).to_pandas() for chunk in chunks])
        return Column(name, "time", np.asarray(stamps.astype("int64")), float(stamps.isna().mean()), (None,))
    if all(_is_number(chunk.type) for chunk in chunks):
        values = np.concatenate([np.asarray(to_numbers(chunk, decimal)) for chunk in chunks])
        return Column(name, "number", values, float(np.isnan(values).mean()))
    cells, present = _cells(chunks)
    missing = float(1 - present.mean())
    numbers = to_numbers(pa.chunked_array([[str(cell) for cell in cells[present]]], pa.string()), decimal)
    if numbers is not None:
        values = np.full(len(cells), np.nan)
        values[present] = numbers
        return Column(name, "number", values, missing)
    fitting = forms(cells[present]) if present.any() else ()
    if fitting:
        return Column(name, "time", parse(cells, fitting[0]), missing, fitting)
    found = spoilt(cells, np.flatnonzero(present), decimal)
    if found is None:
        return Column(name, "text", cells, missing)
    row, why = found
    cell = shorten(str(cells[row]), 60)
    return Column(name, "text", cells, missing, spoilt=(rows.where(row, name), f"{cell!r} {why}"))


def _cells(chunks: list[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """As they are written, and which of them say anything."""
    written = ["" if each is None else str(each) for chunk in chunks for each in chunk.to_pylist()]
    cells = np.array(written, dtype=object)
    return cells, np.array([cell.strip().lower() not in MISSING for cell in cells])


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
                or pa.types.is_boolean(kind))

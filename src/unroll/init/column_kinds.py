"""What each column of a table holds: numbers, times or text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from unroll.init.draft import Say
from unroll.sources.columns import MISSING, to_numbers
from unroll.sources.tabular import Part

# a day before a month first: where both fit, the one that rises is taken
DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
         "%d %b %Y", "%d %B %Y", "%b %Y", "%B %Y", "%Y %b", "%b %d, %Y", "%B %d, %Y", "%m/%Y", "%Y/%m")
NO_TIME = np.iinfo(np.int64).min       # what pandas makes of a time that is missing
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


@dataclass(frozen=True, eq=False)
class Column:
    """A column of all files; `values` are floats (N,) with NaN, nanoseconds (N,), or text."""

    name: str
    kind: str                   # number, time or text
    values: NDArray[Any]
    missing: float              # share of cells without a value
    forms: tuple[str | None, ...] = ()      # of a time: formats that fit, None: ISO 8601

    @cached_property
    def distinct(self) -> int:
        return len(pd.unique(self.present))

    @property
    def present(self) -> NDArray[Any]:
        if self.kind == "text":
            known = np.array([str(each).strip().lower() not in MISSING for each in self.values])
        else:
            known = ~np.isnan(self.values) if self.kind == "number" else self.values != NO_TIME
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
            form = "ISO 8601" if self.forms[0] is None else self.forms[0]
            first, last = (pd.Timestamp(int(each)) for each in (self.present.min(), self.present.max()))
            return f"times {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, written {form}{gaps}"
        sizes = [len(str(each)) for each in self.present]
        if self.distinct <= 12:
            return f"{self.distinct} names: {', '.join(map(str, sorted(pd.unique(self.present))))}{gaps}"
        return f"text of {min(sizes):,} to {max(sizes):,} characters, {self.distinct:,} different{gaps}"


def find_kinds(parts: Sequence[Part], say: Say) -> list[Column]:
    """Every column's kind; each is said."""
    names = parts[0].table.column_names
    columns = []
    for name in names:
        column = _kind(name, [part.table[name] for part in parts], parts[0].format.decimal)
        say.line("column", f"{name!r}: {column.describe()}")
        columns.append(column)
    return columns


def _kind(name: str, chunks: list[Any], decimal: str) -> Column:
    if all(pa.types.is_timestamp(chunk.type) or pa.types.is_date(chunk.type) for chunk in chunks):
        stamps = pd.concat([chunk.cast(pa.timestamp("ns"), safe=False).to_pandas() for chunk in chunks])
        return Column(name, "time", np.asarray(stamps.astype("int64")), float(stamps.isna().mean()), (None,))
    if all(_is_number(chunk.type) for chunk in chunks):
        values = np.concatenate([np.asarray(to_numbers(chunk, decimal)) for chunk in chunks])
        return Column(name, "number", values, float(np.isnan(values).mean()))
    cells = np.array([str(each or "") if each is None or isinstance(each, str) else str(each)
                      for chunk in chunks for each in chunk.to_pylist()], dtype=object)
    present = np.array([cell.strip().lower() not in MISSING for cell in cells])
    missing = float(1 - present.mean())
    numbers = to_numbers(pa.chunked_array([[str(cell) for cell in cells[present]]], pa.string()), decimal)
    if numbers is not None:
        values = np.full(len(cells), np.nan)
        values[present] = numbers
        return Column(name, "number", values, missing)
    forms = _forms(cells[present]) if present.any() else ()
    if forms:
        return Column(name, "time", parse(cells, forms[0]), missing, forms)
    return Column(name, "text", cells, missing)


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
                or pa.types.is_boolean(kind))


def _forms(cells: NDArray[Any]) -> tuple[str | None, ...]:
    """The formats of dates that every cell has; those that rise come first."""
    sample = cells[:: max(1, len(cells) // 100)]
    if not all(any(digit in str(cell) for digit in "0123456789") for cell in sample):
        return ()
    dated = [date + clock for date in DATES for clock in CLOCKS if _is_written(str(cells[0]).strip(), date + clock)]
    fitting = [form for form in (None, *dated) if _fits(sample, form)]
    fitting = [form for form in fitting if _fits(cells, form)]
    return tuple(sorted(fitting, key=lambda form: not (np.diff(parse(cells, form)) > 0).all()))


def _is_written(cell: str, form: str) -> bool:
    try:
        datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def _fits(cells: NDArray[Any], form: str | None) -> bool:
    return bool(_stamps(cells, form).notna().all())


def parse(cells: NDArray[Any], form: str | None) -> NDArray[np.int64]:
    """(N,) nanoseconds since 1970."""
    return np.asarray(_stamps(cells, form).astype("datetime64[ns, UTC]").astype("int64"))


def _stamps(cells: NDArray[Any], form: str | None) -> Any:
    stripped = pd.Series([str(cell).strip() for cell in cells], dtype=object)
    return pd.to_datetime(stripped, format=form or "ISO8601", utc=True, errors="coerce")

"""Tables: a step a row, or, of text, a sequence a row."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.config.data import FUTURE, TableData
from unroll.data.source import Piece, Source
from unroll.data.spec import Reading, TableReading
from unroll.data.tokenizers import tokenizer_class
from unroll.sources.columns import Columns
from unroll.sources.held_out import hold_out
from unroll.sources.in_memory import WHOLE as WHOLE_TABLE
from unroll.sources.in_memory import Items, OneStream, Series
from unroll.sources.splits import cut
from unroll.sources.tabular import Format, read_parts
from unroll.sources.text import find_files

Values = dict[str, Any]         # of each field, all rows': a list of text, or an array (N,) or (N, F)
WHOLE = ("class", "value")      # targets of a sequence, not of a step


@dataclass(frozen=True)
class Rows:
    """A sequence's name and its rows, in order."""

    name: str
    index: NDArray[np.int64]


class Order(Protocol):
    """How rows form sequences: in the configuration, and in a spec."""

    @property
    def series(self) -> str | None: ...
    @property
    def time(self) -> str | None: ...
    @property
    def time_format(self) -> str | None: ...


def open_table(config: TableData, project: Path) -> Source:
    """CSV or Parquet below data/raw; raises `UserError` naming file, row and column, or the setting."""
    _check(config)
    source = _open(config, project)
    rows = TableReading(series=config.series, time=config.time, time_format=config.time_format, joint=_joint(config))
    source.columns = config.columns
    source.reading = Reading(encoding=config.encoding, delimiter=config.delimiter, decimal=config.decimal,
                             header=config.header, table=rows)
    return source


def _open(config: TableData, project: Path) -> Source:
    form = Format(config.delimiter, config.decimal, config.encoding, config.header)
    used = [name for names in config.columns.values() for name in names]
    used += [name for name in (config.series, config.time) if name is not None]
    table = Columns(read_parts(find_files(project, config.path), form, used))
    values = {field: _values(config, table, field) for field in config.columns}
    if config.series is None and "tokens" in config.inputs.values():
        return _items(config, _row_by_row(values), [str(row + 1) for row in range(len(table))])
    sequences = list(_sequences(config, table))
    if config.forecast is not None:
        (field,) = config.inputs
        return Series(field, [values[field][each.index] for each in sequences], [each.name for each in sequences],
                      config.forecast, config.validation, config.test)
    if config.series is None:
        return OneStream(values, cut(len(table), config.validation, config.test))
    pieces = [_piece(config, table, values, each) for each in sequences]
    return _items(config, pieces, [each.name for each in sequences])


def _check(config: TableData) -> None:
    """Whether the settings say of each field which columns it is, and go together; the schema knows the rest."""
    standing = {name for name, kind in config.targets.items() if kind in FUTURE}
    fields = {**config.inputs, **{name: kind for name, kind in config.targets.items() if name not in standing}}
    for name in config.columns:
        if name not in fields:
            raise UserError(f"data.columns.{name}: neither an input nor a target; {nearest(name, fields)}")
    for name, kind in fields.items():
        if not config.columns.get(name):
            raise UserError(f"data.columns.{name}: missing. Name the columns of {name}: [a, b].")
        if kind in ("tokens", "class", "tag") and len(config.columns[name]) > 1:
            raise UserError(f"data.columns.{name}: {kind} are read from one column, not {len(config.columns[name])}.")
    text = "tokens" in config.inputs.values()
    if text and config.tokenizer is None:
        raise UserError("data.tokenizer: missing. Inputs of kind tokens need one: choose data/tokenizer=char.")
    if config.forecast is not None and (len(config.inputs) > 1 or len(config.targets) > 1 or text):
        raise UserError("data.targets: a forecast is of one input of real numbers and stands alone. Name all of its "
                        "columns at that input.")
    if config.series is None:
        for name, kind in config.targets.items():
            if not text and kind in WHOLE:
                raise UserError(f"data.targets.{name}: one {kind} a sequence, but without data.series the table is a "
                                "single sequence. Name the column that tells sequences apart as data.series.")
            if text and kind not in (*WHOLE, "next"):
                raise UserError(f"data.targets.{name}: without data.series each row is a text of its own, which has "
                                f"one class or value, not {kind}. Name the column that tells texts apart.")
        if text and set(config.inputs.values()) != {"tokens"}:
            raise UserError("data.inputs: without data.series each row is a text of its own, and real numbers beside "
                            "it are no sequence. Name the column that tells sequences apart as data.series.")
        if text and config.time is not None:
            raise UserError("data.time: each row is a text of its own, so there is nothing to order. Set "
                            "data.time=null.")


def _values(config: TableData, table: Columns, field: str) -> Any:
    """A field's values in every row."""
    columns, target = config.columns[field], config.targets.get(field)
    what = f"data.columns.{field}"
    if config.inputs.get(field) == "tokens":
        return table.texts(columns[0], "an empty text. Leave the row out.")
    if field in config.inputs:
        return table.numbers(columns, f"{what} holds numbers alone: mend the cell, or leave the column out.")
    if target in ("class", "tag"):
        return np.array(table.texts(columns[0], f"an empty {target}. Give the row one, or leave it out."), dtype=str)
    if target == "labels":
        numbers = table.numbers(columns, f"{what} is 0 or 1 in each column, a label each.")
        for row, column in np.argwhere((numbers != 0) & (numbers != 1))[:1]:
            raise UserError(f"{table.where(int(row), columns[column])}: {numbers[row, column]:g} where a label is 0 or "
                            "1. For numbers choose values.")
        return numbers.astype(np.uint8)
    other = "class" if target == "value" else "tag"
    return table.numbers(columns, f"data.targets.{field} is a {target}, which needs numbers; if these are classes, "
                                  f"choose {other}.")


def _sequences(config: Order, table: Columns) -> Iterator[Rows]:
    """Each sequence's rows, sequences in the order of their first row; raises on rows that are out of order."""
    every = np.arange(len(table))
    names, codes = [WHOLE_TABLE], np.zeros(len(table), np.int64)
    if config.series is not None:
        import pandas as pd

        cells = table.texts(config.series, "empty. Each row needs the name of its sequence.")
        codes, found = pd.factorize(np.array(cells, dtype=object))
        names = [str(name) for name in found]
        if config.time is None:
            _contiguous(config.series, table, codes, names)
    order = np.argsort(codes, kind="stable")
    if config.time is not None:
        _rising(config, table, codes, order, names)
    starts = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for name, first, last in zip(names, starts, starts[1:], strict=False):
        yield Rows(name, every[order[first:last]])


def _contiguous(column: str, table: Columns, codes: NDArray[np.int64], names: list[str]) -> None:
    """Without a time, rows come in the file's order: a sequence that starts anew may be another of the same name."""
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    again = np.flatnonzero(codes[starts] != np.arange(len(starts)))     # codes count up as names are first met
    for row in starts[again[:1]]:
        raise UserError(f"{table.where(int(row), column)}: sequence {names[codes[row]]!r} goes on here after rows of "
                        "another. Sort the rows by sequence, give each sequence a name of its own, or name the column "
                        "that orders them as data.time.")


def _rising(
    config: Order, table: Columns, codes: NDArray[np.int64], order: NDArray[np.int64], names: list[str]
) -> None:
    assert config.time is not None
    stamps = table.times(config.time, config.time_format)
    same = codes[order][1:] == codes[order][:-1]
    wrong = np.flatnonzero(same & ~(stamps[order][1:] > stamps[order][:-1]))
    if not len(wrong):
        return
    before, row = int(order[wrong[0]]), int(order[wrong[0] + 1])
    cell, earlier = (table.cell(each, config.time) for each in (row, before))
    of = "" if config.series is None else f" of sequence {names[codes[row]]!r}"
    advice = "" if config.series is not None else \
        " If the rows are of several sequences, name the column that tells them apart as data.series."
    if stamps[row] == stamps[before]:
        raise UserError(f"{table.where(row, config.time)}: {cell!r} stands{of} already at {table.where(before)}. A "
                        f"sequence has one row a time: leave one of them out.{advice}")
    raise UserError(f"{table.where(row, config.time)}: {cell!r} comes{of} after {earlier!r} at {table.where(before)}. "
                    f"Sort the rows by time.{advice}")


def _row_by_row(values: Values) -> list[Piece]:
    count = len(next(iter(values.values())))
    return [{field: each[row] for field, each in values.items()} for row in range(count)]


def _piece(config: TableData, table: Columns, values: Values, rows: Rows) -> Piece:
    """A sequence of the table's rows. Cells of text stand one after another, words with a space between them.

    A row's tag is that of all its symbols.
    """
    piece: Piece = {}
    cells: list[str] = []
    for field, kind in config.inputs.items():
        if kind == "tokens":
            cells = [values[field][row] for row in rows.index]
            piece[field] = _joint(config).join(cells)
        else:
            piece[field] = values[field][rows.index]
    for field, target in config.targets.items():
        if target in WHOLE:
            piece[field] = _constant(config, table, values[field], field, rows)
        elif field in values and field not in config.inputs:
            own = values[field][rows.index]
            piece[field] = own if not cells else np.repeat(own, _counts(config, cells), axis=0)
    return piece


def _joint(config: TableData) -> str:
    """What stands between the texts of two rows of a sequence."""
    return "" if config.tokenizer is None else tokenizer_class(config.tokenizer.kind).joint


def _counts(config: TableData, cells: list[str]) -> list[int]:
    """Symbols of each cell."""
    assert config.tokenizer is not None
    kind = tokenizer_class(config.tokenizer.kind)
    return [kind.count(cell) for cell in cells]


def _constant(config: TableData, table: Columns, values: NDArray[Any], field: str, rows: Rows) -> Any:
    """What a sequence's every row says; raises at the first that says otherwise."""
    own = values[rows.index]
    differs = own != own[0]
    for at in np.flatnonzero(differs.reshape(len(own), -1).any(axis=1))[:1]:
        row = int(rows.index[at])
        column = config.columns[field][int(np.flatnonzero(np.atleast_1d(differs[at]))[0])]
        step = "tag" if config.targets[field] == "class" else "values"
        raise UserError(f"{table.where(row, column)}: {table.cell(row, column)!r} where sequence {rows.name!r} began "
                        f"with {table.cell(int(rows.index[0]), column)!r}. data.targets.{field} is one "
                        f"{config.targets[field]} a sequence: mend the row, or choose {step} for one a step.")
    return str(own[0]) if config.targets[field] == "class" else own[0]


def _items(config: TableData, pieces: list[Piece], names: list[str]) -> Items:
    for name, kind in config.targets.items():
        classes = {piece[name] for piece in pieces} if kind == "class" else set()
        if len(classes) == len(pieces) > 1:
            raise UserError(f"data.targets.{name}: each of {len(pieces)} sequences has a class of its own in column "
                            f"{config.columns[name][0]!r}. Name another column, or, if it is a number, choose value.")
    splits = hold_out(pieces, config.inputs, config.targets, config.validation, config.test, config.seed)
    return Items(pieces, splits, names)

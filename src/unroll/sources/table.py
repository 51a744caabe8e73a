"""Tables: a row is a step, or, for text, a sequence."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.config.data import FUTURE, STATIC
from unroll.config.sources.table import Settings
from unroll.data.source import UNKNOWN, Piece, Source
from unroll.data.spec import Reading, TableReading
from unroll.data.tokenizers import tokenizer_class
from unroll.readers.common.columns import Columns
from unroll.readers.common.constant import constant
from unroll.readers.common.rows import Rows, find_sequences
from unroll.readers.common.tables import read_parts
from unroll.sources.common.access import Access
from unroll.sources.common.memory import Items, OneStream, Series
from unroll.sources.common.splits import cut, hold_out

Values = dict[str, Any]         # of each field, all rows': a list of text, or an array (N,) or (N, F)
WHOLE = ("class", "value")      # targets of a sequence, not of a step
PER_STEP = {"class": "tag", "value": "values", "static_real": "real", "static_categories": "categories"}


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """A table of any format below data/raw; raises `UserError` naming file, row and column, or the setting."""
    _check(settings)
    rows = TableReading(series=settings.series, time=settings.time, time_format=settings.time_format,
                        joint=_joint(settings))
    reading = Reading(encoding=settings.encoding, delimiter=settings.delimiter, decimal=settings.decimal,
                      header=settings.header, table=rows)
    used = [name for names in settings.columns.values() for name in names]
    used += [name for name in (settings.series, settings.time) if name is not None]
    source = _open(settings, Columns(read_parts(access.files(settings.path), reading, used)), rows)
    source.columns, source.reading = settings.columns, reading
    return source, settings.path, settings.licence


def _open(settings: Settings, table: Columns, rows: TableReading) -> Items | OneStream | Series:
    values = {field: _values(settings, table, field) for field in settings.columns}
    if settings.series is None and "tokens" in settings.inputs.values():
        pieces = [{field: column[row] for field, column in values.items()} for row in range(len(table))]
        return _items(settings, pieces, [str(row + 1) for row in range(len(table))])
    sequences = find_sequences(table, rows)
    names = [sequence.name for sequence in sequences]
    if settings.forecast is not None:
        (field,) = settings.inputs
        series = [values[field][sequence.index] for sequence in sequences]
        return Series(field, series, names, settings.forecast, settings.validation, settings.test)
    if settings.series is None:
        return OneStream(values, cut(len(table), settings.validation, settings.test))
    return _items(settings, [_piece(settings, table, values, sequence) for sequence in sequences], names)


def _check(settings: Settings) -> None:
    """Whether the settings name the columns of each field, and agree; the schema checks the rest."""
    standing = {name for name, kind in settings.targets.items() if kind in FUTURE}
    fields = {**settings.inputs, **{name: kind for name, kind in settings.targets.items() if name not in standing}}
    for name in settings.columns:
        if name not in fields:
            raise UserError("unknown-name", f"data.columns.{name}", "neither an input nor a target; "
                            f"{nearest(name, fields)}")
    for name, kind in fields.items():
        if not settings.columns.get(name):
            raise UserError("missing-value", f"data.columns.{name}", f"missing. Name the columns of {name}: [a, b].")
        if kind in ("tokens", "class", "tag") and len(settings.columns[name]) > 1:
            raise UserError("unsupported", f"data.columns.{name}", f"{kind} are read from one column, not "
                            f"{len(settings.columns[name])}.")
    read = {column: name for name in settings.inputs for column in settings.columns[name]}
    for name in settings.targets:
        for column in settings.columns[name] if name not in settings.inputs else ():
            if column in read:
                raise UserError("conflict", f"data.columns.{name}", f"column {column!r} is read as the input "
                                f"{read[column]}, too, which gives the target away. Leave it out of one of them.")
    text = "tokens" in settings.inputs.values()
    if text and settings.tokenizer is None:
        raise UserError("missing-value", "data.tokenizer", "missing. Inputs of kind tokens need one: choose "
                        "data/tokenizer=char.")
    if settings.forecast is not None and (len(settings.inputs) > 1 or len(settings.targets) > 1 or text):
        raise UserError("unsupported", "data.targets", "a forecast has one input of real numbers and no other target. "
                        "Name all of its columns at that input.")
    if settings.series is None:
        _check_without_series(settings, text)


def _check_without_series(settings: Settings, text: bool) -> None:
    for name, kind in settings.targets.items():
        if not text and kind in WHOLE:
            raise UserError("conflict", f"data.targets.{name}", f"one {kind} a sequence, but without data.series the "
                            "table is a single sequence. Name the column that tells sequences apart as data.series.")
        if text and kind not in (*WHOLE, "next"):
            raise UserError("conflict", f"data.targets.{name}", "without data.series each row is a text of its own, "
                            f"which has one class or value, not {kind}. Name the column that tells texts apart.")
    for name, read in settings.inputs.items():
        if text and read not in ("tokens", *STATIC):
            raise UserError("conflict", f"data.inputs.{name}", "without data.series each row is a text of its own, "
                            f"and {read} beside it are no sequence. Set data.inputs.{name}=static_{read}, or name the "
                            "column that tells sequences apart as data.series.")
        if not text and read in STATIC:
            raise UserError("conflict", f"data.inputs.{name}", f"{read} of a sequence, but without data.series the "
                            "table is a single sequence. Name the column that tells sequences apart as data.series.")
    if text and settings.time is not None:
        raise UserError("no-effect", "data.time", "each row is a text of its own, so there is nothing to order. Set "
                        "data.time=null.")


def _values(settings: Settings, table: Columns, field: str) -> Any:
    """A field's values in every row."""
    columns, target = settings.columns[field], settings.targets.get(field)
    setting = f"data.columns.{field}"
    if settings.inputs.get(field) == "tokens":
        return table.texts(columns[0], "an empty text. Leave the row out.")
    if settings.inputs.get(field) in ("categories", "static_categories"):
        return np.stack([np.array(table.texts(column, None), dtype=str) for column in columns], axis=1)
    if field in settings.inputs:
        return table.numbers(columns, f"{setting} takes numbers only: correct the cell, or leave the column out.")
    if target in ("class", "tag"):
        return np.array(table.texts(columns[0], None), dtype=str)       # an empty cell is UNKNOWN
    if target == "labels":
        numbers = table.numbers(columns, f"{setting} is 0 or 1 in each column, a label each.", holes=True)
        known = ~np.isnan(numbers)
        for row, column in np.argwhere(known & (numbers != 0) & (numbers != 1))[:1]:
            raise UserError("bad-label", table.where(int(row), columns[column]), f"{numbers[row, column]:g} where a "
                            "label is 0 or 1. For numbers choose values.")
        return numbers.astype(np.uint8) if known.all() else numbers
    other = "class" if target == "value" else "tag"
    return table.numbers(columns, f"data.targets.{field} has kind {target}, which needs numbers; if these are classes, "
                                  f"choose {other}.", holes=True)


def _piece(settings: Settings, table: Columns, values: Values, rows: Rows) -> Piece:
    """A sequence of the table's rows: cells of text follow one another, and a row's values are those of its symbols."""
    piece: Piece = {}
    cells: list[str] = []
    for field, read in settings.inputs.items():
        if read == "tokens":
            cells = [values[field][row] for row in rows.index]
            piece[field] = _joint(settings).join(cells)
    for field, kind in {**settings.targets, **settings.inputs}.items():
        if kind in (*WHOLE, *STATIC):
            piece[field] = _constant(settings, table, values[field], field, rows)
        elif field in values and field not in piece:
            own = values[field][rows.index]
            piece[field] = own if not cells else np.repeat(own, _counts(settings, cells), axis=0)
    return piece


def _joint(settings: Settings) -> str:
    """The separator of the texts of two rows of a sequence."""
    return "" if settings.tokenizer is None else tokenizer_class(settings.tokenizer.kind).joint


def _counts(settings: Settings, cells: list[str]) -> list[int]:
    """Symbols of each cell."""
    assert settings.tokenizer is not None
    kind = tokenizer_class(settings.tokenizer.kind)
    return [kind.count(cell) for cell in cells]


def _constant(settings: Settings, table: Columns, values: NDArray[Any], field: str, rows: Rows) -> Any:
    """The value that every row of a sequence has, where it has one."""
    kind = {**settings.targets, **settings.inputs}[field]
    part = "inputs" if field in settings.inputs else "targets"
    value = constant(table, settings.columns[field], values, rows, f"data.{part}.{field} is one {kind} per sequence: "
                     f"correct the row, or choose {PER_STEP[kind]} for one per step.")
    return str(value) if kind == "class" else value


def _items(settings: Settings, pieces: list[Piece], names: list[str]) -> Items:
    for name, kind in settings.targets.items():
        given = [piece[name] for piece in pieces if piece[name] != UNKNOWN] if kind == "class" else []
        if len({*given}) == len(given) > 1:
            raise UserError("conflict", f"data.targets.{name}", f"each of {len(given)} sequences has a class of its "
                            f"own in column {settings.columns[name][0]!r}. Name another column, or, if it is a number, "
                            "choose value.")
    splits = hold_out(pieces, settings.inputs, settings.targets, settings.validation, settings.test, settings.seed)
    return Items(pieces, splits, names)

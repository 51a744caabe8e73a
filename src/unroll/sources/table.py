"""Tables: a row is a step, or, for text, a sequence. Their columns are kept on disk while they are read."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import CONTEXT, STATIC
from unroll.config.sources.table import Settings
from unroll.config.tokenizer import tokenizer_of
from unroll.data.npy import stretch_of
from unroll.data.source import Piece, Source
from unroll.data.spec import Reading, TableReading, WideReading
from unroll.data.tokenizers import Tokenizer, tokenizer_class
from unroll.readers.common.columns import Columns
from unroll.readers.common.constant import constant
from unroll.readers.common.frequency import Frequency
from unroll.readers.common.marks import marks
from unroll.readers.common.numbers import Numbers
from unroll.readers.common.own import own_of_row, own_of_rows
from unroll.readers.common.rows import find_sequences
from unroll.readers.common.sequences import Sequences
from unroll.readers.common.spool import Spool
from unroll.readers.common.steps import of_steps
from unroll.readers.common.tables import read_parts
from unroll.readers.common.timeline import Elapsed
from unroll.readers.common.wide import NAME
from unroll.sources.common.access import Access
from unroll.sources.common.calendars import calendars
from unroll.sources.common.columns import WHOLE, check_columns
from unroll.sources.common.gaps import find_missing, time_of
from unroll.sources.common.items import items_of
from unroll.sources.common.memory import Items, Lazy, OneStream
from unroll.sources.common.series import Series
from unroll.sources.common.splits import cut
from unroll.sources.common.stored import Labels, side_by_side
from unroll.sources.common.stored_texts import TextColumns, Texts

Values = dict[str, Any]         # of each field, all rows': Texts, or Numbers or Labels (N,) or (N, F)
PER_STEP = {"class": "tag", "value": "values", "static_real": "real", "static_categories": "categories"}


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """A table of any format below data/raw; raises `UserError` naming file, row and column, or the setting."""
    check_columns(settings)
    rows = TableReading(series=settings.series, time=settings.time, time_format=settings.time_format,
                        time_zone=settings.time_zone, joint=_joint(settings))
    wide = None if settings.wide is None else WideReading(
        keep=tuple(settings.wide), series="columns" if settings.series == NAME else "rows")
    reading = Reading(wide=wide, encoding=settings.encoding, delimiter=settings.delimiter, decimal=settings.decimal,
                      header=settings.header, skip=settings.skip, comment=settings.comment, units=settings.units,
                      thousands=settings.thousands, sheet=settings.sheet, na_values=marks(settings.na_values),
                      table=rows)
    used = [name for field, names in settings.columns.items() for name in names
            if settings.inputs.get(field) != "calendar"]
    used += [name for name in (settings.series, settings.time) if name is not None]
    spool = partial(Spool, access.scratch)
    table = Columns(read_parts(access.files(settings.path), reading, used, spool))
    source, frequency = _open(settings, table, rows, access.scratch)
    rows = rows if frequency is None else rows.model_copy(update={"frequency": frequency.alias, "gaps": settings.gaps})
    source.columns, source.reading = settings.columns, reading.model_copy(update={"table": rows})
    return source, settings.path, settings.licence


def _open(
    settings: Settings, table: Columns, rows: TableReading, scratch: Path | None
) -> tuple[Items | OneStream | Series, Frequency | None]:
    values = {field: _values(settings, table, field, scratch) for field in settings.columns
              if settings.inputs.get(field) != "calendar"}
    if settings.series is None and "tokens" in settings.inputs.values():
        pieces = Lazy(len(table), lambda row: {field: _of_row(settings, table, field, column, row)
                                               for field, column in values.items()})
        return items_of(settings, pieces, Lazy(len(table), lambda row: str(row + 1))), None
    sequences = find_sequences(table, rows, scratch)
    names = Lazy(len(sequences), sequences.name)
    if sequences.mixed:
        values = {field: column.moved(scratch, sequences.places) for field, column in values.items()}
    static = {name: _whole(settings, table, values.pop(name), name, sequences, scratch)
              for name, kind in settings.inputs.items() if kind in STATIC and settings.forecast is not None}
    if sequences.times is not None:
        values |= {field: Elapsed(sequences.times) for field, kind in settings.inputs.items() if kind == "gap"}
    frequency, gaps = find_missing(settings, table, sequences)
    offsets, stretches = sequences.offsets, None
    if gaps is not None and settings.gaps == "fill":
        values = {field: column.with_rows(scratch, gaps.rows, gaps.counts) for field, column in values.items()}
        offsets = gaps.filled(offsets)
    elif gaps is not None and settings.gaps == "split":
        stretches = gaps.stretches(offsets)
    if settings.forecast is not None:
        values |= calendars(settings, sequences, frequency, gaps, scratch)
        (field,) = (name for name, kind in settings.targets.items() if kind == "forecast")
        steps = {name: Lazy(len(sequences), partial(_steps, column, offsets)) for name, column in values.items()}
        inputs = {name: steps.pop(name) for name in settings.inputs if name in steps and name != field}
        return Series(field, steps.pop(field), names, settings.forecast, settings.validation, settings.test, steps,
                      stretches, settings.min_length,
                      time_of(sequences, frequency, gaps, settings.gaps), inputs, static), frequency
    if settings.series is None:
        step = stretch_of(sum(column.width for column in values.values()))
        return OneStream(values, cut(int(offsets[-1]), settings.validation, settings.test), step), frequency
    for field, kind in {**settings.targets, **settings.inputs}.items():
        if kind in (*WHOLE, *STATIC):
            values[field] = _whole(settings, table, values[field], field, sequences, scratch)
    pieces = Lazy(len(sequences), lambda at: _piece(settings, table, values, sequences, at))
    return items_of(settings, pieces, names), frequency


class Steps:
    """The steps of one sequence, read when they are asked for."""

    def __init__(self, values: Numbers | Labels, first: int, last: int) -> None:
        self._values, self._first, self._last = values, first, last

    def __len__(self) -> int:
        return self._last - self._first

    def __getitem__(self, steps: slice) -> NDArray[Any]:
        first, last, _ = steps.indices(len(self))
        return self._values[self._first + first : self._first + last]


def _steps(values: Numbers | Labels, offsets: NDArray[np.int64], at: int) -> Steps:
    return Steps(values, *offsets[at : at + 2].tolist())


def _values(settings: Settings, table: Columns, field: str, scratch: Path | None) -> Any:
    """A field's values in every row, checked."""
    columns, target = settings.columns[field], settings.targets.get(field)
    setting = f"data.columns.{field}"
    if settings.inputs.get(field) == "tokens":
        return Texts(scratch, table.text_blocks(columns[0], "an empty text. Leave the row out."))
    if settings.inputs.get(field) in CONTEXT:
        return TextColumns([Texts(scratch, table.text_blocks(column, None)) for column in columns])
    if settings.inputs.get(field) in ("categories", "future_categories", "static_categories"):
        return Labels(scratch, side_by_side(table.coded_blocks(column, None) for column in columns))
    if field in settings.inputs:
        need = f"{setting} takes numbers only: correct the cell, or leave the column out."
        return Numbers(scratch, table.number_blocks(columns, need, holes=settings.missing_numbers is not None))
    if target in ("class", "tag"):      # an empty cell is UNKNOWN
        return Labels(scratch, table.coded_blocks(columns[0], None))
    if target == "labels":
        need = f"{setting} is 0 or 1 in each column, a label each."
        return _labels(table, columns, Numbers(scratch, table.number_blocks(columns, need, holes=True)))
    other = "class" if target == "value" else "tag"
    need = f"data.targets.{field} has kind {target}, which needs numbers; if these are classes, choose {other}."
    return Numbers(scratch, table.number_blocks(columns, need, holes=True))


def _labels(table: Columns, columns: list[str], numbers: Numbers) -> Numbers:
    """The type of labels, which are 0, 1 or unknown: bytes where none is unknown."""
    complete = True
    for first in range(0, len(numbers), stretch_of(numbers.width)):
        block = numbers[first : first + stretch_of(numbers.width)]
        known = ~np.isnan(block)
        complete &= bool(known.all())
        for row, column in np.argwhere(known & (block != 0) & (block != 1))[:1]:
            raise UserError("bad-label", table.where(first + int(row), columns[column]), f"{block[row, column]:g} "
                            "where a label is 0 or 1. For numbers choose values.")
    return numbers.read_as(np.uint8) if complete else numbers


def _piece(settings: Settings, table: Columns, values: Values, sequences: Sequences, at: int) -> Piece:
    """A sequence of the table's rows."""
    piece: Piece = {}
    steps: Values = {}
    rows = slice(*sequences.offsets[at : at + 2].tolist())
    for field, kind in {**settings.targets, **settings.inputs}.items():
        if kind in (*WHOLE, *STATIC):
            piece[field] = str(values[field][at]) if kind == "class" else values[field][at]
        elif kind in CONTEXT:
            piece[field] = own_of_rows(
                table, settings.columns[field], values[field][rows], _held(kind),
                partial(sequences.__getitem__, at), f"data.inputs.{field} is one {kind} per sequence: correct the row, "
                "or leave all but one empty.")
        elif field in values:
            steps[field] = values[field][rows]
    tokenizer = _tokenizer(settings)
    return piece | of_steps(steps, _text(settings), _joint(settings), len if tokenizer is None else tokenizer.count)


def _of_row(settings: Settings, table: Columns, field: str, column: Any, row: int) -> Any:
    """A field's value in a row that is a sequence of its own."""
    kind = settings.inputs.get(field)
    if kind not in CONTEXT:
        return column[row]
    return own_of_row(table, settings.columns[field], column[row], _held(kind), lambda _: row)


def _held(kind: str) -> Any:
    """What a cell of a context holds several of."""
    return kind.removeprefix("context_")


def _joint(settings: Settings) -> str:
    """The separator of the texts of two rows of a sequence."""
    tokenizer = _tokenizer(settings)
    return "" if tokenizer is None else tokenizer.joint


def _text(settings: Settings) -> str | None:
    """The text whose symbols are steps, where there is one."""
    return next((name for name, kind in settings.inputs.items() if kind == "tokens"), None)


def _tokenizer(settings: Settings) -> type[Tokenizer] | None:
    text = _text(settings)
    own = None if text is None else tokenizer_of(settings.tokenizer, text)
    return None if own is None else tokenizer_class(own.kind)


def _whole(settings: Settings, table: Columns, column: Numbers | Labels, field: str, sequences: Sequences,
           scratch: Path | None) -> Numbers | Labels:
    """The value of each sequence that all of its rows have, where they have one."""
    kind = {**settings.targets, **settings.inputs}[field]
    part = "inputs" if field in settings.inputs else "targets"

    def differing(at: int, own: NDArray[Any]) -> Any:
        return constant(table, settings.columns[field], own, partial(sequences.__getitem__, at), f"data.{part}.{field} "
                        f"is one {kind} per sequence: correct the row, or choose {PER_STEP[kind]} for one per step.")

    return column.of_sequences(scratch, sequences.offsets, differing)

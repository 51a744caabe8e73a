"""Tables → a draft: the task follows from the columns, or from the options."""

import shlex
from pathlib import Path
from typing import get_args

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column, find_columns, refuse_stray_cells
from unroll.commands.init.draft import Draft, Options, Place, known, report
from unroll.commands.init.forecasts import draft_forecast
from unroll.commands.init.missing_values import check_marks
from unroll.commands.init.next_steps import KINDS_OF_NEXT, draft_next
from unroll.commands.init.order import LABEL, SERIES, find_roles, likely_sequences
from unroll.commands.init.questions import Undecided
from unroll.commands.init.reading import find_reading
from unroll.commands.init.roles import Roles, Where
from unroll.commands.init.rows_of_text import draft_rows_of_text
from unroll.commands.init.steps import draft_steps
from unroll.commands.init.table import Table
from unroll.commands.init.targets import WORDS, find_targets
from unroll.commands.init.wide import find_wide
from unroll.config.data import Input
from unroll.readers.common.columns import Columns
from unroll.readers.common.tables import read_parts
from unroll.readers.common.times import ISO

COLUMNS = tuple(kind for kind in get_args(Input) if kind != "calendar")
KINDS = (*COLUMNS, "class", "tag", "value", "values", *KINDS_OF_NEXT, "none")
LONG = 15       # characters of a cell, on average: rather text than a name


def draft_table(place: Place, files: list[Path], options: Options) -> Draft:
    reading = find_reading(files, options).model_copy(update={"na_values": options.marks})
    reading, options = find_wide(files, reading, options)
    parts = read_parts(files, reading)
    rows = sum(len(part.table) for part in parts)
    report("table", f"{rows:,} rows, {len(parts[0].table.column_names)} columns"
                    + (f" in {len(files):,} files" if len(files) > 1 else ""))
    if options.time == "none" and options.time_format is not None:
        raise UserError("conflict", "--time-format", "--time none leaves no column to be read so. Leave one of them "
                        "out.")
    if options.time not in (None, "none"):
        known(options.time or "", parts[0].table.column_names, "--time")
    for name, kind in options.kinds:
        known(name, parts[0].table.column_names, "--kind")
        known(kind, KINDS, f"--kind {name}={kind}")
    columns = find_columns(parts, options.time, options.time_format)
    refuse_stray_cells(columns, options, SERIES)
    where = Columns(parts).where
    check_marks(columns, options, where)
    texts = _texts(columns, options, where)
    if texts:
        roles = Roles({column.name: column for column in columns}, where)
        return draft_rows_of_text(Table(place, files, reading, roles), texts, options)
    roles = find_roles(columns, options, where)
    table, time = Table(place, files, reading, roles, options.time_zone), roles.time
    if options.time_zone is not None and time is None:
        raise UserError("no-effect", "--time-zone", "no column of times. Leave it out, or name one: --time COLUMN.")
    if time is not None and len(time.forms) > 1:
        report("times", f"read as {time.forms[0] or ISO}; {', '.join(form or ISO for form in time.forms[1:])} would "
               "fit as well", "--time-format FORM")
    if options.task not in (None, "forecast") and (options.horizon or options.season):
        raise UserError("no-effect", "--horizon, --season", f"only forecasts have them, not --task {options.task}. "
                        "Leave them out.")
    if options.task == "language":
        raise UserError("missing-value", "--task language", "no column of long texts. Name the one to read: --input "
                        "COLUMN.")
    if options.task not in (None, "forecast") and options.future:
        raise UserError("no-effect", "--future", f"only forecasts read what is known ahead, not --task {options.task}. "
                        "Name the column as --input.")
    if any(kind in KINDS_OF_NEXT for _, kind in options.kinds):
        return draft_next(table, options)
    if options.task == "forecast" or (options.task is None and _is_forecast(roles, options)):
        return draft_forecast(table, options)
    return draft_steps(table, options)


def _texts(columns: list[Column], options: Options, where: Where) -> list[Column]:
    """Columns of text, one sequence per row: those that the options name, or those whose cells are long."""
    if options.task not in (None, "language", "classify", "regress") or options.series not in (None, "none") \
            or options.future:
        return []
    named = [column for column in columns if column.kind == "text" and column.name in options.inputs]
    asked = [column for column in columns if column.kind == "text" and options.kind_of(column.name) == "tokens"
             and (_long(column) or options.task == "language" or options.series == "none")]
    if asked:
        return asked
    if options.inputs and len(named) < 2:
        _refuse_series([column for column in named if options.kind_of(column.name) is None])
        return named
    texts = [column for column in named or columns if column.kind == "text" and column.name not in options.targets
             and options.kind_of(column.name) in (None, "tokens")
             and column.distinct > 2 and _long(column)]
    texts = _of_rows(texts, columns, options, where)
    if all(column.of_series for column in texts):
        _refuse_series(texts)
    texts = [column for column in texts if not column.of_series]
    numbers = [column.name for column in columns if column.kind == "number"]
    if options.task == "regress":
        numbers = [name for name in numbers if name not in options.targets]
    if texts and numbers and (options.task == "regress" or (
            options.task is None and any(column.kind == "time" for column in columns))):
        raise Undecided("--input", f"the text {texts[0].name!r} of each row, or the numbers over time? "
                        f"Choose --kind {shlex.quote(texts[0].name)}=tokens, or --input {numbers[0]!r}.",
                        [("--kind", (texts[0].name, "tokens")), ("--input", numbers[0])])
    return texts


def _refuse_series(columns: list[Column]) -> None:
    """Raise where a row's only text is numbers with spaces between them."""
    for column in columns:
        if column.of_series:
            raise UserError("ambiguous", "--input", f"each cell of {column.name!r} is a series of numbers. To read it, "
                            "write a row for each of its steps, with a column that tells series apart, or an .npz; to "
                            f"read the cell as a text, choose --kind {shlex.quote(column.name)}=tokens.")


def _long(column: Column) -> bool:
    return len(column.present) > 0 and bool(np.mean([len(str(cell)) for cell in column.present]) >= LONG)


def _of_rows(texts: list[Column], columns: list[Column], options: Options, where: Where) -> list[Column]:
    """Those of the texts that are one for each row, and not one for each sequence of rows that stand together."""
    sequences = likely_sequences(Roles({column.name: column for column in columns}, where), options)
    if sequences is None or (np.diff(sequences.codes) != 0).sum() > sequences.codes.max():
        return texts
    own = [column for column in texts if not sequences.constant(column) and not column.of_series]
    if own and any(column.kind == "number" and not sequences.constant(column) for column in columns
                   if column.name not in options.targets):
        raise UserError("ambiguous", "--series", f"the text {own[0].name!r} of each row, or the numbers of each "
                        f"sequence of rows? Choose --kind {shlex.quote(own[0].name)}=tokens, or name the column that "
                        "tells sequences apart: --series COLUMN.")
    return own


def _is_forecast(roles: Roles, options: Options) -> bool:
    """Numbers over time and nothing that looks like a class; a horizon asks for it, too."""
    if options.horizon is not None or options.season is not None or options.future:
        return True
    numbers = [column for column in roles.free() if column.kind == "number"]
    if any(kind in WORDS for _, kind in options.kinds):
        return False
    if options.targets:
        wanted = [column for column in numbers if column.name in options.targets]
        return roles.time is not None and len(wanted) == len(options.targets) and not any(
            (column.whole and column.distinct <= 20) or (roles.series and roles.constant(column)) for column in wanted)
    labels = find_targets(roles, options)
    if not labels or numbers == labels:
        return bool(numbers) and (roles.time is not None or len(numbers) == 1)
    (label,) = labels
    doubtful = not LABEL.fullmatch(label.name) or (label.kind == "number" and label.name.lower() == "y")
    if roles.time is not None and roles.time.kind == "time" and numbers and doubtful:
        raise Undecided("--task", f"a forecast of {', '.join(repr(column.name) for column in numbers)}, "
                        f"or the class {label.name!r}? Choose --task forecast, or --target {label.name!r}.",
                        [("--task", "forecast"), ("--target", label.name)])
    return False

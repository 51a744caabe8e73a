"""Files without targets → sequences: text, tables, arrays, or a folder of such, read as the source read its own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import InputSpec, Reading, Spec, TableReading
from unroll.prediction.changes import changed, is_table
from unroll.prediction.clock import fit_clock, read_clocks
from unroll.prediction.events import read_events
from unroll.prediction.time_cells import TimeCells
from unroll.readers import endings, format_of, refusal
from unroll.readers.common.advice import corrected_by
from unroll.readers.common.columns import NUMBER, Columns, to_numbers
from unroll.readers.common.constant import constant
from unroll.readers.common.folder_keys import keys_of
from unroll.readers.common.own import own_of_row, own_of_rows
from unroll.readers.common.rows import find_sequences
from unroll.readers.common.sequences import Rows
from unroll.readers.common.spool import Spool
from unroll.readers.common.steps import of_steps
from unroll.readers.common.tables import column_names, read_parts, table_format
from unroll.readers.text import whole_text

ALONE = TableReading(series=None, time=None, time_format=None, joint="")

Count = Callable[[str], int]        # the symbols of a text


class Inputs(NamedTuple):
    """Sequences and their names; `times` are the cells of each one's time column, if it has any.

    `given` says which steps of each are rows of the file, where others were filled in; None: all.
    """

    names: Sequence[str]
    sequences: Sequence[Any]        # text, or (T, F)
    times: Sequence[Sequence[str]] | None = None
    given: Sequence[NDArray[np.bool_] | None] | None = None

    def stamps(self, sequence: int, steps: int) -> Sequence[str]:
        """The cells of the last steps of a sequence; fewer, where there are none or some were filled in."""
        given = None if self.given is None else self.given[sequence]
        filled = given is not None and not given[-steps:].all()
        return [] if self.times is None or filled else self.times[sequence][-steps:]


def read(path: Path, spec: Spec, count: Count = len, changes: Mapping[str, Any] | None = None,
         outcomes: Path | None = None) -> Inputs:
    """What a model with this spec can predict from; raises `UserError` naming file, row and column.

    Sequences without a name of their own are numbered from 1 on; in a folder, they are named after their file. `count`
    is that of the main input's tokenizer, where it is a text. `changes` are settings of reading, by the options that
    name them, in which the file differs from the training data; None: there are no such options. `outcomes` is the
    table with a row a series beside one of events.
    """
    rows = spec.reading.table
    if outcomes is not None and (rows is None or rows.events is None):
        raise UserError("no-effect", "--outcomes", "the model was not trained on events. Leave it out.")
    if changes is None:
        with corrected_by("none"):
            return _read_all(path, _files(path), spec, count, outcomes)
    with corrected_by("options", changes):
        files = _files(path)
        reading = changed(files, spec, {name: value for name, value in changes.items() if value is not None})
        return _read_all(path, files, spec.model_copy(update={"reading": reading}), count, outcomes)


def _files(path: Path) -> list[Path]:
    """The file itself, or those of a folder that can be read."""
    if not path.exists():
        raise UserError("missing-file", path, "no such file. Give a file, or a folder of files, of the kind that the "
                        "model reads.")
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if format_of(file) is not None and file.is_file()
                   and not any(part.startswith(".") for part in file.relative_to(path).parts))
    if not files:
        raise UserError("empty", path, f"holds no file that can be read ({', '.join(endings())}).")
    return files


def _read_all(path: Path, files: Sequence[Path], spec: Spec, count: Count, outcomes: Path | None) -> Inputs:
    if spec.reading.table is not None and spec.reading.table.events is not None:
        names, series = read_events(files, outcomes, spec, spec.reading.table)
        return Inputs(names, [*map(_bare, series)])
    if not path.is_dir():
        return _read(path, spec, count)
    if spec.reading.table is not None and all(map(keys_of, files)):      # the files of one table
        return _trained_table(files, spec, spec.reading.table, count)
    parts = [_read(file, spec, count) for file in files]
    labels = [bytes(file.relative_to(path)).decode(errors="backslashreplace") for file in files]
    names = [f"{label}:{name}" if len(part.names) > 1 else label
             for label, part in zip(labels, parts, strict=True) for name in part.names]
    sequences = [sequence for part in parts for sequence in part.sequences]
    times = [cells for part in parts for cells in part.times or ()]
    given = [rows for part in parts for rows in part.given or [None] * len(part.names)]
    return Inputs(names, sequences, times if len(times) == len(names) else None, given)


def _read(file: Path, spec: Spec, count: Count) -> Inputs:
    """One file, by what its format holds."""
    found = format_of(file)
    if found is None:
        raise refusal(file)
    if is_table(found.HOLDS, spec):
        inputs = _table(file, spec, count)
    elif found.HOLDS == "text":
        inputs = _texts(file, spec)
    elif found.HOLDS == "arrays" and spec.reading.arrays is not None:
        inputs = _numbered([_bare(piece) for piece in found.sequences_of(file, spec.reading.arrays, spec.inputs)])
    else:
        inputs = _numbered(found.sequences(file))
    if not inputs.names:
        raise UserError("empty", file, "no sequences in it. Give at least one.")
    return inputs


def _texts(file: Path, spec: Spec) -> Inputs:
    """One text where the model was trained on a stream or on files, else one text per line."""
    if not spec.of_text:
        others = [ending for ending in endings() if ending not in endings("text")]
        raise UserError("unsupported", file, f"text, where the model reads numbers. Give one of {', '.join(others)}.")
    text = whole_text(file, spec.reading.encoding)
    if spec.layout == "stream":
        return Inputs(["1"], [text])
    if spec.reading.whole:
        return Inputs(["1"], [text.removesuffix("\n")])
    lines = {str(number): line for number, line in enumerate(text.split("\n"), 1) if line}
    return Inputs(list(lines), list(lines.values()))


def _table(file: Path, spec: Spec, count: Count) -> Inputs:
    """The columns that the model was trained on, or, where it was no table, every column of numbers in its order."""
    name, field = spec.main, spec.inputs[spec.main]
    reading = spec.reading
    if reading.table is not None:
        return _trained_table([file], spec, reading.table, count)
    if len(spec.inputs) > 1:
        raise UserError("unsupported", file, f"the model has several inputs, {', '.join(spec.inputs)}, and was not "
                        "trained on a table, which would name their columns. Use unroll.load in Python.")
    if field.names is not None:     # a recording
        table = Columns(read_parts([file], reading, field.names))
        return Inputs(["1"], [table.numbers(field.names, "Give a number.", holes=field.missing is not None)])
    names = column_names(file, reading)
    if "header" in table_format(file).SETTINGS and reading.header and all(
            NUMBER.fullmatch(column.strip()) for column in names):
        raise UserError("missing-value", f"{file}, row 1", "numbers where the columns' names are expected. Give the "
                        "table a first row of names.")
    if field.kind == "tokens":
        texts = Columns(read_parts([file], reading, [name])).texts(name, "empty. Leave it out.")
        return _numbered(texts)
    return _any_numbers(file, reading, names, field)


def _trained_table(files: Sequence[Path], spec: Spec, rows: TableReading, count: Count) -> Inputs:
    """By the columns of the training table, and by its series and times."""
    inputs = spec.inputs
    columns = [column for field in inputs.values() if not field.calendar for column in field.names or ()]
    table = Columns(read_parts(files, spec.reading, [*columns, *filter(None, (rows.series, rows.time))],
                               lambda blocks: Spool(None, blocks)))
    values = {name: cells(table, field) for name, field in inputs.items() if not (field.calendar or field.gap)}
    text = spec.main if spec.of_text else None
    if rows.series is None and text is not None:
        return _numbered([_bare({name: _of_row(table, inputs[name], cells[row], row) for name, cells in values.items()})
                          for row in range(len(table))])
    all_sequences = find_sequences(table, rows)
    found, fills = fit_clock(files[0], table, spec, all_sequences)
    clocks = dict.fromkeys((name for name, field in inputs.items() if field.calendar),
                           read_clocks(files[0], spec, all_sequences, found, fills))
    sequences = []
    for at, (sequence, fill) in enumerate(zip(found, fills, strict=True)):
        own = {name: _own(table, inputs[name], column, sequence) for name, column in values.items()}
        own |= {name: all_sequences.elapsed(at) for name, field in inputs.items() if field.gap}
        steps = {name: own[name] if name == text else fill(own[name]) for name in own if inputs[name].per == "step"}
        steps |= {name: clock[at] for name, clock in clocks.items()}
        sequences.append(_bare({**own, **of_steps(steps, text, rows.joint, count)}))
    names = [sequence.name for sequence in found]
    if rows.time is None:
        return Inputs(names, sequences)
    times = TimeCells(table, rows.time, found)
    given = None if rows.gaps != "fill" else [np.isfinite(fill(np.zeros(len(sequence.index))))
                                              for sequence, fill in zip(found, fills, strict=True)]
    return Inputs(names, sequences, times, given)


def cells(table: Columns, field: InputSpec) -> Any:
    """A field's values in every row."""
    columns = list(field.names or ())
    if field.per == "own":
        return [*zip(*(table.texts(column, None) for column in columns), strict=True)]
    if field.kind == "tokens":
        return table.texts(columns[0], "an empty text. Leave the row out.")
    if field.kind == "categories":
        return np.stack([np.array(table.texts(column, None), dtype=object) for column in columns], axis=1)
    return table.numbers(columns, "Correct the cell, or leave the row out.", holes=field.missing is not None)


def _of_row(table: Columns, field: InputSpec, value: Any, row: int) -> Any:
    """A field's value in a row that is a sequence of its own."""
    if field.per != "own":
        return value
    return own_of_row(table, field.names or (), value, field.kind, lambda _: row)


def _own(table: Columns, field: InputSpec, values: Any, sequence: Rows) -> Any:
    """A field's values in the rows of one sequence, or the value of all of them."""
    if field.per == "own":
        return own_of_rows(table, field.names or (), [values[row] for row in sequence.index], field.kind,
                           lambda: sequence, "The model reads one per sequence: correct the row.")
    if field.kind == "tokens":
        return [values[row] for row in sequence.index]
    if field.per == "sequence":
        return constant(table, field.names or (), values[sequence.index], lambda: sequence, "The model reads one value "
                        "per sequence: correct the row.")
    first, last = sequence.index[[0, -1]]       # a view, where rows stand together
    return values[first : last + 1] if last - first + 1 == len(sequence.index) else values[sequence.index]


def _bare(fields: dict[str, Any]) -> Any:
    """The values of the only input, or those of each by name."""
    return fields if len(fields) > 1 else next(iter(fields.values()))


def _any_numbers(file: Path, reading: Reading, names: list[str], field: InputSpec) -> Inputs:
    """Columns by their place, for a model that was trained on no table; a column `sequence` tells sequences apart."""
    width = field.width
    series = "sequence" if not reading.whole and "sequence" in names else None
    parts = read_parts([file], reading)
    wanted = [name for name in names if name != series]
    if len(wanted) != width:        # then leave those of text out
        wanted = [name for name in wanted if _numeric(parts[0].table[name], reading.decimal)]
    if len(wanted) != width:
        shown = f" ({some})" if (some := _some(wanted)) else ""
        raise UserError("unequal-lengths", file, f"{len(wanted)} columns of numbers{shown} where the model reads "
                        f"{width}; the file has {_some(names)}. Give the columns that it was trained on, in their "
                        "order, one row per step.")
    table = Columns(parts)
    values = table.numbers(wanted, "Give a number.", holes=field.missing is not None)
    found = find_sequences(table, ALONE.model_copy(update={"series": series}))
    return Inputs([sequence.name for sequence in found], [values[sequence.index] for sequence in found])


def _numbered(sequences: Sequence[Any]) -> Inputs:
    return Inputs([str(number + 1) for number in range(len(sequences))], sequences)


def _numeric(column: Any, decimal: str) -> bool:
    try:
        return to_numbers(column, decimal) is not None
    except NotImplementedError:     # of dates, or nested
        return False


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (" …" if len(names) > 5 else "")

"""What is known of the steps that are forecast, from a table of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import Code, UserError
from unroll.data.spec import Spec, TableReading
from unroll.prediction.changes import changed
from unroll.prediction.inputs import Inputs, cells
from unroll.prediction.times import ahead
from unroll.readers.common.columns import Columns
from unroll.readers.common.rows import find_sequences
from unroll.readers.common.tables import column_names, read_parts
from unroll.readers.common.times import stamps

Values = NDArray[Any]
SHOWN = 5       # names in a line


def read_future(path: Path, spec: Spec, inputs: Inputs, changes: Mapping[str, Any]) -> list[dict[str, Values]]:
    """For each of the sequences, {input: values (H, F)} of the steps after its last one.

    The table has the columns of what is known ahead, and those of series and time as the training data has; other rows
    and columns do not matter. Raises `UserError` naming the columns, the series and the steps that are missing.
    """
    assert spec.forecast is not None and spec.reading.table is not None
    reading = changed([path], spec, changes) if changes else spec.reading
    rows = reading.table
    assert rows is not None
    columns = [column for name in spec.known_ahead for column in spec.inputs[name].names or ()]
    if not path.is_file():
        raise UserError("missing-file", path, "no such file. Give a table of the steps to come.")
    present = column_names(path, reading)
    needed = [*columns, *filter(None, (rows.series, rows.time))]
    if missing := [name for name in needed if name not in present]:
        raise UserError("missing-value", path, f"no column{'s' * (len(missing) > 1)} {_listed(missing)}, which the "
                        f"model reads of the steps to come. Add {'them' if len(missing) > 1 else 'it'}.")
    table = Columns(read_parts([path], reading, needed))
    series = {sequence.name: sequence.index for sequence in find_sequences(table, rows)}
    absent = [name for name in inputs.names if name not in series] if rows.series is not None else []
    if absent:
        raise UserError("missing-value", path, f"no rows of {_listed(absent)} in column {rows.series!r}. Add "
                        f"{spec.forecast.horizon} for each, the steps to come.")
    values = {name: cells(table, spec.inputs[name]) for name in spec.known_ahead}
    times = None if rows.time is None else table.texts(rows.time, None)
    found = []
    for at, name in enumerate(inputs.names):
        own = series[name] if rows.series is not None else next(iter(series.values()), np.zeros(0, np.int64))
        where = f"{path}, sequence {name!r}" if rows.series is not None else str(path)
        place = _steps(where, own, times, None if inputs.times is None else inputs.times[at], spec, rows)
        found.append({field: column[place] for field, column in values.items()})
    return found


def _steps(where: str, own: NDArray[np.int64], times: Sequence[str] | None, past: Sequence[str] | None, spec: Spec,
           rows: TableReading) -> NDArray[np.int64]:
    """(H,) the rows of the steps ahead: by their times, or, where there are none, the first ones."""
    assert spec.forecast is not None
    horizon = spec.forecast.horizon
    expected = None if past is None else ahead(past, horizon, rows.time_format, rows.frequency)
    if expected is None or times is None:
        if len(own) < horizon:
            raise UserError("too-short", where, f"has {len(own)} rows where {horizon} steps are forecast. Add "
                            f"{horizon - len(own)}.")
        return own[:horizon]
    form = rows.time_format
    rows_of = dict(zip(_keys([times[row] for row in own], form), own.tolist(), strict=True))
    keys = _keys(expected, form)
    if missing := [time for time, key in zip(expected, keys, strict=True) if key not in rows_of]:
        code: Code = "too-short" if missing == expected[-len(missing) :] else "bad-time"
        raise UserError(code, where, f"has {horizon - len(missing)} of the {horizon} steps that are forecast; in "
                        f"column {rows.time!r}, {_span(missing)} {'is' if len(missing) == 1 else 'are'} missing. Add "
                        f"{'the row' if len(missing) == 1 else 'these rows'}.")
    return np.array([rows_of[key] for key in keys], np.int64)


def _keys(times: Sequence[str], form: str | None) -> list[Any]:
    """Numbers, or times in UTC, however they are written."""
    numbers = pd.to_numeric(pd.Series(times, dtype=object), errors="coerce")
    if form is None and not numbers.isna().any():
        return [float(number) for number in numbers]
    found = stamps(times, form)
    if found.isna().any():      # as ISO 8601, where the column's format is another one
        found = found.fillna(stamps(times, None))
    return list(found)


def _span(times: Sequence[str]) -> str:
    return times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}" if len(times) > SHOWN else ", ".join(times)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:SHOWN])) + f" and {len(names) - SHOWN} more" * (len(names) > SHOWN)

"""A table of events and one with a row a series → sequences, as the source read its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError, nearest
from unroll.data.spec import InputSpec, Spec, TableReading
from unroll.readers.common.columns import Columns
from unroll.readers.common.events import Events
from unroll.readers.common.series_rows import rows_of_series
from unroll.readers.common.tables import read_parts


def read_events(files: Sequence[Path], outcomes: Path | None, spec: Spec, rows: TableReading
                ) -> tuple[list[str], list[dict[str, Any]]]:
    """The names of the series, and of each the values of every input."""
    assert rows.events is not None and rows.series is not None and rows.time is not None
    steps = {name: field for name, field in spec.inputs.items() if field.per == "step"}
    whole = {name: field for name, field in spec.inputs.items() if field.per == "sequence"}
    channels = [channel for field in steps.values() for channel in field.names or ()]
    used = [rows.series, rows.time, rows.events.channel, *filter(None, [rows.events.value])]
    table = Columns(read_parts(files, spec.reading, used))
    events = Events(table, rows, channels)
    for name in events.others:
        if name not in rows.events.others:
            raise UserError("unknown-name", table.where(events.first[name], rows.events.channel), "no channel "
                            f"{name!r} was in training; {nearest(name, channels)} Else leave its rows out.")
    order: Sequence[int | None] = range(len(events))
    names, beside = [events.name(at) for at in order if at is not None], dict[str, Any]()
    if whole:
        names, order, beside = _beside(outcomes, spec, rows.series, events, whole)
    elif outcomes is not None:
        raise UserError("no-effect", "--outcomes", "the model reads nothing of whole series. Leave it out.")
    places = np.cumsum([0, *(len(field.names or ()) for field in steps.values())])
    sequences = []
    for row, at in enumerate(order):
        found = events.steps(at)
        own = {name: found.gaps if field.gap else found.values[:, first : first + len(field.names or ())]
               for (name, field), first in zip(steps.items(), places, strict=False)}
        sequences.append({**own, **{name: values[row] for name, values in beside.items()}})
    return names, sequences


def _beside(outcomes: Path | None, spec: Spec, series: str, events: Events, whole: dict[str, InputSpec]
            ) -> tuple[list[str], list[int | None], dict[str, NDArray[Any]]]:
    if outcomes is None:
        columns = [column for field in whole.values() for column in field.names or ()]
        raise UserError("missing-value", "--outcomes", "missing. The model also reads a table with a row a series, and "
                        f"of it {', '.join(columns)}: give that.")
    used = [series, *(column for field in whole.values() for column in field.names or ())]
    table = Columns(read_parts([outcomes], spec.reading, used))
    names, order = rows_of_series(table, series, events, str(outcomes))
    return names, order, {name: _values(table, field) for name, field in whole.items()}


def _values(table: Columns, field: InputSpec) -> NDArray[Any]:
    columns = list(field.names or ())
    if field.kind == "categories":
        return np.stack([np.array(table.texts(column, None), dtype=object) for column in columns], axis=1)
    return table.numbers(columns, "Correct the cell, or leave the row out.", holes=field.missing is not None)

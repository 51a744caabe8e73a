"""Whether the times of a file have the step that a model was trained on, and what becomes of missing ones."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import Spec, TableReading
from unroll.readers.common.calendar import completed
from unroll.readers.common.columns import Columns
from unroll.readers.common.frequency import Frequency
from unroll.readers.common.gaps import Gaps, check_fill, describe
from unroll.readers.common.sequences import Rows, Sequences
from unroll.readers.common.timeline import Timeline

FEW = 10        # distances of separate sequences that show no step yet
Fill = Callable[[NDArray[Any]], NDArray[Any]]


def fit_clock(file: Path, table: Columns, spec: Spec, found: Sequences) -> tuple[Sequence[Rows], list[Fill]]:
    """The rows of each sequence that are read, and what puts steps without values among their values.

    Raises `UserError` where rows are as far apart as they were not in training, and where steps are missing that must
    not be.
    """
    rows = spec.reading.table
    sequences: Sequence[Rows] = list(found) if found.mixed else found
    plain: list[Fill] = [_unchanged] * len(sequences)
    if rows is None or rows.frequency is None or found.times is None:
        return sequences, plain
    frequency = Frequency(rows.frequency)
    if frequency.number != (found.times.unit is None):      # steps of times and of numbers cannot be compared
        return sequences, plain
    _check_step(f"{file}, column {rows.time!r}", found.times, frequency, spec.layout == "items")
    gaps = found.times.gaps(frequency)
    if rows.gaps in (None, "ignore") or not len(gaps):
        return sequences, plain
    stretches = gaps.stretches(found.offsets)
    if rows.gaps == "fill":
        check_fill(gaps, found.times, frequency, lambda place: table.where(found.row(place), rows.time))
        return sequences, [_filled(bounds[1:-1], counts) for bounds, counts in zip(
            stretches, _of_sequences(gaps, found), strict=True)]
    last = [Rows(sequence.name, sequence.index[bounds[-2] :]) for sequence, bounds in zip(
        sequences, stretches, strict=True)]
    for sequence, bounds, kept in zip(sequences, stretches, last, strict=True):
        if len(bounds) > 2 and (rows.gaps == "refuse" or len(kept.index) < _needed(spec)):
            _refuse(table, rows, spec, sequence, kept, found.times, gaps, frequency)
    return last, plain


def read_clocks(file: Path, spec: Spec, found: Sequences, kept: Sequence[Rows], fills: Sequence[Fill]
                ) -> list[NDArray[np.datetime64]]:
    """The times of each sequence's steps, those that are filled in included, where an input is made of them."""
    rows = spec.reading.table
    if rows is None or rows.frequency is None or found.times is None or not any(
            field.calendar for field in spec.inputs.values()):
        return []
    if found.times.unit is None:
        raise UserError("bad-time", f"{file}, column {rows.time!r}", "numbers, of which no calendar says what hour or "
                        "day they are. Give times.")
    of_rows = np.empty(len(found.times), f"M8[{found.times.unit}]")
    for sequence, first in zip(found, found.offsets.tolist(), strict=False):
        of_rows[sequence.index] = found.times[first : first + len(sequence.index)]
    return [completed(of_rows[sequence.index], np.isfinite(fill(np.zeros(len(sequence.index)))),
                      Frequency(rows.frequency)) for sequence, fill in zip(kept, fills, strict=True)]


def _check_step(where: str, times: Timeline, frequency: Frequency, short: bool) -> None:
    """`short`: whether few rows of a sequence say nothing of its step, as those of a patient who came three times."""
    own = times.frequency()
    if short and (own is None or len(times) - len(times.offsets) < FEW):
        return
    if own is not None and not own.same(frequency):
        raise UserError("conflict", where, f"its rows are {own.size} apart where the model was trained on rows "
                        f"{frequency.size} apart. Give rows at that step.")
    if own is None and times.share(frequency) < 0.5:
        raise UserError("conflict", where, "its rows are at uneven distances where the model was trained on rows "
                        f"{frequency.size} apart. Give rows at that step.")


def _refuse(table: Columns, rows: TableReading, spec: Spec, sequence: Rows, kept: Rows, times: Timeline, gaps: Gaps,
            frequency: Frequency) -> None:
    missing = describe(gaps, times, frequency)
    if rows.gaps == "refuse":
        at = int(sequence.index[len(sequence.index) - len(kept.index)])
        raise UserError("bad-time", table.where(at, rows.time), f"before it, {missing}. Add the rows.")
    raise UserError("too-short", table.where(int(kept.index[0]), rows.time), f"{len(kept.index)} rows from here to the "
                    f"end of sequence {sequence.name!r} where the model reads {_needed(spec)} without a gap; "
                    f"{missing}. Add the rows.")


def _needed(spec: Spec) -> int:
    return 1 if spec.forecast is None else spec.forecast.context + spec.forecast.season


def _of_sequences(gaps: Gaps, found: Sequences) -> list[NDArray[np.int64]]:
    return np.split(gaps.counts, np.searchsorted(gaps.rows, found.offsets[1:-1]))


def _unchanged(values: NDArray[Any]) -> NDArray[Any]:
    return values


def _filled(rows: NDArray[np.int64], counts: NDArray[np.int64]) -> Fill:
    """Puts `counts` steps before each of `rows`: NaN, or empty names."""
    def fill(values: NDArray[Any]) -> NDArray[Any]:
        return np.insert(values, np.repeat(rows, counts), "" if values.dtype.kind in "UO" else np.nan, axis=0)

    return fill

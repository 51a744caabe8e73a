"""Long tables, a row an event: series, time, channel, value. A step of a series is a time that occurs, or a bin."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.npy import stretch_of
from unroll.data.spec import TableReading
from unroll.readers.common.advice import named
from unroll.readers.common.columns import Columns
from unroll.readers.common.event_times import read_event_times
from unroll.readers.common.numbers import Numbers
from unroll.readers.common.rows import by_series
from unroll.readers.common.timeline import elapsed

MOST_BINS = 1_000_000       # of a series
NO_CHANNEL = "empty. Each event needs its channel: fill it, or leave the row out."
NO_NUMBER = "Correct the cell, or leave the row out."


class Steps(NamedTuple):
    """The steps of a series."""

    gaps: NDArray[np.float64]       # (T, 1) since the step before, in seconds or as the times are; NaN at the first
    values: NDArray[np.float64]     # (T, C) of each channel, NaN where it was not measured
    late: int                       # events after the end
    repeated: int                   # events that share their step and channel with one before


class Events:
    """The events of a table, on disk by series, of which one is in memory at a time."""

    def __init__(self, table: Columns, rows: TableReading, channels: Sequence[str], scratch: Path | None = None
                 ) -> None:
        """`channels` are those that are read; raises `UserError` on a cell that is empty, no time or no number."""
        assert rows.events is not None and rows.series is not None
        self._table, self._channels, self._last = table, channels, rows.events.several == "last"
        self._found = by_series(table, rows.series, scratch)
        numbers, self._unit, self._end, self._bin = read_event_times(table, rows, rows.events, scratch)
        # events up to the end of each channel that is not read, and the row of the first; channels without any
        self.others, self.first, self.missing = dict[str, int](), dict[str, int](), [*channels]
        codes = Numbers(scratch, self._coded(rows.events.channel, numbers))
        value = rows.events.value
        values = Numbers(scratch, _ones(len(table)) if value is None else table.number_blocks(
            [value], NO_NUMBER, holes=True))
        if self._found.mixed:
            numbers, codes, values = (each.moved(scratch, self._found.places) for each in (numbers, codes, values))
        self._times, self._codes, self._values = numbers, codes, values

    def _coded(self, column: str, times: Numbers) -> Iterator[NDArray[np.int32]]:
        """Which of the channels each event is of, -1: of one that is not read."""
        places = {name: at for at, name in enumerate(self._channels)}
        first = 0
        for codes, cells in self._table.coded_blocks(column, NO_CHANNEL):
            early = np.flatnonzero(self._early(times[first : first + len(codes)]))
            counts = np.bincount(codes[early], minlength=len(cells))
            for number in np.flatnonzero(counts).tolist():
                name = cells[number]
                if name in places:
                    self.missing = [other for other in self.missing if other != name]
                    continue
                self.first.setdefault(name, first + int(early[(codes[early] == number).argmax()]))
                self.others[name] = self.others.get(name, 0) + int(counts[number])
            yield np.array([places.get(name, -1) for name in cells], np.int32)[codes]
            first += len(codes)

    def _early(self, times: NDArray[Any]) -> NDArray[np.bool_]:
        return np.ones(len(times), bool) if self._end is None else times <= self._end

    def __len__(self) -> int:
        """Series, in the order of their first event."""
        return len(self._found)

    def name(self, at: int) -> str:
        return self._found.name(at)

    def where(self, at: int, column: str) -> str:
        """As a user finds the first event of a series."""
        return self._table.where(int(self._found[at].index[0]), column)

    def steps(self, at: int | None) -> Steps:
        """Of a series, or of one without events: a step of which nothing is known.

        With an end, the last step is at the end.
        """
        times, codes, values, late = self._events(at)
        kept, places = self._places(times, None if at is None else self.name(at))
        width = len(self._channels)
        cells = places * width + codes
        known = ~np.isnan(values)
        cells, values = cells[known], values[known]
        found = np.full(len(kept) * width, np.nan)
        if self._last:
            found[cells] = values
            distinct = int((~np.isnan(found)).sum())
        else:
            counts = np.bincount(cells, minlength=len(found))
            sums = np.bincount(cells, values, minlength=len(found))
            np.divide(sums, counts, out=found, where=counts > 0)
            distinct = int((counts > 0).sum())
        return Steps(elapsed(kept, self._unit), found.reshape(-1, width), late, len(values) - distinct)

    def _events(self, at: int | None) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[np.float64], int]:
        """Times, channels and values of what is read, by time, those of one time in the order of their rows."""
        rows = slice(0, 0) if at is None else slice(*self._found.offsets[at : at + 2].tolist())
        times, codes, values = self._times[rows], self._codes[rows], self._values[rows][:, 0]
        read = codes >= 0
        early = read & self._early(times)
        order = np.flatnonzero(early)
        order = order[np.argsort(times[order], kind="stable")]
        return times[order], codes[order], values[order], int(read.sum() - early.sum())

    def _places(self, times: NDArray[Any], name: str | None) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The times of the steps, and which of them each event is in."""
        if self._bin is None:
            kept = np.unique(times if self._end is None else np.append(times, self._end))
            return (kept if len(kept) else np.zeros(1)), np.searchsorted(kept, times)
        # bins end at the end, or begin at multiples of their width
        bins = times // self._bin if self._end is None else -((self._end - times) // self._bin)
        first = bins.min() if len(bins) else 0
        last = 0 if self._end is not None else bins.max() if len(bins) else 0
        count = int(last - first) + 1
        if count > MOST_BINS:
            raise UserError("too-large", named("bin"), f"series {name!r} would have {count:,} steps. Choose wider "
                            "bins, or none.")
        return (first + np.arange(count)) * self._bin, (bins - first).astype(np.int64)


def _ones(rows: int) -> Iterator[NDArray[np.float64]]:
    step = stretch_of(1)
    return (np.ones((min(step, rows - first), 1)) for first in range(0, rows, step))

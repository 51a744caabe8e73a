"""The times of the rows of sequences."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.npy import stretch_of
from unroll.readers.common.find_frequency import find_frequency
from unroll.readers.common.frequency import Frequency
from unroll.readers.common.gaps import Gaps, find_gaps
from unroll.readers.common.numbers import Numbers

UNITS = {"ns": 1e9, "us": 1e6, None: 1.0}     # in a second


def elapsed(times: NDArray[Any], unit: str | None) -> NDArray[np.float64]:
    """(T,) times of a sequence → (T, 1) since the one before, in seconds or as the times are; NaN at the first."""
    distances = np.diff(times).astype(np.float64) / UNITS[unit]
    return np.concatenate([[np.nan], distances])[: len(times), None]


class Elapsed:
    """(N, 1) the time between rows, worked out when it is asked for."""

    width = 1

    def __init__(self, times: "Timeline") -> None:
        self._times = times

    def __len__(self) -> int:
        return len(self._times)

    def __getitem__(self, rows: slice) -> NDArray[np.float64]:
        first, last, _ = rows.indices(len(self))
        return self._times.elapsed(first, max(first, last))


@dataclass(frozen=True)
class Timeline:
    """The times of all rows, those of a sequence after one another; sequences begin at `offsets`."""

    numbers: Numbers        # since 1970, or of no unit
    unit: str | None        # ns or us
    local: bool             # whether they are those of a clock on a wall
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Numbers, or numpy.datetime64."""
        values = self.numbers[rows]
        return values if self.unit is None else values.view(f"M8[{self.unit}]")

    def elapsed(self, first: int, last: int) -> NDArray[np.float64]:
        """(last - first, 1) of rows of any sequences: since the one before, as `elapsed` has it."""
        before = max(first - 1, 0)
        found = elapsed(self.numbers[before:last], self.unit)[first - before :]
        starts = self.offsets[(self.offsets >= first) & (self.offsets < last)]
        found[starts - first] = np.nan
        return found

    def frequency(self) -> Frequency | None:
        """The step on which nearly all times agree, of the first rows."""
        return find_frequency(*self._some, self.local)

    def on(self, frequency: Frequency) -> float:
        """The share of the first rows that are one or several whole steps after the one before."""
        times, starts = self._some
        off = frequency.steps(times, self.local)[1][~starts[1:]]
        return float(1 - off.mean()) if len(off) else 1.0

    def share(self, frequency: Frequency) -> float:
        """The share of the first rows that are one step after the one before; 1 of fewer than three rows."""
        times, starts = self._some
        steps, off = (found[~starts[1:]] for found in frequency.steps(times, self.local))
        return float(((steps == 1) & ~off).mean()) if len(steps) > 1 else 1.0

    @property
    def _some(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The first rows, and which of them begin a sequence."""
        times = self[: stretch_of(16)]
        starts = np.zeros(len(times), bool)
        starts[self.offsets[self.offsets < len(times)]] = True
        return times, starts

    def gaps(self, frequency: Frequency) -> Gaps:
        return find_gaps(self, self.offsets, frequency, self.local)

"""Which steps are missing in the times of sequences."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.npy import stretch_of
from unroll.readers.common.advice import remedy
from unroll.readers.common.frequency import Frequency

FILLED = 10     # rows filled in for each that there is: more come of a time that is wrong


@dataclass(frozen=True)
class Gaps:
    """Steps that are missing within sequences: before which rows, and how many."""

    rows: NDArray[np.int64]     # (g,)
    counts: NDArray[np.int64]   # (g,)

    def __len__(self) -> int:
        return len(self.rows)

    def filled(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where sequences begin once there are rows in the gaps."""
        before = np.concatenate([[0], np.cumsum(self.counts)])
        return np.asarray(offsets + before[np.searchsorted(self.rows, offsets)])

    def stretches(self, offsets: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """For each sequence (s + 1,): where its stretches without gaps begin, from 0 on, and its length."""
        bounds = np.searchsorted(self.rows, offsets)
        pairs = zip(pairwise(offsets.tolist()), pairwise(bounds.tolist()), strict=True)
        return [np.concatenate([[first], self.rows[start:end], [last]]) - first
                for (first, last), (start, end) in pairs]


def find_gaps(times: Any, offsets: NDArray[np.int64], frequency: Frequency, local: bool) -> Gaps:
    """The missing steps between rows; sequences begin at `offsets`, `times[first:last]` are of consecutive rows."""
    rows, counts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    stretch = stretch_of(16)
    for first in range(0, len(times) - 1, stretch):
        some = times[first : first + stretch + 1]
        steps = frequency.steps(some, local)[0]
        begin = offsets[np.searchsorted(offsets, first + 1) : np.searchsorted(offsets, first + len(some))] - first - 1
        steps[begin] = 1
        at = np.flatnonzero(steps > 1)
        rows.append(first + 1 + at)
        counts.append(steps[at] - 1)
    return Gaps(np.concatenate(rows), np.concatenate(counts))


def spelt(time: Any) -> str:
    """A time or a number as messages name it."""
    if not isinstance(time, np.datetime64):
        return f"{time:.12g}"
    stamp = pd.Timestamp(time)
    form = "%Y-%m-%d" if stamp == stamp.normalize() else "%Y-%m-%d %H:%M" if stamp.second == 0 else "%Y-%m-%d %H:%M:%S"
    return str(stamp.strftime(form))


def describe(gaps: Gaps, times: Any, frequency: Frequency) -> str:
    """What is missing: 1 hour missing at 2015-01-30 04:00."""
    row = int(gaps.rows[0])
    first = spelt(frequency.after(times[row - 1 : row][0]))
    total = frequency.count(int(gaps.counts.sum()))
    return f"{total} missing at {first}" if len(gaps) == 1 == gaps.counts[0] else (
        f"{total} missing from {first} on" if len(gaps) == 1 else
        f"{total} missing in {len(gaps):,} places, the first at {first}")


def check_fill(gaps: Gaps, times: Any, frequency: Frequency, where: Callable[[int], str]) -> None:
    """Raises `UserError` where the rows filled in would be too many; `where` names the row at a place among all."""
    if gaps.counts.sum() > FILLED * len(times):
        most = slice(int(gaps.counts.argmax()), int(gaps.counts.argmax()) + 1)
        widest = Gaps(gaps.rows[most], gaps.counts[most])
        raise UserError("too-large", where(int(widest.rows[0])), f"before it, {describe(widest, times, frequency)}, "
                        f"and more than {FILLED} rows would be filled in for each that there is. Correct the time."
                        f"{remedy('Or set {} to ignore.', 'gaps')}")

"""Which rows each sequence of a table has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from unroll.data.npy import stretch_of
from unroll.readers.common.keys import Names
from unroll.readers.common.numbers import Numbers
from unroll.readers.common.timeline import Timeline


@dataclass(frozen=True)
class Rows:
    """A sequence's name, 1 of a table that is a single one, and its rows in order."""

    name: str
    index: NDArray[np.int64]


class Sequences(Sequence[Rows]):
    """All sequences of a table, in the order of their first row.

    `numbers` (N,) on disk are each row's sequence; None: there is one. `again` is the first row of a sequence that
    comes after rows of others, None: the rows of each follow one another.
    """

    def __init__(self, names: Names, lengths: NDArray[np.int64], numbers: Numbers | None, again: int | None) -> None:
        self.times: Timeline | None = None      # where a column orders the rows
        self._names, self._numbers, self.again = names, numbers, again
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])    # where each begins once rows are in its order

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, at: int) -> Rows: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Rows]: ...
    def __getitem__(self, at: int | slice) -> Rows | Sequence[Rows]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        if not self.mixed:
            return Rows(self.name(at), np.arange(*self.offsets[at : at + 2]))
        step, rows = stretch_of(1), int(self.offsets[-1])
        found = [first + np.flatnonzero(self.numbers_of(first, min(first + step, rows)) == at)
                 for first in range(0, rows, step)]
        return Rows(self.name(at), np.concatenate(found))

    def __iter__(self) -> Iterator[Rows]:
        """All of them; where rows of several take turns, the order of all rows is in memory meanwhile."""
        if not self.mixed:
            yield from (self[at] for at in range(len(self)))
            return
        order = np.argsort(self.numbers_of(0, int(self.offsets[-1])), kind="stable")
        for at in range(len(self)):
            yield Rows(self.name(at), order[self.offsets[at] : self.offsets[at + 1]])

    def row(self, place: int) -> int:
        """The row of the table that comes at `place` once each sequence's rows follow one another."""
        at = int(np.searchsorted(self.offsets, place, side="right")) - 1
        return int(self[at].index[place - self.offsets[at]])

    def name(self, at: int) -> str:
        return self._names[at]

    def elapsed(self, at: int) -> NDArray[np.float64]:
        """(T, 1) the times between the rows of a sequence, NaN at the first."""
        assert self.times is not None
        return self.times.elapsed(*self.offsets[at : at + 2].tolist())

    @property
    def mixed(self) -> bool:
        """Whether the rows of one sequence stand between those of another."""
        return self.again is not None

    def places(self, step: int) -> Iterator[NDArray[np.int64]]:
        """For each `step` rows, where they go so that each sequence's rows follow one another."""
        place = self.offsets[:-1].copy()        # of each sequence's next row
        rows = int(self.offsets[-1])
        for first in range(0, rows, step):
            numbers = self.numbers_of(first, min(first + step, rows))
            order = np.argsort(numbers, kind="stable")
            found, starts, counts = np.unique(numbers[order], return_index=True, return_counts=True)
            within = np.arange(len(order)) - np.repeat(starts, counts)
            places = np.empty(len(order), np.int64)
            places[order] = place[numbers[order]] + within
            place[found] += counts
            yield places

    def numbers_of(self, first: int, last: int) -> NDArray[np.int64]:
        """Which sequence each of the rows `first` … `last` - 1 belongs to."""
        return np.zeros(last - first, np.int64) if self._numbers is None else self._numbers[first:last]

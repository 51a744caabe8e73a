"""Which rows each sequence of a table has, from the runs of its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from unroll.readers.common.keys import Names


@dataclass(frozen=True)
class Rows:
    """A sequence's name, 1 of a table that is a single one, and its rows in order."""

    name: str
    index: NDArray[np.int64]


class Sequences(Sequence[Rows]):
    """All sequences of a table, in the order of their first row.

    Of each run, rows of one sequence that follow one another, some 100 bytes are in memory, and its name.
    """

    def __init__(self, names: Names, starts: NDArray[np.int64], numbers: NDArray[np.int64], rows: int) -> None:
        self.starts, self.numbers = starts, numbers         # of each run: its first row, and its sequence
        self._ends = np.append(starts[1:], rows)
        self._names = names                                 # of each run
        self._order = np.argsort(numbers, kind="stable")    # runs by sequence
        self._bounds = np.searchsorted(numbers[self._order], np.arange(numbers.max(initial=-1) + 2))
        lengths = np.zeros(len(self), np.int64)
        np.add.at(lengths, numbers, self._ends - starts)
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])    # where each begins once rows are in its order

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @overload
    def __getitem__(self, at: int) -> Rows: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Rows]: ...
    def __getitem__(self, at: int | slice) -> Rows | Sequence[Rows]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        at %= len(self)
        runs = self._order[self._bounds[at] : self._bounds[at + 1]]
        return Rows(self.name(at), np.concatenate([np.arange(self.starts[run], self._ends[run]) for run in runs]))

    def name(self, at: int) -> str:
        return self._names[int(self._order[self._bounds[at]])]

    @property
    def mixed(self) -> bool:
        """Whether the rows of one sequence stand between those of another."""
        return len(self.starts) > len(self)

    def places(self, step: int) -> Iterator[NDArray[np.int64]]:
        """For each `step` rows, where they go so that each sequence's rows follow one another."""
        place = self.offsets[:-1].copy()        # of each sequence's next row
        rows = int(self._ends[-1])
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
        runs = slice(np.searchsorted(self.starts, first, side="right") - 1, np.searchsorted(self.starts, last))
        lengths = np.minimum(self._ends[runs], last) - np.maximum(self.starts[runs], first)
        return np.repeat(self.numbers[runs], lengths)

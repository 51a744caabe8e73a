"""Numbers on disk, read again by row; in memory is one stretch of rows."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.files import unnamed
from unroll.data.npy import stretch_of

SCATTER = 1 << 14       # rows that are moved at a time: each may need a page of memory of its own
Rows = int | slice                                      # a row, or some that follow one another
Places = Callable[[int], Iterator[NDArray[np.int64]]]   # of a step: for each so many rows, where they go


class Numbers:
    """(N, …) of one type. `numbers[rows]` are those rows as an array that is not to be written to."""

    def __init__(self, folder: Path | None, blocks: Iterable[NDArray[Any]]) -> None:
        self._file = unnamed(self, folder)
        self._length, self._stored = 0, np.dtype(np.int8)
        self._row: tuple[int, ...] = ()
        for block in blocks:
            self._stored, self._row = block.dtype, block.shape[1:]
            self._file.write(np.ascontiguousarray(block).data)
            self._length += len(block)
        self._file.flush()
        self._step = stretch_of(self.width * max(1, self._stored.itemsize // 8))
        self.read_as(self._stored)

    def read_as(self, kind: Any) -> "Numbers":
        """Itself, whose rows have this NumPy type from now on."""
        self._kind = np.dtype(kind)
        self._first, self._window = 0, np.empty((0, *self._row), self._kind)
        return self

    def __len__(self) -> int:
        return self._length

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return int(np.prod(self._row))

    def __getitem__(self, rows: Rows) -> NDArray[Any]:
        if isinstance(rows, int | np.integer):
            return np.asarray(self._some(int(rows), int(rows) + 1)[0])
        first, last, _ = rows.indices(self._length)
        return self._some(first, max(first, last))

    def moved(self, folder: Path | None, places: Places) -> "Numbers":
        """The same rows in another order."""
        out = Numbers(folder, ())
        out._length, out._stored, out._row, out._step = self._length, self._stored, self._row, self._step
        out._file.truncate(self._length * self._size)
        for first, to in zip(range(0, self._length, SCATTER), places(SCATTER), strict=True):
            mapped = np.memmap(out._file, self._stored, "r+", shape=(self._length, *self._row))
            mapped[to] = self[first : first + SCATTER]
        return out.read_as(self._kind)

    def with_rows(self, folder: Path | None, rows: NDArray[np.int64], counts: NDArray[np.int64]) -> "Numbers":
        """The same with `counts` rows of NaN before each of `rows`, as float64."""
        bounds = np.concatenate([[0], rows, [self._length]])

        def blocks() -> Iterator[NDArray[Any]]:
            for number, (first, last) in enumerate(pairwise(bounds.tolist())):
                for at in range(first, last, self._step):
                    yield self[at : min(at + self._step, last)].astype(np.float64)
                if number < len(counts):
                    for at in range(0, int(counts[number]), self._step):
                        yield np.full((min(self._step, int(counts[number]) - at), *self._row), np.nan)

        return Numbers(folder, blocks())

    def of_sequences(self, folder: Path | None, offsets: NDArray[np.int64], differing: Callable[[int, Any], Any]
                     ) -> "Numbers":
        """The row that all rows of a sequence equal, one for each: sequence i has rows offsets[i] … offsets[i + 1] - 1.

        Where they are not all equal, `differing` has the one, from the sequence and its rows.
        """
        return Numbers(folder, self._of_sequences(offsets, differing)).read_as(self._kind)

    def _of_sequences(self, offsets: NDArray[np.int64], differing: Callable[[int, Any], Any]) -> Iterator[NDArray[Any]]:
        at = 0
        while at < len(offsets) - 1:
            end = max(at + 1, int(np.searchsorted(offsets, offsets[at] + self._step, side="right")) - 1)
            rows, starts = self[int(offsets[at]) : int(offsets[end])], offsets[at : end + 1] - offsets[at]
            values = rows[starts[:-1]]
            expected = values if len(values) == 1 else np.repeat(values, np.diff(starts), axis=0)
            other = (rows != expected).reshape(len(rows), -1).any(axis=1)
            for number in np.flatnonzero(np.logical_or.reduceat(other, starts[:-1])).tolist():
                values[number] = differing(at + number, rows[starts[number] : starts[number + 1]])
            yield values
            at = end

    def scattered(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Rows from anywhere."""
        return self._map(0, self._length)[rows].astype(self._kind, copy=False)

    def _some(self, first: int, last: int) -> NDArray[Any]:
        if last - first > self._step:       # its pages need not stay in memory
            return self._map(first, last).astype(self._kind, copy=False)
        if first < self._first or last > self._first + len(self._window):
            count = min(self._step, self._length - first)
            window = np.empty((count, *self._row), self._stored)
            self._file.seek(first * self._size)
            self._file.readinto(window.data)
            self._first, self._window = first, window.astype(self._kind, copy=False)
            self._window.flags.writeable = False
        return self._window[first - self._first : last - self._first]

    def _map(self, first: int, last: int) -> NDArray[Any]:
        shape = (last - first, *self._row)
        if not first < last:
            return np.empty(shape, self._stored)
        return np.asarray(np.memmap(self._file, self._stored, "r", first * self._size, shape))

    @property
    def _size(self) -> int:
        return self._stored.itemsize * self.width

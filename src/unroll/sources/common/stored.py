"""Numbers and names on disk, read again by row; in memory is one stretch of rows."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
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


class Pieces(Sequence[NDArray[Any]]):
    """Sequences (T, F), each of which comes in blocks of rows. `pieces[at]` is one."""

    def __init__(self, folder: Path | None, pieces: Iterable[Iterable[NDArray[Any]]]) -> None:
        self._ends = array("q", [0])
        self._rows = Numbers(folder, self._counted(pieces))

    def _counted(self, pieces: Iterable[Iterable[NDArray[Any]]]) -> Iterator[NDArray[Any]]:
        width: int | None = None
        for number, blocks in enumerate(pieces, 1):
            end = self._ends[-1]
            for block in blocks:
                width = block.shape[1] if width is None else width
                if block.shape[1] != width:
                    raise UserError("unequal-lengths", f"data, sequence {number}", f"{block.shape[1]} numbers per step "
                                    f"where others have {width}.")
                end += len(block)
                yield block
            self._ends.append(end)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[NDArray[Any]]: ...
    def __getitem__(self, at: int | slice) -> NDArray[Any] | list[NDArray[Any]]:
        if isinstance(at, slice):
            return [self[number] for number in range(len(self))[at]]
        at = range(len(self))[at]
        return self._rows[self._ends[at] : self._ends[at + 1]]


class Labels:
    """(N, …) of names, each of which is in memory once. `labels[rows]` are those rows."""

    def __init__(self, folder: Path | None, blocks: Iterable[NDArray[np.object_]]) -> None:
        self._numbers: dict[str, int] = {}
        self._codes = Numbers(folder, map(self._encode, blocks))
        self._names = np.array(list(self._numbers), dtype=str)

    def _encode(self, cells: NDArray[np.object_]) -> NDArray[np.int32]:
        numbers = [self._numbers.setdefault(cell, len(self._numbers)) for cell in cells.ravel()]
        return np.array(numbers, np.int32).reshape(cells.shape)

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def width(self) -> int:
        return self._codes.width

    def moved(self, folder: Path | None, places: Places) -> "Labels":
        """The same rows in another order."""
        out = Labels(folder, ())
        out._codes, out._names = self._codes.moved(folder, places), self._names
        return out

    def __getitem__(self, rows: Rows) -> Any:
        return self._names[self._codes[rows]]

"""Sequences and names on disk, read again by row; in memory is one stretch of rows."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.source import UNKNOWN
from unroll.readers.common.keys import Coding
from unroll.readers.common.numbers import Numbers, Places, Rows


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

    def __init__(self, folder: Path | None, blocks: Iterable[tuple[NDArray[np.int64], list[str]]]) -> None:
        """From `Columns.coded_blocks`: numbers of names, and the names."""
        coding = Coding()
        self._codes = Numbers(folder, (coding.numbers(names).astype(np.int32)[codes] for codes, names in blocks))
        self._names = np.array([*coding], dtype=object)

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

    def with_rows(self, folder: Path | None, rows: NDArray[np.int64], counts: NDArray[np.int64]) -> "Labels":
        """The same with `counts` rows that are unknown before each of `rows`."""
        out = Labels(folder, ())
        codes = self._codes.with_rows(folder, rows, counts)
        known = len(self._names)
        out._names = np.array([*self._names, UNKNOWN], dtype=object)
        out._codes = Numbers(folder, (np.nan_to_num(codes[first : first + (1 << 16)], nan=known).astype(np.int32)
                                      for first in range(0, len(codes), 1 << 16)))
        return out

    def of_sequences(self, folder: Path | None, offsets: NDArray[np.int64], differing: Callable[[int, Any], Any]
                     ) -> "Labels":
        """As of `Numbers`."""
        codes = {name: code for code, name in enumerate(self._names.tolist())}

        def code(at: int, own: NDArray[np.int64]) -> NDArray[np.int64]:
            names = np.asarray(differing(at, self._names[own]))
            return np.array([codes[name] for name in names.ravel().tolist()], np.int64).reshape(names.shape)

        out = Labels(folder, ())
        out._codes, out._names = self._codes.of_sequences(folder, offsets, code), self._names
        return out

    def __getitem__(self, rows: Rows) -> Any:
        """Names as objects, of which a long one does not widen the others; the one of a row as it is."""
        return self._names[self._codes[rows]]


def side_by_side(columns: Iterable[Iterable[tuple[NDArray[np.int64], list[str]]]]
                 ) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
    """Blocks of K columns as blocks of (n, K)."""
    for blocks in zip(*columns, strict=True):
        starts = np.cumsum([0, *(len(names) for _, names in blocks[:-1])])
        codes = [own + start for (own, _), start in zip(blocks, starts, strict=True)]
        yield np.stack(codes, axis=1), [name for _, names in blocks for name in names]

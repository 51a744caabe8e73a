"""Texts on disk, read again by row."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.files import unnamed
from unroll.data.npy import STRETCH
from unroll.readers.common.numbers import SCATTER, Numbers, Places, Rows

WINDOW = 1 << 12        # texts that are read at a time, at most


class Texts:
    """N texts of any length. `texts[row]` is one, `texts[rows]` a list."""

    def __init__(self, folder: Path | None, blocks: Iterable[list[str]]) -> None:
        self._file = unnamed(self, folder)
        self._ends = Numbers(folder, _sums(self._write(blocks)))
        self._file.flush()
        self._first = 0
        self._window: list[str] = []

    def _write(self, blocks: Iterable[list[str]]) -> Iterator[NDArray[np.int64]]:
        for block in blocks:
            encoded = [text.encode() for text in block]
            self._file.write(b"".join(encoded))
            yield np.array([len(text) for text in encoded], np.int64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, rows: Rows) -> Any:
        if isinstance(rows, int | np.integer):
            return self._one(int(rows))
        return [self._one(row) for row in range(len(self))[rows]]

    def moved(self, folder: Path | None, places: Places) -> "Texts":
        """The same texts in another order."""
        lengths = Numbers(folder, (np.diff(self._ends[first : first + SCATTER + 1])
                                   for first in range(0, len(self), SCATTER))).moved(folder, places)
        out = Texts(folder, ())
        out._ends = Numbers(folder, _sums(lengths[first : first + SCATTER] for first in range(0, len(self), SCATTER)))
        out._file.truncate(int(self._ends[len(self)]))
        for first, to in zip(range(0, len(self), SCATTER), places(SCATTER), strict=True):
            starts = out._ends.scattered(to)
            for text, start in zip(self[first : first + SCATTER], starts.tolist(), strict=True):
                os.pwrite(out._file.fileno(), text.encode(), start)
        return out

    def _one(self, row: int) -> str:
        at = row - self._first
        if not 0 <= at < len(self._window):
            ends = self._ends[row : row + 1 + WINDOW]
            count = max(1, int(np.searchsorted(ends, ends[0] + STRETCH, side="right")) - 1)     # of the next texts
            self._file.seek(int(ends[0]))
            content = self._file.read(int(ends[count] - ends[0]))
            bounds = (ends[: count + 1] - ends[0]).tolist()
            self._first = row
            self._window = [content[first:last].decode() for first, last in pairwise(bounds)]
            at = 0
        return self._window[at]


class TextColumns:
    """Several columns of N texts. `texts[row]` is a row's texts, `texts[rows]` a list of those."""

    width = 1       # of numbers: rows are read as they are needed

    def __init__(self, columns: Sequence[Texts]) -> None:
        self._columns = columns

    def __getitem__(self, rows: Rows) -> Any:
        if isinstance(rows, int | np.integer):
            return [texts[rows] for texts in self._columns]
        return [*zip(*(texts[rows] for texts in self._columns), strict=True)]

    def moved(self, folder: Path | None, places: Places) -> "TextColumns":
        """The same texts in another order."""
        return TextColumns([texts.moved(folder, places) for texts in self._columns])


def _sums(blocks: Iterable[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """0, and the sum of all numbers up to each."""
    end = 0
    yield np.zeros(1, np.int64)
    for block in blocks:
        sums = end + np.cumsum(block)
        end = int(sums[-1]) if len(sums) else end
        yield sums

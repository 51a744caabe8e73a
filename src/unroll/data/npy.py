"""`.npy` files that grow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

STRETCH = 1 << 21       # numbers that are looked at at a time


def stretches(rows: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Consecutive rows, at least one stretch of them, each after its first row; they may be mapped from a file."""
    step = stretch_of(int(np.prod(rows.shape[1:])))
    for first in range(0, max(len(rows), 1), step):
        yield first, rows[first : first + step]


def stretch_of(width: int) -> int:
    """Rows of `width` numbers that are looked at at a time."""
    return max(1, STRETCH // max(width, 1))


class Array:
    """A `.npy` file that grows row by row; closing it writes the final length into its header."""

    def __init__(self, path: Path, kind: np.dtype[Any], row: tuple[int, ...] = ()) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file, self._kind, self._row, self._length = path.open("wb"), kind, row, 0
        self._header()

    def append(self, values: NDArray[Any]) -> None:
        for _, rows in stretches(values):
            self._file.write(rows.astype(self._kind).tobytes())
        self._length += len(values)

    def close(self) -> None:
        self._file.seek(0)
        self._header()      # of the same size: the format leaves room for a longer shape
        self._file.close()

    def _header(self) -> None:
        shape = (self._length, *self._row)
        descr = npy.dtype_to_descr(self._kind)      # type: ignore[no-untyped-call]
        described = {"descr": descr, "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, described)   # type: ignore[no-untyped-call]

    def __enter__(self) -> "Array":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""Arrays in NumPy's format, read from their beginning to their end a block of rows at a time."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from unroll.data.npy import stretch_of


class Header(NamedTuple):
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    by_column: bool = False     # Fortran's order: rows do not follow one another


def read_header(member: IO[bytes]) -> Header:
    """Raises `ValueError`, also for Python's objects and for records."""
    version = npy.read_magic(member)    # type: ignore[no-untyped-call]
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"version {version} of NumPy's format, of records")
    shape, by_column, kind = read(member)   # type: ignore[no-untyped-call]
    if kind.hasobject:
        raise ValueError("Object arrays cannot be read")
    return Header(kind, shape, by_column)


def blocks(member: IO[bytes], scratch: Path | None) -> Iterator[NDArray[Any]]:
    """Consecutive rows of an array of one dimension or more, a block of them in memory; at least one block."""
    header = read_header(member)
    return _by_row(member, header, scratch) if header.by_column and len(header.shape) > 1 else _rows(member, header)


def _step(header: Header) -> int:
    """Rows that are in memory at a time."""
    return stretch_of(int(np.prod(header.shape[1:])) * max(1, header.dtype.itemsize // 8))


def _rows(member: IO[bytes], header: Header) -> Iterator[NDArray[Any]]:
    kind, shape, _ = header
    width = int(np.prod(shape[1:]))
    size, step = width * kind.itemsize, _step(header)
    if not size or not shape[0]:
        yield np.empty(shape, kind)
        return
    for first in range(0, shape[0], step):
        count = min(step, shape[0] - first)
        content = member.read(count * size)
        if len(content) < count * size:
            raise ValueError("it ends early")
        yield np.frombuffer(content, kind).reshape(count, *shape[1:])


def _by_row(member: IO[bytes], header: Header, scratch: Path | None) -> Iterator[NDArray[Any]]:
    """Rows of an array in Fortran's order, which has the first numbers of all rows before the second ones."""
    kind, shape, _ = header
    with TemporaryFile(dir=scratch) as copy:
        for block in _rows(member, Header(kind, (int(np.prod(shape)),))):
            copy.write(block.data)
        copy.flush()
        # mapped anew each time, or its pages would stay in memory
        for first in range(0, max(shape[0], 1), step := _step(header)):
            mapped = np.memmap(copy, kind, "r", shape=shape, order="F") if np.prod(shape) else np.empty(shape, kind)
            yield np.ascontiguousarray(mapped[first : first + step])

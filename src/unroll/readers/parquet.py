"""Parquet: columns with types, read by pyarrow."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from unroll.base.errors import UserError
from unroll.data.spec import Reading

HOLDS = "table"
ENDINGS = (".parquet", ".pq")
SETTINGS = ()       # nothing of `Reading` says how it is written
ROWS = 1 << 16      # that are read at a time
BUFFER = 1 << 20    # bytes of a column that are read at a time, and not all of its rows


def column_names(file: Path, reading: Reading) -> list[str]:
    return list(_open(file).schema_arrow.names)


def blocks_of(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of consecutive rows of these columns; raises `UserError` when the file cannot be read."""
    try:
        for batch in _open(file).iter_batches(ROWS, columns=list(columns)):
            yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from None


def row_numbers(file: Path, reading: Reading) -> range:
    return range(1, _open(file).metadata.num_rows + 1)


def _open(file: Path) -> Any:
    try:
        return pa.parquet.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split()).rstrip(".")
    return UserError("unreadable", file, f"not a Parquet file that can be read: {reason}. Write it again.")

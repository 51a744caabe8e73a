"""Feather, and Arrow's own files: columns with types, in batches."""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter, methodcaller
from pathlib import Path
from typing import Any

import pyarrow as pa

from unroll.base.errors import UserError
from unroll.data.spec import Reading

HOLDS = "table"
ENDINGS = (".feather", ".arrow")
SETTINGS = ()       # nothing of `Reading` says how it is written
ROWS = 1 << 16      # that are handed on at a time; a batch may be the whole table


def column_names(file: Path, reading: Reading) -> list[str]:
    names: list[str] = _read(file, attrgetter("schema.names"))
    return names


def blocks_of(file: Path, reading: Reading, columns: Sequence[str]) -> Iterator[Any]:
    """pyarrow.Tables of consecutive rows of these columns; raises `UserError` when the file cannot be read."""
    names = column_names(file, reading)
    for number in range(_read(file, attrgetter("num_record_batches"))):
        batch = _read(file, methodcaller("get_batch", number), [names.index(name) for name in columns])
        table = pa.Table.from_batches([batch]).select(list(columns))
        yield from (table.slice(first, ROWS) for first in range(0, len(table), ROWS))


def row_numbers(file: Path, reading: Reading) -> range:
    def count(opened: Any) -> int:
        return sum(opened.get_batch(number).num_rows for number in range(opened.num_record_batches))

    return range(1, _read(file, count, [0]) + 1)


def _read(file: Path, find: Callable[[Any], Any], fields: Sequence[int] | None = None) -> Any:
    """What `find` finds in the file, of which the fields by these numbers are read, in the order of the file."""
    options = pa.ipc.IpcReadOptions(included_fields=None if fields is None else sorted(fields))
    try:
        with pa.memory_map(str(file)) as source:
            return find(pa.ipc.open_file(source, options=options))
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError("unreadable", file, f"not a Feather or Arrow file that can be read: {reason}. Write it again: "
                        "in pandas, to_feather(path).") from None

"""A table of any length on disk."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from unroll.base.files import unnamed


class Spool:
    """pyarrow.Tables of consecutive rows, written to a temporary file in `folder` and read again block by block."""

    def __init__(self, folder: Path | None, blocks: Iterator[Any]) -> None:
        self._file = unnamed(self, folder)
        self._rows, self.schema = 0, pa.schema([])
        writer = None
        for block in map(_plain, blocks):
            writer = writer or pa.ipc.new_file(self._file, block.schema)
            writer.write_table(block)
            self._rows += len(block)
        if writer is not None:
            writer.close()
            self.schema = block.schema
        pa.default_memory_pool().release_unused()       # which the reader keeps for more blocks

    def __len__(self) -> int:
        return self._rows

    def blocks(self, columns: Sequence[str]) -> Iterator[Any]:
        """Tables of consecutive rows of some columns, of which one is in memory at a time."""
        fields = [self.schema.get_field_index(name) for name in columns]
        with pa.ipc.open_file(self._file, options=pa.ipc.IpcReadOptions(included_fields=fields)) as opened:
            for number in range(opened.num_record_batches):
                yield pa.Table.from_batches([opened.get_batch(number)])


def _plain(block: Any) -> Any:
    """Without dictionaries, of which a file has one for all blocks."""
    for at, column in enumerate(block.columns):
        if pa.types.is_dictionary(column.type):
            block = block.set_column(at, block.column_names[at], column.cast(column.type.value_type))
    return block

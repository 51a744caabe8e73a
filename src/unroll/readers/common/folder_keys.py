"""Columns that a table has in the names of its folders: sales/year=2015/month=1/part-0.parquet."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

NONE = "__HIVE_DEFAULT_PARTITION__"     # no value, as Hive and Spark write it
LISTS = ("_SUCCESS", "_metadata", "_common_metadata")      # of what else is in the folder, as Spark writes them


def is_key(folder: Path) -> bool:
    name, equals, _ = folder.name.partition("=")
    return bool(name and equals)


def keys_of(file: Path) -> dict[str, str]:
    """Column → its value in all rows, by the folders right above the file."""
    pairs = [folder.name.partition("=") for folder in takewhile(is_key, file.parents)]
    return {unquote(name): "" if value == NONE else unquote(value) for name, _, value in reversed(pairs)}


def with_keys(blocks: Iterator[Any], keys: dict[str, str], columns: Sequence[str]) -> Iterator[Any]:
    """The same tables with the keys that are among the columns, as text, in their order."""
    for block in blocks:
        for name, value in keys.items():
            if name in columns and name not in block.column_names:
                block = block.append_column(name, pa.repeat(pa.scalar(value, pa.string()), len(block)))
        yield block.select(list(columns))

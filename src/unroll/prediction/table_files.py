"""Tables on disk; no PyTorch."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from unroll.base.errors import UserError

DIGITS = 6      # significant ones; the size of a batch changes only later ones


class TableFile:
    """A .csv, .jsonl or .parquet, as `ending` says, written in parts; numbers to `digits` significant ones.

    A .csv may be a stream, and `header` is whether it begins with the names of its columns.
    """

    def __init__(self, path: Path | TextIO, ending: str, digits: int = DIGITS, header: bool = True) -> None:
        self._digits, self._add = digits, WRITERS[ending](path, header)

    def write(self, table: pd.DataFrame) -> None:
        """The next rows, with the columns of those before."""
        self._add(table, self._digits)

    def __enter__(self) -> "TableFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._add(None, self._digits)


# writes one part of a table; None closes the file
Add = Callable[[pd.DataFrame | None, int], None]


def _csv(path: Path | TextIO, header: bool) -> Add:
    file = path.open("w", encoding="utf-8", newline="") if isinstance(path, Path) else path

    def add(table: pd.DataFrame | None, digits: int) -> None:
        nonlocal header
        if table is not None:
            table.to_csv(file, index=False, header=header, lineterminator="\n", float_format=f"%.{digits}g")
            header = False
        elif isinstance(path, Path):
            file.close()
    return add


def _jsonl(path: Any, _: bool) -> Add:
    file = path.open("w", encoding="utf-8", newline="\n")

    def add(table: pd.DataFrame | None, digits: int) -> None:
        if table is None:
            file.close()
            return
        # pandas would write ten decimals, which leaves nothing of a small probability
        rows = ({name: None if value != value else value for name, value in row.items()}       # JSON has no NaN
                for row in _rounded(table, digits).to_dict("records"))
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return add


def _parquet(path: Any, _: bool) -> Add:
    writer: pa.parquet.ParquetWriter | None = None

    def add(table: pd.DataFrame | None, digits: int) -> None:
        nonlocal writer
        if table is not None:
            rows = pa.Table.from_pandas(_rounded(table, digits), None if writer is None else writer.schema, False)
            writer = pa.parquet.ParquetWriter(path, rows.schema) if writer is None else writer
            writer.write_table(rows)
        elif writer is not None:
            writer.close()
    return add


WRITERS: dict[str, Callable[[Any, bool], Add]] = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}


def _rounded(table: pd.DataFrame, digits: int) -> pd.DataFrame:
    rounded = table.copy()
    for name in table.select_dtypes("float").columns:
        rounded[name] = [float(f"{value:.{digits}g}") for value in table[name]]
    return rounded


def check_name(path: Path) -> None:
    """Raises `UserError` on an ending that has no writer."""
    if path.suffix not in WRITERS:
        raise UserError("unsupported", path, f"no table is written with this ending. Choose {', '.join(WRITERS)}.")


def write_table(table: pd.DataFrame, path: Path | TextIO, ending: str, digits: int = DIGITS, header: bool = True
                ) -> None:
    """A whole table at once; `header` is whether a .csv begins with the names of its columns."""
    with TableFile(path, ending, digits, header) as file:
        file.write(table)

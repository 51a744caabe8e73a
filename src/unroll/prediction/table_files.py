"""Tables on disk; no PyTorch."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from unroll.base.errors import UserError

DIGITS = 6      # significant ones; the size of a batch changes only later ones


def _write_csv(table: pd.DataFrame, path: Path | TextIO, digits: int, header: bool) -> None:
    table.to_csv(path, index=False, lineterminator="\n", float_format=f"%.{digits}g", header=header)


def _write_jsonl(table: pd.DataFrame, path: Path, *_: int) -> None:
    # pandas would write ten decimals, which leaves nothing of a small probability
    rows = ({name: None if value != value else value for name, value in row.items()}       # JSON has no NaN
            for row in table.to_dict("records"))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


WRITERS: dict[str, Callable[[pd.DataFrame, Any, int, bool], object]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": lambda table, path, *_: table.to_parquet(path, index=False),
}


def check_name(path: Path) -> None:
    """Raises `UserError` on an ending that has no writer."""
    if path.suffix not in WRITERS:
        raise UserError("unsupported", path, f"no table is written with this ending. Choose {', '.join(WRITERS)}.")


def write_table(table: pd.DataFrame, path: Path | TextIO, ending: str, digits: int = DIGITS, header: bool = True
                ) -> None:
    """Write a .csv, .jsonl or .parquet, as `ending` says, a .csv to a stream, too; numbers to so many digits.

    `header` is whether a .csv begins with the names of its columns.
    """
    rounded = table.copy()
    for name in table.select_dtypes("float").columns:
        rounded[name] = [float(f"{value:.{digits}g}") for value in table[name]]
    WRITERS[ending](rounded, path, digits, header)

"""Cells of tables that stand for a missing number."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

MISSING = ("", "-", "?", "#n/a", "<na>", "n/a", "na", "nan", "none", "null")


def marks(values: Iterable[float | str]) -> tuple[float | str, ...]:
    """Numbers as numbers, however they are written, others in small letters."""
    return tuple(value.strip().lower() if isinstance(value, str) else float(value) for value in values)


def without_missing(column: Any, others: Iterable[float | str] = ()) -> Any:
    """With null for the texts that stand for a missing value."""
    if not pa.types.is_string(column.type):
        return column
    texts = [*MISSING, *(mark for mark in others if isinstance(mark, str))]
    plain = pa.compute.utf8_lower(pa.compute.utf8_trim_whitespace(column))
    return pa.compute.if_else(pa.compute.is_in(plain, pa.array(texts)), None, column)


def without_marks(values: NDArray[Any], others: Iterable[float | str]) -> NDArray[Any]:
    """With NaN for the numbers that stand for a missing value."""
    numbers = [mark for mark in others if not isinstance(mark, str)]
    return np.where(np.isin(values, numbers), np.nan, values) if numbers else values


def is_mark(cell: str, others: Iterable[float | str], decimal: str) -> bool:
    """Whether one of the `others` is what a cell has."""
    try:
        number = float(cell.replace(",", ".") if decimal == "," else cell)
    except ValueError:
        number = np.nan
    return any(cell.lower() == mark if isinstance(mark, str) else number == mark for mark in others)

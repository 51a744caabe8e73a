"""Cells of a table that hold a sequence of their own: a text, or numbers or names with spaces between them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.readers.common.columns import NUMBER, Columns
from unroll.readers.common.constant import constant
from unroll.readers.common.sequences import Rows

Cells = Sequence[str]       # of one row, one of each column
Kind = Literal["tokens", "real", "categories"]      # of what a cell holds several of


def own_of_row(table: Columns, columns: Sequence[str], cells: Cells, kind: Kind, row: Callable[[int], int]) -> Any:
    """The text of the only column, or (T', F) numbers or names of F columns; an empty cell is an empty sequence.

    Raises `UserError` naming the row; `row` gives that of each column, which errors alone need.
    """
    if kind == "tokens":
        return cells[0]
    words = [cell.split() for cell in cells]
    for at, (column, own) in enumerate(zip(columns, words, strict=True)):
        if len(own) != len(words[0]):
            raise UserError("unequal-lengths", table.where(row(at), column), f"{len(own)} words where column "
                            f"{columns[0]!r} has {len(words[0])}. Give as many.")
    if kind == "categories":
        return np.array(words, object).T
    return np.array([[_number(table, word, column, partial(row, at)) for word in own]
                     for at, (column, own) in enumerate(zip(columns, words, strict=True))], np.float64).T


def own_of_rows(table: Columns, columns: Sequence[str], rows: Sequence[Cells], kind: Kind,
                sequence: Callable[[], Rows], advice: str) -> Any:
    """The same of a sequence with several rows, all of which hold the same, or nothing."""
    numbers: list[dict[str, int]] = [{"": -1} for _ in columns]
    found = np.array([[known.setdefault(cell, len(known)) for known, cell in zip(numbers, row, strict=True)]
                      for row in rows], np.float64)
    held: NDArray[Any] = constant(table, columns, np.where(found < 0, np.nan, found), sequence, advice)     # (F,)
    cells = ["" if np.isnan(number) else [*known][int(number)] for known, number in zip(numbers, held, strict=True)]
    first = (found >= 0).argmax(axis=0)     # the row that fills each column
    return own_of_row(table, columns, cells, kind, lambda at: int(sequence().index[first[at]]))


def _number(table: Columns, word: str, column: str, row: Callable[[], int]) -> float:
    plain = word.replace(",", ".") if table.decimal == "," else word
    if not NUMBER.fullmatch(plain) or not np.isfinite(float(plain)):
        raise UserError("bad-number", table.where(row(), column), f"{word!r} is no number. Give numbers with spaces "
                        "between them.")
    return float(plain)

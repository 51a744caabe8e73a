"""A table's columns and sequences, and what of a column holds within each sequence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.commands.init.columns import Column
from unroll.commands.init.spacing import NONE, Spacing

Where = Callable[[int, str], str]       # how a user finds the cell of a row and column
STRAY = 0.05        # of sequences: in fewer, a column that changes is likely to be mistaken there


@dataclass
class Roles:
    """The columns, which of them are time and series, and `codes` (N,), the number of each row's sequence."""

    columns: dict[str, Column]
    where: Where
    time: Column | None = None
    series: Column | None = None
    codes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    apart: bool = False                 # whether there are several sequences
    spacing: Spacing = NONE             # of the time

    def __post_init__(self) -> None:
        if not len(self.codes):
            self.codes = np.zeros(len(next(iter(self.columns.values())).values), np.int64)

    def free(self) -> list[Column]:
        """Columns that are neither time nor series."""
        return [column for column in self.columns.values() if column not in (self.time, self.series)]

    def firsts(self, column: Column) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The sequences in which the column has values, and the first row with one in each."""
        rows = np.flatnonzero(column.codes >= 0)
        sequences, first = np.unique(self.codes[rows], return_index=True)
        return sequences, rows[first]

    def deviating(self, column: Column) -> NDArray[np.int64]:
        """Rows whose value is not the first one of their sequence; a row without a value does not deviate."""
        sequences, first = self.firsts(column)
        began = np.full(int(self.codes.max()) + 1, -1)
        began[sequences] = column.codes[first]
        return np.flatnonzero((column.codes >= 0) & (column.codes != began[self.codes]))

    def constant(self, column: Column) -> bool:
        """Whether it has one value in all rows of a sequence."""
        return not len(self.deviating(column))

    def check_strays(self, column: Column, way: str) -> None:
        """Raises `UserError` on a column that changes in so few sequences that this may be a mistake.

        Another one is an event that is rare: its sequences have one and the same value otherwise.
        """
        rows = self.deviating(column)
        changing = np.unique(self.codes[rows])
        several = int((np.bincount(self.codes[column.codes >= 0]) > 1).sum())
        sequences, first = self.firsts(column)
        steady = np.unique(column.codes[first[~np.isin(sequences, changing)]])
        if several < 5 or not 0 < len(changing) <= max(1, STRAY * several) or len(steady) < 2:
            return
        row, before = rows[0], first[sequences == self.codes[rows[0]]][0]
        cell, began = (f"{value:g}" if column.kind == "number" else repr(value)
                       for value in column.values[[row, before]])
        name = f" {self.series.labels[row]!r}" if self.series else ""
        raise UserError("ambiguous", self.where(int(row), column.name), f"{cell} where sequence{name} began with "
                        f"{began}; in {several - len(changing):,} of {several:,} sequences the column does not change. "
                        f"Correct the row, or say what the column is: {way}.")

    def check_spaces(self, column: Column, way: str) -> None:
        """Raises `UserError` where names differ in the spaces around them alone, and so would be two."""
        if column.kind != "text":
            return
        for row in np.flatnonzero([cell != cell.strip() for cell in column.values]):
            if column.values[row].strip() in column.names:
                raise UserError("ambiguous", self.where(int(row), column.name), f"{column.values[row]!r} and "
                                f"{column.values[row].strip()!r} would be two names. Take the spaces out, or, if they "
                                f"are, choose {way}.")

    def steps(self, column: Column) -> NDArray[Any]:
        """From each row of a sequence to its next one, of all sequences."""
        order = np.argsort(self.codes, kind="stable")
        return np.asarray(np.diff(column.values[order])[np.diff(self.codes[order]) == 0])

    def lengths(self) -> NDArray[np.int64]:
        return np.bincount(self.codes)

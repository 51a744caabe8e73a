"""The cells of a column of times, by sequence."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from unroll.readers.common.columns import Columns
from unroll.readers.common.keys import Coding
from unroll.readers.common.sequences import Rows


class TimeCells(Sequence[list[str]]):
    """The cells of each sequence's rows, made when they are asked for: in memory each different cell is there once."""

    def __init__(self, table: Columns, column: str, rows: Sequence[Rows]) -> None:
        coding = Coding()
        codes = [coding.numbers(cells)[own].astype(np.min_scalar_type(len(coding)))
                 for own, cells in table.coded_blocks(column, None)]
        self._codes, self._cells, self._rows = np.concatenate(codes), [*coding], rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> list[str]: ...
    @overload
    def __getitem__(self, at: slice) -> list[list[str]]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        return [self._cells[code] for code in self._codes[self._rows[at].index].tolist()]

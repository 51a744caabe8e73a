"""A value that all rows of a sequence share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.source import UNKNOWN
from unroll.readers.common.columns import Columns
from unroll.readers.common.rows import Rows


def constant(table: Columns, columns: Sequence[str], values: NDArray[Any], rows: Rows, advice: str) -> Any:
    """The value that every row of a sequence has, of those where it is known; `values` (N,) or (N, K) are of all rows.

    Raises `UserError`, which ends in `advice`, at the first row that differs.
    """
    own = values[rows.index]
    known = own != UNKNOWN if own.dtype.kind == "U" else ~np.isnan(own)
    first = known.argmax(axis=0)        # the first row where it is known, of each column
    value = np.take_along_axis(own, np.expand_dims(first, 0), axis=0)[0]
    differs = known & (own != value)
    for at in np.flatnonzero(differs.reshape(len(own), -1).any(axis=1))[:1]:
        number = int(np.flatnonzero(np.atleast_1d(differs[at]))[0])
        row, before = int(rows.index[at]), int(rows.index[np.atleast_1d(first)[number]])
        raise UserError("conflict", table.where(row, columns[number]), f"{table.cell(row, columns[number])!r} where "
                        f"sequence {rows.name!r} began with {table.cell(before, columns[number])!r}. {advice}")
    return value

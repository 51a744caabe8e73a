"""A value that all rows of a sequence share."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.source import UNKNOWN
from unroll.readers.common.columns import Columns
from unroll.readers.common.sequences import Rows


def constant(
    table: Columns, columns: Sequence[str], own: NDArray[Any], sequence: Callable[[], Rows], advice: str
) -> Any:
    """The value that every row of a sequence has, of those where it is known; `own` (T,) or (T, K) are its rows.

    Raises `UserError`, which ends in `advice`, at the first row that differs.
    """
    known = own != UNKNOWN if own.dtype.kind in "UO" else ~np.isnan(own)
    first = known.argmax(axis=0)        # the first row where it is known, of each column
    value = np.take_along_axis(own, np.expand_dims(first, 0), axis=0)[0]
    differs = known & (own != value)
    for at in np.flatnonzero(differs.reshape(len(own), -1).any(axis=1))[:1]:
        rows = sequence()
        number = int(np.flatnonzero(np.atleast_1d(differs[at]))[0])
        row, before = int(rows.index[at]), int(rows.index[np.atleast_1d(first)[number]])
        raise UserError("conflict", table.where(row, columns[number]), f"{table.cell(row, columns[number])!r} where "
                        f"sequence {rows.name!r} began with {table.cell(before, columns[number])!r}. {advice}")
    return value

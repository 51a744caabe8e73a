"""The codec of columns of categories, which are inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.codecs import Codec, Located, Per, Values
from unroll.data.encoders import Classes
from unroll.data.spec import InputSpec, Names, TargetSpec


class CategoryCodec(Codec):
    """Columns of categories as numbers from 1; 0 stands for a category that the training split does not have."""

    def __init__(self, columns: Sequence[Classes], per: Per) -> None:
        super().__init__(per)
        self._columns = columns

    @classmethod
    def fit(cls, values: Located, per: Per) -> "CategoryCodec":
        found: list[set[str]] = []
        for where, value in values:
            rows = _columns(value, per)
            found = found or [set() for _ in range(rows.shape[1])]
            _check_width(len(found), rows, where)
            for known, column in zip(found, rows.T, strict=True):
                known.update(map(str, np.unique(column)))
        return cls([Classes(sorted(known)) for known in found], per)

    def encode(self, value: Any, where: str) -> Values:
        rows = _columns(value, self.per)
        _check_width(len(self._columns), rows, where)
        return np.stack([classes.positions(column) + 1 for classes, column in zip(self._columns, rows.T, strict=True)],
                        axis=1)

    def dtype(self, rows: Values) -> np.dtype[Any]:
        return np.min_scalar_type(max(len(classes.names) for classes in self._columns))

    def describe_input(self, predicted: bool, names: Names | None) -> InputSpec:
        categories = tuple(tuple(classes.names) for classes in self._columns)
        return InputSpec(kind="categories", size=sum(len(column) + 1 for column in categories), width=len(categories),
                         per=self.per, names=names, categories=categories)

    def describe_target(self, of: str | None, names: Names | None) -> TargetSpec:
        raise AssertionError("categories are inputs")


def _columns(value: Any, per: Per) -> NDArray[Any]:
    """(T, K), or (1, K) of a sequence; one column may come without its axis."""
    rows = np.atleast_1d(value)
    if per == "sequence":
        return rows.reshape(1, -1)
    return rows[:, None] if rows.ndim == 1 else rows


def _check_width(width: int, rows: Values, where: str) -> None:
    if rows.shape[1] != width:
        raise UserError("unequal-lengths", where, f"{rows.shape[1]} columns where others have {width}.")

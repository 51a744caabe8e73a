"""The codecs of names: classes, and columns of categories, of which the next one of a single column may be a target."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.codecs import Codec, Located, Per, PerTarget, Values
from unroll.data.encoders import Classes
from unroll.data.source import UNKNOWN
from unroll.data.spec import InputSpec, Names, TargetSpec

END = "⟨end⟩"       # the name of the class that ends an item


class ClassCodec(Codec):
    """Names of classes as numbers."""

    def __init__(self, classes: Classes, per: PerTarget) -> None:
        super().__init__(per)
        self.classes, self._per = classes, per

    @classmethod
    def fit(cls, name: str, labels: Located, per: PerTarget) -> "ClassCodec":
        classes = Classes.fit(value for _, value in labels)
        if not classes.names:
            raise UserError("empty", f"data.targets.{name}", "no value is known in the train split. Give some, or "
                            "another data.seed.")
        if len(classes.names) < 2:
            raise UserError("too-short", f"data.targets.{name}", f"the training split has one class alone, "
                            f"{classes.names}. Give examples of another, or another data.seed.")
        return cls(classes, per)

    def encode(self, value: Any, where: str) -> Values:
        return self.classes.encode(value, where)

    def known(self, rows: Values) -> NDArray[np.bool_] | None:
        return rows >= 0

    def occurrences(self, rows: Values) -> NDArray[np.int64]:
        return np.bincount(rows[rows >= 0], minlength=len(self.classes.names))

    def dtype(self, rows: Values) -> np.dtype[Any]:
        return np.min_scalar_type(len(self.classes.names) - 1)

    def describe_input(self, predicted: bool, names: Names | None) -> InputSpec:
        raise AssertionError("classes are targets")

    def describe_target(self, of: str | None, names: Names | None) -> TargetSpec:
        classes = tuple(self.classes.names)
        return TargetSpec(kind="classes", per=self._per, size=len(classes), classes=classes)


class CategoryCodec(Codec):
    """Columns of categories as numbers from 1; 0 stands for a category that the training split does not have.

    One that is `drawn` has a number more where it `ends` items, in a row of its own.
    """

    def __init__(self, columns: Sequence[Classes], per: Per, drawn: bool = False, ends: bool = False,
                 closed: bool = False) -> None:
        super().__init__(per, drawn, closed)
        self._columns = columns
        self._end = len(columns[0].names) + 1 if ends else None

    @classmethod
    def fit(cls, values: Located, per: Per) -> "CategoryCodec":
        return cls(_known(values, per), per)

    @classmethod
    def fit_drawn(cls, name: str, values: Located, ends: bool, closed: bool) -> "CategoryCodec":
        """One column whose next category is predicted; an empty cell is unknown, as one that training never saw."""
        columns = [Classes([name for name in column.names if name != UNKNOWN]) for column in _known(values, "step")]
        if len(columns) > 1:
            raise UserError("unsupported", f"data.targets.{name}", f"the next step of {len(columns)} columns of "
                            "categories, and one is predicted. Make each an input and a target of its own.")
        if len(columns[0].names) < 2:
            raise UserError("too-short", f"data.targets.{name}", f"the training split has one category alone, "
                            f"{columns[0].names}. Give examples of another, or another data.seed.")
        return cls(columns, "step", True, ends, closed)

    @property
    def _classes(self) -> Names:
        """The categories that a drawn column's next step may have."""
        return (*self._columns[0].names, *([END] if self._end is not None else []))

    def known(self, rows: Values) -> NDArray[np.bool_] | None:
        return rows > 0 if self.drawn else None     # no network can predict a category that it never saw

    def occurrences(self, rows: Values) -> NDArray[np.int64] | None:
        if not self.drawn:
            return None
        return np.bincount(rows[rows > 0], minlength=len(self._classes) + 1)[1:]

    def encode(self, value: Any, where: str) -> Values:
        rows = _columns(value, self.per)
        _check_width(len(self._columns), rows, where)
        found = np.stack([classes.positions(column) + 1 for classes, column in zip(self._columns, rows.T, strict=True)],
                         axis=1)
        return found if self._end is None else np.concatenate([found, [[self._end]]])

    def dtype(self, rows: Values) -> np.dtype[Any]:
        return np.min_scalar_type(self._end or max(len(classes.names) for classes in self._columns))

    def describe_input(self, predicted: bool, names: Names | None) -> InputSpec:
        categories = tuple(tuple(classes.names) for classes in self._columns)
        return InputSpec(kind="categories", size=sum(len(column) + 1 for column in categories), width=len(categories),
                         per=self.per, names=names, categories=categories, begin=0 if self.drawn else None,
                         end=self._end)

    def describe_target(self, of: str | None, names: Names | None) -> TargetSpec:
        assert self.drawn       # others are inputs alone
        return TargetSpec(kind="classes", per="step", size=len(self._classes), of=of, classes=self._classes)


def _known(values: Located, per: Per) -> list[Classes]:
    """The categories of each column."""
    found: list[set[str]] = []
    for where, value in values:
        rows = _columns(value, per)
        found = found or [set() for _ in range(rows.shape[1])]
        _check_width(len(found), rows, where)
        for known, column in zip(found, rows.T, strict=True):
            known.update(map(str, column.tolist()))
    return [Classes(sorted(known)) for known in found]


def _columns(value: Any, per: Per) -> NDArray[Any]:
    """(T, K), or (1, K) of a sequence; one column may come without its axis."""
    rows = np.atleast_1d(value)
    if per == "sequence":
        return rows.reshape(1, -1)
    return rows[:, None] if rows.ndim == 1 else rows


def _check_width(width: int, rows: Values, where: str) -> None:
    if rows.shape[1] != width:
        raise UserError("unequal-lengths", where, f"{rows.shape[1]} columns where others have {width}.")

"""One split of a prepared folder, as batches are cut from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unroll.data.encoders import Frame

IGNORED = -100      # a class or a symbol that does not count; a real number that does not is NaN

Values = NDArray[Any]


def as_they_are(values: Values) -> Values:
    return values


@dataclass(frozen=True)
class Field:
    """The values of one input or target: a row a step, or a row a sequence; `show` makes a batch's of them."""

    values: Values                          # (N,) or (N, F)
    per: Literal["step", "sequence"]
    fill: float                             # where a batch has nothing to show: a symbol, IGNORED, 0 or NaN
    dtype: type[np.generic]
    ahead: int = 0                          # step t of a batch shows step t + ahead; -1: what went before
    show: Callable[[Values], Values] = as_they_are

    def at(self, rows: NDArray[np.int64], known: NDArray[np.bool_]) -> Values:
        """Rows of any shape → their values, `fill` where a row is not known."""
        taken = self.show(self.values[rows.clip(0, max(0, len(self.values) - 1))]).astype(self.dtype)
        if not known.all():
            taken[~known] = self.fill
        return taken


@dataclass(frozen=True)
class Sequences:
    """The fields of a split. `bounds` (n, 2) are each sequence's first step and the one after its last.

    Without bounds it is one long stream. With a `frame` the sequences are windows of series: a target is what
    comes after its window.
    """

    inputs: dict[str, Field]
    targets: dict[str, Field]
    bounds: NDArray[np.int64] | None
    frame: Frame | None = None

    def __len__(self) -> int:
        """Sequences; steps of a stream."""
        if self.bounds is not None:
            return len(self.bounds)
        first = next(iter(self.inputs.values()))
        ahead = max(each.ahead for each in self.targets.values())
        return len(first.values) - max(0, ahead)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) steps of each sequence."""
        assert self.bounds is not None
        return np.asarray(self.bounds[:, 1] - self.bounds[:, 0])

    @property
    def pooled(self) -> bool:
        """Whether a sequence, not a step, is what is counted."""
        return self.frame is not None or any(each.per == "sequence" for each in self.targets.values())

    def only(self, chosen: slice | NDArray[np.int64]) -> "Sequences":
        """Some of the sequences, or a stretch of the stream."""

        def cut(field: Field, per: str) -> Field:
            values = field.values[chosen] if field.per == per else field.values
            return Field(values, field.per, field.fill, field.dtype, field.ahead, field.show)

        per = "step" if self.bounds is None else "sequence"
        bounds = None if self.bounds is None else self.bounds[chosen]
        inputs, targets = ({name: cut(field, per) for name, field in part.items()}
                           for part in (self.inputs, self.targets))
        return Sequences(inputs, targets, bounds, self.frame)

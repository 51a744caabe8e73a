"""Windows of series by number: where each lies follows from sums over the series, so that no window is listed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.parts import spread

STRETCH = 1 << 20       # windows that are looked at together
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """Stretches of `rows` rows of series that lie one after another, every `stride` rows of each series.

    Indexing gives (n, 2), the first row of each window and the one after its last, as an array of bounds would.
    """

    offsets: Numbers            # (series + 1,) where each series starts and the last one ends
    before: Numbers             # (series + 1,) windows of all series before each, and of all
    rows: int
    stride: int
    chosen: Numbers | range     # which of them these are, rising
    of: int                     # how many there are, where these are some of them

    @classmethod
    def every(cls, offsets: Numbers, rows: int, after: int, stride: int = 1) -> "Windows":
        """All windows that have `after` rows of their series behind them."""
        counts = ((np.diff(offsets) - rows - after) // stride + 1).clip(0)
        before = np.concatenate([[0], np.cumsum(counts)])
        return cls(np.asarray(offsets), before, rows, stride, range(int(before[-1])), int(before[-1]))

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, at: Any) -> Numbers:
        if isinstance(at, tuple):       # rows and a column
            return np.asarray(self[at[0]][..., at[1]])
        number = self._numbers(at)
        series = self._series(number)
        start = self.offsets[series] + (number - self.before[series]) * self.stride
        return np.stack([start, start + self.rows], axis=-1)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or np.int64)

    def __iter__(self) -> Iterator[Numbers]:
        for first in range(0, len(self), STRETCH):
            yield from self[first : first + STRETCH]

    def series(self, at: Any) -> Numbers:
        """Which series windows are of, from 0 on."""
        return self._series(self._numbers(at))

    def only(self, kept: Any) -> "Windows":
        """Some of them."""
        if isinstance(kept, slice):
            return replace(self, chosen=self.chosen[kept])
        return replace(self, chosen=self._numbers(kept))

    def which(self, true: Callable[[Numbers], NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """(n,) what a function of bounds (k, 2) says of each."""
        parts = [true(self[first : first + STRETCH]) for first in range(0, len(self), STRETCH)]
        return np.concatenate(parts) if parts else np.zeros(0, bool)

    def where(self, usable: NDArray[np.bool_]) -> "Windows":
        """Those that are usable, which are then all that there are."""
        return self if usable.all() else replace(self.only(usable), of=int(usable.sum()))

    def at_most(self, most: int | None) -> "Windows":
        """No more than so many, spread evenly."""
        return self if most is None or len(self) <= most else self.only(spread(len(self), most))

    def _series(self, number: Numbers) -> Numbers:
        return np.asarray(np.searchsorted(self.before, number, side="right") - 1)

    def _numbers(self, at: Any) -> Numbers:
        """Places among the chosen → numbers among all."""
        at = np.arange(*at.indices(len(self))) if isinstance(at, slice) else np.asarray(at)
        at = np.flatnonzero(at) if at.dtype == bool else at
        if not isinstance(self.chosen, range):
            return np.asarray(self.chosen[at])
        at = np.where(at < 0, at + len(self), at)
        if at.size and not 0 <= at.min() <= at.max() < len(self):
            raise IndexError(f"{at.max()} of {len(self)} windows")
        return np.asarray(self.chosen.start + self.chosen.step * at)

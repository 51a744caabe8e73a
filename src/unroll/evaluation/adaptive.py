"""What intervals that follow a series which changes would hold, see `unroll.models.adaptive`."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.models.adaptive import REMEMBERED, adaptive_offsets, scores

Values = NDArray[np.float64]
ORIGINS = 2000      # of a split, the first ones: each takes a sort of what is remembered
NUMBERS = 1 << 24   # that the forecasts of these origins have together; fewer origins, where each has many


class Followed(NamedTuple):
    coverage: float
    width: float        # of the intervals before, on the scale of training
    origins: int        # that are counted,
    of: int             # the first ones of so many

    @property
    def words(self) -> str:
        first = f" from the first {self.origins:,} of {self.of:,} origins" if self.origins < self.of else ""
        return (f"moved after every value that becomes known (adaptive conformal inference), they would hold "
                f"{self.coverage:.0%}{first}, {self.width:.2g} times as wide: unroll predict --adapt")


class Following:
    """Moves the widest intervals of a split's first origins as `adaptive_offsets` says, after those of an earlier one.

    `series` (N,) and `place` (N,) are the origins' series and the last step that they have read, `earlier` (M,) the
    series of the earlier split's; `numbers` are what an origin forecasts, so that what is remembered fits in memory.
    """

    def __init__(self, series: NDArray[np.int64], place: NDArray[np.int64], earlier: NDArray[np.int64], share: float,
                 log: bool, numbers: int) -> None:
        most = max(1, NUMBERS // numbers)
        self._share, self._log, self._of, self._origins = share, log, len(series), min(ORIGINS, most, len(series))
        self._series, self._place = series[: self._origins], place[: self._origins]
        each = min(REMEMBERED, max(1, most // len({*self._series.tolist()})))
        self._kept = _last(earlier, self._series, each)
        self._earlier = earlier[self._kept]
        self._before: list[Values] = []
        self._found: list[Values] = []
        self._widths: list[Values] = []

    def remember(self, first: int, quantiles: Values, truth: Values) -> None:
        """Forecasts (n, H, D, levels) of the earlier split, in order, from number `first` on, and the values."""
        kept = self._kept[(self._kept >= first) & (self._kept < first + len(truth))] - first
        self._before.append(scores(*self._z(quantiles[kept], truth[kept])))

    def follow(self, first: int, quantiles: Values, truth: Values) -> None:
        """The same of the split itself."""
        count = max(0, self._origins - first)
        quantiles, truth = self._z(quantiles[:count], truth[:count])
        self._found.append(scores(quantiles, truth))
        self._widths.append(quantiles[..., -1] - quantiles[..., 0])

    def result(self) -> Followed:
        found, own = np.concatenate(self._found), np.concatenate(self._widths)
        moved = adaptive_offsets(found, np.concatenate(self._before), self._series, self._place, self._earlier,
                                 self._share)
        known = ~np.isnan(found)
        wide = (own + 2 * moved).clip(0).mean() / own.mean() if own.mean() > 0 else 1.0
        return Followed(float((found <= moved)[known].mean()), float(wide), len(found), self._of)

    def _z(self, *values: Values) -> tuple[Values, ...]:
        return tuple(np.log(each) if self._log else each for each in values)


def _last(series: NDArray[np.int64], wanted: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The places of the last `count` of each of the series that are wanted, rising."""
    backwards = np.flatnonzero(np.isin(series, wanted))[::-1]
    by_series = backwards[np.argsort(series[backwards], kind="stable")]
    _, start, inverse = np.unique(series[by_series], return_index=True, return_inverse=True)
    return np.sort(by_series[np.arange(len(by_series)) - start[inverse] < count])

"""Intervals that follow a series which changes: adaptive conformal inference (Gibbs & Candès, 2021).

After each value that an interval misses, the next one is asked to hold a larger share, and after each one that it holds
a slightly smaller share, so that in the long run the share is held whatever the series does.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.models.conformal import bound

Values = NDArray[np.float64]
RATE = 0.05         # of a miss: a share moves by as much
REMEMBERED = 200    # the newest scores that a quantile is taken of
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
                f"{self.coverage:.0%}{first}, {self.width:.2g} times as wide")


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


def scores(quantiles: Values, truth: Values) -> Values:
    """(N, H, D, levels), (N, H, D) → (N, H, D) how far a value is outside the widest interval, below 0 inside it."""
    return np.maximum(quantiles[..., 0] - truth, truth - quantiles[..., -1])


def adaptive_offsets(found: Values, before: Values, series: NDArray[np.int64], place: NDArray[np.int64],
                     before_series: NDArray[np.int64], share: float) -> Values:
    """(N, H, D) by how much both ends of the interval are moved at each origin, from what is known there.

    `found` are scores (N, H, D) of the origins in order, `before` (M, H, D) those of earlier data, of the series
    `before_series` (M,): each series starts from its own. `place` (N,) is the last step that an origin has read. The
    value h steps ahead of an origin is known h steps later. Where the paper's interval is without bounds, this one is
    as wide as the largest score remembered.
    """
    offsets = np.zeros_like(found)
    horizon = found.shape[1]
    for number in np.unique(series):
        mine = np.flatnonzero(series == number)
        asked = np.full(found.shape[1:], share)
        known = before[before_series == number][-REMEMBERED:]
        known = known if len(known) else np.full((1, *found.shape[1:]), np.nan)
        next_known = np.zeros(horizon, np.int64)        # by step ahead, the first origin whose value is not known yet
        for at in mine:
            for h in range(horizon):
                while (earlier := mine[next_known[h]]) < at and place[earlier] + h + 1 <= place[at]:
                    score = found[earlier, h]
                    told = ~np.isnan(score)
                    asked[h] += np.where(told, RATE * ((score > offsets[earlier, h]) - (1 - share)), 0)
                    known = _remember(known, h, score)
                    next_known[h] += 1
            offsets[at] = bound(known, asked.clip(1e-6, 1))
    return offsets


def _remember(known: Values, step: int, score: Values) -> Values:
    """Scores (n, H, D) with another one at a step ahead, the oldest one there forgotten."""
    if len(known) < REMEMBERED and not np.isnan(known[0, step]).all():
        known = np.concatenate([np.full((1, *known.shape[1:]), np.nan), known])
    known[:, step] = np.concatenate([known[1:, step], score[None]])
    return known

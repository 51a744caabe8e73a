"""Intervals that follow a series which changes: adaptive conformal inference (Gibbs & Candès, 2021).

After each value that an interval misses, the next one is asked to hold a larger share, and after each one that it holds
a slightly smaller share, so that in the long run the share is held whatever the series does.
"""

import numpy as np
from numpy.typing import NDArray

from unroll.models.conformal import bound

Values = NDArray[np.float64]
RATE = 0.05         # of a miss: a share moves by as much
REMEMBERED = 200    # the newest scores that a quantile is taken of


def scores(quantiles: Values, truth: Values) -> Values:
    """(N, H, D, levels), (N, H, D) → (N, H, D) how far a value is outside the widest interval, below 0 inside it."""
    return np.maximum(quantiles[..., 0] - truth, truth - quantiles[..., -1])


def adaptive_offsets(found: Values, before: Values, series: NDArray[np.int64], place: NDArray[np.int64],
                     before_series: NDArray[np.int64], share: float | Values) -> Values:
    """(N, H, D) by how much both ends of the interval are moved at each origin, from what is known there.

    `found` are scores (N, H, D) of the origins in order, `before` (M, H, D) those of earlier data, of the series
    `before_series` (M,): each series starts from its own. `place` (N,) is the last step that an origin has read. The
    value h steps ahead of an origin is known h steps later. `share` is one for all, or (D,). Where the paper's interval
    is without bounds, this one is as wide as the largest score remembered.
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

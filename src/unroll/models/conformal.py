"""Quantiles that hold as much as they say: conformalised quantile regression (Romano, Patterson & Candès, 2019).

On origins that neither trained the network nor chose its weights, the scores max(q_low - y, y - q_high) say how far an
interval is too narrow, or, below 0, too wide. Moving both ends by the ⌈(n + 1)(1 - α)⌉-th smallest of n scores gives an
interval that holds a new value with a probability of 1 - α at least, where new scores are exchangeable with those.
Scores of a series follow one another, so that this holds as far as the series goes on as it was; a series too short to
have origins whose futures are apart from those that chose gives its last one (`data.windows.halves`).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """What is added to the quantiles at each step ahead of each variable, (H, D, levels), and from how many origins."""

    offsets: Tensor     # float64
    origins: int

    def applied(self, quantiles: Tensor, median: int) -> Tensor:
        """(…, H, D, levels) → the same, rising: an interval never ends within a narrower one."""
        moved = quantiles + self.offsets.to(quantiles)
        above = moved[..., median:].cummax(dim=-1).values
        below = moved[..., : median + 1].flip(-1).cummin(dim=-1).values.flip(-1)
        return torch.cat([below, above[..., 1:]], dim=-1)


def calibration(quantiles: Values, truth: Values, levels: Values) -> Calibration | None:
    """From quantiles (N, H, D, levels) and the values (N, H, D), NaN where unknown; None without an origin.

    Levels q and 1 - q are the ends of an interval and share their scores; another level has scores of its own side, so
    that a share q of the values lies below it. The median stays.
    """
    known = ~np.isnan(truth)
    if not known.any():
        return None
    offsets = np.zeros(quantiles.shape[1:])
    for at, level in enumerate(levels):
        mirrored = np.flatnonzero(np.abs(levels + level - 1) < 1e-9)
        side = 1.0 if level > 0.5 else -1.0
        out = side * (truth - quantiles[..., at])                                   # (N, H, D) how far outside
        if level == 0.5:
            continue
        if len(mirrored):
            out = np.maximum(out, side * (quantiles[..., mirrored[0]] - truth))
            share = abs(float(level - levels[mirrored[0]]))
        else:
            share = max(level, 1 - level)
        offsets[..., at] = side * bound(out, share)
    return Calibration(torch.from_numpy(offsets), int(known.any(axis=(1, 2)).sum()))


def bound(scores: Values, share: float | Values) -> Values:
    """(N, …) → (…), the ⌈(n + 1) · share⌉-th smallest of the n known scores; 0 where there is none.

    The share is above 0, one for all or one for each (…). Of too few scores, the largest, and not below 0: they hold
    n / (n + 1), and are no reason to narrow an interval.
    """
    known = np.sort(scores, axis=0)         # NaN comes last
    count = (~np.isnan(scores)).sum(axis=0)
    place = np.ceil((count + 1) * share - 1e-9).astype(np.int64)
    found = np.take_along_axis(known, (place.clip(max=count.clip(1)) - 1)[None], axis=0)[0]
    return np.where(place <= count, found, np.where(count > 0, found, 0.0).clip(0))


def enough(share: float) -> int:
    """The least number of origins of which not simply the largest score counts."""
    return math.ceil(share / (1 - share) - 1e-9)

"""Measures of forecasts with intervals."""

import numpy as np
from numpy.typing import NDArray

from unroll.data.store import Prepared
from unroll.evaluation.report import Metrics
from unroll.evaluation.tallies import Measures
from unroll.models.conformal import enough

Values = NDArray[np.float64]
STRETCH = 1 << 19       # steps that are looked at together


def seasonal_error(prepared: Prepared, name: str) -> Values:
    """(D,) mean absolute error of the seasonal naive forecast within the training split: what MASE is in units of.

    Hyndman & Koehler (2006); of several series the mean, so that all of them count alike in sums. NaN of what repeats
    itself exactly, or is never known a season apart, which has no such unit.
    """
    offsets = prepared.offsets("train")
    assert offsets is not None and prepared.spec.forecast is not None
    season, total = prepared.spec.forecast.season, int(offsets[-1])
    sums = count = size = np.zeros(prepared.spec.targets[name].size)
    for first in range(0, total, STRETCH):
        values = prepared.raw(name, "train", first, min(first + STRETCH + season, total)).astype(np.float64)
        own = np.searchsorted(offsets, np.arange(first, first + len(values)), side="right")     # the series of each
        errors = np.abs(values[season:] - values[:-season])[own[season:] == own[:-season]]
        known = ~np.isnan(errors)
        sums, count = sums + np.where(known, errors, 0).sum(axis=0), count + known.sum(axis=0)
        size = np.fmax(size, np.fmax.reduce(np.abs(values), axis=0))
    scale = np.where(count > 0, sums / count.clip(1), np.nan)
    return np.where(scale > 1e-9 * size, scale, np.nan)


def measures(quantiles: Values, truth: Values, levels: Values, scale: Values, prefix: str) -> Metrics:
    """What `Measures` says of all windows at once."""
    found = Measures(levels, scale)
    found.add(quantiles, truth)
    return found.named(prefix)


def held(quantiles: Values, truth: Values) -> Values:
    """(N, H, D, levels), (N, H, D) → (N, H, D, levels // 2): 1 where an interval holds the value, the widest first.

    NaN where the value is unknown.
    """
    pairs = quantiles.shape[-1] // 2
    low, high = quantiles[..., :pairs], quantiles[..., : -pairs - 1 : -1]
    inside = (truth[..., None] >= low) & (truth[..., None] <= high)
    return np.where(np.isnan(truth)[..., None], np.nan, inside)


def asked(levels: Values) -> Values:
    """The share of values that each interval of `held` is to hold."""
    pairs = len(levels) // 2
    return np.asarray(levels[: -pairs - 1 : -1] - levels[:pairs])


def calibrated_words(origins: int | None, share: float) -> str:
    """On how many origins the widest interval was calibrated; None: on none."""
    if not origins:
        return "no origins calibrate its intervals, which are the network's own"
    needed = enough(share)
    few = f"; {needed} are needed for intervals of {share:.0%}" if origins < needed else ""
    return f"{origins:,} origins of the validation split calibrate its intervals{few}"

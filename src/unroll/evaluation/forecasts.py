"""Measures of forecasts with intervals."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unroll.data.store import Prepared
from unroll.evaluation.report import Metrics
from unroll.models.conformal import enough

Values = NDArray[np.float64]


def seasonal_error(prepared: Prepared, name: str) -> Values:
    """(D,) mean absolute error of the seasonal naive forecast within the training split: what MASE is in units of.

    Hyndman & Koehler (2006); of several series the mean, so that all of them count alike in sums. NaN of what repeats
    itself exactly, or is never known a season apart, which has no such unit.
    """
    values, offsets = prepared.raw(name, "train").astype(np.float64), prepared.offsets("train")
    assert offsets is not None and prepared.spec.forecast is not None
    season = prepared.spec.forecast.season
    errors = [np.abs(values[first + season : last] - values[first : last - season])
              for first, last in pairwise(np.asarray(offsets))]
    scale = mean_known(np.concatenate(errors), 0)
    size = np.fmax.reduce(np.abs(values), axis=0)
    return np.where(scale > 1e-9 * size, scale, np.nan)


def mean_known(values: Values, axis: int | tuple[int, ...]) -> Values:
    """The mean of all that is not NaN; NaN where nothing is known."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    return np.where(count > 0, np.where(known, values, 0).sum(axis=axis) / count.clip(1), np.nan)


def measures(quantiles: Values, truth: Values, levels: Values, scale: Values, prefix: str) -> Metrics:
    """MASE and sMAPE (percent) of the median; CRPS and coverage of the widest interval from all quantiles.

    CRPS is twice the pinball loss, the mean over the levels (Laio & Tamea, 2007), in units of the series; of a single
    forecast it is the absolute error.
    """
    known = ~np.isnan(truth)
    if not known.all():
        quantiles, truth, scale = quantiles[known], truth[known], np.broadcast_to(scale, truth.shape)[known]
    point = quantiles[..., int(np.abs(levels - 0.5).argmin())]          # (N, H, D)
    error = truth[..., None] - quantiles
    pinball = np.maximum(levels * error, (levels - 1) * error)
    size = np.abs(truth) + np.abs(point)
    found = {
        f"{prefix}mase": _mase(np.abs(truth - point), scale),
        f"{prefix}smape": float((200 * np.abs(truth - point) / np.where(size > 0, size, 1)).mean()),
        f"{prefix}crps": float(2 * pinball.mean()),
        f"{prefix}mae": float(np.abs(truth - point).mean()),
    }
    if len(levels) > 1:
        held = (truth >= quantiles[..., 0]) & (truth <= quantiles[..., -1])
        found[f"{prefix}coverage"] = float(held.mean())
        found[f"{prefix}coverage_asked"] = float(levels[-1] - levels[0])
    return found


def _mase(error: Values, scale: Values) -> float:
    """MASE over the variables that have a scale; the error itself where none has one."""
    known = ~np.isnan(scale)
    if known.any():
        return float((error[..., known] / scale[known]).mean())
    return float(error.mean())


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


def verdict(point: Values, simple: Values, truth: Values, scale: Values, method: str, crps: tuple[float, float]) -> str:
    """Whether forecasts (N, H, D) err less than a simple method's, by how much, and from how many of the origins.

    `crps` are both methods' CRPS, which counts their intervals, too.
    """
    unit = np.where(np.isnan(scale), np.nan if np.isfinite(scale).any() else 1.0, scale)
    own, other = (np.abs(truth - each) / unit for each in (point, simple))
    origins = [(np.nanmean(mine), np.nanmean(theirs)) for mine, theirs in zip(own, other, strict=True)
               if not np.isnan(mine).all()]
    better = sum(mine < theirs for mine, theirs in origins)
    mine, theirs = float(np.nanmean(own)), float(np.nanmean(other))
    if not theirs:
        return f"{method} makes no error"
    word = "beats" if mine < theirs else "does not beat"
    return (f"it {word} {method}: its error is {_less(mine, theirs)} (lower from {better:,} of {len(origins):,} "
            f"origins), its CRPS {_less(*crps)}")


def _less(mine: float, theirs: float) -> str:
    return f"{abs(1 - mine / (theirs or 1)):.0%} {'lower' if mine < theirs else 'higher'}"


def coverage_words(inside: Values, share: float) -> str:
    """What the widest interval (N, H, D) holds, in all, one step ahead and at the last step."""
    steps = mean_known(inside, (0, 2))
    steps = steps[:0] if np.isnan(steps[[0, -1]]).any() else steps
    ahead = f": {steps[0]:.0%} one step ahead, {steps[-1]:.0%} {len(steps)} steps ahead" if len(steps) > 1 else ""
    return f"its {share:.0%} intervals hold {np.nanmean(inside):.0%} of the values{ahead}"


def calibrated_words(origins: int | None, share: float) -> str:
    """On how many origins the widest interval was calibrated; None: on none."""
    if not origins:
        return "no origins calibrate its intervals, which are the network's own"
    needed = enough(share)
    few = f"; {needed} are needed for intervals of {share:.0%}" if origins < needed else ""
    return f"{origins:,} origins of the validation split calibrate its intervals{few}"


def by_step(inside: Values, shares: Values) -> list[dict[str, float]]:
    """A row for each step ahead: how many values are known, and the share that each interval holds."""
    means = mean_known(inside, (0, 2))
    return [{"step": step + 1, "values": int((~np.isnan(inside[:, step, :, 0])).sum()),
             **{f"coverage_{share:g}": float(means[step, at]) for at, share in enumerate(shares)}}
            for step in range(inside.shape[1])]

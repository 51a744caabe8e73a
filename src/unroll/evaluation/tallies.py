"""Measures of forecasts as sums over parts of a split, so that no array has all windows."""

import numpy as np
from numpy.typing import NDArray

from unroll.evaluation.report import Metrics

Values = NDArray[np.float64]


class Measures:
    """MASE and sMAPE (percent) of the median; CRPS and coverage of the widest interval from all quantiles.

    CRPS is twice the pinball loss, the mean over the levels (Laio & Tamea, 2007), in units of the series; of a single
    forecast it is the absolute error. `scale` (D,) is what MASE is in units of; what has none is left out of it, unless
    nothing has one.
    """

    def __init__(self, levels: Values, scale: Values) -> None:
        self._levels, self._scale = levels, scale
        self._scaled = bool(np.isfinite(scale).any())
        self._sums = dict.fromkeys(("mase", "smape", "crps", "mae", "coverage"), 0.0)
        self._counts = dict.fromkeys(self._sums, 0)

    def add(self, quantiles: Values, truth: Values) -> None:
        """(N, H, D, levels) and (N, H, D), NaN where a value is not known."""
        known, scale = ~np.isnan(truth), np.broadcast_to(self._scale, truth.shape)
        if not known.all():
            quantiles, truth, scale = quantiles[known], truth[known], scale[known]
        point = quantiles[..., int(np.abs(self._levels - 0.5).argmin())]          # (N, H, D)
        error, off = truth[..., None] - quantiles, np.abs(truth - point)
        size = np.abs(truth) + np.abs(point)
        usable = ~np.isnan(scale)
        self._add("mase", off[usable] / scale[usable] if self._scaled else off)
        self._add("smape", 200 * off / np.where(size > 0, size, 1))
        self._add("crps", np.maximum(self._levels * error, (self._levels - 1) * error))
        self._add("mae", off)
        self._add("coverage", (truth >= quantiles[..., 0]) & (truth <= quantiles[..., -1]))

    def _add(self, name: str, values: NDArray[np.generic]) -> None:
        self._sums[name] += float(np.sum(values))
        self._counts[name] += values.size

    def named(self, prefix: str) -> Metrics:
        mean = {name: total / max(1, self._counts[name]) for name, total in self._sums.items()}
        mean["crps"] *= 2
        if len(self._levels) > 1:
            mean["coverage_asked"] = float(self._levels[-1] - self._levels[0])
        else:
            del mean["coverage"]
        return {f"{prefix}{name}": value for name, value in mean.items()}


class Held:
    """The share of values that each interval holds, by steps ahead; the widest first."""

    def __init__(self) -> None:
        self._inside: Values = np.zeros(())
        self._known: Values = np.zeros(())

    def add(self, inside: Values) -> None:
        """(N, H, D, intervals) of 1 and 0, NaN where a value is not known."""
        known = ~np.isnan(inside)
        self._inside = self._inside + np.where(known, inside, 0).sum(axis=(0, 2))
        self._known = self._known + known.sum(axis=(0, 2))

    def words(self, share: float) -> str:
        """What the widest interval holds, in all, one step ahead and at the last step."""
        inside, known = self._inside[:, 0], self._known[:, 0]
        steps = inside / known.clip(1)
        ahead = "" if len(steps) == 1 or not (known[0] and known[-1]) else (
            f": {steps[0]:.0%} one step ahead, {steps[-1]:.0%} {len(steps)} steps ahead")
        return f"its {share:.0%} intervals hold {inside.sum() / max(1, known.sum()):.0%} of the values{ahead}"

    def by_step(self, shares: Values) -> list[dict[str, float]]:
        """A row for each step ahead: how many values are known, and the share that each interval holds."""
        with np.errstate(invalid="ignore"):
            means = self._inside / self._known          # NaN where nothing is known
        return [{"step": step + 1, "values": int(self._known[step, 0]),
                 **{f"coverage_{share:g}": float(means[step, at]) for at, share in enumerate(shares)}}
                for step in range(len(means))]


class Contest:
    """Whether forecasts err less than a simple method's, by how much, and from how many of the origins."""

    def __init__(self, scale: Values) -> None:
        self._unit = np.where(np.isnan(scale), np.nan if np.isfinite(scale).any() else 1.0, scale)
        self._mine = self._theirs = 0.0
        self._values = self._better = self._origins = 0

    def add(self, point: Values, simple: Values, truth: Values) -> None:
        """(N, H, D) each, `truth` with NaN where a value is not known."""
        own, other = (np.abs(truth - each) / self._unit for each in (point, simple))
        known = ~np.isnan(own)
        mine, theirs = (np.where(known, each, 0).sum(axis=(1, 2)) for each in (own, other))
        self._mine, self._theirs = self._mine + float(mine.sum()), self._theirs + float(theirs.sum())
        self._values += int(known.sum())
        self._origins += int(known.any(axis=(1, 2)).sum())
        self._better += int((mine < theirs).sum())

    def verdict(self, method: str, crps: tuple[float, float]) -> str:
        """In words; `crps` are both methods' CRPS, which counts their intervals, too."""
        if not self._theirs:
            return f"{method} makes no error"
        word = "beats" if self._mine < self._theirs else "does not beat"
        return (f"it {word} {method}: its error is {_less(self._mine, self._theirs)} (lower from {self._better:,} of "
                f"{self._origins:,} origins), its CRPS {_less(*crps)}")


def _less(mine: float, theirs: float) -> str:
    return f"{abs(1 - mine / (theirs or 1)):.0%} {'lower' if mine < theirs else 'higher'}"

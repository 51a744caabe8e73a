"""Paths that a series could take: a step is drawn from the forecast of the next one, then read like an observation."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from unroll.base.errors import UserError
from unroll.generation.rules import lane_generator

Values = NDArray[np.float64]
Forecast = Callable[[Values], Values]       # windows (B, rows, D) → quantiles (B, D, levels) of the step after each


def draw_paths(forecast: Forecast, window: Values, count: int, length: int, seed: int, levels: Values,
               gaussian: bool = False, log: bool = False, temperature: float = 1.0, first: int = 0,
               counts: bool = False) -> Values:
    """The window (rows, D) before the paths → (count, length, D); path n, from `first`, depends on (seed, n) alone.

    Series with `log` are drawn on the scale of their logarithm, so that they stay positive; `counts` are whole numbers
    from 0 on. Several series are drawn
    independently of each other: the model says nothing of how they depend. Raises `UserError` on a path without bounds.
    """
    lanes = np.repeat(window[None], count, axis=0)                                      # (count, rows, D)
    uniform = np.stack([lane_generator(seed, first + lane).random((length, window.shape[1])) for lane in range(count)])
    paths = np.zeros((count, length, window.shape[1]))
    for step in range(length):
        try:
            quantiles = forecast(lanes)
        except UserError:
            raise _out_of_bounds(step) from None
        drawn = draw(np.log(quantiles) if log else quantiles, levels, uniform[:, step], gaussian, temperature)
        with np.errstate(over="ignore"):
            paths[:, step] = np.exp(drawn) if log else np.rint(drawn).clip(0) if counts else drawn
        if not np.isfinite(paths[:, step]).all():
            raise _out_of_bounds(step)
        lanes = np.concatenate([lanes[:, 1:], paths[:, step, None]], axis=1)
    return paths


def draw(quantiles: Values, levels: Values, uniform: Values, gaussian: bool, temperature: float = 1.0) -> Values:
    """Quantiles (…, levels) at rising levels, and uniform numbers (…) → a value of each distribution.

    Between the levels and beyond the outer ones, the quantile function is continued in straight lines, unless it is a
    Gaussian's. The temperature multiplies how far a value is from the median.
    """
    median = quantiles[..., int(np.abs(levels - 0.5).argmin())]
    if gaussian:
        deviation = (quantiles[..., -1] - quantiles[..., 0]) / (ndtri(levels[-1]) - ndtri(levels[0]))
        return np.asarray(median + temperature * deviation * ndtri(uniform.clip(2.0**-53)))     # 0 has no quantile
    at = np.clip(np.searchsorted(levels, uniform) - 1, 0, len(levels) - 2)
    low, high = (np.take_along_axis(quantiles, (at + side)[..., None], axis=-1)[..., 0] for side in (0, 1))
    value = low + (high - low) * (uniform - levels[at]) / (levels[at + 1] - levels[at])
    return np.asarray(median + temperature * (value - median))


def _out_of_bounds(step: int) -> UserError:
    return UserError("bad-number", f"step {step + 1}", "a path has gone so far from the training data that the model "
                     "has no forecast. Draw fewer steps, or at a lower temperature.")

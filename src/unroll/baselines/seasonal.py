"""Forecasts without a network, with intervals from the errors that each of them made in training."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.fields import Sequences
from unroll.data.frame import Frame
from unroll.data.parts import some_sequences
from unroll.data.windows import stretches

Values = NDArray[np.float64]
SEASONAL = "seasonal_naive"     # the method that forecasts are compared with in words


class Simple:
    """Each simple method's forecasts of windows, with the quantiles of its errors in training at each step ahead.

    The errors are those of windows of the sequences `past`, about `limit` steps of them. Series with `log` are forecast
    on the scale of their logarithm, where an error is a share of the value.
    """

    def __init__(self, past: Sequences, name: str, levels: Values, limit: int) -> None:
        past = past.only(some_sequences(past.lengths, limit))
        before, after = stretches(past, name)
        assert past.frame is not None
        self._frame, self._log = past.frame, past.frame.forecast.log
        truth = after.transpose(1, 0, 2).astype(np.float64)
        least = np.fmin.reduce(truth, axis=(0, 1)) / 100                                # (D,)
        self._least = np.where(np.isnan(least), np.finfo(np.float64).tiny, least)       # of what is never known
        self._errors = {method: quantiles(self._z(truth) - self._z(point), levels)      # (H, D, levels)
                        for method, point in simple(past.frame, before).items()}

    def forecasts(self, window: NDArray[Any]) -> Iterator[tuple[str, Values, Values]]:
        """(rows, N, D) → of each method in turn its forecast (N, H, D) and its quantiles (N, H, D, levels)."""
        for method, point in simple(self._frame, window).items():
            z = self._z(point)[..., None] + self._errors[method]
            yield method, point, np.exp(z) if self._log else z

    def _z(self, values: Values) -> Values:
        """A line may leave the positive numbers, where there is no logarithm."""
        return np.log(np.maximum(values, self._least)) if self._log else values


def simple(frame: Frame, window: NDArray[Any]) -> dict[str, Values]:
    """(N, H, D) each: the last value, the value a season ago, a line through the window's first and last value."""
    config, window = frame.forecast, frame.filled(window)
    ahead = np.arange(config.horizon)
    last = window[-1].astype(np.float64)                                # (N, D)
    seasonal = window[len(window) - config.season + ahead % config.season].astype(np.float64).transpose(1, 0, 2)
    slope = (last - window[0]) / (len(window) - 1)
    return {
        "naive": np.repeat(last[:, None], config.horizon, axis=1),
        SEASONAL: seasonal,
        "drift": last[:, None] + slope[:, None] * (ahead + 1)[None, :, None],
    }


def quantiles(errors: Values, levels: Values) -> Values:
    """(N, H, D) → (H, D, levels) over N, NaN left out; 0 where there is none at all."""
    found = np.zeros((*errors.shape[1:], len(levels)))
    for place in np.ndindex(errors.shape[1:]):
        known = errors[:, *place][~np.isnan(errors[:, *place])]
        if len(known):
            found[place] = np.quantile(known, levels)
    return found

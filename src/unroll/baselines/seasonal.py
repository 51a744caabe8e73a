"""Forecasts without a network, with intervals from the errors that each of them made in training."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.fields import Sequences
from unroll.data.parts import some_sequences
from unroll.data.windows import stretches

Values = NDArray[np.float64]


def residual_quantiles(data: Sequences, past: Sequences, name: str, levels: Values, limit: int,
                       ) -> Iterator[tuple[str, Values]]:
    """(N, H, D, levels) of each method in turn: its forecast and the quantiles of its errors at each step ahead.

    The errors are those of the windows of `past`, about `limit` steps of them. Series with `log` are forecast on the
    scale of their logarithm, where an error is a share of the value.
    """
    assert data.frame is not None
    past = past.only(some_sequences(past.lengths, limit))
    before, after = stretches(past, name)
    log = data.frame.forecast.log
    truth = after.transpose(1, 0, 2).astype(np.float64)
    least = np.fmin.reduce(truth, axis=(0, 1)) / 100                                # (D,)
    least = np.where(np.isnan(least), np.finfo(np.float64).tiny, least)             # of what is never known
    now, then = (simple(each, window) for each, window in ((data, stretches(data, name)[0]), (past, before)))
    for method, point in now.items():
        errors = _z(truth, log, least) - _z(then[method], log, least)
        z = _z(point, log, least)[..., None] + quantiles(errors, levels)
        yield method, np.exp(z) if log else z


def simple(data: Sequences, window: NDArray[Any]) -> dict[str, Values]:
    """(N, H, D) each: the last value, the value a season ago, a line through the window's first and last value."""
    assert data.frame is not None
    config, window = data.frame.forecast, data.frame.filled(window)
    ahead = np.arange(config.horizon)
    last = window[-1].astype(np.float64)                                # (N, D)
    seasonal = window[len(window) - config.season + ahead % config.season].astype(np.float64).transpose(1, 0, 2)
    slope = (last - window[0]) / (len(window) - 1)
    return {
        "naive": np.repeat(last[:, None], config.horizon, axis=1),
        "seasonal_naive": seasonal,
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


def _z(values: Values, log: bool, least: Values) -> Values:
    """A line may leave the positive numbers, where there is no logarithm."""
    return np.log(np.maximum(values, least)) if log else values

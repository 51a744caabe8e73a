"""How a series could go on: each step is drawn from the forecast of the next one, then it is read as if it had come."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from unroll.base.errors import UserError
from unroll.config.heads.forecast import Settings
from unroll.generation.rules import lane_generator
from unroll.prediction.predictor import Predictor

Values = NDArray[np.float64]


def sample_paths(predictor: Predictor, series: Any, count: int, length: int, seed: int, temperature: float = 1.0,
                 first: int = 0, name: str = "1") -> Values:
    """(N, D) or (N,) numbers → (count, length, D); the n-th path, from `first` on, depends on (seed, n) alone.

    A path may be longer than the model's horizon. Of several series each is drawn on its own: the model says nothing
    of how they hang together. Raises `UserError` on a series that the model does not read, or a path without bounds.
    """
    head = predictor.model.config.heads[predictor.target]
    assert isinstance(head, Settings)
    levels = np.array(predictor.levels)
    assert predictor.spec.forecast is not None
    gaussian, log = head.loss.normal, predictor.spec.forecast.log
    window = predictor.reader.sequence(f"sequence {name}", series, True)                # (rows, D)
    lanes = np.repeat(window[None], count, axis=0)                                      # (count, rows, D)
    uniform = np.stack([lane_generator(seed, first + lane).random((length, window.shape[1])) for lane in range(count)])
    paths = np.zeros((count, length, window.shape[1]))
    for step in range(length):
        try:
            ahead = np.stack([each[0] for each in predictor.predict(lanes)])            # (count, D, levels)
        except UserError:
            raise _lost(name, step) from None
        # a series that has a logarithm is drawn on its scale, so that it keeps having one
        drawn = draw(np.log(ahead) if log else ahead, levels, uniform[:, step], gaussian, temperature)
        with np.errstate(over="ignore"):
            paths[:, step] = np.exp(drawn) if log else drawn
        if not np.isfinite(paths[:, step]).all():
            raise _lost(name, step)
        lanes = np.concatenate([lanes[:, 1:], paths[:, step, None]], axis=1)
    return paths


def history(predictor: Predictor, series: Any, length: int) -> Values:
    """(·, D) as much of the series' end as tells something beside `length` steps of paths."""
    values = np.asarray(series, np.float64).reshape(len(series), -1)
    assert predictor.spec.forecast is not None
    return values[-max(2 * length, predictor.spec.forecast.context) :]


def draw(quantiles: Values, levels: Values, uniform: Values, gaussian: bool, temperature: float = 1.0) -> Values:
    """Quantiles (…, levels) at rising levels, and uniform numbers (…) → a value of each distribution.

    Between the levels, and beyond the outer ones, the quantile function goes on in straight lines, unless it is a
    Gaussian's. How far a value is from the median is multiplied by the temperature.
    """
    median = quantiles[..., int(np.abs(levels - 0.5).argmin())]
    if gaussian:
        deviation = (quantiles[..., -1] - quantiles[..., 0]) / (ndtri(levels[-1]) - ndtri(levels[0]))
        return np.asarray(median + temperature * deviation * ndtri(uniform.clip(2.0**-53)))     # 0 has no quantile
    at = np.clip(np.searchsorted(levels, uniform) - 1, 0, len(levels) - 2)
    low, high = (np.take_along_axis(quantiles, (at + side)[..., None], axis=-1)[..., 0] for side in (0, 1))
    value = low + (high - low) * (uniform - levels[at]) / (levels[at + 1] - levels[at])
    return np.asarray(median + temperature * (value - median))


def _lost(name: str, step: int) -> UserError:
    return UserError(f"sequence {name}: after {step} steps a path is so far from all that the model was trained on "
                     "that it says nothing any more. Ask for fewer steps (--length), or a lower --temperature.")

"""Sampled paths of a forecaster's series."""

from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.heads.forecast import Settings
from unroll.generation.paths import Values, draw_paths
from unroll.prediction.predictor import Predictor


def sample_paths(predictor: Predictor, series: Any, count: int, length: int, seed: int, temperature: float = 1.0,
                 first: int = 0, name: str = "1") -> Values:
    """The end of a series, (N, D) or (N,) → (count, length, D); a path may be longer than the model's horizon.

    Path n, from `first`, depends on (seed, n) alone. Raises `UserError` on a series that the model cannot read, or a
    path without bounds.
    """
    forecast = predictor.forecast
    head = forecast.settings
    assert isinstance(head, Settings) and predictor.spec.forecast is not None

    def next_step(windows: Values) -> Values:
        return np.stack([quantiles[0] for quantiles in predictor.predict_all(windows)[forecast.name]])

    where = f"sequence {name}"
    window = predictor.reader.sequence(where, series, True)         # (rows, D)
    try:
        normal = head.loss.normal and not head.calibrates      # calibrated, the levels alone are known
        return draw_paths(next_step, window, count, length, seed, np.array(forecast.levels), normal,
                          predictor.spec.forecast.log, temperature, first)
    except UserError as error:
        raise error.within(where) from None


def history(predictor: Predictor, series: Any, length: int) -> Values:
    """(·, D), the part of the series' end that is worth showing before `length` sampled steps."""
    values = np.asarray(series, np.float64).reshape(len(series), -1)
    assert predictor.spec.forecast is not None
    return values[-max(2 * length, predictor.spec.forecast.context) :]

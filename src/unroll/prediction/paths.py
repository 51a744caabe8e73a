"""Sampled paths of a forecaster's series."""

from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.heads.forecast import Settings
from unroll.generation.paths import Values, draw_paths
from unroll.prediction.predictor import Predictor

# levels between which the quantile function of a distribution is as good as straight
FINE = (0.001, 0.002, 0.005, *(percent / 100 for percent in range(1, 100)), 0.995, 0.998, 0.999)


def sample_paths(predictor: Predictor, series: Any, count: int, length: int, seed: int, temperature: float = 1.0,
                 first: int = 0, name: str = "1") -> Values:
    """The end of a series, (N, D) or (N,) → (count, length, D); a path may be longer than the model's horizon.

    Path n, from `first`, depends on (seed, n) alone. Raises `UserError` on a series that the model cannot read, or a
    path without bounds.
    """
    forecast, spec = predictor.forecast, predictor.spec.forecast
    head = forecast.settings
    assert isinstance(head, Settings) and spec is not None

    levels = forecast.levels
    if head.loss.distribution and not head.calibrates:      # calibrated, the levels alone are known
        levels = [level for level in FINE if level not in levels] + levels
        levels.sort()
        predictor = predictor.at_levels(levels)

    def next_step(windows: Values) -> Values:
        return np.stack([quantiles[0] for quantiles in predictor.predict_all(windows)[forecast.name]])

    where = f"sequence {name}"
    window = predictor.reader.sequence(where, series, True)         # (rows, D)
    try:
        normal = head.loss.normal and not head.calibrates
        return draw_paths(next_step, window, count, length, seed, np.array(levels), normal, spec.log, temperature,
                          first, spec.counts)
    except UserError as error:
        raise error.within(where) from None


def history(predictor: Predictor, series: Any, length: int) -> Values:
    """(·, D), the part of the series' end that is worth showing before `length` sampled steps."""
    values = np.asarray(series, np.float64).reshape(len(series), -1)
    assert predictor.spec.forecast is not None
    return values[-max(2 * length, predictor.spec.forecast.context) :]

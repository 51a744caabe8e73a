"""Intervals of a forecast moved by what earlier forecasts of the same series would have held."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.models.adaptive import adaptive_offsets, scores
from unroll.prediction.predictor import Predictor

Values = NDArray[np.float64]
ORIGINS = 300       # the newest ones of each series: each takes a forecast


class Adapted(NamedTuple):
    forecasts: list[Values]     # (H, D, levels) of each series
    origins: int                # of all series that moved them
    unmoved: int                # series without an origin whose value is known


def adapt(predictor: Predictor, sequences: Sequence[Any], forecasts: Sequence[Values]) -> Adapted:
    """Forecasts (H, D, levels) after the ends of series (T, D), each interval moved as adaptive inference says.

    From every step on that has a whole window before it the series is forecast as it would have been then; the values
    that came move the shares that intervals are asked to hold, and what they missed by is how far they are moved now.
    Raises `UserError` on a model for which this cannot be done.
    """
    check(predictor)
    found, origins, unmoved = [], 0, 0
    for values, forecast in zip(sequences, forecasts, strict=True):
        moved, count = _adapted(predictor, np.asarray(values, np.float64).reshape(len(values), -1), forecast)
        found.append(moved)
        origins, unmoved = origins + count, unmoved + (not count)
    return Adapted(found, origins, unmoved)


def check(predictor: Predictor) -> None:
    """Raises `UserError` for a model whose intervals cannot follow."""
    if predictor.spec.forecast is None:
        raise UserError("no-effect", "--adapt", "the model makes no forecast. Leave it out.")
    if len(predictor.spec.inputs) > 1:
        raise UserError("unsupported", "--adapt", "the model reads inputs beside the series, which is not supported "
                        "yet. Leave it out.")


def _adapted(predictor: Predictor, values: Values, forecast: Values) -> tuple[Values, int]:
    spec, target = predictor.spec.forecast, predictor.forecast
    assert spec is not None
    levels, rows, steps = np.array(target.levels), spec.context + spec.season, len(values)
    origins = [origin for origin in range(max(rows, steps - ORIGINS), steps)
               if not np.isnan(values[origin - rows : origin]).all(axis=0).any()]
    if not origins:
        return forecast, 0
    made = np.stack(predictor.predict_all([values[origin - rows : origin] for origin in origins])[target.name])
    later = np.concatenate([values, np.full((spec.horizon, values.shape[1]), np.nan)])
    truth = np.stack([later[origin : origin + spec.horizon] for origin in origins])         # (N, H, D)
    made, truth, now = (np.log(each) if spec.log else each for each in (made, truth, forecast))
    pairs = len(levels) // 2
    moved, number = now.copy(), values.shape[1]
    own = [scores(made[..., [at, -1 - at]], truth) for at in range(pairs)]
    nothing = np.full((1, spec.horizon, number * pairs), np.nan)        # of the forecast itself, nothing is known
    offsets = adaptive_offsets(
        np.concatenate([np.concatenate(own, axis=-1), nothing]), nothing[:0], np.zeros(len(origins) + 1, np.int64),
        np.array([*origins, steps]), np.zeros(0, np.int64),
        np.repeat(levels[: -pairs - 1 : -1] - levels[:pairs], number))[-1]
    for at in range(pairs):
        offset = offsets[:, at * number : (at + 1) * number]
        moved[..., at], moved[..., -1 - at] = now[..., at] - offset, now[..., -1 - at] + offset
    median = int(np.abs(levels - 0.5).argmin())
    # an interval never ends within a narrower one
    moved[..., : median + 1] = np.minimum.accumulate(moved[..., median::-1], axis=-1)[..., ::-1]
    moved[..., median:] = np.maximum.accumulate(moved[..., median:], axis=-1)
    return np.exp(moved) if spec.log else moved.clip(0) if spec.counts else moved, len(origins)

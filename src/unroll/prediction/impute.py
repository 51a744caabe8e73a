"""Series filled in where values are missing: forecasts from before each hole, led to the value after it.

A forecaster knows the past alone. What it predicts for a hole, it also predicts for the first known step after it, and
a share of the error there, which grows through the hole, corrects what is filled in, as it would the mean of a random
walk between two points. The share is what served best on values that were hidden; the result is measured on others.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.prediction.hidden import Score, error, hide, score
from unroll.prediction.predictor import Predictor

Values = NDArray[np.float64]
SHARES = (0.0, 0.5, 1.0)    # of the error after a hole


class Filled(NamedTuple):
    quantiles: list[Values]     # (T, D, levels) of each series, NaN where nothing was missing or nothing can be filled
    score: Score | None         # None: too little is known to hide any of it


class _Hole(NamedTuple):
    series: int
    first: int      # the first step of a run in which a number is missing
    length: int
    number: int     # which one, of D


def impute(predictor: Predictor, series: Sequence[Any], names: Sequence[str], seed: int = 1) -> Filled:
    """Each of the series (T, D), NaN where a value is missing; raises `UserError` on a model that does not forecast."""
    check(predictor)
    values = [np.asarray(each, np.float64).reshape(len(each), -1) for each in series]
    for name, each in zip(names, values, strict=True):
        if np.isinf(each).any():
            raise UserError("bad-number", f"sequence {name}", "holds an infinite number. Correct it.")
    lengths = np.array([hole.length for hole in _holes(values)] or [1])
    draw = np.random.Generator(np.random.Philox([seed]))
    first, second = (hide(values, lengths, _rows(predictor), draw) for _ in range(2))
    share, found, median = SHARES[-1], None, predictor.forecast.levels.index(0.5)
    if first is not None and second is not None:
        errors = [error(values, first, [own[..., median] for own in _fill(predictor, first, each)]) for each in SHARES]
        share = SHARES[int(np.nanargmin(errors))] if np.isfinite(errors).any() else share
        found = score(values, second, _fill(predictor, second, share), median)
    return Filled(_fill(predictor, values, share), found)


def check(predictor: Predictor) -> None:
    """Raises `UserError` for a model that cannot fill series in."""
    spec = predictor.spec
    reason = ("does not forecast, and only such models fill in" if spec.forecast is None
              else "reads inputs beside the series, which is not supported yet" if len(spec.inputs) > 1
              else "was trained on series without missing values; train with data.missing=mask"
              if spec.inputs[spec.main].missing is None else None)
    if reason is not None:
        raise UserError("unsupported", "--impute", f"the model {reason}.")


def _rows(predictor: Predictor) -> int:
    """Steps that a forecast reads."""
    spec = predictor.spec.forecast
    assert spec is not None
    return spec.context + spec.season


def _holes(values: Sequence[Values]) -> list[_Hole]:
    """Each number's runs of missing values."""
    found = []
    for at, each in enumerate(values):
        for number, column in enumerate(np.isnan(each).T):
            edges = np.flatnonzero(np.diff(column.astype(np.int8), prepend=0, append=0))
            found += [_Hole(at, int(first), int(last - first), number) for first, last in edges.reshape(-1, 2)]
    return found


def _fill(predictor: Predictor, values: Sequence[Values], share: float) -> list[Values]:
    """(T, D, levels) of each series: quantiles of what is missing."""
    spec = predictor.spec.forecast
    assert spec is not None
    levels = predictor.forecast.levels
    rows, horizon, median = _rows(predictor), spec.horizon, levels.index(0.5)
    found = [np.full((*each.shape, len(levels)), np.nan) for each in values]
    holes = _holes(values)
    # a hole that is longer than the horizon is forecast again from within
    wanted = sorted({(hole.series, origin) for hole in holes
                     for origin in range(hole.first, hole.first + hole.length, horizon) if origin >= rows
                     and not np.isnan(values[hole.series][origin - rows : origin]).all(axis=0).any()})
    if not wanted:
        return found
    made = predictor.predict_all([values[at][origin - rows : origin] for at, origin in wanted])[predictor.forecast.name]
    forecasts = dict(zip(wanted, made, strict=True))
    for hole in holes:
        end, column = hole.first + hole.length, found[hole.series][:, hole.number]
        for origin in range(hole.first, end, horizon):
            forecast = forecasts.get((hole.series, origin))
            if forecast is None:
                continue
            own = forecast[:, hole.number]                                      # (H, levels)
            steps = min(horizon, end - origin)
            z = np.log(own) if spec.log else own
            if origin + steps == end < len(values[hole.series]) and steps < horizon:
                after = values[hole.series][end, hole.number]
                off = (np.log(after) if spec.log else after) - z[steps, median]
                z = z + share * off * (np.arange(horizon) + 1)[:, None] / (steps + 1)
            z = np.exp(z) if spec.log else np.rint(z).clip(0) if spec.counts else z
            column[origin : origin + steps] = z[:steps]
    return found

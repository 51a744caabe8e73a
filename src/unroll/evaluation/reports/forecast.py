"""Forecasts with intervals from every origin of a split (rolling-origin evaluation)."""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.config.evaluate import EvaluateConfig
from unroll.config.heads.forecast import Settings
from unroll.data.fields import Sequences
from unroll.data.store import Prepared
from unroll.drawing import evaluation as pictures
from unroll.evaluation.report import Metrics, Prose, Report
from unroll.evaluation.scored import score
from unroll.models.folder import Model

Values = NDArray[np.float64]
PROSE = Prose(
    task="forecasts the next {horizon} steps of a series, with intervals",
    limits=(
        "It assumes that the series continues as before, and knows no event that would change it.",
        "Its intervals are as wide as its past errors: the future may vary more.",
    ),
)


def report(model: Model, prepared: Prepared, name: str, settings: EvaluateConfig) -> Report:
    head = model.config.heads[name]
    assert isinstance(head, Settings)
    levels = np.array(head.levels)
    scale = seasonal_error(prepared, name)
    metrics: Metrics = {}
    known = forecasts(model, prepared.sequences("validation").with_forecasts(), name, settings)
    metrics |= measures(*known, levels, scale, "best/val_")
    data = prepared.sequences("test").with_forecasts()
    quantiles, truth = forecasts(model, data, name, settings)
    metrics |= measures(quantiles, truth, levels, scale, "test/")
    window, _ = stretches(data, name)
    for method, point in simple(data, window).items():
        metrics |= measures(point[..., None], truth, np.array([0.5]), scale, f"baseline/{method}_")
    draw = partial(_draw, data, name, quantiles, levels)
    return Report(metrics, "mase", "MASE", False, draw, PROSE)


def forecasts(model: Model, data: Sequences, name: str, settings: EvaluateConfig) -> tuple[Values, Values]:
    """Quantiles (N, H, D, levels) and the actual values (N, H, D), a row per window in order."""
    assert data.frame is not None
    scored = score(model.network, data, name, settings)
    window, future = stretches(data, name)
    return data.frame.decode(window, scored.predictions), future.transpose(1, 0, 2).astype(np.float64)


def stretches(data: Sequences, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """The rows of every window (rows, N, D), and the values that follow it (H, N, D); NaN where one is missing."""
    assert data.frame is not None and data.bounds is not None
    series = data.inputs[name]
    rows, horizon = data.frame.rows, data.frame.forecast.horizon
    return (series.raw(data.bounds[:, 0] + np.arange(rows)[:, None]),
            series.raw(data.bounds[:, 1] + np.arange(horizon)[:, None]))


def seasonal_error(prepared: Prepared, name: str) -> Values:
    """(D,) mean absolute error of the seasonal naive forecast within the training split: what MASE is in units of.

    Hyndman & Koehler (2006); of several series the mean, so that all of them count alike in sums. NaN of what repeats
    itself exactly, which has no such unit.
    """
    values, offsets = prepared.raw(name, "train").astype(np.float64), prepared.offsets("train")
    assert offsets is not None and prepared.spec.forecast is not None
    season = prepared.spec.forecast.season
    errors = [np.abs(values[first + season : last] - values[first : last - season])
              for first, last in pairwise(np.asarray(offsets))]
    scale = np.asarray(np.nanmean(np.concatenate(errors), axis=0))
    size = np.nanmax(np.abs(values), axis=0)
    return np.where(scale > 1e-9 * size, scale, np.nan)


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
    """Of the variables that have a scale; where none has, the error itself."""
    known = ~np.isnan(scale)
    if known.any():
        return float((error[..., known] / scale[known]).mean())
    return float(error.mean())


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


def _draw(data: Sequences, name: str, quantiles: Values, levels: Values, folder: Path) -> None:
    """The first, a middle and the last origin; of several numbers per step, the first."""
    assert data.bounds is not None and data.frame is not None
    window, future = stretches(data, name)
    origins = sorted({0, len(quantiles) // 2, len(quantiles) - 1})
    pictures.forecasts([(window[:, at, 0], future[:, at, 0], quantiles[at, :, 0]) for at in origins], levels,
                  folder / "fan.png")

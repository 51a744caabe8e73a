"""Forecasts with intervals from every origin of a split (rolling-origin evaluation)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.files import write_rows
from unroll.baselines.seasonal import residual_quantiles, simple
from unroll.config.evaluate import EvaluateConfig
from unroll.config.heads.forecast import Settings
from unroll.data.fields import Sequences
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.data.windows import halves, stretches
from unroll.drawing import forecasts as pictures
from unroll.drawing.forecasts import VARIABLES, Fan
from unroll.evaluation.adaptive import followed
from unroll.evaluation.forecasts import (
    asked,
    by_step,
    calibrated_words,
    coverage_words,
    held,
    measures,
    seasonal_error,
    verdict,
)
from unroll.evaluation.report import Metrics, Prose, Report
from unroll.evaluation.scored import score
from unroll.models.folder import Model
from unroll.readers.common.axis import times_from

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
    assert isinstance(head, Settings) and prepared.spec.forecast is not None
    levels, scale = np.array(head.levels), seasonal_error(prepared, name)
    metrics: Metrics = {}
    calibrated = model.network.head(name).calibration
    before = _uncalibrating(prepared, calibrated is not None)
    earlier = forecasts(model, before, name, settings)
    metrics |= measures(*earlier, levels, scale, "best/val_")
    past, data = (prepared.sequences(split).with_forecasts() for split in ("train", "test"))
    quantiles, truth = forecasts(model, data, name, settings)
    metrics |= measures(quantiles, truth, levels, scale, "test/")
    points = simple(data, stretches(data, name)[0])
    for method, around in residual_quantiles(data, past, name, levels, settings.train_tokens):
        prefix = f"baseline/{method}_"
        intervals = measures(around, truth, levels, scale, prefix)
        metrics |= measures(points[method][..., None], truth, np.array([0.5]), scale, prefix)
        metrics |= {measure: intervals[measure] for measure in (f"{prefix}crps", f"{prefix}coverage")}
    inside = held(quantiles, truth)
    season = "the seasonal naive forecast" if prepared.spec.forecast.season > 1 else "the last value as a forecast"
    point = quantiles[..., head.levels.index(0.5)]
    crps = metrics["test/crps"], metrics["baseline/seasonal_naive_crps"]
    share = float(levels[-1] - levels[0])
    found = [verdict(point, points["seasonal_naive"], truth, scale, season, crps),
             coverage_words(inside[..., 0], share),
             calibrated_words(None if calibrated is None else calibrated.origins, share)]
    assert data.bounds is not None
    adapted = followed(quantiles, truth, *earlier, _series(prepared, "test", data), data.bounds[:, 1],
                       _series(prepared, "validation", before), share, prepared.spec.forecast.log)
    metrics |= {"test/coverage_adaptive": adapted.coverage, "test/width_adaptive": adapted.width}
    found.append(adapted.words)
    if np.isnan(scale).any():
        found.append("what has no seasonal error in training is left out of MASE")
    target = prepared.spec.targets[name]
    columns = target.names or ([name] if target.size == 1 else [f"{name} {at + 1}" for at in range(target.size)])
    draw = partial(_draw, prepared, data, name, columns, quantiles, levels)
    return Report(metrics, "mase", "MASE", False, draw, replace(PROSE, found=tuple(found)))


def _uncalibrating(prepared: Prepared, calibrated: bool) -> Sequences:
    """The validation windows whose errors did not set the intervals that are measured on them."""
    data, offsets = prepared.sequences("validation"), prepared.offsets("validation")
    assert offsets is not None
    return (halves(data, offsets)[0] if calibrated else data).with_forecasts()


def _series(prepared: Prepared, split: Split, windows: Sequences) -> NDArray[np.int64]:
    """(N,) the same number for windows of one series in every split; a gap may cut it in several pieces of a split."""
    numbers = {name: number for number, name in enumerate(sorted({place.name for place in prepared.places("train")}))}
    pieces = np.array([numbers[place.name] for place in prepared.places(split)])
    offsets = prepared.offsets(split)
    assert offsets is not None and windows.bounds is not None
    return np.asarray(pieces[np.searchsorted(offsets, windows.bounds[:, 0], side="right") - 1])


def forecasts(model: Model, data: Sequences, name: str, settings: EvaluateConfig) -> tuple[Values, Values]:
    """Quantiles (N, H, D, levels) and the actual values (N, H, D), a row per window in order."""
    assert data.frame is not None
    scored = score(model.network, data, name, settings)
    window, future = stretches(data, name)
    return data.frame.decode(window, scored.predictions), future.transpose(1, 0, 2).astype(np.float64)


def _draw(prepared: Prepared, data: Sequences, name: str, columns: Sequence[str], quantiles: Values, levels: Values,
          folder: Path) -> None:
    """The first, a middle and the last origin, of one variable below each other, of several beside each other."""
    window, future = stretches(data, name)
    window = window[-max(3 * len(future), 24) :]
    origins = {0: "first origin", len(quantiles) // 2: "an origin in the middle", len(quantiles) - 1: "last origin"}
    times = {at: _times(prepared, data, at, len(window), len(future)) for at in origins}
    rows = [[Fan(window[:, at, column], future[:, at, column], quantiles[at, :, column], title, variable, times[at])
             for at, title in sorted(origins.items())] for column, variable in enumerate(columns[:VARIABLES])]
    if len(rows) == 1:
        rows = [[fan] for fan in rows[0]]
    of = f", the first {len(rows)} of {len(columns)} variables" if len(columns) > VARIABLES else ""
    pictures.forecasts(rows, levels, f"Forecasts of the test split{of}", folder / "fan.png",
                       prepared.spec.reading.time or "")
    inside = held(quantiles, future.transpose(1, 0, 2).astype(np.float64))
    write_rows(folder / "coverage.csv", by_step(inside, asked(levels)))


def _times(prepared: Prepared, data: Sequences, window: int, before: int, after: int) -> NDArray[Any] | None:
    """The times of the last steps of a window of the test split, and of those after it; None where none are known."""
    offsets, alias = prepared.offsets("test"), prepared.spec.reading.frequency
    assert offsets is not None and data.bounds is not None
    end = int(data.bounds[window, 1])
    piece = int(np.searchsorted(offsets, end, side="right")) - 1
    first = prepared.places("test")[piece].time
    own = end - int(offsets[piece])
    return times_from(alias, first, range(own - before, own + after)) if alias and first else None

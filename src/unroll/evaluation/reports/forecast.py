"""Forecasts with intervals from every origin of a split (rolling-origin evaluation)."""

from collections import defaultdict
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from unroll.baselines.seasonal import SEASONAL, Simple
from unroll.config.evaluate import EvaluateConfig
from unroll.config.heads.forecast import Settings
from unroll.data.fields import Sequences
from unroll.data.origins import Windows
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.data.windows import halves
from unroll.evaluation.adaptive import Following
from unroll.evaluation.fans import Shown, draw_forecasts
from unroll.evaluation.fitted import fitted
from unroll.evaluation.forecasts import calibrated_words, held, seasonal_error
from unroll.evaluation.report import Metrics, Prose, Report
from unroll.evaluation.scaled import Scaled, deviation
from unroll.evaluation.tallies import Contest, Held, Measures
from unroll.evaluation.walk import parts
from unroll.models.folder import Model

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
    levels, scale, forecast = np.array(head.levels), seasonal_error(prepared, name), prepared.spec.forecast
    share, median = float(levels[-1] - levels[0]), head.levels.index(0.5)
    calibrated = model.network.head(name).calibration
    before = _uncalibrating(prepared, calibrated is not None)
    past, data = (prepared.sequences(split).with_forecasts() for split in ("train", "test"))
    assert data.bounds is not None
    following = Following(_series(prepared, "test", data), data.bounds[:, 1], _series(prepared, "validation", before),
                          share, forecast.log, forecast.horizon * prepared.spec.targets[name].size)
    validation = Measures(levels, scale)
    for part in parts(model, before, name, settings):
        validation.add(part.quantiles, part.truth)
        following.remember(part.first, part.quantiles, part.truth)
    own, inside, contest, shown = Measures(levels, scale), Held(), Contest(scale), Shown(len(data))
    points: dict[str, Measures] = defaultdict(partial(Measures, np.array([0.5]), scale))
    intervals: dict[str, Measures] = defaultdict(partial(Measures, levels, scale))
    unit = deviation(prepared, name)
    scaled: dict[str, Scaled] = defaultdict(partial(Scaled, unit))
    simple = Simple(past, name, levels, settings.train_tokens)
    for part in parts(model, data, name, settings):
        own.add(part.quantiles, part.truth)
        scaled["test/"].add(part.quantiles[..., median], part.truth)
        inside.add(held(part.quantiles, part.truth))
        following.follow(part.first, part.quantiles, part.truth)
        shown.keep(part)
        for method, point, around in simple.forecasts(part.window):
            points[method].add(point[..., None], part.truth)
            scaled[f"baseline/{method}_"].add(point, part.truth)
            intervals[method].add(around, part.truth)
            if method == SEASONAL:
                contest.add(part.quantiles[..., median], point, part.truth)
    metrics: Metrics = validation.named("best/val_") | own.named("test/")
    for method, measured in points.items():
        prefix = f"baseline/{method}_"
        wide = intervals[method].named(prefix)
        metrics |= measured.named(prefix) | {name: wide[name] for name in (f"{prefix}crps", f"{prefix}coverage")}
    metrics |= fitted(prepared, data, name, levels, scale, settings.train_tokens)
    for prefix, errors in scaled.items():
        metrics |= errors.named(prefix)
    adapted = following.result()
    metrics |= {"test/coverage_adaptive": adapted.coverage, "test/width_adaptive": adapted.width}
    season = "the seasonal naive forecast" if forecast.season > 1 else "the last value as a forecast"
    found = [contest.verdict(season, (metrics["test/crps"], metrics[f"baseline/{SEASONAL}_crps"])),
             inside.words(share), calibrated_words(None if calibrated is None else calibrated.origins, share),
             adapted.words]
    if np.isnan(scale).any():
        found.append("what has no seasonal error in training is left out of MASE")
    found += _scored(prepared)
    draw = partial(draw_forecasts, prepared, data, name, shown, inside, levels)
    return Report(metrics, "mase", "MASE", False, draw, replace(PROSE, found=tuple(found)))


def _scored(prepared: Prepared) -> list[str]:
    """How many of the windows of the test split are scored, where not all of them are."""
    windows = prepared.sequences("test").bounds
    if not isinstance(windows, Windows) or len(windows) == windows.of:
        return []
    return [f"{len(windows):,} of {windows.of:,} windows of the test split are scored, spread evenly "
            "(data.forecast.eval_windows)"]


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

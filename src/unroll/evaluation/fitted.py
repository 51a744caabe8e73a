"""Forecasts of methods that are fitted to each series anew before an origin, from some origins of the test split."""

from collections import defaultdict
from functools import partial

import numpy as np
from numpy.typing import NDArray

from unroll.baselines.fitted import REMEMBERED, available, forecasts
from unroll.data.fields import Sequences
from unroll.data.parts import spread
from unroll.data.source import SPLITS
from unroll.data.store import Prepared
from unroll.evaluation.report import Metrics
from unroll.evaluation.tallies import Measures

Values = NDArray[np.float64]


def fitted(prepared: Prepared, data: Sequences, name: str, levels: Values, scale: Values, steps: int) -> Metrics:
    """Measures from as many origins, evenly spread, as let fits read about so many `steps`; prints when that is few."""
    assert data.bounds is not None and prepared.spec.forecast is not None
    forecast, size = prepared.spec.forecast, prepared.spec.targets[name].size
    origins = spread(len(data), steps // REMEMBERED // size)
    if not available():
        print("evaluate: ETS and Theta left out: statsmodels is not installed. pip install 'unroll[statsmodels]'")
        return {}
    if not len(origins):
        print(f"evaluate: ETS and Theta left out: evaluate.train_tokens allows no fit of {REMEMBERED:,} steps of "
              f"{size} variables")
        return {}
    measured: dict[str, Measures] = defaultdict(partial(Measures, levels, scale))
    offsets, places = prepared.offsets("test"), prepared.places("test")
    assert offsets is not None
    for first, end in data.bounds[origins]:
        piece = int(np.searchsorted(offsets, first, side="right")) - 1
        place = places[piece]
        history = before(prepared, name, place.name, place.first + int(end - offsets[piece]))
        truth = prepared.raw(name, "test", end, end + forecast.horizon).astype(np.float64)
        made: dict[str, list[Values]] = defaultdict(list)
        for column in history.T:
            for method, quantiles in forecasts(column, forecast.horizon, forecast.season, forecast.log, levels):
                made[method].append(quantiles)
        for method, found in made.items():
            measured[method].add(np.stack(found, axis=1)[None], truth[None])
    if len(origins) < len(data):
        print(f"evaluate: ETS and Theta are measured from {len(origins):,} of {len(data):,} origins "
              "(evaluate.train_tokens)")
    return {measure: value for method, each in measured.items() for measure, value in
            each.named(f"baseline/{method}_").items() if not measure.endswith("_asked")}


def before(prepared: Prepared, name: str, series: str, end: int) -> Values:
    """(end, D) a series from its first step to `end`, from all splits; NaN where none of them has a value."""
    history = np.full((end, prepared.spec.targets[name].size), np.nan)
    for split in SPLITS:
        offsets = prepared.offsets(split)
        assert offsets is not None
        for piece, place in enumerate(prepared.places(split)):
            if place.name == series and place.first < end:
                values = prepared.raw(name, split, *offsets[piece : piece + 2].tolist())[: end - place.first]
                history[place.first : place.first + len(values)] = values
    known = np.flatnonzero(~np.isnan(history).all(axis=1))
    return history[known[0] :]
